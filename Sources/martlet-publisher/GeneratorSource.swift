import Martlet
import MartletTools

/// Made-up events, at a rate.
struct GeneratorSource: EventSource {
    private let kind: GeneratedKind
    private let perSecond: Int?
    private let count: Int
    private let seed: UInt64

    /// Without a rate, as fast as it goes; without a count, for ever.
    init(_ kind: GeneratedKind, perSecond: Int?, count: Int?, seed: UInt64) {
        self.kind = kind
        self.perSecond = perSecond
        self.count = count ?? .max
        self.seed = seed
    }

    var stream: StreamName? {
        switch kind {
        case .orders: OrderChanged.topic.stream
        case .registrations: UserRegistered.topic.stream
        case .sensors: TemperatureRead.topic.stream
        }
    }

    func publish(on node: Node, _ progress: EventProgress) async throws {
        var generator = EventGenerator(seed: seed)
        switch kind {
        case .orders:
            let topics = try OrderChanged.Status.allCases.map { try Topic("orders.\($0.rawValue)") }
            let orders = try node.publisher(
                of: OrderChanged.self, topic: { topics[$0.status.place] }, key: \.customer)
            try await publish(progress) { try await orders.publish(generator.order()) }
        case .registrations:
            let users = try node.publisher(of: UserRegistered.self, key: \.user)
            try await publish(progress) { try await users.publish(generator.registration()) }
        case .sensors:
            let sensors = try node.publisher(
                of: TemperatureRead.self, topic: { try Topic("sensors.\($0.site).temperature") },
                key: \.sensor)
            try await publish(progress) { try await sensors.publish(generator.reading()) }
        }
    }

    /// Publishes what is due, then sleeps until more is. After a time in which it could not run,
    /// it goes on from there and does not catch up.
    private func publish(
        _ progress: EventProgress, _ publishNext: () async throws -> Receipt
    ) async throws {
        let clock = ContinuousClock()
        var start = clock.now
        var sinceStart = 0
        for _ in 0..<count {
            if Task.isCancelled { return }
            if let perSecond {
                let due = start + .seconds(Double(sinceStart) / Double(perSecond))
                let now = clock.now
                if due > now {
                    guard (try? await clock.sleep(until: due, tolerance: .zero)) != nil else {
                        return
                    }
                } else if now - due > GeneratorSource.latenessMax {
                    start = now
                    sinceStart = 0
                }
            }
            _ = try await publishNext()
            progress.add()
            sinceStart += 1
        }
    }

    private static let latenessMax = Duration.seconds(1)
}

extension OrderChanged.Status {
    fileprivate var place: Int {
        switch self {
        case .created: 0
        case .shipped: 1
        case .delivered: 2
        }
    }
}
