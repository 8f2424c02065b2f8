#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads the lines of a file or of standard input, as they come.
public struct LineReader: ~Copyable {
    private static let chunkBytes = 64 * 1_024

    /// The file's name, `-` for standard input.
    public let name: String
    /// The number of the line that was read last, from 1.
    public private(set) var number = 0
    private let descriptor: Int32
    private let lineBytesMax: Int
    private var buffer: [UInt8] = []
    private var place = 0
    private var isAtEnd = false

    /// Opens a file; `-` is standard input. Lines that are longer than allowed are a failure.
    public init(_ name: String, lineBytesMax: Int) throws(CommandFailure) {
        self.name = name
        self.lineBytesMax = lineBytesMax
        guard name != "-" else {
            descriptor = 0
            return
        }
        let descriptor = unsafe open(name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LineReader.failure(name, errno) }
        self.descriptor = descriptor
    }

    deinit { if descriptor > 0 { close(descriptor) } }

    /// The next line without its end; nil behind the last. Whatever is on standard output goes out
    /// before the reader waits for more.
    public mutating func next() throws(CommandFailure) -> [UInt8]? {
        var searched = place
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                return take(to: end, skipping: 1)
            }
            if isAtEnd { return place < buffer.count ? take(to: buffer.count, skipping: 0) : nil }
            guard buffer.count - place <= lineBytesMax else {
                throw CommandFailure(
                    .badData,
                    "\(name):\(number + 1): the line has more than \(lineBytesMax) bytes.")
            }
            searched = buffer.count - place
            buffer.removeFirst(place)
            place = 0
            try fill()
        }
    }

    private mutating func take(to end: Int, skipping count: Int) -> [UInt8] {
        var line = buffer[place..<end]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        place = end + count
        number += 1
        return Array(line)
    }

    private mutating func fill() throws(CommandFailure) {
        Output.standard.flush()
        var chunk = [UInt8](repeating: 0, count: LineReader.chunkBytes)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { chunk in
                unsafe read(descriptor, chunk.baseAddress, chunk.count)
            }
            if count >= 0 {
                buffer += chunk[..<count]
                isAtEnd = count == 0
                return
            }
            guard errno == EINTR else { throw LineReader.failure(name, errno) }
        }
    }

    /// All of a file that should not be larger than this.
    public static func contents(
        of name: String, byteCountMax: Int
    ) throws(CommandFailure) -> [UInt8] {
        var reader = try LineReader(name, lineBytesMax: byteCountMax)
        while !reader.isAtEnd {
            try reader.fill()
            guard reader.buffer.count <= byteCountMax else {
                throw CommandFailure(.badData, "\(name) has more than \(byteCountMax) bytes.")
            }
        }
        return reader.buffer
    }

    private static func failure(_ name: String, _ code: Int32) -> CommandFailure {
        let reason = unsafe String(cString: strerror(code))
        return CommandFailure(.noInput, "\(name) cannot be read: \(reason).")
    }
}
