// Sensors publish temperatures as JSON; a display shows all of one house, and an alarm hears of
// those that are too high. Nobody shares them: each reader gets each reading that it wants. Run it:
// swift run sensors

import Martlet

struct TemperatureRead: Event {
    static let topic: Topic = "sensors"
    var celsius: Double
}

/// Where the reading of a sensor is addressed to.
func topic(_ house: String, _ room: String) throws -> Topic {
    try Topic("sensors.\(house).\(room)")
}

/// Shows what is read in one house, until it has seen so many.
func display(_ node: Node, house: String, count: Int) async throws {
    let pattern = try TopicPattern("sensors.\(house).*")
    try await node.subscribe(to: TemperatureRead.self, topics: [pattern], from: .beginning) {
        readings in
        var left = count
        for try await (reading, delivery) in readings {
            print("\(delivery.topic): \(reading.celsius) °C")
            left -= 1
            if left == 0 { break }
        }
    }
}

/// Hears of readings above 40 degrees only: the others do not get past the filter.
func alarm(_ node: Node) async throws {
    let hot = try Filter.sql("data.celsius > 40")
    try await node.subscribe(
        to: TemperatureRead.self, topics: ["sensors.>"], from: .beginning, where: hot
    ) { readings in
        for try await (reading, delivery) in readings {
            print("ALARM: \(delivery.topic) has \(reading.celsius) °C")
            break
        }
    }
}

try await withNode(named: "sensors", listening: "tcp://127.0.0.1:0") { node in
    guard let address = node.endpoint else { return }
    try await withNode(named: "house-watch", peers: [address]) { reader in
        async let shown: Void = display(reader, house: "north", count: 4)
        async let alarmed: Void = alarm(reader)
        try await node.waitForSubscribers(to: "sensors")
        let rooms = [("north", "kitchen"), ("south", "kitchen"), ("north", "attic")]
        for step in 0..<4 {
            for (place, (house, room)) in rooms.enumerated() {
                let here = try topic(house, room)
                let readings = try node.publisher(of: TemperatureRead.self, topic: { _ in here })
                try await readings.publish(
                    TemperatureRead(celsius: 18.5 + Double(step * (place + 1) * 4)))
            }
        }
        try await shown
        try await alarmed
    }
}
