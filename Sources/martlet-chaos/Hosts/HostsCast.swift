import Foundation
import Martlet

/// The programs of a cluster on five hosts, and how each of them is started again.
///
/// Hosts 1 and 2 publish, each with a journal on a disk of its own and a proxy before its ports; 3
/// and 4 have workers of two groups; 5 has a producer for each publisher and a reader.
final class HostsCast {
    /// One of them.
    struct Part {
        let name: String
        let host: Int
        let program: String
        let arguments: [String]
        var environment: [String: String] = [:]
        /// Proxies are told what to do, and are no part of what is tested.
        var isProxy = false
    }

    static let groups = ["chaos", "audit"]

    let network: ChaosNetwork
    let folder: URL
    let disks: [ChaosDisk]
    /// How fast each of them is.
    let paces: [SlowDisk]
    let parts: [Part]
    private let stage: ChaosStage
    private(set) var actors: [String: ChaosStage.Actor] = [:]
    /// Those that stand still.
    var stopped: Set<String> = []
    /// Those that must not come back yet.
    var away: Set<String> = []
    /// Programs that have ended by themselves, in a way that none should.
    private(set) var crashes: [String] = []

    init(_ folder: URL) throws {
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        network = try ChaosNetwork(hosts: 5)
        stage = try ChaosStage()
        disks = try (1...2).map {
            try ChaosDisk(at: folder.appendingPathComponent("disk\($0)"), mebibytes: 256)
        }
        paces = try (1...2).map {
            try SlowDisk(commandedBy: folder.appendingPathComponent("slow\($0)"))
        }
        parts = HostsCast.parts(folder, network, paces)
        for part in parts {
            for file in ["receipts.\(part.name)", "handled.\(part.name)"] {
                try Data().write(to: folder.appendingPathComponent(file))
            }
            // Eight bytes: how far its clock is set.
            try Data(count: 8).write(to: clock(of: part.name))
        }
        for part in parts { try start(part) }
    }

    private static func parts(
        _ folder: URL, _ network: ChaosNetwork, _ paces: [SlowDisk]
    ) -> [Part] {
        func file(_ name: String) -> String { folder.appendingPathComponent(name).path }
        let peers = (1...2).map { "--peer=tcp://\(network.address($0)):5550" }
        var parts: [Part] = []
        for host in 1...2 {
            parts.append(
                Part(
                    name: "publisher-\(host)", host: host, program: "martlet-publisher",
                    arguments: [
                        "--idle", "--listen=tcp://127.0.0.1:5550", "--name=publisher-\(host)",
                        "--stream=chaos:durable,partitions=4", "--journal",
                        file("disk\(host)/journal"), "--limit=drain-timeout=2s", "--quiet",
                    ], environment: paces[host - 1].environment))
            parts.append(
                Part(
                    name: "proxy-\(host)", host: host, program: "martlet-chaos",
                    arguments: ["proxy", network.address(host), "5550", "--seed=\(host)"],
                    isProxy: true))
            parts.append(
                Part(
                    name: "producer-\(host)", host: 5, program: "martlet-chaos",
                    arguments: [
                        "submit", "tcp://\(network.address(host)):5550", "producer-\(host)",
                        "--receipts", file("receipts.producer-\(host)"), "--pause=40",
                    ]))
        }
        for (host, name, group) in [
            (3, "a", "chaos"), (3, "b", "chaos"), (4, "c", "chaos"), (4, "d", "chaos"),
            (3, "e", "audit"), (4, "f", "audit"),
        ] {
            let recorder = "exec \"$MARTLET_RECORDER\" record '\(file("handled.\(group)-\(name)"))'"
            parts.append(
                Part(
                    name: "\(group)-\(name)", host: host, program: "martlet-worker",
                    arguments: peers + [
                        "--group=\(group)", "--name=\(group)-\(name)", "--topic=chaos.submitted",
                        "--exec", recorder, "--persistent", "--width=4", "--back-off=20",
                        "--attempts=20", "--limit=drain-timeout=2s",
                    ]))
        }
        parts.append(
            Part(
                name: "reader", host: 5, program: "martletctl",
                arguments: ["tail", "chaos.>", "--from=beginning"] + peers + [
                    "--into", file("read.ndjson"),
                ]))
        return parts
    }

    func clock(of name: String) -> URL { folder.appendingPathComponent("clock.\(name)") }

    private func start(_ part: Part) throws {
        var environment = part.environment
        environment["MARTLET_TEST_CLOCK"] = clock(of: part.name).path
        environment["MARTLET_RECORDER"] =
            URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        actors[part.name] = try stage.launch(
            part.name, part.program, part.arguments, in: network.space(part.host),
            environment: environment,
            log: folder.appendingPathComponent("log.\(part.name)").path,
            takesOrders: part.isProxy)
        stopped.remove(part.name)
    }

    /// Starts again what does not run, and takes note of what should.
    func revive() throws {
        for part in parts where !away.contains(part.name) {
            guard let actor = actors[part.name], !actor.isRunning else { continue }
            if actor.hasCrashed { crashes.append(part.name) }
            try start(part)
        }
    }

    func pause(_ duration: Duration) { stage.pause(duration) }

    /// What a program prints that is run on a host.
    func output(of program: String, _ arguments: [String], on host: Int) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent(program).path
        process.arguments = ["ip", "netns", "exec", network.space(host), path] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return data
    }

    /// Sets the time of day of a program.
    func set(clockOf name: String, ahead: Duration) throws {
        let microseconds = Int64(ahead / .microseconds(1))
        let file = try FileHandle(forWritingTo: clock(of: name))
        try file.write(contentsOf: unsafe withUnsafeBytes(of: microseconds) { unsafe Data($0) })
        try file.close()
    }

    func tell(_ host: Int, _ faults: String) { actors["proxy-\(host)"]?.tell(faults) }

    /// Ends one in order, or by force if it takes too long.
    func end(_ name: String, within limit: Duration = .seconds(20)) -> Bool {
        guard let actor = actors[name] else { return true }
        actor.signal(SIGTERM)
        let hasEnded = actor.waitForEnd(within: limit)
        if !hasEnded { actor.stop() }
        return hasEnded
    }
}
