internal import MartletDelivery

/// Somebody looks at what groups have set aside, and lets them try it again.
extension WorkWorld {
    mutating func retry() throws(Violation) {
        schedule.plan(.retry, at: now + generator.milliseconds(isCured ? 20...50 : 50...600))
        guard !isHealing || isCured, !wounds.contains(.nodeDown), !wounds.contains(.nodePaused)
        else { return }
        let open = node.letters.open
        guard !open.isEmpty else { return }
        let letter = open[generator.number(0...open.count - 1)]
        let held = node.hold(letter)
        guard !held.isEmpty else { return try reopen(letter, held, node.life) }
        sometimes("a key was held")
        schedule.plan(
            .reopen(letter, held, life: node.life), at: now + generator.milliseconds(1...300))
    }

    mutating func reopen(
        _ letter: DeadEvent, _ held: Set<HeldKey>, _ life: Int
    ) throws(Violation) {
        guard !wounds.contains(.nodeDown), life == node.life else { return }
        // What is set aside is read from the disk.
        guard !node.letters.isStoring, !wounds.contains(.nodePaused), !node.isDoubtful else {
            return schedule.plan(.reopen(letter, held, life: life), at: now + 5_000)
        }
        let taken = node.reopen(letter, held, at: clock)
        for letter in taken {
            sometimes("an event was tried again: \(letter.reason)")
            note("reopen \(letter.group) \(letter.event.sequence)")
            checker.reopened(letter)
        }
        try carryOutWork()
    }
}
