/// A question to the storage on behalf of a reader.
///
/// The answer to a reader's request takes a few turns. In each, some frames are read and sent, and
/// while they are on their way the next are read, after those that others have asked for.
package struct StoredRequest: Sendable {
    let session: UInt64
    /// What the reader asked for, as far as it has not been sent.
    let fetch: Fetch
    /// The channel.
    package let channel: Channel
    /// What is asked.
    package let question: StoredAnswer.Question?
    /// Which turn of the answer it is.
    private let turn: Int

    /// What a reader asked for in this session, in the first turn.
    init(
        session: UInt64, fetch: Fetch, channel: Channel, question: StoredAnswer.Question?,
        turn: Int = 1
    ) {
        self.session = session
        self.fetch = fetch
        self.channel = channel
        self.question = question
        self.turn = turn
    }

    /// What is asked in the next turn, when these frames are sent in this one; nil if the answer
    /// ends with them. Many small frames are left at one turn: each takes as much room in the
    /// peer's queue as a large one.
    func next(
        behind frames: [SealedFrame], _ end: FetchEnd, of channel: PublisherChannel, budget: Int,
        room: Int
    ) -> StoredRequest? {
        let sent = frames.reduce(0) { $0 + $1.bytes.count }
        guard end.reason == .more, let last = frames.last, frames.count < Limits.fetchFrames,
            turn < Limits.fetchTurns, room - sent >= budget
        else { return nil }
        let rest = fetch.rest(in: end.epoch, from: end.next, without: sent)
        guard rest.byteBudget >= UInt64(last.bytes.count),
            case .stored(let question) = channel.answer(rest, budget: budget, room: room - sent)
        else { return nil }
        return StoredRequest(
            session: session, fetch: rest, channel: self.channel, question: question, turn: turn + 1
        )
    }

    /// How its answer ends, if it has brought something before: whatever comes next is told to a
    /// reader that asks from where it stands, for it may not have got all of that.
    func ended(behind frames: [SealedFrame], _ end: FetchEnd) -> FetchEnd {
        guard turn > 1, frames.isEmpty, case .behind(_, let sequence) = fetch.start else {
            return end
        }
        return FetchEnd(request: end.request, reason: .more, epoch: end.epoch, next: sequence + 1)
    }
}
