internal import MartletDelivery
internal import MartletSockets

/// What is read.
extension NodeEngine {
    func add(_ number: UInt16, to machine: inout PublisherPeer) {
        guard let reading = readings[number] else { return }
        var start = reading.start
        if case .now = start, let since = reading.readySince { start = .time(since) }
        let reader = FanoutReader(
            number: number, to: reading.selection, from: start, resuming: reading.resumed,
            bufferBytes: Limits.bufferBytes, heldBytes: Limits.heldBytes)
        machine.add(reader, numbered: number)
    }

    /// Begins a subscription at all peers, and returns its number.
    func subscribe(
        _ source: SubscriptionSource, to selection: StreamSelection, from start: FanoutReader.Start,
        _ buffering: Buffering, on loop: isolated SocketLoop
    ) throws(MartletError) -> UInt16 {
        guard order.count < Limits.subscriptionsMax else {
            throw MartletError(
                .resourceExhausted,
                "A node has \(Limits.subscriptionsMax) subscriptions at most. End some of them.")
        }
        let now = NodeClock.now
        addItself(at: now)
        repeat { lastReading &+= 1 } while readings[lastReading] != nil
        let number = lastReading
        readings[number] = Reading(source, to: selection, from: start, buffering, at: now)
        order.append(number)
        mayFail = mayFail || buffering == .fail
        for peer in peers where peer.isActive {
            add(number, to: &peer.machine)
            do throws(MartletError) { try peer.subscribe(on: loop) } catch {
                fail(peer, because: error, on: loop)
            }
            carryOut(peer.greetAgain(at: now), of: peer, at: now, on: loop)
        }
        for peer in peers where peer.origin != .learned {
            if case .failed(let error) = peer.state { end(number, with: .failure(error)) }
        }
        return number
    }

    /// Ends a subscription at all peers.
    func unsubscribe(_ number: UInt16, on loop: isolated SocketLoop) {
        readings[number] = nil
        order.removeAll { $0 == number }
        mayFail = readings.values.contains { $0.buffering == .fail }
        let now = NodeClock.now
        for peer in peers where peer.isActive {
            let before = peer.machine.streams
            peer.machine.remove(reader: number)
            // A publisher that is not told goes on waiting for this node.
            guard peer.machine.streams != before else { continue }
            try? peer.subscribe(on: loop)
            carryOut(peer.greetAgain(at: now), of: peer, at: now, on: loop)
        }
    }

    /// Whether the subscription is in force: at every peer, or at some after the patience for the
    /// others has ended.
    func isReady(_ number: UInt16) -> Bool {
        readings[number].map { $0.readySince != nil || $0.hasEnded } ?? true
    }

    func checkReadiness(of number: UInt16, at now: MonotonicTime) {
        guard let reading = readings[number], reading.readySince == nil || reading.mayBeBehindNobody
        else { return }
        let wanted = peers.filter(\.isActive)
        let isEverywhere =
            !wanted.isEmpty && wanted.allSatisfy { reading.inForce.contains($0.number) }
        if reading.readySince == nil {
            let isLate = now >= reading.began + configuration.peerPatience
            guard isEverywhere || (isLate && !reading.inForce.isEmpty) else { return }
            begin(reading, number, since: .now)
            changes.raise()
        }
        // A peer that has not answered may yet turn out to be the one.
        let isOver = isEverywhere || now >= reading.began + Limits.publisherPatience
        if isOver, reading.mayBeBehindNobody {
            reportThoseGone(reading)
        }
    }

    /// The subscription is in force. Peers that come later may publish before they are heard of.
    private func begin(_ reading: Reading, _ number: UInt16, since time: Timestamp) {
        reading.readySince = time
        guard case .now = reading.start else { return }
        for peer in peers where peer.isActive && !reading.inForce.contains(peer.number) {
            peer.machine.move(reader: number, to: .time(time))
        }
    }

    /// Positions of nodes that nobody is any more: what these had published behind them is lost,
    /// and nobody knows how much.
    private func reportThoseGone(_ reading: Reading) {
        reading.mayBeBehindNobody = false
        guard case .behind(let positions) = reading.start else { return }
        let here = Set(peers.compactMap { $0.machine.liveInstance?.node })
        for position in positions where !here.contains(position.channel.node) {
            let gap = Gap(
                channel: position.channel, epoch: position.epoch, first: position.sequence + 1,
                last: nil,
                // Who goes by a cursor may well come back before its publisher does.
                reason: reading.source.tracker == nil ? .instanceGone : .unreachable)
            keep(.gap(gap), for: reading)
        }
    }
}
