internal import MartletDelivery
internal import MartletSockets

extension Node {
    /// Pulls events of the `.pushed` streams of all nodes that this one knows, and handles them,
    /// until the task is cancelled. What has come by then is handled, for as long as the node's
    /// `drainTimeout`.
    ///
    /// A node runs one pool for a stream. It throws `wrongState` if another one has it.
    public func run(_ pool: PullPool) async throws(MartletError) {
        let loop = loop
        let core = try PullCore(pool, configuration.codecs) { loop.notify() }
        guard !configuration.peers.isEmpty || endpoint != nil else {
            throw MartletError(
                .wrongState,
                "The node `\(name)` has nobody to pull from. Start it with `peers:`.")
        }
        try await loop.withDriver(NodeEngine.self) { (engine, loop) throws(MartletError) in
            try engine.add(core, on: loop)
        }
        loop.notify()
        let runners = Task {
            await withDiscardingTaskGroup { group in
                for _ in 0..<pool.width { group.addTask { await core.run() } }
            }
        }
        while !Task.isCancelled {
            if case .closed = await core.changes.wait(since: core.changes.changes) { break }
        }
        // A task of its own: the caller's is cancelled.
        let timeout = configuration.drainTimeout
        await Task {
            try? await loop.withDriver(NodeEngine.self) { (engine, loop) throws(MartletError) in
                engine.stop(core, on: loop)
            }
            core.close()
            let late = Task {
                // Ended when all is handled.
                if (try? await Task.sleep(for: timeout)) != nil { runners.cancel() }
            }
            await runners.value
            late.cancel()
            try? await loop.withDriver(NodeEngine.self) { (engine, _) throws(MartletError) in
                engine.remove(core)
            }
        }.value
    }

    /// How far the `.pushed` streams of this node are.
    public var pushes: [PushReport] { core?.pushReports ?? [] }
}
