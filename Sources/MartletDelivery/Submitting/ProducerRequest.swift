/// What a producer asks of a node.
package struct ProducerRequest: Sendable {
    /// The requests.
    package enum Body: Sendable {
        /// To be opened.
        case open(ProducerOpening)
        /// That events be stored.
        case submit(Submission)
        /// To be told what a group makes of an event.
        case await(ProducerAwaiting)
    }

    package let session: UInt64
    package let body: Body

    package init(session: UInt64, _ body: Body) {
        self.session = session
        self.body = body
    }

    /// How much memory it keeps.
    package var byteCount: Int {
        switch body {
        case .open, .await: ProducerRequest.ownBytes
        case .submit(let submission): ProducerRequest.ownBytes + submission.byteCount
        }
    }

    private static let ownBytes = 512

    /// Whose request it is.
    package var producer: String {
        switch body {
        case .open(let opening): opening.producer
        case .submit(let submission): submission.producer
        case .await(let awaiting): awaiting.producer
        }
    }

    /// The answer to more than anybody has on the way; nil if it is not too large.
    package var tooLarge: ProducerAnswer? {
        guard byteCount > Limits.submissionBytes + Limits.frameBytesMax else { return nil }
        return refused(SubmissionRefusal(.invalid, "It is too much at once."))
    }

    /// The answer of a node that takes nothing from others.
    package var refused: ProducerAnswer {
        let text = "The node keeps no journal for the events of others, or is told to take none."
        return refused(SubmissionRefusal(.unavailable, text))
    }

    /// The answer of a node whose disk is behind; nil where the producer asks again by itself.
    package var busy: ProducerAnswer? {
        switch body {
        case .open, .await: nil
        case .submit(let submission):
            answer(
                Submitted(
                    producer: submission.producer, attempt: submission.attempt, next: 1,
                    outcome: .busy))
        }
    }

    func refused(_ refusal: SubmissionRefusal) -> ProducerAnswer {
        switch body {
        case .open(let opening):
            answer(
                ProducerOpened(
                    producer: opening.producer, refusal: refusal,
                    epoch: opening.epoch ?? Epoch(rawValue: 0), next: 1))
        case .submit(let submission):
            answer(
                Submitted(
                    producer: submission.producer, attempt: submission.attempt, next: 1,
                    outcome: .refused(refusal)))
        case .await(let awaiting):
            ProducerAnswer(
                session: session,
                message: .outcome(
                    session: session, ProducerOutcome(awaiting, .unknownGroup)))
        }
    }

    func answer(_ opened: ProducerOpened) -> ProducerAnswer {
        ProducerAnswer(session: session, message: .opened(session: session, opened))
    }

    func answer(_ submitted: Submitted) -> ProducerAnswer {
        ProducerAnswer(session: session, message: .submitted(session: session, submitted))
    }
}

/// What a producer is told.
package struct ProducerAnswer: Sendable {
    let session: UInt64
    let message: SessionMessage
}
