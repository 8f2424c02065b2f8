import MartletCore
import MartletJournal
import MartletTestKit
import Testing

/// The promises of `Storage`, for the journal and for what stands in for it.
@Suite struct ConformanceTests {
    @Test func memoryConforms() throws {
        try StorageConformance({ MemoryStorage() }, reopen: nil).check()
    }

    @Test(arguments: [600, 4_096, 64 * 1_048_576]) func journalsConform(segmentBytes: Int) throws {
        var configuration = Journal.Configuration()
        configuration.segmentBytes = segmentBytes
        try withFolder { folder in
            var last = 0
            try StorageConformance {
                last += 1
                return try Journal(at: "\(folder)/\(last)", configuration)
            } reopen: { journal in
                try journal.close()
                return try Journal(at: "\(folder)/\(last)", configuration)
            }.check()
        }
    }

    /// The simulated disk is one.
    @Test(arguments: [600, 4_096]) func journalsOnSimulatedDisksConform(segmentBytes: Int) throws {
        var configuration = Journal.Configuration()
        configuration.segmentBytes = segmentBytes
        var disk = SimulatedDisk()
        try StorageConformance {
            disk = SimulatedDisk()
            return try Journal(on: disk, configuration)
        } reopen: { _ in
            disk.cutPower { 1 }
            return try Journal(on: disk, configuration)
        }.check()
    }
}
