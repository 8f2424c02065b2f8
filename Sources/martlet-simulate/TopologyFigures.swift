import MartletTestKit

/// What one size of a cluster came to: a row of numbers.
struct TopologyFigures {
    static let columns = [
        "publishers", "workers", "lanes", "start-ms", "start-messages", "idle-messages/s",
        "messages/event", "join-ms", "join-moves", "join-messages", "death-ms", "death-moves",
        "death-messages", "leave-ms", "leave-moves", "leave-messages", "simulated-in-s",
    ]

    private let values: [Double]

    init(
        _ publishers: Int, _ workers: Int, _ lanes: Int, _ report: TopologyWorld.Report,
        seconds: Double
    ) {
        var values = [publishers, workers, lanes].map(Double.init)
        values += [report.start.milliseconds, report.start.messages, report.idleMessages]
            .map(Double.init)
        values.append(report.messagesPerEvent)
        for change in [report.join, report.death, report.leave] {
            values += [change.milliseconds, change.moves, change.messages].map(Double.init)
        }
        self.values = values + [seconds]
    }

    /// Reads a line; nil if it is none of numbers, as the heads are.
    init?(_ line: String) {
        let values = line.split(separator: " ").compactMap { Double($0) }
        guard values.count == TopologyFigures.columns.count else { return nil }
        self.values = values
    }

    subscript(column: String) -> Double {
        TopologyFigures.columns.firstIndex(of: column).map { values[$0] } ?? 0
    }

    /// With two digits behind the point at most.
    var line: String {
        values.map { value in
            let hundredths = (value * 100).rounded()
            return hundredths.truncatingRemainder(dividingBy: 100) == 0
                ? "\(Int(hundredths / 100))" : "\(hundredths / 100)"
        }.joined(separator: " ")
    }

    // MARK: What the protocol lets one expect (Docs/scaling.md)

    private var publishers: Double { self["publishers"] }

    /// A beat every half a second, in each direction of each session.
    var expectedIdle: Double { 4 * publishers * self["workers"] }

    /// HELLO, WELCOME, JOIN and JOINED of each session, three seconds of beats, since calm is seen
    /// two seconds later, and three messages for each lane, whose first event is handled.
    var expectedStart: Double {
        publishers * (4 * self["workers"] + 3 * self["lanes"]) + 2.5 * expectedIdle
    }

    /// The sessions of the newcomer.
    var expectedJoin: Double { 4 * publishers }

    /// The share that each worker has of the lanes of all publishers.
    var expectedMoves: Double { publishers * self["lanes"] / self["workers"] }
}
