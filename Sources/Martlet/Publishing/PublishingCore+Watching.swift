internal import MartletDelivery
import Synchronization

/// Those who publish until a group is done with the event.
extension PublishingCore {
    /// Throws if nobody has ever worked for a group of this name.
    func requireGroup(_ group: String) throws(MartletError) {
        let isKnown = state.withLock { $0.work.knows(group) }
        guard !isKnown else { return }
        throw MartletError(
            .wrongState,
            "The node knows no group `\(group)`: no worker of it has come yet. Start one, or mend "
                + "the name. Nothing was published.")
    }

    /// Appends an event, and watches what a group makes of it. Nobody publishes meanwhile, so that
    /// nothing can become of it before it is watched.
    func watching(
        _ group: String, _ buffer: StreamBuffer, _ lane: Int,
        _ append: () throws(MartletError) -> StreamBuffer.Outcome
    ) throws(MartletError) -> StreamBuffer.Outcome {
        try state.withLock { (state) throws(MartletError) in
            let outcome = try append()
            guard case .appended(let sequence, _) = outcome else { return outcome }
            let event = watched(AppendedEvent(sequence: sequence, lane: lane), buffer, group)
            outcomes.add(event)
            if !state.work.watch(event) { outcomes.tell(.skipped, of: event) }
            return outcome
        }
    }

    /// What a group has made of an event that it watches.
    func outcome(
        of appended: AppendedEvent, in buffer: StreamBuffer, for group: String,
        until deadline: MonotonicTime
    ) async throws(MartletError) -> Outcome {
        let event = watched(appended, buffer, group)
        do throws(MartletError) {
            return try await outcomes.wait(for: event, until: deadline)
        } catch {
            state.withLock { $0.work.unwatch(event) }
            throw error
        }
    }

    /// Producers want to know what becomes of events that are not committed yet, or were before.
    func watch(_ watches: [ProducerWatch]) {
        guard !watches.isEmpty else { return }
        let messages = state.withLock { state in
            watches.flatMap { watch in
                answer(to: watch, &state).map { told($0, watch, &state) } ?? []
            }
        }
        send(messages)
    }

    /// What there is to say at once; nil if it must be waited for.
    private func answer(
        to watch: ProducerWatch, _ state: inout State
    ) -> ProducerOutcome.Answer? {
        guard state.work.knows(watch.awaiting.group) else { return .unknownGroup }
        guard let event = watch.event else { return .forgotten }
        if let fate = state.remote.fate(of: event) { return .ended(fate) }
        // What is watched may be settled, and wait for the disk.
        let isWatched = state.remote.has(event)
        guard isWatched || !state.work.isSettled(event) else { return .forgotten }
        // With too many of them, it asks again.
        guard state.remote.add(watch, for: event), !isWatched else { return nil }
        guard state.work.watch(event) else {
            _ = state.remote.take(event, .skipped)
            return .ended(.skipped)
        }
        return nil
    }

    func told(
        _ answer: ProducerOutcome.Answer, _ watch: ProducerWatch, _ state: inout State
    ) -> [Outgoing] {
        let outcome = ProducerOutcome(watch.awaiting, answer)
        var messages: [Outgoing] = []
        let message = SessionMessage.outcome(session: watch.session, outcome)
        for case .send(let route, let message) in state.machine.say(message) {
            messages.append((route, message))
        }
        return messages
    }

    private func watched(
        _ event: AppendedEvent, _ buffer: StreamBuffer, _ group: String
    ) -> WatchedEvent {
        let channel = Channel(
            node: buffer.instance.node, stream: buffer.definition.name, lane: event.lane)
        return WatchedEvent(group: group, channel: channel, sequence: event.sequence)
    }
}
