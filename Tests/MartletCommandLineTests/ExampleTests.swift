import Foundation
import Testing

/// The worked examples do what they show.
@Suite(.timeLimit(.minutes(5))) struct ExampleTests {
    private func lines(of example: String, _ arguments: String...) async throws -> [Substring] {
        let outcome = try await ProgramTests.Running(example, arguments).ended()
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output.split(separator: "\n")
    }

    @Test func usersAreStoredAndWelcomed() async throws {
        let lines = try await lines(of: "registration")
        #expect(lines.count { $0 == "Ada has account 1" } == 2)
        #expect(lines.contains("Cy has account 3"))
        #expect(lines.count { $0 == "mail to ada@example.com: Welcome, Ada!" } == 2)
        #expect(lines.contains("mail to bob@example.com: Welcome, Bob!"))
        #expect(lines.last == "no mail for `no address`: `no address` is no address")
    }

    /// Also when it goes on with the journals of a run before.
    @Test func ordersGoTheirWay() async throws {
        let folder = NSTemporaryDirectory() + "martlet-example-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for _ in 0..<2 {
            let lines = try await lines(of: "orders", folder)
            #expect(lines.contains("order A-1 is stored"))
            #expect(lines.contains("mail: your order A-5 is there"))
            #expect(lines.last == "A-5: created, shipped as P-5, delivered")
        }
    }

    @Test func temperaturesAreShown() async throws {
        let lines = try await lines(of: "sensors")
        #expect(lines.count { $0.hasPrefix("sensors.north.") } == 4)
        #expect(lines.contains("ALARM: sensors.north.attic has 42.5 °C"))
    }
}
