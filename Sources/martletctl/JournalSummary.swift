import Martlet
import MartletTools

/// What a journal holds, as people or programs read it.
struct JournalSummary: Encodable {
    struct Stream: Encodable {
        let name: String
        let partitions: Int
        var lanes = 0
        var events: UInt64 = 0
        var kept: UInt64 = 0
        var latest: String?
    }

    let node: String
    let epoch: UInt64?
    let starts: UInt32
    let bytes: UInt64
    let streams: [Stream]
    let cursors: [String]
    let producers: Int

    init(_ journal: StoredJournal) {
        node = journal.node.description
        epoch = journal.epoch?.rawValue
        starts = journal.epoch?.start ?? 0
        bytes = journal.byteCount
        cursors = journal.cursors.keys.sorted()
        producers = journal.producers.count
        var streams: [Stream] = []
        for (name, partitions) in journal.partitions.sorted(by: { $0.key.text < $1.key.text }) {
            var stream = Stream(name: name.text, partitions: partitions)
            let channels = journal.channels.filter { $0.channel.stream == name }
            stream.lanes = channels.count
            stream.events = channels.reduce(0) { $0 + $1.next - 1 }
            stream.kept = channels.reduce(0) { $0 + $1.next - $1.first }
            stream.latest = channels.map(\.latest).max()?.description
            streams.append(stream)
        }
        self.streams = streams
    }

    var text: String {
        var lines = [
            "node \(node), started \(Rate.grouped(starts)) times, \(Rate.grouped(bytes)) bytes"
        ]
        for stream in streams {
            lines.append(
                "    \(stream.name): \(Rate.grouped(stream.kept)) of "
                    + "\(Rate.grouped(stream.events)) events kept, \(stream.lanes) lanes used of "
                    + "\(stream.partitions + 1)" + (stream.latest.map { ", latest \($0)" } ?? ""))
        }
        if !cursors.isEmpty { lines.append("    cursors: \(cursors.joined(separator: ", "))") }
        if producers > 0 { lines.append("    producers: \(Rate.grouped(producers))") }
        return lines.joined(separator: "\n")
    }
}
