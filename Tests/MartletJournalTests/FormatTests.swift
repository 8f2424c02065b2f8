import MartletCore
import MartletJournal
import MartletTestKit
import Testing

/// The bytes of a journal, as Docs/protocol.md shows them.
@Suite struct FormatTests {
    static let node = NodeID("00112233445566778899aabbccddeeff") ?? .random()

    /// A segment whose one frame is left out below: frames have golden bytes of their own.
    static let golden = """
        4d4152544c45544a 0100000000000000 00112233445566778899aabbccddeeff
        0100000000000000 0807060504030201 0100000000000000 1f7fa1d743ec5f55
        4d475250 00000000 0100000000000000 0000000000000000 ec1aebee5be6330c
        4d475250 b8000000 0200000000000000 7e00000000000000 45b1b915fa98ce3d
        04 feca000001000000
        01 06 6f7264657273 04
        02 00 06 6f7264657273 03
        05 00 feca000001000000 01 02 7e e803000000000000
        07 06 6c6564676572 01 00112233445566778899aabbccddeeff 06 6f7264657273 03
           feca000001000000 01
        08 04 676f6e65 00
        08 03 776562 08 0a00000001000000 e803000000000000 01 06 00 01 02
        09 01 67 01 02 0102 01 03 01 00 02
        0a 01 67 00 03 8320 02 02 03 01 01 02 04 02 08 01 01 01 02 01 ac02 01 02 02 05
           01 01 01 02 0700000000000000 1032547698badcfe
        """

    @Test func aSegmentIsAsSpecified() throws {
        let disk = SimulatedDisk()
        let journal = try Journal(on: disk, node: Self.node, salt: { 0x0102_0304_0506_0708 })
        var changes = StorageChanges()
        changes.epoch = Epoch(start: 1, random: 0xCAFE)
        changes.streams = ["orders": 4]
        var series = FrameSeries(
            Channel(node: Self.node, stream: "orders", lane: 3), Epoch(start: 1, random: 0xCAFE))
        let frame = try series.frame(2, at: Timestamp(microseconds: 1_000) ?? .earliest)
        changes.frames = [frame]
        changes.cursors = [
            "ledger": [
                Position(
                    channel: frame.channel, epoch: Epoch(start: 1, random: 0xCAFE), sequence: 1)
            ]
        ]
        changes.producers = [
            "web": StoredProducer(
                epoch: Epoch(start: 1, random: 10), next: 8,
                usedAt: Timestamp(microseconds: 1_000) ?? .earliest,
                runs: [.init(first: 6, channel: frame.channel, sequences: 1..<3)]),
            "gone": nil,
        ]
        changes.groups = [
            "g": StoredGroup(
                definition: Bytes([1, 2]), starts: [frame.channel: 2], before: Bytes([3]))
        ]
        changes.ledgers = [LedgerName("g", frame.channel): StorageConformance.ledger]
        try journal.commit(changes)
        #expect(journal.producers == ["web": try #require(changes.producers["web"] ?? nil)])
        try journal.close()
        let bytes = disk.content(of: "0000000001.segment")
        let place = try #require(bytes.firstRange(of: frame.bytes.array())).lowerBound
        #expect(Self.hex(bytes[..<place]) == Self.golden.filter { !$0.isWhitespace })
        #expect(bytes.count.isMultiple(of: 8) && bytes.count - place - frame.bytes.count < 8)
    }

    /// What is written without being read back is what can be read.
    @Test(arguments: [1, 2, Limits.sequenceMax, Limits.sequenceMax + 1, .max] as [UInt64])
    func producersAreKeptAsTheyAreOrRefused(number: UInt64) throws {
        let disk = SimulatedDisk()
        let journal = try Journal(on: disk, node: Self.node)
        let channel = Channel(node: Self.node, stream: "orders", lane: 3)
        var series = FrameSeries(channel, Epoch(start: 1, random: 7))
        var changes = StorageChanges()
        changes.epoch = Epoch(start: 1, random: 7)
        changes.streams = ["orders": 4]
        changes.frames = [try series.frame(2)]
        try journal.commit(changes)
        let runs = [
            StoredProducer.Run(first: min(number, .max - 1), channel: channel, sequences: 1..<2)
        ]
        let producer = StoredProducer(
            epoch: Epoch(start: 1, random: 9), next: number, usedAt: .earliest, runs: runs)
        changes = StorageChanges()
        changes.producers = ["web": producer]
        guard number <= Limits.sequenceMax else {
            #expect(throws: MartletError.self) { try journal.commit(changes) }
            return
        }
        try journal.commit(changes)
        try journal.close()
        #expect(try Journal(on: disk, node: Self.node).producers == ["web": producer])
    }

    private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
