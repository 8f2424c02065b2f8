import Foundation
import Martlet
import Testing

/// The checker of the chaos on five hosts finds what must not be.
@Suite(.timeLimit(.minutes(5))) struct HostsAuditTests {
    /// As the chaos submits them.
    struct Submitted: Event {
        static let topic: Topic = "chaos.submitted"
        let name: String
        let number: UInt64
        let process: UInt64
    }

    /// What a run leaves.
    final class Remains: Sendable {
        let folder: URL

        init() async throws {
            folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("martlet-remains-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true)
            var (handled, read) = ("", "")
            var time = 0
            for host in 1...2 {
                var receipts = ""
                let node = try Endpoint("ipc://\(folder.path)/service\(host)")
                try await withNode(
                    named: "publisher", listening: node,
                    journal: folder.appendingPathComponent("journal\(host)").path,
                    streams: [.durable("chaos", partitions: 1)]
                ) { _ in
                    let name = "producer-\(host)"
                    try await withProducer(named: name, at: node) { producer in
                        for number in UInt64(1)...10 {
                            let event = Submitted(name: name, number: number, process: 7)
                            let receipt = try await producer.submit(event, key: "k")
                            let position = try #require(receipt.position)
                            receipts += "\(position) 1 \(name) \(number) 7\n"
                            time += 1
                            handled += "\(time) \(name)/\(number) k plain ack\n"
                            read +=
                                #"{"data":{"name":"\#(name)","number":\#(number),"#
                                + #""process":7}}"# + "\n"
                        }
                    }
                }
                try write("receipts.producer-\(host)", receipts)
            }
            for group in ["chaos", "audit"] { try write("handled.\(group)-a", handled) }
            try write("read.ndjson", read)
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }

        func text(_ name: String) throws -> String {
            try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        }

        func audit() throws -> (status: Int32, errors: String) {
            let process = Process()
            process.executableURL = ControlTests.program.deletingLastPathComponent()
                .appendingPathComponent("martlet-chaos")
            process.arguments = ["audit", folder.path]
            let stderr = Pipe()
            process.standardError = stderr
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            let errors = stderr.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: errors, as: UTF8.self))
        }

        /// What the audit says when a file is another for a while.
        func complaint(_ name: String, _ change: (String) -> String) throws -> String {
            let before = try text(name)
            defer { try? write(name, before) }
            let after = change(before)
            #expect(after != before)
            try write(name, after)
            let outcome = try audit()
            #expect(outcome.status == 1)
            return outcome.errors
        }
    }

    @Test func whatMustNotBeIsFound() async throws {
        let remains = try await Remains()
        #expect(try remains.audit() == (0, ""))
        let (handled, line) = ("handled.audit-a", "14 producer-2/4 k plain ack\n")
        let missing = try remains.complaint(handled) { $0.replacing(line, with: "") }
        #expect(missing.contains("1 events were neither handled nor set aside by audit"))
        let again = try remains.complaint(handled) { $0 + "99 producer-2/4 k plain ack\n" }
        #expect(again.contains("producer-2/4 came twice to audit, and neither said"))
        let disorder = try remains.complaint(handled) {
            $0.replacing(line, with: "99 producer-2/4 k plain ack\n")
        }
        #expect(disorder.contains("producer-2/4 of key producer-2 k came to audit behind"))
        let invented = try remains.complaint(handled) { $0 + "99 producer-2/11 k plain ack\n" }
        #expect(invented.contains("was given producer-2/11, which is not stored"))
        let unread = try remains.complaint("read.ndjson") { text in
            text.split(separator: "\n").dropFirst(3).joined(separator: "\n") + "\n"
        }
        #expect(unread.contains("the reader has 7 of 10 events"))
        let lost = try remains.complaint("receipts.producer-1") {
            $0.replacing("producer-1 5 7", with: "producer-1 6 7")
        }
        #expect(lost.contains("is lost, or another's"))
        // What says that it may be a repeat may come again, and what failed at first, too.
        try remains.write(handled, try remains.text(handled) + "99 producer-2/4 k repeat ack\n")
        #expect(try remains.audit() == (0, ""))
    }
}
