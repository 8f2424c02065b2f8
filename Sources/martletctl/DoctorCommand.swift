import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl doctor`: what is wrong with nodes, and what to do about it.
enum DoctorCommand {
    static let command = Command(
        "doctor", "checks nodes, and says what is wrong and what to do",
        details: [
            "For each node: whether it answers and how fast, its version, its clock beside this "
                + "machine's, whether its journal stores and where it lies, room on that disk, "
                + "open files beside their limit, and groups that fail, wait without workers or "
                + "have set events aside.",
            "Exit status: 0 all is well, 1 something is wrong, 64 the command line is wrong, 69 a "
                + "node cannot be had or refuses.",
        ],
        options: [ControlOptions.node, ControlOptions.timeout],
        examples: [
            .init("martletctl doctor -n tcp://shop:5550 -n tcp://billing:5550", "Two nodes")
        ]
    ) { (arguments) throws(CommandFailure) in
        try ControlOptions.run(arguments) { control, node in
            let before = Timestamp.now
            let began = ContinuousClock.now
            let report = try await control.report()
            let trip = ContinuousClock.now - began
            let groups = try await control.groups()
            let letters = try await control.deadLetters()
            var findings = Examination(report, asked: before, trip: trip).findings
            findings += Examination.findings(of: groups, letters: letters.count)
            let milliseconds = trip.components.attoseconds / 1_000_000_000_000_000
            Output.standard.lines(
                ofOthers: "\(node): `\(report.name)` answers in \(milliseconds) ms, Martlet "
                    + "\(report.version), \(report.streams.count) streams, \(groups.count) groups")
            for finding in findings { Output.standard.lines(ofOthers: "  \(finding)") }
            if findings.isEmpty { Output.standard.line("  all is well") }
            return findings.isEmpty ? .success : .incomplete
        }
    }
}

/// What is wrong with a node, and what to do.
struct Examination {
    private let report: NodeReport
    /// How far the node's clock is ahead, in microseconds, as far as that can be told.
    private let ahead: Int64
    private let uncertainty: Int64

    /// Clocks that differ by more make times of events misleading.
    private static let clockMax: Int64 = 1_000_000
    private static let freeBytesMin: UInt64 = 1_073_741_824
    private static let roundTripMax = Duration.milliseconds(500)

    private let trip: Duration

    init(_ report: NodeReport, asked: Timestamp, trip: Duration) {
        self.report = report
        self.trip = trip
        let microseconds =
            trip.components.seconds * 1_000_000 + trip.components.attoseconds / 1_000_000_000_000
        uncertainty = microseconds / 2
        ahead = report.time.microseconds - asked.microseconds - uncertainty
    }

    var findings: [String] { [version, clock, speed, files].compactMap(\.self) + journal }

    private var version: String? {
        guard report.version != NodeReport.currentVersion else { return nil }
        return "version: it is \(report.version), and this program \(NodeReport.currentVersion). "
            + "Bring both to one version."
    }

    private var clock: String? {
        guard abs(ahead) - uncertainty > Examination.clockMax else { return nil }
        let seconds = Double(abs(ahead) / 100_000) / 10
        return "clock: it is \(seconds) s \(ahead > 0 ? "ahead" : "behind"). Run a time service: "
            + "events carry the time of the node that published them."
    }

    private var speed: String? {
        guard trip > Examination.roundTripMax else { return nil }
        return "speed: it took \(trip) to answer. Look at its load and at the network."
    }

    private var files: String? {
        guard report.filesMax > 0, report.filesOpen / 4 > report.filesMax / 5 else { return nil }
        return "files: \(report.filesOpen) of \(report.filesMax) files and sockets are open. Raise "
            + "the limit (`ulimit -n`)."
    }

    private var journal: [String] {
        guard let journal = report.journal else { return [] }
        var findings: [String] = []
        if let failure = journal.failure { findings.append("journal: \(failure)") }
        for finding in journal.findings {
            findings.append("journal, when it was opened: \(finding)")
        }
        if let kind = journal.unsafeFileSystem {
            findings.append(
                "journal: it lies on \(kind). What is stored there may be lost: use a local disk.")
        }
        if let free = journal.freeByteCount, free < Examination.freeBytesMin {
            findings.append(
                "journal: \(free / 1_048_576) MiB are free on its disk. Make room, or bound its "
                    + "streams (`keep=7d`, `size=10GiB`).")
        }
        if journal.isExpiryPaused {
            findings.append(
                "journal: its clock was set by more than a minute, and nothing expires by age. "
                    + "Start the node anew when the clock is right.")
        }
        if journal.overrunCount > 0 {
            findings.append(
                "journal: \(journal.overrunCount) ranges of events went before a cursor was past "
                    + "them. Look at that reader, or give its streams more room.")
        }
        return findings
    }

    static func findings(of groups: [GroupReport], letters: Int) -> [String] {
        var findings = groups.flatMap { Examination.findings(of: $0) }
        if letters > 0 {
            findings.append(
                "dead letters: \(letters) are open. `martletctl deadletters list` shows them.")
        }
        return findings
    }

    private static func findings(of group: GroupReport) -> [String] {
        var findings: [String] = []
        if group.isFailing {
            findings.append(
                "most of what it tries fails, so that it tries one event a second. Look at what "
                    + "its handlers need.")
        }
        if group.members.isEmpty, group.lag > 0 {
            findings.append(
                "\(group.lag) events wait, and nobody works for it. Start workers, or remove it "
                    + "(`martletctl groups remove \(group.name)`).")
        }
        if group.parkedKeys > 0 {
            findings.append(
                "\(group.parkedKeys) keys are parked. Mend what is wrong, then `martletctl "
                    + "deadletters retry -g \(group.name)`.")
        }
        if group.tally.lost > 0 {
            findings.append(
                "\(group.tally.lost) events were lost to it. `martletctl groups \(group.name)` "
                    + "names them.")
        }
        return findings.map { "group `\(group.name)`: \($0)" }
    }
}
