import Martlet

/// What can be made up.
enum GeneratedKind: String, CaseIterable, Sendable {
    case orders, registrations, sensors
}

/// An order that was created, shipped or delivered.
struct OrderChanged: Event {
    static let topic: Topic = "orders"
    enum Status: String, Codable, Sendable, CaseIterable { case created, shipped, delivered }

    var id: String
    var customer: String
    var status: Status
    var region: String
    var cents: Int
    var items: Int
}

/// Somebody has become a user.
struct UserRegistered: Event {
    static let topic: Topic = "users.registered"

    var user: String
    var mail: String
    var plan: String
    var region: String
}

/// A temperature was read.
struct TemperatureRead: Event {
    static let topic: Topic = "sensors"

    var site: String
    var sensor: String
    var celsius: Double
}

/// Makes events up: the same for each seed, at every run.
struct EventGenerator {
    private var state: UInt64
    private var number = 0
    /// Orders that have not been delivered yet.
    private var open: [OrderChanged] = []

    private static let openMax = 500
    private static let regions = ["eu", "uk", "us", "apac"]

    init(seed: UInt64) { state = seed }

    mutating func order() -> OrderChanged {
        number += 1
        let isNew = open.isEmpty || open.count < EventGenerator.openMax && below(5) < 2
        guard isNew else {
            let place = below(open.count)
            open[place].status = open[place].status == .created ? .shipped : .delivered
            let order = open[place]
            if order.status == .delivered { open.remove(at: place) }
            return order
        }
        let order = OrderChanged(
            id: "o-\(number)", customer: "c-\(below(1_000))", status: .created,
            region: EventGenerator.regions[below(4)], cents: 500 + below(50_000),
            items: 1 + below(8))
        open.append(order)
        return order
    }

    mutating func registration() -> UserRegistered {
        number += 1
        return UserRegistered(
            user: "u-\(number)", mail: "u-\(number)@example.org",
            plan: ["free", "free", "free", "team", "business"][below(5)],
            region: EventGenerator.regions[below(4)])
    }

    mutating func reading() -> TemperatureRead {
        let site = ["hall-1", "hall-2", "yard", "roof"][below(4)]
        let tenths = 180 + below(80) + (below(200) == 0 ? 300 : 0)
        return TemperatureRead(
            site: site, sensor: "\(site)-\(below(8))", celsius: Double(tenths) / 10)
    }

    /// SplitMix64: its low bits are as good as its high ones.
    private mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }
}
