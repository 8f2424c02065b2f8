import MartletCore
import MartletJournal
import MartletTestKit
import Testing

/// What is kept no more, and the room that it had.
@Suite struct RetentionTests {
    /// Whole segments go when nothing in them is kept; what is kept is read as before, also after
    /// the journal was opened again.
    @Test func roomIsGivenBackBySegments() throws {
        let disk = SimulatedDisk()
        var configuration = Journal.Configuration()
        configuration.segmentBytes = 1_000
        let journal = try Journal(on: disk, configuration)
        let epoch = Epoch(start: 1, random: 1)
        var changes = StorageChanges()
        changes.epoch = epoch
        changes.streams = ["orders": 1, "notes": 1]
        try journal.commit(changes)
        var orders = FrameSeries(
            Channel(node: journal.node, stream: "orders", lane: 1), epoch)
        var notes = FrameSeries(Channel(node: journal.node, stream: "notes", lane: 0), epoch)
        for _ in 0..<60 {
            changes = StorageChanges()
            changes.frames = [try orders.frame(2), try notes.frame(1)]
            try journal.commit(changes)
        }
        let before = disk.names.count
        let firsts = try journal.firsts(of: "orders", keeping: 3_000)
        let first = try #require(firsts[orders.channel])
        #expect(firsts.count == 1 && first > 1)
        changes = StorageChanges()
        changes.firsts = firsts
        try journal.commit(changes)
        try journal.shrink()
        // Notes are in the same segments.
        #expect(disk.names.count >= before)
        changes.firsts = [notes.channel: 40]
        try journal.commit(changes)
        try journal.shrink()
        #expect(disk.names.count < before)
        for _ in 0..<2 {
            let read = try journal.read(orders.channel, from: 1, byteCountMax: .max)
            #expect(read.damaged == nil)
            #expect(read.frames.first?.sequences.contains(first) == true)
            #expect(read.frames.last?.sequences.upperBound == 121)
            try journal.recover()
            #expect(journal.findings.isEmpty)
        }
    }
}
