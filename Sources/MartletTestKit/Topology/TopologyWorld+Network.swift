internal import MartletDelivery

/// What happens between the nodes of a large simulated world.
extension TopologyWorld {
    static let group: GroupDefinition = {
        guard let group = try? GroupDefinition(named: "all", patterns: ["sim.>"]) else {
            preconditionFailure("such a group is allowed")
        }
        return group
    }()

    mutating func add(at time: UInt64, _ number: Int) {
        workers.append(
            TopologyWorker(
                number, publishers: plan.publishers, TopologyWorld.group, &generator, at: clock))
        for publisher in publishers.indices {
            schedule.plan(.connect(number, publisher), at: time + generator.milliseconds(0...20))
        }
        schedule.plan(.workerTick(number), at: time + generator.milliseconds(0...100))
    }

    mutating func advance(_ step: Step) {
        switch step {
        case .workerTick(let number): tick(worker: number)
        case .publisherTick(let number): tick(publisher: number)
        case .connect(let number, let publisher):
            guard !workers[number].isGone else { return }
            let nonce = generator.next()
            carryOut(
                workers[number].peers[publisher].connected(nonce: nonce, at: clock), number,
                publisher)
        case .toWorker(let number, let publisher, let message):
            guard !workers[number].isGone else { return }
            let effects = workers[number].peers[publisher].receive(message, at: clock)
            // Most are beats, after which there is nothing to do.
            if carryOut(effects, number, publisher) { work(number) }
        case .toPublisher(let publisher, let number, let message):
            let route = Bytes(utf8: "\(number)")
            carryOut(
                publishers[publisher].machine.receive(message, from: route, at: clock), publisher)
        case .handled(let number, let events):
            workers[number].running -= 1
            guard !workers[number].isGone else { return }
            workers[number].worker.finishDone(events)
            work(number)
        case .publish(let number): publish(number)
        }
    }

    // MARK: Publishers

    private mutating func publish(_ number: Int) {
        guard isBusy else { return }
        publishers[number].publish(at: clock)
        published += 1
        say(number)
        let pause = 1_000_000 / UInt64(plan.eventsPerSecond)
        schedule.plan(.publish(number), at: now + pause)
    }

    private mutating func tick(publisher number: Int) {
        schedule.plan(.publisherTick(number), at: now + TopologyWorld.tick)
        carryOut(publishers[number].machine.tick(at: clock), number)
        publishers[number].dispatcher.tick(at: clock)
        say(number)
    }

    private mutating func carryOut(_ effects: [FanoutPublisher.Effect], _ number: Int) {
        for effect in effects {
            switch effect {
            case .send(let route, let message): send(message, from: number, to: route)
            case .worker(let news):
                publishers[number].dispatcher.handle(
                    news, in: publishers[number].machine, at: clock)
            case .publish, .ask, .submit, .inquire, .pulled: break
            }
        }
        say(number)
    }

    private mutating func say(_ number: Int) {
        for case .say(let message) in publishers[number].dispatcher.takeEffects() {
            for case .send(let route, let message) in publishers[number].machine.say(message) {
                send(message, from: number, to: route)
            }
        }
    }

    private mutating func send(_ message: Multipart, from number: Int, to route: Bytes) {
        guard let worker = Int(route.text) else { return }
        messages += 1
        let arrival = max(workers[worker].lastFrom[number], now + latency)
        workers[worker].lastFrom[number] = arrival
        schedule.plan(.toWorker(worker, number, message), at: arrival)
    }

    private var latency: UInt64 { mutating get { UInt64(generator.number(200...800)) } }

    // MARK: Workers

    private mutating func tick(worker number: Int) {
        guard !workers[number].isGone else { return }
        schedule.plan(.workerTick(number), at: now + TopologyWorld.tick)
        workers[number].worker.tick(at: clock)
        for publisher in publishers.indices {
            carryOut(workers[number].peers[publisher].tick(at: clock), number, publisher)
        }
        work(number)
    }

    /// Whether its handlers may have something to do.
    @discardableResult
    private mutating func carryOut(
        _ effects: [PublisherPeer.Effect], _ number: Int, _ publisher: Int
    ) -> Bool {
        var isWork = false
        for effect in effects {
            switch effect {
            case .send(let message): send(message, number, publisher)
            case .reconnect(let pause):
                workers[number].worker.lost(peer: publisher, at: clock)
                schedule.plan(.connect(number, publisher), at: (clock + pause).microseconds)
            case .began(let welcome):
                guard let session = workers[number].peers[publisher].liveSession else { continue }
                workers[number].worker.began(
                    session, with: welcome.instance, peer: publisher, at: clock)
                isWork = true
            case .echoed(let sent):
                workers[number].worker.echoed(sent, peer: publisher, at: clock)
            case .work(let message):
                workers[number].worker.receive(message, from: publisher, at: clock)
                isWork = true
            case .reader, .peers, .itself, .fail: break
            }
        }
        return isWork
    }

    /// Lets handlers begin, and says what has ended.
    private mutating func work(_ number: Int) {
        while workers[number].running < TopologyWorker.width {
            let events = workers[number].worker.take(atMost: 16, at: clock)
            guard !events.isEmpty else { break }
            workers[number].running += 1
            let time = TopologyWorld.handling * UInt64(events.count)
            schedule.plan(.handled(number, events), at: now + time)
        }
        workers[number].worker.flush(at: clock)
        for (publisher, message) in workers[number].worker.takeMessages() {
            send(message.multipart, number, publisher)
        }
        if workers[number].worker.isDrained(at: clock) {
            workers[number].worker.leave()
            for (publisher, message) in workers[number].worker.takeMessages() {
                send(message.multipart, number, publisher)
            }
            workers[number].isGone = true
        }
    }

    private mutating func send(_ message: Multipart, _ number: Int, _ publisher: Int) {
        messages += 1
        let arrival = max(workers[number].lastTo[publisher], now + latency)
        workers[number].lastTo[publisher] = arrival
        schedule.plan(.toPublisher(publisher, number, message), at: arrival)
    }
}
