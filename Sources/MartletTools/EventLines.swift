public import MartletCommandLine
public import MartletCore
public import MartletEvents

/// Events in the JSON format of CloudEvents, one on each line of some files.
public struct EventLines {
    /// A line that is an event, or why it is none.
    public struct Line {
        /// The line as it came.
        public let bytes: [UInt8]
        /// The event that it is.
        public let event: Result<CloudEvent, MartletError>
    }

    /// How many lines were no events.
    public private(set) var failures = 0

    /// Longest line: an event of the largest size, whose data may be base64.
    public static let lineBytesMax = 2 * Limits.eventBytesMax

    /// Files, `-` being standard input, which is read when there are none.
    public let files: [String]

    /// The lines of these files.
    public init(_ files: [String]) { self.files = files.isEmpty ? ["-"] : files }

    /// Shows every line that is not empty. Lines that are no events are named on standard error,
    /// and the others go on. What `body` throws about an event is told in the same way.
    public mutating func forEach(
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

    /// Why a line was not looked at.
    public static let tooLong = MartletError(
        .messageTooLarge, "the line has more than \(lineBytesMax) bytes.")

    /// The event that a line is.
    public static func event(_ bytes: [UInt8]) -> Result<CloudEvent, MartletError> {
        Result { () throws(MartletError) in
            try Bytes(bytes).withBytes { (span) throws(MartletError) in
                try CloudEventsJSON.decode(from: span, byteCountMax: lineBytesMax)
            }
        }
    }
}

/// A value as JSON, for output.
public enum JSONText {
    /// What is written for programs may be large: a plan of a thousand members.
    private static let codec = JSONCodec(byteCountMax: 64 * 1_048_576)

    /// The value's text.
    public static func of(_ value: some Encodable) throws(MartletError) -> String {
        String(decoding: try codec.encode(value).array(), as: UTF8.self)
    }
}
