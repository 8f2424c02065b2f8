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
        configuration = try NodeOptions.configuration(arguments)
        guard let group = arguments.value("group") else {
            throw CommandFailure(.usage, "Say which group to work for: --group mailer.")
        }
        self.group = group
        var patterns: [TopicPattern] = []
        for text in arguments.values("topic") {
            patterns.append(
                try arguments.parsed("topic", text) { (text) throws(MartletError) in
                    try TopicPattern(text)
                })
        }
        self.patterns = patterns
        guard !patterns.isEmpty else {
            throw CommandFailure(.usage, "Say which events the group works on: --topic 'orders.>'.")
        }
        filter = try FilterOptions.filter(arguments)
        start = try WorkerProgram.start(arguments)
        isKeyed = !arguments.flag("unkeyed")
        retry = .exponential(
            from: .milliseconds(try arguments.requiredInteger("back-off", in: 1...86_400_000)),
            attempts: try arguments.requiredInteger("attempts", in: 1...Limits.attemptsMax),
            lastResort: arguments.flag("park") ? .park : .skip)
        revision = try arguments.requiredInteger("revision", in: 1...1_000_000_000)
        width = try arguments.requiredInteger("width", in: 1...Limits.poolWidthMax)
        timeLimit = .seconds(try arguments.requiredInteger("time-limit", in: 1...86_400))
        action = try WorkActions.action(arguments)
        failRate = try WorkerProgram.share(arguments)
        delay = .milliseconds(try arguments.requiredInteger("delay", in: 0...3_600_000))
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
        switch try arguments.required("from") {
        case "first": return .first
        case "now": return .now
        case let text:
            throw CommandFailure(
                .usage, "\(arguments.label("from")) takes first or now, not `\(text)`.")
        }
    }

    private static func share(_ arguments: Arguments) throws(CommandFailure) -> Double {
        let text = try arguments.required("fail-rate")
        guard let share = Double(text), (0...1).contains(share) else {
            throw CommandFailure(
                .usage, "\(arguments.label("fail-rate")) takes 0 to 1, as 0.1, not `\(text)`.")
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
