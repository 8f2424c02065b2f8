internal import MartletDelivery

/// What happens between workers and the node.
extension WorkWorld {
    // MARK: The node

    mutating func arrive(
        _ message: Multipart, from number: Int, _ link: Int, _ life: Int
    ) throws(Violation) {
        guard !wounds.contains(.nodeDown), life == node.life else { return }
        guard !wounds.contains(.nodePaused) else {
            return nodeWaiting.append(.toNode(number, link: link, life: life, message))
        }
        let route = Bytes(utf8: "\(number)/\(link)")
        let isResults = SessionMessage(message)?.isResults == true
        try carryOut(node.machine.receive(message, from: route, at: clock))
        if isResults {
            if !activeHandlers.isEmpty { sometimes("results came while handlers ran") }
            let group = processes[number].group
            try checker.checkActive(activeHandlers, of: group) { node.ledger(group, $0) }
        }
        if !isDurable { try checker.checkWatermarks(ledgers) }
    }

    mutating func tickNode() throws(Violation) {
        schedule.plan(.nodeTick, at: now + 50_000)
        guard !wounds.contains(.nodeDown), !wounds.contains(.nodePaused) else { return }
        try carryOut(node.machine.tick(at: clock))
        node.dispatcher.tick(at: clock)
        try carryOutWork()
    }

    mutating func commit() throws(Violation) {
        schedule.plan(.commit, at: now + generator.milliseconds(1...30))
        guard isDurable, !wounds.contains(.nodeDown), !wounds.contains(.nodePaused) else { return }
        let before = node.isDoubtful
        node.commit(&generator, at: clock)
        if node.isDoubtful, !before { sometimes("a commit failed") }
        try carryOutWork()
        try checker.checkWatermarks(
            node.storedLedgers.map { ($0.key.group, $0.key.channel.lane, $0.value) })
    }

    mutating func answer(_ read: WorkRead, _ life: Int) throws(Violation) {
        guard !wounds.contains(.nodeDown), life == node.life else { return }
        guard !wounds.contains(.nodePaused) else {
            return nodeWaiting.append(.read(life: life, read))
        }
        let (answer, first) = node.answer(read)
        node.dispatcher.answered(read, with: answer, first: first, at: clock)
        try carryOutWork()
    }

    private mutating func carryOut(_ effects: [FanoutPublisher.Effect]) throws(Violation) {
        for effect in effects {
            switch effect {
            case .send(let route, let message): send(message, to: route)
            case .worker(let news):
                node.dispatcher.handle(news, in: node.machine, at: clock)
            case .publish, .ask, .submit, .inquire, .pulled: break
            }
        }
        try carryOutWork()
    }

    mutating func carryOutWork() throws(Violation) {
        for effect in node.dispatcher.takeEffects() {
            switch effect {
            case .say(let message):
                for case .send(let route, let message) in node.machine.say(message) {
                    send(message, to: route)
                }
            case .read(let read):
                schedule.plan(
                    .read(life: node.life, read), at: now + generator.milliseconds(0...20))
            case .dead(let letter):
                outcome.dead += 1
                sometimes("an event was set aside: \(letter.reason)")
                note("dead \(letter.group) \(letter.event.sequence)")
                node.note(letter)
                let group = groups.first { $0.name == letter.group }
                checker.died(letter, parksKeys: group?.lastResort == .park)
            case .ended(let event, let fate): try hear(fate, of: event)
            }
        }
    }

    /// Whoever published an event is told what has become of it: that must be certain.
    private mutating func hear(_ fate: WorkFate, of event: WatchedEvent) throws(Violation) {
        sometimes("an outcome was told: \("\(fate)".prefix { $0 != "(" })")
        let name = LedgerName(event.group, event.channel)
        let kept =
            isDurable
            ? node.storedLedgers[name] : node.ledger(event.group, event.channel.lane)
        try checker.told(fate, of: event, in: kept)
    }

    private mutating func send(_ message: Multipart, to route: Bytes) {
        let parts = route.text.split(separator: "/").compactMap { Int($0) }
        guard parts.count == 2, !wounds.contains(.toWorkerCut(parts[0])) else { return }
        if !isHealing, generator.chance(oneIn: 60) { return sometimes("a message was lost") }
        let number = parts[0]
        let arrival = max(processes[number].lastFromNode, now + generator.milliseconds(0...10))
        processes[number].lastFromNode = arrival
        schedule.plan(.toWorker(number, link: parts[1], message), at: arrival)
    }

    // MARK: Processes

    /// A process begins.
    mutating func start(_ group: GroupDefinition) {
        let number = processes.count
        processes.append(WorkProcess(number, group, &generator))
        schedule.plan(.connect(number), at: now + generator.milliseconds(0...200))
        schedule.plan(.workerTick(number), at: now + generator.milliseconds(0...100))
    }

    /// A process dies.
    mutating func kill(_ number: Int) {
        note("kill \(number)")
        sometimes("a worker died")
        processes[number].isDead = true
        checker.died(number)
        processes[number].running = []
        let definition = groups.first { $0.name == processes[number].group } ?? groups[0]
        if processes.count < 24 || isHealing { start(definition) }
    }

    /// A process is asked to end, in order.
    mutating func drain(_ number: Int) {
        guard !processes[number].isDraining, !wounds.contains(.paused(number)) else { return }
        sometimes("a worker drained")
        processes[number].isDraining = true
        processes[number].worker.drain()
    }

    private func isAwake(_ number: Int) -> Bool {
        !processes[number].isGone && !wounds.contains(.paused(number))
    }

    mutating func connect(_ number: Int) throws(Violation) {
        guard !processes[number].isGone else { return }
        guard isAwake(number) else {
            processes[number].waiting.append(.connect(number))
            return
        }
        processes[number].link += 1
        processes[number].worker.lost(peer: 0, at: clock)
        let nonce = generator.next()
        try carryOut(processes[number].peer.connected(nonce: nonce, at: clock), of: number)
    }

    mutating func tick(_ number: Int) throws(Violation) {
        guard !processes[number].isGone else { return }
        guard isAwake(number) else {
            processes[number].waiting.append(.workerTick(number))
            return
        }
        schedule.plan(.workerTick(number), at: now + generator.milliseconds(20...100))
        processes[number].worker.tick(at: clock)
        cancelHandlers(of: number)
        try carryOut(processes[number].peer.tick(at: clock), of: number)
        try work(number)
    }

    mutating func arrive(
        _ message: Multipart, at number: Int, _ link: Int
    ) throws(Violation) {
        guard link == processes[number].link, !processes[number].isGone else { return }
        guard isAwake(number) else {
            processes[number].waiting.append(.toWorker(number, link: link, message))
            return
        }
        try carryOut(processes[number].peer.receive(message, at: clock), of: number)
        try work(number)
    }

    private mutating func carryOut(
        _ effects: [PublisherPeer.Effect], of number: Int
    ) throws(Violation) {
        for effect in effects {
            switch effect {
            case .send(let message): send(message, from: number)
            case .reconnect(let pause):
                sometimes("a session was given up")
                processes[number].worker.lost(peer: 0, at: clock)
                let due = (clock + pause).microseconds
                schedule.plan(.connect(number), at: due + generator.milliseconds(0...50))
            case .began(let welcome):
                guard let session = processes[number].peer.liveSession else { continue }
                processes[number].worker.began(
                    session, with: welcome.instance, peer: 0, at: clock)
            case .echoed(let sent):
                processes[number].worker.echoed(sent, peer: 0, at: clock)
            case .work(let message):
                noteSettled(message, of: number)
                processes[number].worker.receive(message, from: 0, at: clock)
                try checkWindow(of: number)
            case .reader, .peers, .itself: break
            case .fail(let error):
                throw Violation(invariant: "I4", description: error.message)
            }
        }
    }

    /// What a worker is told to be settled must never be given to anybody again.
    private mutating func noteSettled(_ message: SessionMessage, of number: Int) {
        guard case .settled(_, let settled) = message else { return }
        for results in settled.numbers {
            let places = processes[number].reported.removeValue(forKey: results) ?? []
            if settled.staleCount == 0 { checker.confirmed(places, in: processes[number].group) }
        }
    }

    private mutating func checkWindow(of number: Int) throws(Violation) {
        guard let load = processes[number].worker.load(of: 0) else { return }
        processes[number].windowMax = max(processes[number].windowMax, load.window.events)
        // What its runners have may have been given to others.
        let taken = processes[number].running.reduce(0) { $0 + $1.count }
        guard load.unfinished <= processes[number].windowMax + taken else {
            throw Violation(
                invariant: "I11",
                description: "process \(number) has \(load.unfinished) events, and has never taken "
                    + "more than \(processes[number].windowMax)")
        }
    }
}

extension SessionMessage {
    /// Whether a worker says what became of events.
    fileprivate var isResults: Bool {
        if case .results = self { true } else { false }
    }
}
