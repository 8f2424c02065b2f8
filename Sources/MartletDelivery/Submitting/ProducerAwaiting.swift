/// A producer wants to know what a group makes of an event of its.
package struct ProducerAwaiting: Sendable, Hashable {
    package let producer: String
    /// The producer's number of the event.
    package let number: UInt64
    package let group: String

    package init(producer: String, number: UInt64, group: String) {
        self.producer = producer
        self.number = number
        self.group = group
    }
}

/// What a group has made of an event of a producer.
package struct ProducerOutcome: Sendable, Hashable {
    /// What there is to say of it.
    package enum Answer: Sendable, Hashable {
        case ended(WorkFate)
        /// The group is done with it, and nobody remembers how.
        case forgotten
        /// The node knows no such group.
        case unknownGroup
    }

    package let awaiting: ProducerAwaiting
    package let answer: Answer

    package init(_ awaiting: ProducerAwaiting, _ answer: Answer) {
        self.awaiting = awaiting
        self.answer = answer
    }
}

/// A producer that waits, and where its event stands.
package struct ProducerWatch: Sendable {
    package let session: UInt64
    package let awaiting: ProducerAwaiting
    /// Nil if that is not remembered.
    package let event: WatchedEvent?
}

extension ProducerAwaiting {
    init?(_ reader: inout FieldReader) {
        guard let producer = reader.producer(), let number = reader.sequence(), number > 0,
            let group = reader.group()
        else { return nil }
        self.init(producer: producer, number: number, group: group)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(producer)
        writer.varint(number)
        writer.text(group)
    }
}

extension ProducerOutcome {
    private static let reasons: [DeadEvent.Reason] = [.rejected, .failed, .lapsed, .parked]

    init?(_ reader: inout FieldReader) {
        guard let awaiting = ProducerAwaiting(&reader), let code = reader.byte() else { return nil }
        let answer: Answer
        switch code {
        case 0: answer = .ended(.handled(value: nil))
        case 1:
            guard let value = reader.bytes(atMost: Limits.outcomeBytesMax) else { return nil }
            answer = .ended(.handled(value: value))
        case 2:
            guard let reason = reader.byte(), Int(reason) < ProducerOutcome.reasons.count,
                let text = reader.text(atMost: Limits.reasonBytesMax)
            else { return nil }
            answer = .ended(.dead(ProducerOutcome.reasons[Int(reason)], text: text))
        case 3: answer = .ended(.skipped)
        case 4:
            guard let reason = reader.byte().flatMap({ StoredLedger.Loss.Reason(rawValue: $0) })
            else { return nil }
            answer = .ended(.lost(reason))
        case 5: answer = .forgotten
        case 6: answer = .unknownGroup
        default: return nil
        }
        self.init(awaiting, answer)
    }

    func write(into writer: inout FieldWriter) {
        awaiting.write(into: &writer)
        switch answer {
        case .ended(.handled(value: nil)): writer.byte(0)
        case .ended(.handled(value: let value?)):
            writer.byte(1)
            writer.bytes(value)
        case .ended(.dead(let reason, let text)):
            writer.byte(2)
            writer.byte(UInt8(ProducerOutcome.reasons.firstIndex(of: reason) ?? 0))
            writer.text(text)
        case .ended(.skipped): writer.byte(3)
        case .ended(.lost(let reason)):
            writer.byte(4)
            writer.byte(reason.rawValue)
        case .forgotten: writer.byte(5)
        case .unknownGroup: writer.byte(6)
        }
    }
}
