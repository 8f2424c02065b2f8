import Martlet
import MartletTools
import Synchronization

/// What came of each stream of each node.
final class StreamTally: Sendable {
    private struct Place: Hashable {
        let node: NodeID
        let stream: StreamName
    }

    private struct Count {
        var events: UInt64 = 0
        var bytes: UInt64 = 0
        var lost: UInt64 = 0
        var isMoreLost = false
        var lag: Int64?
        /// What the last row said.
        var shownEvents: UInt64 = 0
        var shownBytes: UInt64 = 0
    }

    /// A stream of a node in an interval.
    struct Row: Encodable, Sendable {
        let node: String
        let stream: String
        let eventsPerSecond: Double
        let bytesPerSecond: Double
        let events: UInt64
        /// How old the newest event was when it came, in seconds; nil if none came.
        let lag: Double?
        let lost: UInt64
        /// More was lost, and nobody knows how much.
        let isMoreLost: Bool
    }

    private struct State {
        var counts: [Place: Count] = [:]
        var taken = ContinuousClock.now
    }

    private let state = Mutex(State())

    func add(_ batch: EventBatch) {
        var events: UInt64 = 0
        var bytes: UInt64 = 0
        var newest: Timestamp?
        batch.forEach { event in
            events += 1
            bytes += UInt64(event.payloadByteCount)
            newest = event.time
        }
        let lag = newest.map { Timestamp.now.microseconds - $0.microseconds }
        let place = Place(node: batch.channel.node, stream: batch.channel.stream)
        state.withLock { state in
            state.counts[place, default: Count()].events += events
            state.counts[place]?.bytes += bytes
            if let lag { state.counts[place]?.lag = lag }
        }
    }

    func add(_ gap: Gap) {
        let place = Place(node: gap.channel.node, stream: gap.channel.stream)
        state.withLock { state in
            if let last = gap.last {
                state.counts[place, default: Count()].lost &+= last - gap.first + 1
            } else {
                state.counts[place, default: Count()].isMoreLost = true
            }
        }
    }

    /// What came since the last time, in the order of the names.
    func takeRows(names: [NodeID: String]) -> [Row] {
        state.withLock { state in
            let now = ContinuousClock.now
            let seconds = max(Rate.seconds(now - state.taken), 1e-3)
            state.taken = now
            var rows: [Row] = []
            for (place, count) in state.counts {
                rows.append(
                    Row(
                        node: names[place.node] ?? place.node.description,
                        stream: place.stream.text,
                        eventsPerSecond: Double(count.events - count.shownEvents) / seconds,
                        bytesPerSecond: Double(count.bytes - count.shownBytes) / seconds,
                        events: count.events, lag: count.lag.map { Double($0) / 1e6 },
                        lost: count.lost, isMoreLost: count.isMoreLost))
                state.counts[place]?.shownEvents = count.events
                state.counts[place]?.shownBytes = count.bytes
                state.counts[place]?.lag = nil
            }
            return rows.sorted { ($0.stream, $0.node) < ($1.stream, $1.node) }
        }
    }
}

/// Rows as people or programs read them.
struct TopTable {
    private let rows: [StreamTally.Row]
    private let nodes: Int
    private let isJSON: Bool

    init(_ rows: [StreamTally.Row], nodes: Int, isJSON: Bool) {
        self.rows = rows
        self.nodes = nodes
        self.isJSON = isJSON
    }

    var lines: [String] {
        get throws(MartletError) {
            guard !isJSON else {
                return try rows.map { (row) throws(MartletError) in try JSONText.of(row) }
            }
            let clock = Timestamp.now.description.dropFirst(11).prefix(8)
            let rate = Rate.shortened(rows.reduce(0) { $0 + $1.eventsPerSecond })
            let head = "\(clock)  \(nodes) nodes connected, \(rate) events/s"
            guard !rows.isEmpty else { return [head] }
            let titles = ["stream", "node", "events/s", "bytes/s", "events", "lag", "lost"]
            return [head] + TopTable.aligned([titles] + rows.map(TopTable.cells))
        }
    }

    private static func cells(_ row: StreamTally.Row) -> [String] {
        [
            row.stream, row.node, Rate.shortened(row.eventsPerSecond),
            Rate.shortened(row.bytesPerSecond), Rate.grouped(row.events),
            row.lag.map(lag) ?? "-", Rate.grouped(row.lost) + (row.isMoreLost ? "+" : ""),
        ]
    }

    private static func lag(_ seconds: Double) -> String {
        abs(seconds) < 1
            ? "\(Rate.shortened(seconds * 1_000)) ms" : "\(Rate.shortened(seconds)) s"
    }

    /// Names to the left, numbers to the right.
    private static func aligned(_ table: [[String]]) -> [String] {
        let widths = table[0].indices.map { column in
            table.map { $0[column].count }.max() ?? 0
        }
        return table.map { cells in
            cells.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column < 2 ? cell + padding : padding + cell
            }.joined(separator: "  ")
        }
    }
}
