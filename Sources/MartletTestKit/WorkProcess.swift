internal import MartletDelivery

/// A process of a simulated world that works for a group.
struct WorkProcess {
    /// Handles events that were taken together, one after the other.
    struct Runner {
        let number: Int
        private var left: HeldEvents
        /// The event that its handler has.
        private(set) var current: HeldEvent?
        /// It was told to end.
        var isCancelled = false
        private var broken: Set<UInt64> = []

        init(_ number: Int, _ events: HeldEvents) {
            self.number = number
            left = events
        }

        /// How many events it has.
        var count: Int { left.count + (current == nil ? 0 : 1) }

        mutating func takeNext() -> HeldEvent? {
            isCancelled = false
            current = left.isEmpty ? nil : left[0]
            if current != nil { left = left[1..<left.count] }
            return current
        }

        /// What it has not begun.
        mutating func takeRest(keeping isKept: Bool) -> HeldEvents {
            defer { if !isKept { left = HeldEvents() } }
            return left
        }

        mutating func end() { current = nil }

        /// What follows of a key goes back.
        mutating func breakOff(_ strand: UInt64?) { if let strand { broken.insert(strand) } }

        func isBroken(_ strand: UInt64?) -> Bool { strand.map(broken.contains) ?? false }
    }

    let number: Int
    let group: String
    let instance: Instance
    var peer: PublisherPeer
    var worker: Worker
    /// The socket; raised for each fresh one.
    var link = 0
    var lastToNode: UInt64 = 0
    var lastFromNode: UInt64 = 0
    var isDead = false
    /// It drains, and leaves when it is done.
    var isDraining = false
    var hasLeft = false
    /// What has come while it stood still.
    var waiting: [WorkWorld.Step] = []
    var running: [Runner] = []
    /// Events that it has ended, by their places: the keys' later ones may begin then.
    var ended: Set<WorkPlace> = []
    /// The largest window that it has asked for.
    var windowMax = 0
    /// What it has said that it has done, by the number of the message.
    var reported: [UInt64: [WorkPlace]] = [:]

    /// Handlers at once.
    let width: Int

    init(
        _ number: Int, _ definition: GroupDefinition, _ generator: inout SimulationGenerator
    ) {
        self.number = number
        group = definition.name
        instance = Instance(
            node: NodeID(high: generator.next(), low: generator.next()),
            epoch: Epoch(start: 1, random: UInt32(number + 1)))
        peer = PublisherPeer(instance, named: "worker-\(number)")
        width = generator.number(1...16)
        let start = MonotonicTime(microseconds: UInt64(number) + 1)
        guard let worker = try? Worker(definition, width: width, at: start) else {
            preconditionFailure("such a group is allowed")
        }
        self.worker = worker
    }

    var isGone: Bool { isDead || hasLeft }
}

/// An event of a group.
struct WorkPlace: Hashable {
    let lane: Int
    let sequence: UInt64
}
