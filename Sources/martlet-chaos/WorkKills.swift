import Foundation
import Martlet
import MartletCommandLine
import Synchronization

/// Workers of a group that are killed, stand still for longer than their lease, leave and come, one
/// by one or all at once, and the node that gives them work, which is killed too, and whose disk is
/// slow at times: each event is handled or set aside, what is handled twice says so, and each key
/// keeps its order.
struct WorkKills {
    private let stage: ChaosStage
    private let folder: URL
    private let endpoint: String
    private let disk: SlowDisk
    private var node: ChaosStage.Actor
    private let producer: ChaosStage.Actor
    private var workers: [ChaosStage.Actor] = []
    /// Those that stand still.
    private var stopped: [ChaosStage.Actor] = []
    private var counts = (kills: 0, stops: 0, leaves: 0, restarts: 0, outages: 0, slow: 0)

    static let group = "chaos"
    private static let workerCount = 3
    /// What a slow disk takes for each synchronization.
    private static let slowness = Duration.milliseconds(500)

    init() throws {
        stage = try ChaosStage()
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-work-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        endpoint = "ipc://\(folder.path)/service"
        for name in ["receipts", "handled"] {
            let file = folder.appendingPathComponent(name).path
            guard FileManager.default.createFile(atPath: file, contents: nil) else {
                throw ChaosFailure("no file can be made in \(folder.path)")
            }
        }
        disk = try SlowDisk(commandedBy: folder.appendingPathComponent("slow"))
        node = try stage.keeper(
            at: endpoint, in: folder.appendingPathComponent("journal").path,
            environment: disk.environment)
        producer = try stage.producer(
            "events", of: endpoint, receipts: folder.appendingPathComponent("receipts").path,
            pauseMilliseconds: 5)
        for _ in 0..<WorkKills.workerCount { try addWorker() }
    }

    private var journal: String { folder.appendingPathComponent("journal").path }
    private var handled: String { folder.appendingPathComponent("handled").path }

    private mutating func addWorker() throws {
        workers.append(try stage.worker(of: endpoint, handled: handled))
    }

    mutating func run(_ kills: Int, _ random: inout SplitMix64) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for _ in 1...kills {
            let before = handledBytes
            // After the death of the node nothing that was given out goes to anybody for a lease.
            try stage.wait("an event that is handled", within: .seconds(60)) {
                handledBytes > before
            }
            stage.pause(.milliseconds(Int64(random.below(500))))
            try harm(&random)
        }
        producer.stop()
        try disk.set(.zero)
        for actor in stopped { actor.signal(SIGCONT) }
        try waitForTheEnd()
        for actor in workers + stopped { actor.stop() }
        node.stop()
        try check()
    }

    private mutating func harm(_ random: inout SplitMix64) throws {
        let place = random.below(workers.count)
        switch random.below(10) {
        case 0:
            counts.restarts += 1
            node.stop()
            node = try stage.keeper(at: endpoint, in: journal, environment: disk.environment)
        case 8:
            // Until the next one.
            counts.slow += 1
            try disk.set(counts.slow.isMultiple(of: 2) ? .zero : WorkKills.slowness)
        case 9: try takeAllAway(&random)
        case 1, 2, 3:
            counts.kills += 1
            workers.remove(at: place).stop()
            try addWorker()
        case 4, 5:
            // It goes on when two others have been stopped, or at the end: long after its lease.
            counts.stops += 1
            let actor = workers.remove(at: place)
            actor.signal(SIGSTOP)
            stopped.append(actor)
            try addWorker()
            guard stopped.count > 2 else { break }
            let first = stopped.removeFirst()
            first.signal(SIGCONT)
            workers.append(first)
        case 6:
            counts.leaves += 1
            workers.remove(at: place).signal(SIGTERM)
            try addWorker()
        default: try addWorker()
        }
        while workers.count > 2 * WorkKills.workerCount { workers.removeFirst().signal(SIGTERM) }
    }

    /// Nobody works for a while, and then others do, as many as there were.
    private mutating func takeAllAway(_ random: inout SplitMix64) throws {
        counts.outages += 1
        let count = workers.count
        for actor in workers { actor.stop() }
        workers = []
        stage.pause(.milliseconds(Int64(500 + random.below(3_000))))
        for _ in 0..<count { try addWorker() }
    }

    private var handledBytes: Int {
        let values = try? FileManager.default.attributesOfItem(atPath: handled)
        return (values?[.size] as? Int) ?? 0
    }

    /// Nothing is left to do.
    private func waitForTheEnd() throws {
        let endpoint = endpoint
        let lag = Mutex<UInt64>(.max)
        _ = try Service.run {
            let end = ContinuousClock.now + .seconds(180)
            while ContinuousClock.now < end {
                let groups = try? await withControl(of: Endpoint(endpoint), timeout: .seconds(5)) {
                    try await $0.groups()
                }
                if let group = groups?.first { lag.withLock { $0 = group.lag } }
                if lag.withLock({ $0 }) == 0 { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            return .success
        }
        let left = lag.withLock { $0 }
        guard left == 0 else { throw ChaosFailure("\(left) events are not handled in 180 s") }
    }

    // MARK: Checking

    /// An event, by its place.
    private struct Place: Hashable {
        let lane: Int
        let sequence: UInt64
    }

    private func check() throws {
        let folder = journal
        let found = Mutex<(events: Set<Place>, dead: Set<Place>)>(([], []))
        _ = try Service.run {
            try await withJournal(at: folder) { journal in
                for try await event in journal.events() {
                    if event.topic == DeadLetter.topic {
                        let letter = try DeadLetter(event)
                        let place = Place(lane: letter.channel.lane, sequence: letter.sequence)
                        let isNew = found.withLock { $0.dead.insert(place).inserted }
                        guard isNew else { throw ChaosFailure("\(place) was set aside twice") }
                    } else {
                        let place = Place(lane: event.frame.channel.lane, sequence: event.sequence)
                        found.withLock { _ = $0.events.insert(place) }
                    }
                }
            }
            return .success
        }
        let (events, dead) = found.withLock { ($0.events, $0.dead) }
        let (seen, repeats) = try handledEvents()
        let missing = events.subtracting(seen).subtracting(dead)
        guard missing.isEmpty, !events.isEmpty else {
            throw ChaosFailure(
                "\(missing.count) of \(events.count) events were neither handled nor set aside")
        }
        guard seen.isSubset(of: events) else { throw ChaosFailure("something was made up") }
        Output.standard.line(
            "    \(events.count) events: \(seen.count) handled, \(repeats) of them again, "
                + "\(dead.count) set aside; \(counts.kills) workers killed, "
                + "\(counts.stops) stopped, \(counts.leaves) left, all of them gone "
                + "\(counts.outages) times, the node killed \(counts.restarts) times, its disk "
                + "slow or fast again \(counts.slow) times")
    }

    /// What handlers have written down, in the order in which they did. Of each event one line at
    /// most does not say that it may be a repeat, and what comes first of each key is in order.
    private func handledEvents() throws -> (seen: Set<Place>, repeats: Int) {
        var (seen, plain): (Set<Place>, Set<Place>) = ([], [])
        var last: [Substring: UInt64] = [:]
        var repeats = 0
        let text = try String(contentsOfFile: handled, encoding: .utf8)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 4, let lane = Int(words[0]), let sequence = UInt64(words[1]) else {
                // Whoever is killed may leave a part of a line.
                continue
            }
            let place = Place(lane: lane, sequence: sequence)
            if words[3] == "plain", !plain.insert(place).inserted {
                throw ChaosFailure("\(place) came twice, and neither said that it may be a repeat")
            }
            guard seen.insert(place).inserted else {
                repeats += 1
                continue
            }
            guard sequence > last[words[2]] ?? 0 else {
                throw ChaosFailure("\(place) of key \(words[2]) was handled behind a later one")
            }
            last[words[2]] = sequence
        }
        return (seen, repeats)
    }
}

/// A process that works on what is stored, and writes down what it handles.
enum WorkRole {
    private struct NotNow: Error {}

    static let command = Command(
        "work", "works on what is stored, and writes down what it handles",
        operands: .init("ENDPOINT FILE", 2...2, "Where the node is, and the file.")
    ) { (arguments) throws(CommandFailure) in
        let texts = arguments.operands
        return try Service.run {
            let file = try ReceiptLog(texts[1])
            let pool = WorkerPool(
                of: SubmittedChaosEvent.self, group: WorkKills.group, width: 4,
                retry: .exponential(from: .milliseconds(20), attempts: 3)
            ) { event, delivery in
                if event.number.isMultiple(of: 61), delivery.attempt == 1 { throw NotNow() }
                if event.number.isMultiple(of: 997) { throw Rejection("It is of no use.") }
                let isPlain = delivery.attempt == 1 && !delivery.mayBeRepeat
                file.write(
                    "\(delivery.position.channel.lane) \(delivery.position.sequence) "
                        + "\(delivery.key ?? "-") \(isPlain ? "plain" : "repeat")\n")
                // Some are killed between what they do and what they say.
                if event.number.isMultiple(of: 8) { try await Task.sleep(for: .milliseconds(3)) }
            }
            try await withNode(named: "worker", peers: [Endpoint(texts[0])]) { node in
                _ = try await Service.untilStopped { try await node.run(pool) }
            }
            return .success
        }
    }
}
