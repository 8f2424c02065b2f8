internal import MartletDelivery
internal import MartletSockets

extension Node {
    /// Works for a group, with the events of all nodes that this one knows, until the task is
    /// cancelled.
    ///
    /// When it is cancelled, the pool takes nothing more and gives back what it has not begun;
    /// handlers that are at work are waited for, for as long as the node's `drainTimeout`, then
    /// cancelled. It throws `wrongState` if a publisher refuses it: the group is defined otherwise.
    ///
    /// A node runs one pool of a group. Its peers are those that it was started with, and those
    /// that these know; a node that listens works for its own streams too.
    public func run(_ pool: WorkerPool) async throws(MartletError) {
        let loop = loop
        let core = try PoolCore(pool, configuration.codecs) { loop.notify() }
        guard !configuration.peers.isEmpty || endpoint != nil else {
            throw MartletError(
                .wrongState,
                "The node `\(name)` has nobody to work for. Start it with `peers:`.")
        }
        try await loop.withDriver(NodeEngine.self) { (engine, _) throws(MartletError) in
            try engine.add(core)
        }
        loop.notify()
        let runners = RunnerCrew(core)
        let outcome = await watch(core, runners)
        await drain(core, runners)
        try? await loop.withDriver(NodeEngine.self) { (engine, _) throws(MartletError) in
            engine.remove(core)
        }
        try outcome.get()
    }

    /// Sees to the runners until the task is cancelled or the pool is refused.
    private func watch(
        _ core: PoolCore, _ runners: RunnerCrew
    ) async -> Result<Void, MartletError> {
        runners.begin()
        while !Task.isCancelled {
            if let refusal = core.refusal {
                return .failure(
                    MartletError(
                        .wrongState,
                        "A publisher refuses the group `\(core.pool.group)`: \(refusal)"))
            }
            let changes = core.changes.changes
            let next = NodeClock.now + RunnerCrew.watchInterval
            if case .closed = await core.changes.wait(since: changes, until: next) {
                return .success(())
            }
            runners.watch(at: NodeClock.now)
        }
        return .success(())
    }

    /// Lets the pool end what it has begun. A task of its own: the caller's is cancelled.
    private func drain(_ core: PoolCore, _ runners: RunnerCrew) async {
        let timeout = configuration.drainTimeout
        let loop = loop
        await Task {
            core.close()
            let end = NodeClock.now + timeout
            while NodeClock.now < end, !core.standing.isDrained {
                let changes = core.changes.changes
                let next = min(end, NodeClock.now + RunnerCrew.watchInterval)
                if case .closed = await core.changes.wait(since: changes, until: next) { break }
                runners.watch(at: NodeClock.now)
            }
            await runners.end()
            core.leave()
            loop.notify()
            try? await loop.withDriver(NodeEngine.self) { (engine, _) throws(MartletError) in
                engine.flush(core)
            }
        }.value
    }
}
