internal import MartletDelivery
internal import MartletSockets

/// How a node begins and ends.
extension Node {
    static func start(_ configuration: NodeConfiguration) async throws(MartletError) -> Node {
        try configuration.validate()
        if configuration.keepsFreedMemory { FreedMemory.keep() }
        let loop = try SocketLoop(named: "martlet-loop", spinTime: configuration.spinTime)
        do throws(MartletError) {
            return try await start(configuration, on: loop)
        } catch {
            await loop.close(drainingFor: .zero)
            throw error
        }
    }

    private static func start(
        _ configuration: NodeConfiguration, on loop: SocketLoop
    ) async throws(MartletError) -> Node {
        var journal: NodeJournal?
        if let folder = configuration.journal {
            journal = try await NodeJournal.open(folder, configuration.streams)
        }
        do throws(MartletError) {
            return try await start(configuration, on: loop, journal)
        } catch {
            await journal?.abandon()
            throw error
        }
    }

    static func start(
        _ configuration: NodeConfiguration, on loop: SocketLoop, _ journal: NodeJournal?
    ) async throws(MartletError) -> Node {
        let instance =
            journal?.instance
            ?? Instance(
                node: .random(), epoch: Epoch(start: 1, random: .random(in: 0 ... .max)))
        var core: PublishingCore?
        var service: ZeroMQLink<Router>?
        var bound: (service: Endpoint, data: Endpoint)?
        if let listening = configuration.listening {
            let data = try await loop.openContext().socket(Pub.self)
            var dataAt = configuration.data ?? listening
            if configuration.data == nil { dataAt = try NodeAddresses.data(beside: listening) }
            dataAt = try data.bind(to: dataAt)
            let link = try await loop.link(Router.self)
            let serviceAt = try await link.bind(to: listening)
            let outlets = try await pushOutlets(configuration, beside: serviceAt, on: loop)
            let pushed = PushedStreams(
                outlets.map { ($0.stream, NodeAddresses.told($0.endpoint, beside: serviceAt)) })
            core = PublishingCore(
                instance, named: configuration.name, data: data,
                at: NodeAddresses.told(dataAt, beside: serviceAt), pushing: outlets,
                toldAs: pushed, service: link,
                firstSession: .random(in: 1 ... .max), loop: loop, journal: journal,
                acceptsProducers: configuration.acceptsProducers,
                acceptsCommands: configuration.acceptsCommands,
                publishTimeout: configuration.publishTimeout)
            service = link
            bound = (serviceAt, dataAt)
        }
        if let core {
            for stream in (journal?.streams ?? []) + configuration.streams {
                _ = try core.buffer(of: stream)
            }
        }
        let advertised =
            bound.map {
                NodeAddresses.advertised($0.service, host: configuration.advertisedHost)
            } ?? ""
        let (publishing, router, own) = (
            core, service, bound.flatMap { NodeAddresses.own($0.service) }
        )
        try await loop.install { (_) throws(MartletError) in
            NodeEngine(
                instance, configuration, advertised: advertised, ownEndpoint: own, core: publishing,
                service: router)
        }
        let changes = try await loop.withDriver(NodeEngine.self) {
            (engine, _) throws(MartletError) in engine.changes
        }
        try journal?.start(core)
        return Node(
            configuration, instance, loop, core, journal, changes, endpoint: bound?.service,
            dataEndpoint: bound?.data)
    }

    /// Sockets for streams that go to those who pull, behind that of the data.
    private static func pushOutlets(
        _ configuration: NodeConfiguration, beside service: Endpoint, on loop: SocketLoop
    ) async throws(MartletError) -> [PushOutlet] {
        guard let listening = configuration.listening else { return [] }
        var outlets: [PushOutlet] = []
        for stream in configuration.streams where stream.isPushed {
            let socket = try await loop.openContext().socket(Push.self)
            let place = try NodeAddresses.push(
                outlets.count, stream.name, beside: listening)
            outlets.append(try PushOutlet(stream.name, socket, at: place))
        }
        return outlets
    }

    /// Looks the peers' host names up, again and again, until it is cancelled.
    func findPeers() async {
        for peer in configuration.peers where !peer.hasHostName {
            await add(peer, from: .configured)
        }
        // Apart from each other: names that others have told of may be many, and slow to fail.
        await withDiscardingTaskGroup { group in
            group.addTask { await self.findConfigured() }
            group.addTask { await self.findLearned() }
        }
    }

    private func findConfigured() async {
        let names = configuration.peers.filter(\.hasHostName)
        while !names.isEmpty {
            var isOneMissing = false
            for name in names where await !add(name, from: .named) {
                // A name that has no address now may have one later.
                isOneMissing = true
            }
            let due = NodeClock.now + configuration.lookupInterval
            repeat {
                guard (try? await Task.sleep(for: lostLookupInterval)) != nil else { return }
                if await hasLostPeers { isOneMissing = true }
            } while NodeClock.now < due && !isOneMissing
        }
    }

    private var lostLookupInterval: Duration {
        min(Limits.lostLookupInterval, configuration.lookupInterval)
    }

    private var hasLostPeers: Bool {
        get async {
            let isAny = try? await loop.withDriver(NodeEngine.self) {
                (engine, _) throws(MartletError) in engine.hasLostPeers
            }
            return isAny ?? false
        }
    }

    /// Looks a name up as soon as it is told of, and then again and again.
    private func findLearned() async {
        var looked: [String: MonotonicTime] = [:]
        while !Task.isCancelled {
            let changes = engineChanges.changes
            let names = try? await loop.withDriver(NodeEngine.self) {
                (engine, _) throws(MartletError) in engine.unresolved
            }
            guard let names else { return }
            looked = looked.filter { names.contains($0.key) }
            let pause = await hasLostPeers ? lostLookupInterval : configuration.lookupInterval
            for name in names.sorted()
            where looked[name].map({ NodeClock.now >= $0 + pause }) ?? true {
                looked[name] = NodeClock.now
                if let endpoint = try? Endpoint(name), await add(endpoint, from: .learned) {
                    continue
                }
                // Whoever has told of it will do so again if there is news.
                _ = try? await loop.withDriver(NodeEngine.self) {
                    (engine, _) throws(MartletError) in engine.unresolved.remove(name)
                }
            }
            let next =
                NodeClock.now
                + (looked.isEmpty ? configuration.lookupInterval : lostLookupInterval)
            if case .closed = await engineChanges.wait(since: changes, until: next) { return }
        }
    }

    /// False if nobody knows the name.
    @discardableResult
    private func add(_ peer: Endpoint, from origin: PeerConnection.Origin) async -> Bool {
        guard let addresses = try? await peer.resolved() else { return false }
        try? await loop.withDriver(NodeEngine.self) { (engine, loop) throws(MartletError) in
            engine.add(
                peers: addresses, from: origin, foundUnder: peer.hasHostName ? peer : nil,
                on: loop)
        }
        loop.notify()
        return true
    }

    /// Lets readers get what was published, says goodbye, and closes.
    func close() async {
        core?.closeBuffers()
        loop.notify()
        await core?.drain(within: configuration.drainTimeout)
        await core?.drainWork(within: configuration.drainTimeout)
        await journal?.close(within: configuration.drainTimeout)
        try? await loop.withDriver(NodeEngine.self) { (engine, loop) throws(MartletError) in
            engine.close(on: loop)
        }
        await loop.close(drainingFor: .milliseconds(500))
    }
}
