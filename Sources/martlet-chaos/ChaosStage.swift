import Foundation
import Martlet
import MartletCommandLine
import Synchronization

/// The processes of a scenario, which end with it whatever happens.
final class ChaosStage {
    /// A process of the scenario.
    final class Actor {
        let name: String
        fileprivate let process = Process()
        fileprivate let reports: [URL]
        private let orders = Pipe()
        /// The signals that it was sent: a program may be told to end before it listens.
        private var sent: Set<Int32> = []

        fileprivate init(_ name: String, reports: [URL] = []) {
            self.name = name
            self.reports = reports
        }

        /// A signal, to this process alone.
        func signal(_ number: Int32) {
            sent.insert(number)
            kill(process.processIdentifier, number)
        }

        var isRunning: Bool { process.isRunning }

        /// Whether it was ended by a signal that nobody here has sent.
        var hasCrashed: Bool {
            !process.isRunning && process.terminationReason == .uncaughtSignal
                && !sent.contains(process.terminationStatus)
        }

        /// Tells it something, a line on its standard input, if it was started to be told.
        func tell(_ line: String) {
            try? orders.fileHandleForWriting.write(contentsOf: Data("\(line)\n".utf8))
        }

        fileprivate func takeOrders() { process.standardInput = orders }

        /// Waits until it has ended by itself.
        func waitForEnd(within limit: Duration) -> Bool {
            let deadline = ContinuousClock.now + limit
            while process.isRunning, ContinuousClock.now < deadline { usleep(20_000) }
            return !process.isRunning
        }

        /// Kills it, and waits until it has gone.
        func stop() {
            signal(SIGCONT)
            signal(SIGKILL)
            process.waitUntilExit()
        }

        var residentKiB: Int {
            let path = "/proc/\(process.processIdentifier)/statm"
            let pages = (try? String(contentsOfFile: path, encoding: .utf8))?
                .split(separator: " ").dropFirst().first.flatMap { Int($0) }
            return (pages ?? 0) * 4
        }

        /// The last report of each of its subscribers; fewer if some have not begun.
        var audits: [AuditReport] {
            reports.compactMap { file in
                (try? Data(contentsOf: file)).flatMap {
                    try? JSONDecoder().decode(AuditReport.self, from: $0)
                }
            }
        }
    }

    private var actors: [Actor] = []
    private let folder: URL
    private let program: URL
    /// The processes that run, for whoever ends the program.
    private let running = Running()
    private var started: Undoing?

    private final class Running: Sendable {
        let pids = Mutex<Set<Int32>>([])
    }

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-chaos-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let running = running
        started = Undoing {
            for pid in running.pids.withLock({ $0 }) {
                kill(pid, SIGCONT)
                kill(pid, SIGKILL)
            }
        }
    }

    deinit {
        for actor in actors where actor.process.isRunning { actor.stop() }
        running.pids.withLock { $0 = [] }
        try? FileManager.default.removeItem(at: folder)
    }

    /// A publisher that stays until it is killed.
    func publisher(
        at endpoint: String, perSecond rate: Int, ringMiB: Int, in space: String? = nil
    ) throws -> Actor {
        let actor = Actor("publisher")
        try start(
            actor, ["publish", endpoint, "--rate", "\(rate)", "--ring", "\(ringMiB)"], in: space)
        return actor
    }

    /// A process that stores events until it is killed.
    func store(in folder: String, receipts: String) throws -> Actor {
        let actor = Actor("store")
        try start(actor, ["store", folder, "--receipts", receipts], in: nil)
        return actor
    }

    /// A process that stores what others submit, until it is killed.
    func keeper(
        at endpoint: String, in folder: String, environment: [String: String] = [:]
    ) throws -> Actor {
        let actor = Actor("keeper")
        actor.process.environment = ProcessInfo.processInfo.environment
            .merging(environment) { $1 }
        try start(actor, ["keep", endpoint, folder], in: nil)
        return actor
    }

    /// A process that submits events until it is killed.
    func producer(
        _ name: String, of endpoint: String, receipts: String, pauseMilliseconds pause: Int = 0
    ) throws -> Actor {
        let actor = Actor(name)
        try start(
            actor, ["submit", endpoint, name, "--receipts", receipts, "--pause", "\(pause)"],
            in: nil)
        return actor
    }

    /// A process that keeps a state, until it is killed.
    func tally(of endpoint: String, in file: String) throws -> Actor {
        let actor = Actor("tally")
        try start(actor, ["tally", endpoint, file], in: nil)
        return actor
    }

    /// A process that works on what is stored, until it is killed.
    func worker(of endpoint: String, handled file: String) throws -> Actor {
        let actor = Actor("worker")
        try start(actor, ["work", endpoint, file], in: nil)
        return actor
    }

    /// A process with subscribers.
    func subscribers(
        _ name: String, count: Int = 1, of endpoint: String, in space: String? = nil
    ) throws -> Actor {
        let file = folder.appendingPathComponent(name).path
        let actor = Actor(
            name, reports: (0..<count).map { URL(fileURLWithPath: "\(file).\($0)") })
        try start(
            actor, ["subscribe", endpoint, "--report", file, "--nodes", "\(count)"], in: space)
        return actor
    }

    /// A program that lies beside this one, by its name.
    func launch(
        _ name: String, _ program: String, _ arguments: [String], in space: String?,
        environment: [String: String] = [:], log: String, takesOrders: Bool = false
    ) throws -> Actor {
        let actor = Actor(name)
        actor.process.environment = ProcessInfo.processInfo.environment
            .merging(environment) { $1 }
        if takesOrders { actor.takeOrders() }
        guard
            FileManager.default.fileExists(atPath: log)
                || FileManager.default.createFile(atPath: log, contents: nil),
            let file = FileHandle(forWritingAtPath: log)
        else { throw ChaosFailure("\(log) cannot be written") }
        try file.seekToEnd()
        actor.process.standardOutput = file
        actor.process.standardError = file
        let folder = self.program.deletingLastPathComponent()
        try start(
            actor, arguments, in: space, program: folder.appendingPathComponent(program))
        return actor
    }

    private func start(
        _ actor: Actor, _ arguments: [String], in space: String?, program other: URL? = nil
    ) throws {
        let program = other ?? self.program
        if let space {
            actor.process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            actor.process.arguments =
                ["ip", "netns", "exec", space, program.path] + arguments
        } else {
            actor.process.executableURL = program
            actor.process.arguments = arguments
        }
        try actor.process.run()
        actors.removeAll { !$0.process.isRunning }
        actors.append(actor)
        let pids = actors.map(\.process.processIdentifier)
        running.pids.withLock { $0 = Set(pids) }
    }

    // MARK: Looking

    /// Lets time pass.
    func pause(_ duration: Duration) { usleep(UInt32(duration / .microseconds(1))) }

    /// Looks again and again until it holds.
    func wait(
        _ what: String, within limit: Duration, _ holds: () -> Bool
    ) throws(ChaosFailure) {
        let deadline = ContinuousClock.now + limit
        while !holds() {
            guard ContinuousClock.now < deadline else {
                throw ChaosFailure("\(what) did not come about within \(limit)")
            }
            pause(.milliseconds(100))
        }
    }

    /// All subscribers have begun.
    func waitForStart(_ actor: Actor) throws(ChaosFailure) {
        try wait("\(actor.name): a first event", within: .seconds(30)) {
            let audits = actor.audits
            return audits.count == actor.reports.count && audits.allSatisfy { $0.events > 0 }
        }
    }

    /// All subscribers are up to date: their newest event is young, in two reports in a row.
    func waitForLagToEnd(
        _ actor: Actor, within limit: Duration = .seconds(10)
    ) throws(ChaosFailure) {
        var turns = actor.audits.map(\.turn)
        var isCalm = false
        try wait("\(actor.name): no lag", within: limit) {
            let audits = actor.audits
            guard audits.count == turns.count, zip(audits, turns).allSatisfy({ $0.turn > $1 })
            else { return false }
            turns = audits.map(\.turn)
            let now = Timestamp.now.microseconds
            let wasCalm = isCalm
            isCalm = audits.allSatisfy {
                $0.lagMicroseconds < 500_000 && now - $0.newest < 1_000_000
            }
            return isCalm && wasCalm
        }
    }

    /// Nothing has happened that must not.
    func check(_ actor: Actor, residentMiBMax: Int = 128) throws(ChaosFailure) {
        for audit in actor.audits {
            guard audit.violations == 0 else {
                throw ChaosFailure(
                    "\(actor.name): \(audit.violations) violations, first: \(audit.firstViolation)")
            }
            guard audit.residentKiB < residentMiBMax << 10 else {
                throw ChaosFailure("\(actor.name) has \(audit.residentKiB >> 10) MiB of memory")
            }
        }
    }

    /// What its subscribers have come to, in a line.
    func say(_ actor: Actor) {
        let audits = actor.audits
        let gaps = audits.reduce(into: [String: Int]()) { all, audit in
            all.merge(audit.gaps, uniquingKeysWith: +)
        }
        let reasons = gaps.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        Output.standard.line(
            "    \(actor.name): \(audits.reduce(0) { $0 + $1.events }) events, "
                + "\(audits.reduce(0) { $0 + $1.fetched }) fetched, "
                + "\(audits.reduce(0) { $0 + $1.lost }) lost in gaps "
                + "(\(reasons.isEmpty ? "none" : reasons.joined(separator: ", "))), "
                + "\((audits.map(\.residentKiB).max() ?? 0) >> 10) MiB")
        Output.standard.flush()
    }
}

/// A promise that was not kept.
struct ChaosFailure: Error {
    let text: String

    init(_ text: String) { self.text = text }
}
