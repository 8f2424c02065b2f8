import MartletCommandLine
import MartletCore
import MartletEvents

/// Events in the JSON format of CloudEvents, one on each line of some files.
struct EventLines {
    /// A line that is an event, or why it is none.
    struct Line {
        let bytes: [UInt8]
        let event: Result<CloudEvent, MartletError>
    }

    /// How many lines were no events.
    private(set) var failures = 0

    /// Longest line: an event of the largest size, whose data may be base64.
    private static let lineBytesMax = 2 * Limits.eventBytesMax

    /// Files, `-` being standard input, which is read when there are none.
    let files: [String]

    init(_ files: [String]) { self.files = files.isEmpty ? ["-"] : files }

    /// Shows every line that is not empty. Lines that are no events are named on standard error,
    /// and the others go on.
    mutating func forEach(
        _ body: (Line) throws(CommandFailure) -> Bool
    ) throws(CommandFailure) {
        for file in files {
            var reader = try LineReader(file, lineBytesMax: EventLines.lineBytesMax)
            while let bytes = try reader.next() {
                guard bytes.contains(where: { $0 > 0x20 }) else { continue }
                let line = Line(bytes: bytes, event: EventLines.event(bytes))
                if case .failure(let error) = line.event {
                    failures += 1
                    Output.errors.line("\(reader.name):\(reader.number): \(error.message)")
                    Output.errors.flush()
                }
                guard try body(line) else { return }
            }
        }
    }

    private static func event(_ bytes: [UInt8]) -> Result<CloudEvent, MartletError> {
        Result { () throws(MartletError) in
            try Bytes(bytes).withBytes { (span) throws(MartletError) in
                try CloudEventsJSON.decode(from: span, byteCountMax: lineBytesMax)
            }
        }
    }
}

/// A value as JSON, for output.
enum JSONText {
    static func of(_ value: some Encodable) -> String {
        // Texts, numbers and arrays of them can always be written.
        let bytes = try? JSONCodec().encode(value)
        return String(decoding: bytes?.array() ?? [], as: UTF8.self)
    }
}
