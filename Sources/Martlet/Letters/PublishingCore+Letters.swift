internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// What can be done about events that groups have given up.
extension PublishingCore {
    /// The letters that are open, and meant.
    func openLetters(_ selection: LetterSelection) async throws(MartletError) -> [DeadLetter] {
        try await letterTurn.take { () async throws(MartletError) in
            try await openNow(selection)
        }
    }

    private func openNow(
        _ selection: LetterSelection
    ) async throws(MartletError) -> [DeadLetter] {
        // What lives in memory may not be there yet, though its publisher has heard of it.
        if journal == nil { try await settleLetters() }
        return try await letterBook().open(selection)
    }

    /// Lets groups try events again. Where a key is parked, all of it is tried again, or nothing.
    func retry(_ selection: LetterSelection) async throws(MartletError) -> LetterCount {
        try await forEachGroup(of: selection) { (group, letters) throws(MartletError) in
            try await holdingKeys(of: letters, group) { (work) throws(MartletError) in
                let known = try await events(of: work.all)
                return state.withLock { state in retry(known, work, group, &state) }
            }
        }
    }

    private func retry(
        _ known: [UInt64: RecordedEvent], _ work: HeldLetters, _ group: String,
        _ state: inout State
    ) -> (count: LetterCount, free: Set<HeldKey>) {
        var (done, free): ([UInt64], Set<HeldKey>) = ([], [])
        for (key, letters) in work.byKey {
            let events = letters.compactMap { known[$0.number] }
            // All of a key, or nothing: what is left behind would be overtaken.
            guard events.count == letters.count,
                state.work.reopen(events, of: group, at: NodeClock.now)
            else { continue }
            done += letters.map(\.number)
            if let key { free.insert(key) }
        }
        note(.retried, done.sorted(), &state)
        return (LetterCount(done: done.count, notDone: work.all.count - done.count), free)
    }

    /// Letters are of no interest any more. A key that is parked goes on when none of it is left.
    func purge(_ selection: LetterSelection) async throws(MartletError) -> LetterCount {
        try await forEachGroup(of: selection) { (group, letters) throws(MartletError) in
            try await holdingKeys(of: letters, group) { work in
                close(letters, .purged, work)
            }
        }
    }

    private func close(
        _ letters: [DeadLetter], _ action: ClosedLetters.Action, _ work: HeldLetters
    ) -> (count: LetterCount, free: Set<HeldKey>) {
        let numbers = Set(letters.map(\.number))
        state.withLock { state in note(action, numbers.sorted(), &state) }
        let free = work.byKey.filter { key, own in
            key != nil && own.allSatisfy { numbers.contains($0.number) }
        }.compactMap(\.key)
        return (LetterCount(done: numbers.count), Set(free))
    }

    /// Publishes another event in the place of one that was set aside, and closes its letter.
    func replace(
        _ number: UInt64, by payload: Bytes
    ) async throws(MartletError) -> Receipt {
        try await letterTurn.take { () async throws(MartletError) in
            let chosen = try await openNow(LetterSelection(numbers: [number]))
            guard let letter = chosen.first, let old = letter.event else {
                throw MartletError(
                    .invalidArgument,
                    "There is no open dead letter \(number) with an event. Look at the list.")
            }
            // Its key is held meanwhile: else the new event might be set aside behind the old one.
            var receipt: Receipt?
            _ = try await holdingKeys(of: [letter], letter.group) { (work) throws(MartletError) in
                receipt = try await publish(payload, like: old)
                return close([letter], .replaced, work)
            }
            guard let receipt else { preconditionFailure("it was published, or it has thrown") }
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

    private func forEachGroup(
        of selection: LetterSelection,
        _ body: (String, [DeadLetter]) async throws(MartletError) -> LetterCount
    ) async throws(MartletError) -> LetterCount {
        try await letterTurn.take { () async throws(MartletError) in
            var count = LetterCount()
            let chosen = Dictionary(grouping: try await openNow(selection), by: \.group)
            for group in chosen.keys.sorted() {
                count += try await body(group, chosen[group] ?? [])
            }
            return count
        }
    }

    private func note(
        _ action: ClosedLetters.Action, _ numbers: [UInt64], _ state: inout State
    ) {
        for start in stride(from: 0, to: numbers.count, by: ClosedLetters.lettersMax) {
            let some = Array(numbers[start...].prefix(ClosedLetters.lettersMax))
            state.letters.append(.closed(ClosedLetters(action: action, letters: some)))
        }
    }

    // MARK: Keys

    /// Letters, and all others of their keys that are parked.
    private struct HeldLetters {
        let all: [DeadLetter]
        /// Those of each parked key together, in their order; each other one for itself.
        let byKey: [(key: HeldKey?, letters: [DeadLetter])]

        init(_ all: [DeadLetter], _ held: Set<HeldKey>) {
            self.all = all
            var byKey: [(key: HeldKey?, letters: [DeadLetter])] = []
            var places: [HeldKey: Int] = [:]
            for letter in all {
                guard let key = letter.heldKey, held.contains(key) else {
                    byKey.append((nil, [letter]))
                    continue
                }
                if let place = places[key] {
                    byKey[place].letters.append(letter)
                } else {
                    places[key] = byKey.count
                    byKey.append((key, [letter]))
                }
            }
            self.byKey = byKey
        }
    }

    /// Does something about letters while nothing more of their keys is set aside. Keys that are
    /// returned go on; for the others all is as before.
    private func holdingKeys(
        of letters: [DeadLetter], _ group: String,
        _ body: (HeldLetters) async throws(MartletError) -> (count: LetterCount, free: Set<HeldKey>)
    ) async throws(MartletError) -> LetterCount {
        let keys = letters.compactMap(\.heldKey)
        let held = state.withLock { $0.work.hold(keys, of: group) }
        var outcome: (count: LetterCount, free: Set<HeldKey>)?
        defer { release(held, of: group, goingOn: outcome?.free ?? []) }
        var all = letters
        if !held.isEmpty {
            // What is being set aside must be known.
            try await settleLetters()
            let chosen = Set(letters.map(\.number))
            all = try await letterBook().open(LetterSelection(group: group)).filter { letter in
                chosen.contains(letter.number) || letter.heldKey.map(held.contains) ?? false
            }
        }
        let ended = try await body(HeldLetters(all, held))
        outcome = ended
        release(held, of: group, goingOn: ended.free)
        try await settleLetters()
        return ended.count
    }

    private func release(_ held: Set<HeldKey>, of group: String, goingOn free: Set<HeldKey>) {
        state.withLock { state in
            for (keys, isFree) in [(free, true), (held.subtracting(free), false)] {
                state.work.release(keys, of: group, goingOn: isFree, at: NodeClock.now)
            }
            carryOutWork(&state)
        }
    }

    // MARK: After a restart

    /// What was being tried again when the node ended is read from its letters.
    func restoreLettersIfAwaited() {
        let awaited = state.withLock { $0.work.awaited }
        guard !awaited.isEmpty, !isRestoring.exchange(true, ordering: .relaxed) else { return }
        Task {
            await restore(awaited)
            // A disk that fails is asked again after a while.
            _ = await progress.wait(
                since: progress.changes, until: NodeClock.now + .seconds(1))
            isRestoring.store(false, ordering: .relaxed)
        }
    }

    private func restore(_ awaited: [LedgerName: SequenceSet]) async {
        // Until they can be read, nothing goes before them.
        guard let letters = try? await letterBook(keepingRetried: true).retried else { return }
        for (name, sequences) in awaited {
            let own = letters.filter { $0.group == name.group }
            guard let known = try? await events(of: own) else { return }
            let events = known.values.filter {
                $0.frame.channel == name.channel && sequences.contains($0.sequence)
            }
            state.withLock { state in
                state.work.restore(events, of: name, at: NodeClock.now)
                carryOutWork(&state)
            }
        }
    }

    // MARK: Reading

    /// The events of letters, by their numbers: their copies, or what is kept of their streams.
    private func events(
        of letters: [DeadLetter]
    ) async throws(MartletError) -> [UInt64: RecordedEvent] {
        var known: [UInt64: RecordedEvent] = [:]
        for letter in letters {
            known[letter.number] = try await letter.event == nil ? stored(letter) : letter.event
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
        let end = NodeClock.now + PublishingCore.letterPatience
        while !buffer.isEmpty {
            let changes = progress.changes
            loop.notify()
            // Whoever publishes may wait so long for more.
            let next = NodeClock.now + .milliseconds(20)
            switch await progress.wait(since: changes, until: next) {
            case .changed, .timedOut: break
            case .closed: throw Outlet.closedError
            case .cancelled:
                throw MartletError(
                    .cancelled, "The task was cancelled while it waited for dead letters.")
            }
            guard NodeClock.now < end else {
                throw MartletError(
                    .timedOut,
                    "The stream `martlet` is held up by its readers, and nothing can be done about "
                        + "dead letters. Try again.", isRetriable: true)
            }
        }
    }

    /// The stream of dead letters may be held up for so long.
    private static let letterPatience = Duration.seconds(10)

    /// What the stream of dead letters comes to.
    private func letterBook(
        keepingRetried keepsRetried: Bool = false
    ) async throws(MartletError) -> LetterBook {
        let channel = Channel(node: instance.node, stream: DeadLetter.topic.stream, lane: 0)
        guard let journal else {
            let frames = state.withLock { $0.machine.ringFrames(of: channel) }
            var book = LetterBook(keepingRetried: keepsRetried)
            for frame in frames { try book.take(frame.bytes) }
            return book
        }
        return try await BlockingCall.run { () throws(MartletError) in
            var book = LetterBook(keepingRetried: keepsRetried)
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
