import Foundation
import Martlet
import MartletCommandLine

/// A process that publishes into a journal, and says of each event when it is stored.
enum StoreRole {
    static let tasks = 4

    static let command = Command(
        "store", "publishes into a journal, and says what is stored",
        operands: .init("DIR", 1...1, "The folder of the journal."),
        options: [.value("receipts", "FILE", nil, isRequired: true, "Where receipts go.")]
    ) { (arguments) throws(CommandFailure) in
        let file = try arguments.required("receipts")
        let folder = arguments.operands[0]
        return try Service.run {
            let receipts = try ReceiptLog(file)
            try await withNode(
                named: "store", listening: "tcp://127.0.0.1:0", journal: folder,
                streams: [.durable("chaos", partitions: 8)]
            ) { node in
                let publisher = try node.publisher(
                    of: EventDefinition(topic: "chaos.stored", contentType: .text))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<tasks {
                        group.addTask { try await publish(task, publisher, receipts) }
                    }
                    try await group.waitForAll()
                }
            }
            return .success
        }
    }

    /// Until it is killed.
    private static func publish(
        _ task: Int, _ publisher: PayloadPublisher, _ receipts: ReceiptLog
    ) async throws {
        let run = UInt64.random(in: 0 ... .max)
        for number in 0... {
            let text = "\(run) \(task) \(number)"
            // Some frames are larger than what the disk writes at a time.
            let padding = number.isMultiple(of: 50) ? String(repeating: ".", count: 9_000) : ""
            let receipt = try await publisher.publish(
                Bytes(utf8: text + padding), until: .stored, key: "k-\(task)")
            receipts.write("\(receipt.position) \(text)\n")
        }
    }
}

/// Lines that are with the system as soon as they are written.
final class ReceiptLog: Sendable {
    private let file: FileHandle

    init(_ name: String) throws {
        // Several processes may share it.
        let descriptor = unsafe open(name, O_WRONLY | O_APPEND)
        guard descriptor >= 0 else {
            throw CommandFailure(.outputFailure, "\(name) cannot be written.")
        }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    func write(_ line: String) { file.write(Data(line.utf8)) }
}
