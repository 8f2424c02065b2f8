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
    private var descriptor: Int32
    private let lineBytesMax: Int
    /// Whether the end of the file is not the end.
    private let follows: Bool
    private var buffer: [UInt8] = []
    private var place = 0
    private var isAtEnd = false
    /// The file that has taken the place of this one, which is read to its end before.
    private var successor: Int32?

    /// Opens a file; `-` is standard input. With `follows`, the reader waits at the end for what is
    /// added, and goes over to a file that takes the place of this one.
    public init(
        _ name: String, lineBytesMax: Int, follows: Bool = false
    ) throws(CommandFailure) {
        descriptor = try LineReader.open(name)
        self.name = name
        self.lineBytesMax = lineBytesMax
        self.follows = follows && name != "-"
    }

    private static func open(_ name: String) throws(CommandFailure) -> Int32 {
        guard !name.isEmpty else {
            throw CommandFailure(.noInput, "A file's name is empty. Name one, or `-`.")
        }
        guard name != "-" else { return 0 }
        let descriptor = unsafe openFile(name)
        guard descriptor >= 0 else { throw failure(name, errno) }
        return descriptor
    }

    deinit {
        if descriptor > 0 { close(descriptor) }
        if let successor { close(successor) }
    }

    /// A line, or that there is one which is too long.
    public enum Line: Sendable, Equatable {
        /// What stands before the line feed.
        case bytes([UInt8])
        /// It has more bytes than allowed, and was passed by.
        case tooLong
    }

    /// The next line; nil behind the last. Whatever the program has written goes out before the
    /// reader waits for more.
    public mutating func next() throws(CommandFailure) -> Line? {
        var searched = place
        var isTooLong = false
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                return take(to: end, skipping: 1, isTooLong)
            }
            if isAtEnd {
                let isThere = place < buffer.count || isTooLong
                return isThere ? take(to: buffer.count, skipping: 0, isTooLong) : nil
            }
            if buffer.count - place > lineBytesMax {
                isTooLong = true
                place = buffer.count
            }
            searched = buffer.count - place
            buffer.removeFirst(place)
            place = 0
            try fill()
        }
    }

    private mutating func take(to end: Int, skipping count: Int, _ isTooLong: Bool) -> Line {
        var line = buffer[place..<end]
        // A mark that some editors put before the first line.
        if number == 0, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        place = end + count
        number += 1
        return isTooLong || line.count > lineBytesMax ? .tooLong : .bytes(Array(line))
    }

    private mutating func fill() throws(CommandFailure) {
        Output.standard.flush()
        Output.errors.flush()
        var chunk = [UInt8](repeating: 0, count: LineReader.chunkBytes)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { chunk in
                unsafe read(descriptor, chunk.baseAddress, chunk.count)
            }
            if count == 0, follows {
                if let successor {
                    // A line that was not ended there does not go on here.
                    if place < buffer.count { buffer.append(UInt8(ascii: "\n")) }
                    close(descriptor)
                    descriptor = successor
                    self.successor = nil
                    return
                }
                waitForMore()
                continue
            }
            if count >= 0 {
                buffer += chunk[..<count]
                isAtEnd = count == 0
                return
            }
            guard errno == EINTR else { throw LineReader.failure(name, errno) }
        }
    }

    /// A file may grow, be emptied, or be replaced under its name, which is how logs are rotated.
    private mutating func waitForMore() {
        usleep(LineReader.followMicroseconds)
        var here = stat()
        var named = stat()
        guard unsafe fstat(descriptor, &here) == 0 else { return }
        if unsafe stat(name, &named) == 0,
            named.st_ino != here.st_ino || named.st_dev != here.st_dev,
            let fresh = try? LineReader.open(name)
        {
            successor = fresh
        } else if lseek(descriptor, 0, SEEK_CUR) > here.st_size {
            lseek(descriptor, 0, SEEK_SET)
        }
    }

    private static let followMicroseconds: UInt32 = 100_000

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
        let isMarked = reader.buffer.starts(with: [0xEF, 0xBB, 0xBF])
        return isMarked ? Array(reader.buffer.dropFirst(3)) : reader.buffer
    }

    private static func failure(_ name: String, _ code: Int32) -> CommandFailure {
        let reason = unsafe String(cString: strerror(code))
        return CommandFailure(.noInput, "\(name) cannot be read: \(reason).")
    }
}

@unsafe
private func openFile(_ name: String) -> Int32 { unsafe open(name, O_RDONLY | O_CLOEXEC) }
