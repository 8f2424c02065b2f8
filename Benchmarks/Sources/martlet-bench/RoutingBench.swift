import CWorkload
import MartletRouting

/// Patterns, filters and lanes, in one process.
enum RoutingBench {
    static func cases(scale: Double) -> [Case] {
        let count = max(2_000, Int(1_000_000 * scale))
        return [
            routingCase(
                "match 10000", "topics/s", "trying the 10,000 patterns one by one",
                { try match(.large, count) }, { try tryAll(max(20, count / 5_000)) }),
            routingCase(
                "match 10", "topics/s", "the same matcher with 10 patterns",
                { try match(.large, count) }, { try match(.small, count) }),
            routingCase(
                "filter", "events/s", "the same two comparisons written in Swift",
                { try filter(count) }, { try compare(count) }),
            routingCase(
                "lane", "keys/s", "Swift's own hash of the key, modulo the lanes",
                { try lane(count * 5) }, { try hash(count * 5) }),
        ]
    }

    private static func routingCase(
        _ name: String, _ unit: String, _ note: String, _ run: @escaping () throws -> Sample,
        _ baseline: @escaping () throws -> Sample
    ) -> Case {
        Case(
            bench: "routing", name: name, unit: unit, better: .higher, baselineNote: note,
            pairs: 15, martlet: { [try run()] }, baseline: { [try baseline()] })
    }

    private static func timed(_ count: Int, _ body: () throws -> Int) throws -> Sample {
        let started = workload_now()
        let found = try body()
        let elapsed = max(1, workload_now() - started)
        guard found > 0 else { throw Peer.Failure(description: "routing: nothing was found") }
        return Sample(
            value: Double(count) / (Double(elapsed) / 1e9), cpu: Double(elapsed) / Double(count))
    }
}

/// Patterns of three tokens, and topics that some of them mean.
private struct Patterns {
    let patterns: [TopicPattern]
    let topics: [Topic]
    let matcher: TopicMatcher<Int>

    static let large = Patterns(count: 10_000)
    static let small = Patterns(count: 10)

    private init(count: Int) {
        var patterns: [TopicPattern] = []
        var topics: [Topic] = []
        var matcher = TopicMatcher<Int>()
        do {
            for number in 0..<count {
                let words = ["stream\(number % 50)", "region\(number % 7)", "device\(number)"]
                let pattern =
                    switch number % 20 {
                    case 0: "\(words[0]).*.\(words[2])"
                    case 1: "*.\(words[1]).\(words[2])"
                    case 2: "\(words[0]).\(words[1]).device\(number).>"
                    default: words.joined(separator: ".")
                    }
                patterns.append(try TopicPattern(pattern))
                matcher.add(patterns[number], number)
            }
            for place in 0..<1_000 {
                let number = place * 7_919 % count
                topics.append(
                    try Topic("stream\(number % 50).region\(number % 7).device\(number)"))
            }
        } catch { fatalError("\(error)") }
        self.patterns = patterns
        self.topics = topics
        self.matcher = matcher
    }
}

/// Events with two attributes, of which a quarter is meant.
private enum Events {
    static let events: [RecordedEvent] = {
        do {
            let channel = Channel(node: .random(), stream: "bench", lane: 0)
            var builder = FrameBuilder(channel: channel, epoch: Epoch(rawValue: 1))
            let definition = try EventDefinition(topic: "bench.events", contentType: .bytes)
            guard let number = try builder.define(definition) else { return [] }
            for place in 0..<200 {
                let attributes = try EventAttributes([
                    "priority": .integer(Int32(place % 10)),
                    "region": .string(place % 2 == 0 ? "eu-central" : "us-west"),
                ])
                _ = try builder.append(
                    as: number, at: .earliest, key: nil, id: nil, attributes: attributes
                ) { (buffer) throws(MartletError) in
                    try buffer.append(Bytes(utf8: "payload").array().span.bytes)
                }
            }
            return Array(try Frame(builder.seal()))
        } catch { fatalError("\(error)") }
    }()

    static let filter: Filter = {
        do { return try .sql("region = 'eu-central' AND priority >= 5") } catch {
            fatalError("\(error)")
        }
    }()

    static let region: AttributeName = "region"
    static let priority: AttributeName = "priority"

    @inline(never)
    static func isMeant(_ event: RecordedEvent) -> Bool {
        guard event.attribute(region) == .string("eu-central"),
            case .integer(let priority)? = event.attribute(priority)
        else { return false }
        return priority >= 5
    }
}

extension RoutingBench {
    private static func match(_ patterns: Patterns, _ count: Int) throws -> Sample {
        let topics = patterns.topics
        let matcher = patterns.matcher
        return try timed(count) {
            var found = 0
            for number in 0..<count {
                matcher.forEachMatch(topics[number % topics.count]) { _ in found += 1 }
            }
            return found
        }
    }

    private static func tryAll(_ count: Int) throws -> Sample {
        let patterns = Patterns.large
        return try timed(count) {
            var found = 0
            for number in 0..<count {
                let topic = patterns.topics[number % patterns.topics.count]
                for pattern in patterns.patterns where pattern.matches(topic) { found += 1 }
            }
            return found
        }
    }

    private static func filter(_ count: Int) throws -> Sample {
        let (events, filter) = (Events.events, Events.filter)
        return try timed(count) {
            var found = 0
            for number in 0..<count where filter.matches(events[number % events.count]) {
                found += 1
            }
            return found
        }
    }

    private static func compare(_ count: Int) throws -> Sample {
        let events = Events.events
        return try timed(count) {
            var found = 0
            for number in 0..<count where Events.isMeant(events[number % events.count]) {
                found += 1
            }
            return found
        }
    }

    private static let keys = (0..<1_000).map { number in
        let digits = String(number)
        return "customer-" + String(repeating: "0", count: 7 - digits.count) + digits
    }

    /// Each key a hundred times, so that getting at the keys does not count.
    private static func forEachKey(_ count: Int, _ body: (String) -> Int) -> Int {
        var sum = 0
        for number in 0..<count / 100 {
            let key = keys[number % keys.count]
            for _ in 0..<100 { sum &+= body(key) }
        }
        return sum
    }

    private static func lane(_ count: Int) throws -> Sample {
        let partitioning = try Partitioning(64)
        return try timed(count) { forEachKey(count) { partitioning.lane(ofKey: $0) } }
    }

    private static func hash(_ count: Int) throws -> Sample {
        try timed(count) {
            forEachKey(count) { Int(UInt(bitPattern: $0.hashValue) % 64) + 1 }
        }
    }
}
