internal import MartletDelivery
internal import MartletJournal
import Synchronization

/// How the node stands.
extension PublishingCore {
    func report() async throws(MartletError) -> NodeReport {
        let (sessions, buffers) = state.withLock { ($0.machine.sessionCount, $0.streams) }
        var journalReport: NodeReport.Journal?
        if let journal {
            journalReport = try await BlockingCall.run { () throws(MartletError) in
                NodeReport.Journal(journal)
            }
        }
        return NodeReport(
            version: NodeReport.currentVersion, name: name, node: instance.node,
            time: NodeClock.timestamp, sessions: sessions,
            streams: buffers.map { buffer in
                NodeReport.Stream(
                    name: buffer.definition.name,
                    partitions: buffer.definition.partitioning.partitions,
                    isDurable: buffer.definition.isDurable)
            }, journal: journalReport, filesMax: Descriptors.max, filesOpen: Descriptors.count)
    }
}

extension NodeReport.Journal {
    fileprivate init(_ journal: NodeJournal) {
        findings = journal.findings.map { "\($0)" }
        failure = journal.writer.failure?.message
        byteCount = journal.storage.byteCount
        let place = FileSystem(of: journal.folder)
        freeByteCount = place?.freeByteCount
        unsafeFileSystem = place?.unsafeKind
        isExpiryPaused = journal.writer.isExpiryPaused
        overrunCount = journal.writer.overruns.count
    }
}
