internal import MartletDelivery

/// What has happened to the events of groups, and whether it was allowed.
struct WorkChecker {
    private struct Handling {
        let process: Int
        let handler: Int
    }

    private var events: [WorkPlace: WorkedEvent] = [:]
    /// The events of each key, in their order.
    private var byKey: [String: [WorkPlace]] = [:]
    /// How often a handler has begun, by group and event.
    private var starts: [String: [WorkPlace: Int]] = [:]
    private var running: [String: [WorkPlace: [Handling]]] = [:]
    /// What was settled in the life of a dispatcher that ended.
    private var settledBefore: [String: Set<WorkPlace>] = [:]
    /// What workers were told to be settled.
    private var confirmed: [String: Set<WorkPlace>] = [:]
    /// The highest attempt at each event.
    private var attempts: [String: [WorkPlace: Int]] = [:]
    private var watermarks: [String: [Int: UInt64]] = [:]
    /// What publishers wait for.
    private var watched: [String: Set<WorkPlace>] = [:]
    private var dead: [String: Set<WorkPlace>] = [:]
    /// Those that are tried again, as far as no ledger on disk says so yet.
    private var retried: [String: Set<WorkPlace>] = [:]
    /// Those of them that hold their keys up, where keys are parked.
    private var holding: [String: Set<WorkPlace>] = [:]
    /// How often an attempt was counted at an event that no handler had begun.
    private var bystanders = 0
    /// Events that were set aside once without holding their keys up.
    private var overtakable: [String: Set<WorkPlace>] = [:]

    mutating func published(_ event: WorkedEvent, watchedBy groups: [String]) {
        let place = WorkPlace(lane: event.lane, sequence: event.sequence)
        events[place] = event
        if event.isWatched { for group in groups { watched[group, default: []].insert(place) } }
        if let key = event.key { byKey[key, default: []].append(place) }
    }

    /// An event that was lost before it was stored never was.
    mutating func forget(lane: Int, from end: UInt64) {
        for place in events.keys where place.lane == lane && place.sequence >= end {
            if let key = events[place]?.key { byKey[key]?.removeAll { $0 == place } }
            events[place] = nil
            for group in starts.keys { starts[group]?[place] = nil }
        }
    }

    func event(_ place: WorkPlace) -> WorkedEvent? { events[place] }

    var count: Int { events.count }

    mutating func confirmed(_ places: [WorkPlace], in group: String) {
        confirmed[group, default: []].formUnion(places)
    }

    // MARK: Handlers

    /// A handler begins. `isSettled` says what the dispatcher counts as done with, and `active` are
    /// the handlers that could still do something.
    mutating func began(
        _ held: HeldEvent, of group: GroupDefinition, in process: WorkProcess, handler: Int,
        isSettled: (WorkPlace) -> Bool, active: Set<Int>
    ) throws(Violation) {
        let place = WorkPlace(
            lane: held.event.frame.channel.lane, sequence: held.event.sequence)
        guard let event = events[place], event.payload == held.event.payload.text else {
            throw Violation(invariant: "I3", description: "nobody published \(held.event)")
        }
        guard held.lease.attempt <= group.attempts else {
            throw Violation(
                invariant: "I10",
                description: "event \(place) is tried for the \(held.lease.attempt)th time")
        }
        let before = attempts[group.name]?[place] ?? 1
        guard held.lease.attempt >= before else {
            throw Violation(
                invariant: "I10",
                description: "attempt \(before) at event \(place) in `\(group.name)` is followed "
                    + "by attempt \(held.lease.attempt)")
        }
        attempts[group.name, default: [:]][place] = held.lease.attempt
        guard confirmed[group.name]?.contains(place) != true else {
            throw Violation(
                invariant: "I8",
                description: "event \(place) is begun again in `\(group.name)`, and was settled")
        }
        let count = starts[group.name]?[place] ?? 0
        guard count == 0 || held.lease.mayRepeat || held.lease.attempt > 1 else {
            throw Violation(
                invariant: "I8",
                description: "a repeat of \(place) is not flagged in `\(group.name)`")
        }
        if count == 0, held.lease.attempt > 1 { bystanders += 1 }
        starts[group.name, default: [:]][place] = count + 1
        if group.isKeyed, let key = event.key {
            try checkOrder(of: place, key, group, process, isSettled, active)
        }
        running[group.name, default: [:]][place, default: []].append(
            Handling(process: process.number, handler: handler))
    }

    private func checkOrder(
        of place: WorkPlace, _ key: String, _ group: GroupDefinition, _ process: WorkProcess,
        _ isSettled: (WorkPlace) -> Bool, _ active: Set<Int>
    ) throws(Violation) {
        for other in byKey[key] ?? [] {
            let others = running[group.name]?[other] ?? []
            if let other = others.first(where: { active.contains($0.handler) }) {
                throw Violation(
                    invariant: "I12",
                    description: "two handlers of key `\(key)` overlap in `\(group.name)`: event "
                        + "\(place) in process \(process.number), and process \(other.process)")
            }
            guard other.sequence < place.sequence,
                overtakable[group.name]?.contains(other) != true
            else { continue }
            guard
                isSettled(other) && holding[group.name]?.contains(other) != true
                    || process.ended.contains(other)
                    || settledBefore[group.name]?.contains(other) == true
            else {
                throw Violation(
                    invariant: "I12",
                    description: "event \(place) of key `\(key)` begins before \(other) is done in "
                        + "`\(group.name)`, process \(process.number)")
            }
        }
    }

    /// Results have been taken: what counts for done is not what another worker is at.
    func checkActive(
        _ active: Set<Int>, of group: String, _ ledger: (Int) -> StoredLedger?
    ) throws(Violation) {
        var ledgers: [Int: StoredLedger] = [:]
        for (place, handlings) in running[group] ?? [:] {
            guard let other = handlings.first(where: { active.contains($0.handler) }) else {
                continue
            }
            let known = ledgers[place.lane] ?? ledger(place.lane)
            ledgers[place.lane] = known
            guard known?.isSettled(place.sequence) == true else { continue }
            throw Violation(
                invariant: "I9",
                description: "event \(place) is settled in `\(group)` while process "
                    + "\(other.process) handles it")
        }
    }

    mutating func ended(_ held: HeldEvent, of group: String, in process: Int, handler: Int) {
        let place = WorkPlace(
            lane: held.event.frame.channel.lane, sequence: held.event.sequence)
        running[group]?[place]?.removeAll { $0.process == process && $0.handler == handler }
    }

    /// A process is gone, with all its handlers.
    mutating func died(_ process: Int) {
        for group in running.keys {
            for place in running[group]?.keys.map({ $0 }) ?? [] {
                running[group]?[place]?.removeAll { $0.process == process }
            }
        }
    }

    // MARK: Outcomes

    /// An event was set aside.
    mutating func died(_ letter: DeadEvent, parksKeys: Bool) {
        dead[letter.group, default: []].insert(letter.place)
        if parksKeys, letter.reason != .rejected {
            holding[letter.group, default: []].insert(letter.place)
        } else {
            overtakable[letter.group, default: []].insert(letter.place)
        }
    }

    /// It is tried again.
    mutating func reopened(_ letter: DeadEvent) {
        dead[letter.group]?.remove(letter.place)
        retried[letter.group, default: []].insert(letter.place)
        holding[letter.group]?.remove(letter.place)
        confirmed[letter.group]?.remove(letter.place)
        settledBefore[letter.group]?.remove(letter.place)
        attempts[letter.group]?[letter.place] = nil
    }

    /// The node begins anew with these ledgers.
    mutating func restarted(_ ledgers: [LedgerName: StoredLedger]) {
        for (name, ledger) in ledgers {
            let isKept = { (place: WorkPlace) in
                place.lane != name.channel.lane || ledger.isSettled(place.sequence)
            }
            dead[name.group] = dead[name.group]?.filter(isKept)
            // That it is tried again may be forgotten.
            for place in retried[name.group] ?? []
            where place.lane == name.channel.lane && ledger.isSettled(place.sequence)
                && starts[name.group]?[place] ?? 0 == 0
            {
                dead[name.group, default: []].insert(place)
            }
            holding[name.group] = holding[name.group]?.filter(isKept)
        }
    }

    /// The publisher has died, and hears of nothing.
    mutating func forgetWatches() { watched = [:] }

    /// A publisher is told what has become of an event, of which this ledger is kept.
    mutating func told(
        _ fate: WorkFate, of event: WatchedEvent, in ledger: StoredLedger?
    ) throws(Violation) {
        let place = WorkPlace(lane: event.channel.lane, sequence: event.sequence)
        guard watched[event.group]?.remove(place) != nil else {
            throw Violation(
                invariant: "I7",
                description: "nobody waits for \(place) in `\(event.group)`, or it was told before")
        }
        guard ledger?.isSettled(event.sequence) == true else {
            throw Violation(
                invariant: "I7",
                description: "\(place) in `\(event.group)` is told to be \(fate), and is not kept")
        }
        let isDead = dead[event.group]?.contains(place) == true
        let isRight: Bool
        switch fate {
        case .handled: isRight = starts[event.group]?[place] ?? 0 > 0 && !isDead
        case .dead: isRight = isDead
        case .skipped: isRight = false
        // A lane that lives in memory may be without workers for too long.
        case .lost: isRight = !isDead
        }
        guard isRight else {
            throw Violation(
                invariant: "I7",
                description: "\(place) in `\(event.group)` is told to be \(fate), and is not")
        }
    }

    /// An event that was only near when a worker fell silent pays with no attempt, but for the few
    /// that were alone with it.
    func checkBystanders() throws(Violation) {
        guard bystanders > WorkChecker.bystandersMax else { return }
        throw Violation(
            invariant: "I10",
            description: "attempts were counted at \(bystanders) events that nobody had begun")
    }

    /// Worlds without a bug come to two at most, and with one to thirty and more.
    private static let bystandersMax = 5

    /// After a heal, nobody waits any more.
    func checkWatches() throws(Violation) {
        for (group, places) in watched {
            guard let place = places.first else { continue }
            throw Violation(
                invariant: "I22", description: "nobody tells what `\(group)` made of \(place)")
        }
    }

    // MARK: Ledgers

    /// A dispatcher is about to end.
    mutating func note(_ ledgers: [(group: String, lane: Int, ledger: StoredLedger)]) {
        for (group, lane, ledger) in ledgers {
            for place in events.keys
            where place.lane == lane && ledger.isSettled(place.sequence)
                && holding[group]?.contains(place) != true
            {
                settledBefore[group, default: []].insert(place)
            }
        }
    }

    /// Ledgers as they are on disk, or where there is none in memory.
    mutating func checkWatermarks(
        _ ledgers: [(group: String, lane: Int, ledger: StoredLedger)]
    ) throws(Violation) {
        for (group, lane, ledger) in ledgers {
            let before = watermarks[group]?[lane] ?? 0
            guard ledger.next >= before else {
                throw Violation(
                    invariant: "I13",
                    description: "the ledger of `\(group)` for lane \(lane) goes back from "
                        + "\(before) to \(ledger.next)")
            }
            watermarks[group, default: [:]][lane] = ledger.next
            retried[group] = retried[group]?.filter {
                $0.lane != lane || !ledger.reopened.contains($0.sequence)
            }
        }
    }

    /// When all that was set aside was tried again, every event was handled.
    func checkCured(_ group: String, _ ledger: (Int) -> StoredLedger?) throws(Violation) {
        try checkEnd(of: group, ledger)
        guard let place = dead[group]?.first else { return }
        throw Violation(invariant: "I22", description: "`\(group)` never handles \(place)")
    }

    /// After a heal, every event has ended once in the ledger of each group.
    func checkEnd(
        of group: String, _ ledger: (Int) -> StoredLedger?
    ) throws(Violation) {
        var counts: [Int: UInt64] = [:]
        for place in events.keys {
            counts[place.lane, default: 0] += 1
            guard ledger(place.lane)?.isSettled(place.sequence) == true else {
                throw Violation(
                    invariant: "I22", description: "`\(group)` never ends event \(place)")
            }
        }
        for (lane, count) in counts.sorted(by: { $0.key < $1.key }) {
            guard let tally = ledger(lane)?.tally else { continue }
            guard tally.handled + tally.dead + tally.lost == count + tally.reopened else {
                throw Violation(
                    invariant: "I7",
                    description: "of \(count) events of lane \(lane), `\(group)` counts "
                        + "\(tally.handled) handled, \(tally.dead) dead, \(tally.lost) lost, and "
                        + "\(tally.reopened) tried again")
            }
        }
        // What nobody has handled cannot have been.
        for (place, event) in events where !event.isPoison && !event.isBad {
            guard starts[group]?[place] ?? 0 > 0 || dead[group]?.contains(place) == true else {
                throw Violation(
                    invariant: "I7", description: "`\(group)` never began event \(place)")
            }
        }
    }
}

extension DeadEvent {
    var place: WorkPlace {
        WorkPlace(lane: event.frame.channel.lane, sequence: event.sequence)
    }
}
