import Foundation
import Martlet
import MartletCommandLine

/// Processes that submit events, and the one that stores them.
enum ProducerRoles {
    static let keep = Command(
        "keep", "stores what producers submit",
        operands: .init("ENDPOINT DIR", 2...2, "Where to listen, and the folder of the journal.")
    ) { (arguments) throws(CommandFailure) in
        let texts = arguments.operands
        return try Service.run {
            try await withNode(
                named: "keep", listening: Endpoint(texts[0]), journal: texts[1],
                streams: [.durable("chaos", partitions: 4)]
            ) { _ in
                while true { try await Task.sleep(for: .seconds(3_600)) }
            }
        }
    }

    static let submit = Command(
        "submit", "submits events, and says which are stored",
        operands: .init("ENDPOINT NAME", 2...2, "Where the node is, and what to be called."),
        options: [
            .value("receipts", "FILE", nil, isRequired: true, "Where receipts go."),
            .value("pause", "MS", nil, "Rest so long behind each receipt."),
        ]
    ) { (arguments) throws(CommandFailure) in
        let file = try arguments.required("receipts")
        let texts = arguments.operands
        let pause = Duration.milliseconds(try arguments.integer("pause", in: 0...60_000) ?? 0)
        return try Service.run {
            let receipts = try ReceiptLog(file)
            let process = UInt64.random(in: 1 ... .max)
            try await withProducer(named: texts[1], at: Endpoint(texts[0])) { producer in
                let first = producer.next
                while true {
                    let number = producer.next
                    let event = SubmittedChaosEvent(
                        name: texts[1], number: number, process: process)
                    // Most are on their way together.
                    let receipt = try await producer.submit(
                        event, key: "\(number % 7)",
                        until: number.isMultiple(of: 16) ? .stored : .queued)
                    guard receipt.level == .stored else { continue }
                    let position = receipt.position.map { "\($0)" } ?? "-"
                    receipts.write("\(position) \(first) \(event.text)\n")
                    if pause > .zero { try await Task.sleep(for: pause) }
                }
            }
            return .success
        }
    }
}

/// An event that a process has submitted.
struct SubmittedChaosEvent: Event, Hashable {
    static let topic: Topic = "chaos.submitted"
    let name: String
    let number: UInt64
    let process: UInt64

    init(name: String, number: UInt64, process: UInt64) {
        self.name = name
        self.number = number
        self.process = process
    }

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: " ")
        guard parts.count == 3, let number = UInt64(parts[1]), let process = UInt64(parts[2])
        else { return nil }
        self.init(name: String(parts[0]), number: number, process: process)
    }

    var text: String { "\(name) \(number) \(process)" }

    /// What it is known by, whoever has submitted it.
    var identity: String { "\(name)/\(number)" }
}
