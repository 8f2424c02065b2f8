import Foundation
import MartletCommandLine

/// What the workers run for each event: it writes down that it has begun, and answers.
enum RecordRole {
    /// What stands in a line that a worker gives its command.
    private struct Line: Decodable {
        let partitionkey: String?
        let attempt: Int
        let `repeat`: Bool
        let data: SubmittedChaosEvent
    }

    static let command = Command(
        "record", "handles the events that a worker gives it, and writes down which",
        operands: .init("FILE", 1...1, "What is appended to, a line for each event.")
    ) { (arguments) throws(CommandFailure) in
        let log: ReceiptLog
        do { log = try ReceiptLog(arguments.operands[0]) } catch {
            throw CommandFailure(.noInput, "\(error)")
        }
        let decoder = JSONDecoder()
        while let text = readLine() {
            guard let line = try? decoder.decode(Line.self, from: Data(text.utf8)) else {
                throw CommandFailure(.badData, "A worker has given this: \(text)")
            }
            let isPlain = line.attempt == 1 && !line.repeat
            // Some fail at first, and some are of no use to anybody.
            let verdict =
                line.data.number.isMultiple(of: 997)
                ? "reject" : line.data.number.isMultiple(of: 61) && isPlain ? "retry" : "ack"
            log.write(
                "\(monotonicNanoseconds) \(line.data.identity) \(line.partitionkey ?? "-") "
                    + "\(isPlain ? "plain" : "repeat") \(verdict)\n")
            Output.standard.line(verdict)
            Output.standard.flush()
        }
        return .success
    }

    /// A clock that all processes of the machine share, and that nobody sets.
    static var monotonicNanoseconds: UInt64 {
        var time = timespec()
        // Sound: the clock exists and the target is a local.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
