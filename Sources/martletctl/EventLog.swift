import Martlet
import MartletCommandLine
import MartletTools
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file of events in JSON lines that is added to, and which says by what it holds how far it got.
///
/// It outlives the death of its program at any moment. It is not forced to the disk.
final class EventLog: Sendable {
    /// The last event of each channel.
    let positions: [Position]

    private let name: String
    private let descriptor: Int32
    private let buffer = Mutex<[UInt8]>([])

    private static let bufferBytes = 64 * 1_024

    /// Opens a file, or makes it. What stands behind its last line feed is taken away.
    init(_ name: String) throws(CommandFailure) {
        self.name = name
        descriptor = unsafe openForAppending(name)
        guard descriptor >= 0 else { throw EventLog.failure(name, "opened") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw CommandFailure(
                .outputFailure, "\(name) is written by another program. Name another file.")
        }
        var scan = Scan(name: name)
        do throws(CommandFailure) { try scan.read(descriptor) } catch {
            close(descriptor)
            throw error
        }
        positions = scan.positions
        guard ftruncate(descriptor, off_t(scan.end)) == 0 else {
            close(descriptor)
            throw EventLog.failure(name, "shortened")
        }
    }

    deinit { closeFile(descriptor) }

    /// Adds a line, which `flush` writes at the latest.
    func add(_ line: [UInt8]) throws(CommandFailure) {
        let isFull = buffer.withLock { buffer in
            buffer += line
            return buffer.count >= EventLog.bufferBytes
        }
        if isFull { try flush() }
    }

    /// Writes what was added.
    func flush() throws(CommandFailure) {
        var bytes = buffer.withLock { buffer in
            defer { buffer = [] }
            return buffer
        }
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                unsafe write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count < 0, errno != EINTR { throw EventLog.failure(name, "written") }
            bytes.removeFirst(max(count, 0))
        }
    }

    fileprivate static func failure(_ name: String, _ what: String) -> CommandFailure {
        let reason = unsafe String(cString: strerror(errno))
        return CommandFailure(.outputFailure, "\(name) cannot be \(what): \(reason).")
    }
}

/// One way through such a file.
private struct Scan {
    let name: String
    /// Behind the last line feed.
    var end = 0
    private var line: [UInt8] = []
    private var number = 0
    private var last: [Channel: Position] = [:]
    private var order: [Channel] = []

    init(name: String) { self.name = name }

    var positions: [Position] { order.compactMap { last[$0] } }

    mutating func read(_ descriptor: Int32) throws(CommandFailure) {
        var chunk = [UInt8](repeating: 0, count: 256 * 1_024)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { chunk in
                unsafe readFile(descriptor, chunk.baseAddress, chunk.count)
            }
            if count == 0 { return }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw EventLog.failure(name, "read") }
            try take(chunk[..<count])
        }
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) throws(CommandFailure) {
        var rest = bytes
        while let feed = rest.firstIndex(of: UInt8(ascii: "\n")) {
            line += rest[..<feed]
            rest = rest[(feed + 1)...]
            try takeLine()
        }
        line += rest
    }

    private mutating func takeLine() throws(CommandFailure) {
        number += 1
        end += line.count + 1
        defer { line = [] }
        guard case .success(let event) = EventLines.event(line),
            let position = EventText.position(event)
        else {
            throw CommandFailure(
                .badData,
                "Line \(number) of \(name) is no event of `martletctl tail`. Name a file that it "
                    + "has made, or a new one.")
        }
        if last.updateValue(position, forKey: position.channel) == nil {
            order.append(position.channel)
        }
    }
}

@unsafe
private func openForAppending(_ name: String) -> Int32 {
    unsafe open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
}

private func closeFile(_ descriptor: Int32) { close(descriptor) }

@unsafe
private func readFile(_ descriptor: Int32, _ place: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(descriptor, place, count)
}
