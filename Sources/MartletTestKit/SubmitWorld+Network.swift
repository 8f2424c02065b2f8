internal import MartletDelivery

/// What happens between producers and their node.
extension SubmitWorld {
    // MARK: The node

    mutating func arrive(_ message: Multipart, from number: Int, _ link: Int, _ life: Int) {
        guard !wounds.contains(.nodeDown), life == node.life else { return }
        let route = Bytes(utf8: "\(number)/\(link)")
        carryOut(node.machine.receive(falsified(message), from: route, at: clock))
    }

    /// A request as a node with a flaw would take it.
    private func falsified(_ message: Multipart) -> Multipart {
        guard flaw == .replacedGoesOn || flaw == .appendsBehindHoles,
            case .submit(let session, let submission)? = SessionMessage(message)
        else { return message }
        let producer = node.table.producer(submission.producer)
        let frames = submission.frames.map { bytes in
            guard let producer, let frame = try? Frame(bytes) else { return bytes }
            if flaw == .replacedGoesOn {
                return (try? Frame.restamped(bytes, producer.epoch)) ?? bytes
            }
            guard frame.sequences.lowerBound > producer.next else { return bytes }
            let numbers = producer.next..<producer.next + UInt64(frame.count)
            return SubmitProducer.frame(numbers, producer.epoch) { offset in
                SubmittedEvent(frame[Int(offset)].payload.text)
                    ?? SubmittedEvent(name: "", number: 0, process: 0)
            }
        }
        let changed = Submission(
            producer: submission.producer, attempt: submission.attempt, frames: frames)
        return SessionMessage.submit(session: session, changed).multipart
    }

    mutating func carryOut(_ effects: [FanoutPublisher.Effect]) {
        for effect in effects {
            switch effect {
            case .send(let route, let message): send(message, to: route)
            case .submit(let request):
                if !isHealing, generator.chance(oneIn: 40) {
                    sometimes("the node was busy")
                    if let busy = request.busy { carryOut(node.machine.answered(busy)) }
                } else {
                    node.table.add(request)
                }
            case .publish, .ask, .worker, .inquire, .pulled: break
            }
        }
    }

    /// What has come is taken and committed, and then answered.
    mutating func commit() {
        schedule.plan(.commit, at: now + generator.milliseconds(1...30))
        guard !wounds.contains(.nodeDown) else { return }
        let before = node.isDoubtful
        let answers = node.turn(&generator, isCrowded: !isHealing, at: now)
        if node.isDoubtful, !before { sometimes("a commit failed") }
        for answer in answers { carryOut(node.machine.answered(answer)) }
    }

    private mutating func send(_ message: Multipart, to route: Bytes) {
        let parts = route.text.split(separator: "/").compactMap { Int($0) }
        guard parts.count == 2, !wounds.contains(.toProducerCut(parts[0])) else { return }
        if !isHealing, generator.chance(oneIn: 40) { return sometimes("an answer was lost") }
        let number = parts[0]
        let arrival = max(producers[number].lastFromNode, now + generator.milliseconds(0...10))
        producers[number].lastFromNode = arrival
        schedule.plan(.toProducer(number, link: parts[1], message), at: arrival)
    }

    // MARK: The producers

    /// A process of this name begins.
    mutating func start(_ name: String) {
        let number = producers.count
        producers.append(SubmitProducer(name, number, &generator))
        schedule.plan(.connect(number), at: now + generator.milliseconds(0...200))
        schedule.plan(.producerTick(number), at: now + generator.milliseconds(0...100))
        schedule.plan(.produce(number), at: now + generator.milliseconds(0...100))
    }

    private func isAwake(_ number: Int) -> Bool {
        !producers[number].isDead && !wounds.contains(.paused(number))
    }

    mutating func connect(_ number: Int) throws(Violation) {
        guard !producers[number].isDead else { return }
        guard isAwake(number) else {
            schedule.plan(.connect(number), at: now + 300_000)
            return
        }
        producers[number].link += 1
        let nonce = generator.next()
        try carryOut(producers[number].machine.connected(nonce: nonce, at: clock), of: number)
    }

    mutating func tick(_ number: Int) throws(Violation) {
        guard !producers[number].isDead else { return }
        schedule.plan(.producerTick(number), at: now + generator.milliseconds(20...100))
        guard isAwake(number) else { return }
        try carryOut(producers[number].machine.tick(at: clock), of: number)
    }

    mutating func produce(_ number: Int) throws(Violation) {
        guard !producers[number].isDead, !isHealing else { return }
        schedule.plan(.produce(number), at: now + generator.milliseconds(1...60))
        guard isAwake(number), producers[number].isOpen,
            producers[number].machine.pendingCount < SubmitWorld.windowEvents
        else { return }
        let count = generator.number(1...4)
        outcome.submitted += count
        let effects = producers[number].produce(count, at: clock)
        try carryOut(effects, of: number)
    }

    mutating func arrive(
        _ message: Multipart, at number: Int, _ link: Int
    ) throws(Violation) {
        guard link == producers[number].link, !producers[number].isDead else { return }
        guard isAwake(number) else {
            producers[number].waiting.append(.toProducer(number, link: link, message))
            return
        }
        try carryOut(producers[number].machine.receive(message, at: clock), of: number)
    }

    private mutating func carryOut(
        _ effects: [ProducerClient.Effect], of number: Int
    ) throws(Violation) {
        for effect in effects {
            switch effect {
            case .send(let message): send(message, from: number)
            case .reconnect(let pause):
                sometimes("a session was given up")
                let due = (clock + pause).microseconds
                schedule.plan(.connect(number), at: due + generator.milliseconds(0...50))
            case .opened(let epoch, let next, _):
                let skipped: UInt64 = flaw == .numbersSkipOne && next > 1 ? 1 : 0
                producers[number].open(epoch, next: next + skipped)
            case .stored(let before, let node, let runs):
                try confirm(before, node, runs, of: number)
            // Nobody asks for it here.
            case .ended: break
            case .fail(let error):
                guard error.message.contains("elsewhere") else {
                    throw Violation(invariant: "I15", description: error.message)
                }
                sometimes("a producer was replaced")
                producers[number].isReplaced = true
            }
        }
    }

    private mutating func send(_ message: Multipart, from number: Int) {
        guard !wounds.contains(.toNodeCut(number)) else { return }
        if !isHealing, generator.chance(oneIn: 40) { return sometimes("a request was lost") }
        let arrival = max(producers[number].lastToNode, now + generator.milliseconds(0...10))
        producers[number].lastToNode = arrival
        schedule.plan(
            .toNode(number, link: producers[number].link, life: node.life, message), at: arrival)
    }

    private mutating func confirm(
        _ before: UInt64, _ id: NodeID, _ runs: [SubmittedRun], of number: Int
    ) throws(Violation) {
        let name = producers[number].name
        confirmed[name] = max(confirmed[name] ?? 1, before)
        let own = producers[number].confirmed
        producers[number].confirmed = own.lowerBound..<max(own.upperBound, before)
        note("confirmed \(name) \(before)")
        for run in runs {
            let events = run.first..<run.first + UInt64(run.sequences.count)
            // Those before are of processes before.
            for event in events.clamped(to: own.lowerBound..<max(own.lowerBound, events.upperBound))
            {
                guard let position = run.position(of: event, at: id) else { continue }
                // The node may be down by now, or its disk may fail.
                guard !wounds.contains(.nodeDown), !wounds.contains(.diskFails) else { return }
                let found = node.payload(at: position)
                let expected = SubmittedEvent(name: name, number: event, process: number)
                guard found == expected.description else {
                    throw Violation(
                        invariant: "I3",
                        description: "event \(event) of `\(name)` is said to stand at "
                            + "\(position), where \(found ?? "nothing") is")
                }
            }
        }
    }
}
