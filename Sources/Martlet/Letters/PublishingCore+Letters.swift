internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// What can be done about events that groups have given up.
extension PublishingCore {
    /// The letters that are open, and meant.
    func openLetters(_ selection: LetterSelection) async throws(MartletError) -> [DeadLetter] {
        // What lives in memory may not be there yet, though its publisher has heard of it.
        if journal == nil { try await settleLetters() }
        return try await letterBook().open(selection)
    }

    /// Lets groups try events again. Where a key is parked, all of it is tried again.
    func retry(_ selection: LetterSelection) async throws(MartletError) -> LetterCount {
        try await letterTurn.take { () async throws(MartletError) in
            let chosen = try await openLetters(selection)
            var count = LetterCount()
            for (group, letters) in Dictionary(grouping: chosen, by: \.group) {
                count += try await retry(letters, of: group)
            }
            return count
        }
    }

    private func retry(
        _ letters: [DeadLetter], of group: String
    ) async throws(MartletError) -> LetterCount {
        let held = hold(letters, of: group)
        var all = letters
        if !held.isEmpty {
            do throws(MartletError) {
                try await settleLetters()
                all = try await withKeys(held, letters, of: group)
            } catch {
                release(held, of: group, goingOn: false)
                throw error
            }
        }
        let known = try await events(of: all)
        let count = state.withLock { state in
            let places = state.work.reopen(
                known.map(\.event), of: group, at: NodeClock.now)
            let taken = places.map { known[$0].number }
            for start in stride(from: 0, to: taken.count, by: ClosedLetters.lettersMax) {
                let some = Array(taken[start...].prefix(ClosedLetters.lettersMax))
                state.letters.append(.closed(ClosedLetters(action: .retried, letters: some)))
            }
            // What could not be taken keeps its key back.
            let isAll = taken.count == all.count
            state.work.release(held, of: group, goingOn: isAll, at: NodeClock.now)
            carryOutWork(&state)
            return LetterCount(done: taken.count, left: all.count - taken.count)
        }
        try await settleLetters()
        return count
    }

    /// Letters are of no interest any more. A key that is parked goes on when none of it is left.
    func purge(_ selection: LetterSelection) async throws(MartletError) -> LetterCount {
        try await letterTurn.take { () async throws(MartletError) in
            let chosen = try await openLetters(selection)
            var count = LetterCount()
            for (group, letters) in Dictionary(grouping: chosen, by: \.group) {
                count += try await close(letters, of: group, .purged)
            }
            return count
        }
    }

    /// Publishes another event in the place of one that was set aside, and closes its letter.
    func replace(
        _ number: UInt64, by payload: Bytes
    ) async throws(MartletError) -> Receipt {
        try await letterTurn.take { () async throws(MartletError) in
            let chosen = try await openLetters(LetterSelection(numbers: [number]))
            guard let letter = chosen.first, let old = letter.event else {
                throw MartletError(
                    .invalidArgument,
                    "There is no open dead letter \(number) with an event. Look at the list.")
            }
            let receipt = try await publish(payload, like: old)
            _ = try await close([letter], of: letter.group, .replaced)
            return receipt
        }
    }

    private func publish(
        _ payload: Bytes, like old: RecordedEvent
    ) async throws(MartletError) -> Receipt {
        let stream = old.topic.stream
        guard let buffer = buffer(named: stream) else {
            throw MartletError(
                .wrongState, "The node does not publish the stream `\(stream)` any more.")
        }
        let outlet = Outlet(self, buffer)
        let attributes = old.attributes
        let fields = EventFields(
            time: nil, key: old.key, id: nil, attributes: attributes.isEmpty ? nil : attributes)
        let kind = outlet.passingKind(old.definition)
        return try await outlet.publish(until: buffer.receipts == nil ? .queued : .stored) {
            (group) throws(MartletError) in
            try payload.withBytes { (span) throws(MartletError) in
                try outlet.append(span, fields, kind, for: group)
            }
        }
    }

    private func close(
        _ letters: [DeadLetter], of group: String, _ action: ClosedLetters.Action
    ) async throws(MartletError) -> LetterCount {
        let held = hold(letters, of: group)
        var goesOn = false
        if !held.isEmpty {
            do throws(MartletError) {
                try await settleLetters()
                goesOn = try await withKeys(held, letters, of: group).count == letters.count
            } catch {
                release(held, of: group, goingOn: false)
                throw error
            }
        }
        let numbers = letters.map(\.number)
        state.withLock { state in
            for start in stride(from: 0, to: numbers.count, by: ClosedLetters.lettersMax) {
                let some = Array(numbers[start...].prefix(ClosedLetters.lettersMax))
                state.letters.append(.closed(ClosedLetters(action: action, letters: some)))
            }
            state.work.release(held, of: group, goingOn: goesOn, at: NodeClock.now)
            carryOutWork(&state)
        }
        try await settleLetters()
        return LetterCount(done: numbers.count, left: 0)
    }

    // MARK: Keys

    private func hold(_ letters: [DeadLetter], of group: String) -> Set<HeldKey> {
        let keys = letters.compactMap(\.heldKey)
        return state.withLock { $0.work.hold(keys, of: group) }
    }

    private func release(_ held: Set<HeldKey>, of group: String, goingOn: Bool) {
        state.withLock { state in
            state.work.release(held, of: group, goingOn: goingOn, at: NodeClock.now)
            carryOutWork(&state)
        }
    }

    /// The letters, and all others of these keys, in their order.
    private func withKeys(
        _ held: Set<HeldKey>, _ letters: [DeadLetter], of group: String
    ) async throws(MartletError) -> [DeadLetter] {
        let chosen = Set(letters.map(\.number))
        return try await letterBook().open(LetterSelection(group: group)).filter { letter in
            chosen.contains(letter.number)
                || letter.heldKey.map { held.contains($0) } ?? false
        }
    }

    // MARK: After a restart

    /// What was being tried again when the node ended is read from its letters.
    func restoreLettersIfAwaited() {
        let awaited = state.withLock { $0.work.awaited }
        guard !awaited.isEmpty, !isRestoring.exchange(true, ordering: .relaxed) else { return }
        Task {
            await restore(awaited)
            isRestoring.store(false, ordering: .relaxed)
        }
    }

    private func restore(_ awaited: [LedgerName: SequenceSet]) async {
        // Until they can be read, nothing goes before them.
        guard let letters = try? await letterBook().letters else { return }
        for (name, sequences) in awaited {
            let own = letters.filter { $0.group == name.group }
            guard let known = try? await events(of: own) else { return }
            let events = known.map(\.event).filter {
                $0.frame.channel == name.channel && sequences.contains($0.sequence)
            }
            state.withLock { state in
                state.work.restore(events, of: name, at: NodeClock.now)
                carryOutWork(&state)
            }
        }
    }

    // MARK: Reading

    private struct KnownEvent: Sendable {
        let number: UInt64
        let event: RecordedEvent
    }

    /// The events of letters: their copies, or what is kept of their streams.
    private func events(of letters: [DeadLetter]) async throws(MartletError) -> [KnownEvent] {
        var known: [KnownEvent] = []
        for letter in letters {
            let event = try await letter.event == nil ? stored(letter) : letter.event
            if let event { known.append(KnownEvent(number: letter.number, event: event)) }
        }
        return known
    }

    private func stored(_ letter: DeadLetter) async throws(MartletError) -> RecordedEvent? {
        guard let journal, buffer(named: letter.channel.stream)?.receipts != nil else { return nil }
        let (channel, sequence) = (letter.channel, letter.sequence)
        return try await BlockingCall.run { () throws(MartletError) in
            let stored = try journal.storage.read(channel, from: sequence, byteCountMax: 1)
            guard let bytes = stored.frames.first?.bytes else { return nil }
            return try Frame(bytes).first { $0.sequence == sequence }
        }
    }

    /// Waits until what is to be told of letters can be read.
    private func settleLetters() async throws(MartletError) {
        if let journal { return try await journal.writer.flush() }
        publishDead()
        guard let buffer = buffer(named: DeadLetter.topic.stream) else { return }
        while !buffer.isEmpty {
            let changes = progress.changes
            loop.notify()
            // Whoever publishes may wait so long for more.
            _ = await progress.wait(since: changes, until: NodeClock.now + .milliseconds(20))
        }
    }

    /// What the stream of dead letters comes to.
    private func letterBook() async throws(MartletError) -> LetterBook {
        let channel = Channel(node: instance.node, stream: DeadLetter.topic.stream, lane: 0)
        guard let journal else {
            let frames = state.withLock { $0.machine.ringFrames(of: channel) }
            var book = LetterBook()
            for frame in frames { try book.take(frame.bytes) }
            return book
        }
        return try await BlockingCall.run { () throws(MartletError) in
            var book = LetterBook()
            var next = journal.storage.channels.first { $0.channel == channel }?.first ?? 1
            while true {
                let stored = try journal.storage.read(
                    channel, from: next, byteCountMax: Limits.fetchBytes)
                for frame in stored.frames { try book.take(frame.bytes) }
                if let last = stored.frames.last {
                    next = last.sequences.upperBound
                } else if let damaged = stored.damaged {
                    next = damaged.upperBound
                } else {
                    return book
                }
            }
        }
    }
}

extension DeadLetter {
    fileprivate var heldKey: HeldKey? {
        event.map { HeldKey(of: $0) } ?? key.map { HeldKey($0, of: channel) }
    }
}

extension LetterBook {
    fileprivate mutating func take(_ bytes: Bytes) throws(MartletError) {
        let frame = try Frame(bytes)
        for event in frame { take(event) }
    }
}
