internal import MartletDelivery

/// What the handlers of workers do.
extension WorkWorld {
    /// Lets runners that are free begin what can be begun, and says what has ended.
    mutating func work(_ number: Int) throws(Violation) {
        guard !processes[number].isGone else { return }
        while processes[number].running.count < processes[number].width {
            let events = takeEvents(number)
            guard !events.isEmpty else { break }
            lastHandler += 1
            processes[number].running.append(WorkProcess.Runner(lastHandler, events))
            try proceed(lastHandler, of: number)
            guard !processes[number].isGone else { return }
        }
        processes[number].worker.flush(at: clock)
        if processes[number].isDraining, processes[number].worker.isDrained(at: clock) {
            processes[number].worker.leave()
            processes[number].hasLeft = true
        }
        for (_, message) in processes[number].worker.takeMessages() {
            if case .results(_, let results) = message {
                processes[number].reported[results.number] = results.donePlaces
            }
            if case .resize(_, let resize) = message {
                processes[number].windowMax = max(
                    processes[number].windowMax, resize.window.events)
            }
            send(message.multipart, from: number)
        }
    }

    /// Events for a runner. Where nothing is ready, it may look for what waits behind others.
    private mutating func takeEvents(_ number: Int) -> HeldEvents {
        let count = generator.number(1...3)
        let events = processes[number].worker.take(atMost: count, at: clock)
        guard events.isEmpty, generator.chance(oneIn: 2) else { return events }
        for place in processes[number].running.indices where generator.chance(oneIn: 2) {
            let rest = processes[number].running[place].takeRest(keeping: flaw == .keepsItsRest)
            if !rest.isEmpty { processes[number].worker.putBack(rest) }
        }
        processes[number].worker.unfold()
        let found = processes[number].worker.take(atMost: count, at: clock)
        if !found.isEmpty { sometimes("keys of a channel went side by side") }
        return found
    }

    private func place(of runner: Int, in number: Int) -> Int? {
        processes[number].running.firstIndex { $0.number == runner }
    }

    /// A runner begins the next of its events that it may, or is free.
    private mutating func proceed(_ runner: Int, of number: Int) throws(Violation) {
        guard let place = place(of: runner, in: number) else { return }
        while let held = processes[number].running[place].takeNext() {
            guard flaw == .followersGoOn || !processes[number].running[place].isBroken(held.strand),
                processes[number].worker.mayBegin(held, at: clock)
            else {
                processes[number].running[place].breakOff(held.strand)
                processes[number].worker.finish(held, .returned)
                continue
            }
            return try begin(held, runner, in: number)
        }
        processes[number].running.remove(at: place)
    }

    private mutating func begin(
        _ held: HeldEvent, _ runner: Int, in number: Int
    ) throws(Violation) {
        outcome.begun += 1
        note("begin \(number) \(held.event.sequence) \(held.lease.attempt)")
        if held.lease.mayRepeat { sometimes("a repeat was begun") }
        let group = groups.first { $0.name == processes[number].group } ?? groups[0]
        let own = processes[number].group
        let settled = Dictionary(
            grouping: ledgers.filter { $0.group == own }, by: { $0.lane }
        ).compactMapValues { $0.first?.ledger }
        let active = activeHandlers
        try checker.began(
            held, of: group, in: processes[number], handler: runner,
            isSettled: { settled[$0.lane]?.isSettled($0.sequence) ?? false }, active: active)
        let place = WorkPlace(lane: held.event.frame.channel.lane, sequence: held.event.sequence)
        if !isCured, checker.event(place)?.isPoison == true {
            sometimes("a poison event killed its worker")
            return kill(number)
        }
        // Some take longer than a lease.
        let isSlow = generator.chance(oneIn: pace == .slow && !isHealing ? 3 : 12)
        let time = isSlow ? 500...14_000 : 0...120
        schedule.plan(
            .handlerEnd(number, handler: runner), at: now + generator.milliseconds(time))
    }

    /// Handlers that could still do something: what is frozen does nothing, and those whose events
    /// may be with others are told to end at the next tick.
    var activeHandlers: Set<Int> {
        var active: Set<Int> = []
        for process in processes where !process.isGone && !wounds.contains(.paused(process.number))
        {
            for runner in process.running {
                guard let held = runner.current, !runner.isCancelled,
                    process.worker.isInTime(held, at: clock)
                else { continue }
                active.insert(runner.number)
            }
        }
        return active
    }

    mutating func endHandler(_ runner: Int, of number: Int) throws(Violation) {
        guard !processes[number].isGone, let place = place(of: runner, in: number),
            let held = processes[number].running[place].current
        else { return }
        guard !wounds.contains(.paused(number)) else {
            return processes[number].waiting.append(.handlerEnd(number, handler: runner))
        }
        let event = WorkPlace(lane: held.event.frame.channel.lane, sequence: held.event.sequence)
        checker.ended(held, of: processes[number].group, in: number, handler: runner)
        var verdict = verdict(on: event, cancelled: processes[number].running[place].isCancelled)
        if flaw == .failuresVanish, case .retry = verdict { verdict = .returned }
        note("end \(number) \(held.event.sequence) \(verdict)")
        switch verdict {
        case .retry, .returned: processes[number].running[place].breakOff(held.strand)
        case .done, .value, .reject: processes[number].ended.insert(event)
        }
        processes[number].worker.finish(held, verdict)
        processes[number].running[place].end()
        try proceed(runner, of: number)
        try work(number)
    }

    private mutating func verdict(
        on place: WorkPlace, cancelled: Bool
    ) -> WorkResult.Verdict {
        if cancelled { return .retry(after: nil, reason: "cancelled") }
        if !isHealing || !isCured && checker.event(place)?.isBad == true {
            let fails =
                checker.event(place)?.isBad == true || wounds.contains(.outage)
                || generator.chance(oneIn: 12)
            if fails { return .retry(after: nil, reason: "it failed") }
            if generator.chance(oneIn: 60) { return .reject(reason: "it is wrong") }
        }
        return generator.chance(oneIn: 5) ? .value(Bytes(utf8: "42")) : .done
    }

    /// Handlers whose events may be with others are told to end, and do.
    mutating func cancelHandlers(of number: Int) {
        for place in processes[number].running.indices {
            guard let held = processes[number].running[place].current,
                !processes[number].running[place].isCancelled,
                !processes[number].worker.isCurrent(held)
            else { continue }
            sometimes("a handler was cancelled")
            processes[number].running[place].isCancelled = true
            schedule.plan(
                .handlerEnd(number, handler: processes[number].running[place].number), at: now)
        }
    }

    mutating func send(_ message: Multipart, from number: Int) {
        guard !wounds.contains(.toNodeCut(number)) else { return }
        if !isHealing, generator.chance(oneIn: 60) { return sometimes("a message was lost") }
        let arrival = max(processes[number].lastToNode, now + generator.milliseconds(0...10))
        processes[number].lastToNode = arrival
        schedule.plan(
            .toNode(number, link: processes[number].link, life: node.life, message), at: arrival)
    }
}

extension WorkResults {
    /// The events that were done.
    fileprivate var donePlaces: [WorkPlace] {
        results.flatMap { result -> [WorkPlace] in
            switch result.verdict {
            case .done, .value:
                result.sequences.ranges.joined().map {
                    WorkPlace(lane: result.lane, sequence: $0)
                }
            case .retry, .reject, .returned: []
            }
        }
    }
}
