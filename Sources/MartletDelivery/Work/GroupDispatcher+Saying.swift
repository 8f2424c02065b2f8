/// What workers are told.
extension GroupDispatcher {
    /// Tells a worker what it was given. All of one turn goes together: small messages cost more
    /// than what they bring, and too many of them find no room.
    private mutating func sayGrants(to place: Int) {
        let grants = members[place].grants
        guard !grants.isEmpty, let session = members[place].session else { return }
        members[place].grants = []
        for start in stride(from: 0, to: grants.count, by: Limits.messageFrames) {
            let some = grants[start...].prefix(Limits.messageFrames)
            let work = Work(
                group: definition.name, round: members[place].round,
                number: members[place].nextNumber(), leases: some.map(\.lease),
                frames: some.map(\.frame))
            effects.append(.send(session: session, .work(session: session, work)))
        }
    }

    /// Tells all what they were given.
    mutating func sayGrants() {
        guard hasGrants else { return }
        hasGrants = false
        for place in members.indices { sayGrants(to: place) }
    }

    /// Asks a worker for what it has not begun of a lane, under this fence or one before.
    mutating func recall(_ stream: StreamName, _ lane: Int, upTo fence: UInt64, from place: Int) {
        guard let session = members[place].session else { return }
        sayGrants(to: place)
        let recall = WorkRecall(
            group: definition.name, round: members[place].round,
            number: members[place].nextNumber(), stream: stream, lane: lane, fence: fence)
        effects.append(.send(session: session, .recall(session: session, recall)))
    }

    /// Tells a worker which of its results are settled, and by which message it should have heard
    /// everything else.
    mutating func settle(
        _ numbers: [UInt64] = [], staleCount: UInt64 = 0, resendFrom: UInt64? = nil, to place: Int
    ) {
        guard let session = members[place].session else { return }
        sayGrants(to: place)
        let settled = WorkSettled(
            group: definition.name, round: members[place].round,
            lastNumber: members[place].lastNumber, numbers: numbers, resendFrom: resendFrom,
            staleCount: staleCount)
        effects.append(.send(session: session, .settled(session: session, settled)))
    }
}
