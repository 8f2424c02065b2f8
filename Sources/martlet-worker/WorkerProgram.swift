import Martlet
import MartletCommandLine
import MartletTools
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// From a command line to a node that works for a group.
struct WorkerProgram: Sendable {
    private let configuration: NodeConfiguration
    private let group: String
    private let patterns: [TopicPattern]
    private let filter: Filter?
    private let start: GroupDefinition.Start
    private let isKeyed: Bool
    private let retry: RetryPolicy
    private let revision: Int
    private let width: Int
    private let timeLimit: Duration
    private let action: any WorkAction
    private let failRate: Double
    private let delay: Duration
    private let rejected: Filter?
    private let deadly: Filter?
    private let isQuiet: Bool

    init(_ arguments: Arguments) throws(CommandFailure) {
        configuration = try NodeOptions.configuration(
            arguments, name: "worker", readingFrom: NodeOptions.usualEndpoint)
        guard let group = arguments.value("group") else {
            throw CommandFailure(.usage, "Say which group to work for: --group mailer.")
        }
        self.group = group
        patterns = try NodeOptions.patterns(arguments.values("topic"))
        guard !patterns.isEmpty else {
            throw CommandFailure(.usage, "Say which events the group works on: --topic 'orders.>'.")
        }
        filter = try FilterOptions.filter(arguments)
        start = try WorkerProgram.start(arguments)
        isKeyed = !arguments.flag("unkeyed")
        retry = .exponential(
            from: .milliseconds(try arguments.integer("back-off", in: 1...86_400_000) ?? 500),
            attempts: try arguments.integer("attempts", in: 1...Limits.attemptsMax)
                ?? Limits.attempts, lastResort: arguments.flag("park") ? .park : .skip)
        revision = try arguments.integer("revision", in: 1...1_000_000_000) ?? 1
        width = try arguments.integer("width", in: 1...Limits.poolWidthMax) ?? 8
        timeLimit = .seconds(try arguments.integer("time-limit", in: 1...86_400) ?? 300)
        action = try WorkActions.action(arguments)
        failRate = try WorkerProgram.share(arguments)
        delay = .milliseconds(try arguments.integer("delay", in: 0...3_600_000) ?? 0)
        rejected = try WorkerProgram.filter("reject", arguments)
        deadly = try WorkerProgram.filter("crash", arguments)
        isQuiet = arguments.flag("quiet")
    }

    private static func filter(
        _ option: String, _ arguments: Arguments
    ) throws(CommandFailure) -> Filter? {
        guard let text = arguments.value(option) else { return nil }
        return try arguments.parsed(option, text) { (text) throws(MartletError) in
            try FilterOptions.filter(text, isStrict: false)
        }
    }

    private static func start(
        _ arguments: Arguments
    ) throws(CommandFailure) -> GroupDefinition.Start {
        switch arguments.value("from") {
        case nil, "first": return .first
        case "now": return .now
        case let text?:
            throw CommandFailure(.usage, "`--from` takes first or now, not `\(text)`.")
        }
    }

    private static func share(_ arguments: Arguments) throws(CommandFailure) -> Double {
        guard let text = arguments.value("fail-rate") else { return 0 }
        guard let share = Double(text), (0...1).contains(share) else {
            throw CommandFailure(.usage, "`--fail-rate` takes 0 to 1, as 0.1, not `\(text)`.")
        }
        return share
    }

    func run() throws(CommandFailure) -> ExitStatus { try Service.run { try await work() } }

    private func work() async throws -> ExitStatus {
        let tally = WorkTally()
        let pool = pool(tally)
        try await withNode(configuration) { node in
            if !isQuiet {
                let peers = configuration.peers.map { "\($0)" }.joined(separator: ", ")
                Output.errors.lines(ofOthers: "\(node.name) works for \(group) at \(peers)")
                Output.errors.flush()
            }
            try await node.run(pool)
        }
        try action.end()
        if !isQuiet {
            Output.errors.line(tally.text)
            Output.errors.flush()
        }
        return .success
    }

    private func pool(_ tally: WorkTally) -> WorkerPool {
        let (action, delay, failRate) = (action, delay, failRate)
        let (rejected, deadly) = (rejected, deadly)
        return WorkerPool(
            of: patterns, group: group, width: width, where: filter, from: start, keyed: isKeyed,
            retry: retry, timeLimit: timeLimit, version: revision
        ) { event, delivery in
            do {
                if delivery.mayBeRepeat || delivery.attempt > 1 { tally.repeats.add(1) }
                if delay > .zero { try await Task.sleep(for: delay) }
                if deadly?.matches(event) == true { kill(getpid(), SIGKILL) }
                if rejected?.matches(event) == true {
                    throw Rejection("it is of the kind that is set aside (--reject)")
                }
                if failRate > 0, Double.random(in: 0..<1) < failRate {
                    throw MartletError(.failed, "it failed on purpose (--fail-rate)")
                }
                try await action.handle(event, delivery)
                tally.handled.add(1)
            } catch {
                if error is Rejection { tally.rejected.add(1) } else { tally.failed.add(1) }
                throw error
            }
        }
    }
}

/// What a worker has done.
final class WorkTally: Sendable {
    /// A number that grows.
    final class Count: Sendable {
        private let value = Atomic<Int>(0)

        func add(_ count: Int) { value.add(count, ordering: .relaxed) }

        var text: String { Rate.grouped(value.load(ordering: .relaxed)) }
    }

    let handled = Count()
    let failed = Count()
    let rejected = Count()
    let repeats = Count()

    var text: String {
        "\(handled.text) handled, \(failed.text) attempts failed, \(rejected.text) set aside, "
            + "\(repeats.text) were repeats"
    }
}
