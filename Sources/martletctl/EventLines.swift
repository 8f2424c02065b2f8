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
    /// and the others go on. What `body` throws about an event is told in the same way.
    mutating func forEach(
        _ body: (Line) throws(MartletError) -> Bool
    ) throws(CommandFailure) {
        for file in files {
            var reader = try LineReader(file, lineBytesMax: EventLines.lineBytesMax)
            while let next = try reader.next() {
                let line: Line
                switch next {
                case .tooLong: line = Line(bytes: [], event: .failure(EventLines.tooLong))
                case .bytes(let bytes):
                    guard bytes.contains(where: { $0 > 0x20 }) else { continue }
                    line = Line(bytes: bytes, event: EventLines.event(bytes))
                }
                do throws(MartletError) {
                    if case .failure(let error) = line.event {
                        tell(error, reader.name, reader.number)
                    }
                    guard try body(line) else { return }
                } catch { tell(error, reader.name, reader.number) }
            }
        }
    }

    private mutating func tell(_ error: MartletError, _ name: String, _ number: Int) {
        failures += 1
        // In the order in which things happened, also where both go to one place.
        Output.standard.flush()
        Output.errors.lines(ofOthers: "\(name):\(number): \(error.message)")
        Output.errors.flush()
    }

    private static let tooLong = MartletError(
        .messageTooLarge, "the line has more than \(lineBytesMax) bytes.")

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
    /// What is written for programs may be large: a plan of a thousand members.
    private static let codec = JSONCodec(byteCountMax: 64 * 1_048_576)

    static func of(_ value: some Encodable) throws(MartletError) -> String {
        String(decoding: try codec.encode(value).array(), as: UTF8.self)
    }
}
