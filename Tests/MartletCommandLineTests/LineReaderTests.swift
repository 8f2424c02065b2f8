import Foundation
import MartletCommandLine
import Testing

/// Files that are read line by line.
@Suite(.timeLimit(.minutes(5))) struct LineReaderTests {
    private static func text(_ line: LineReader.Line?) -> String? {
        guard case .bytes(let bytes)? = line else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What was written to a log before it was rotated is read before its successor, and the two
    /// are not glued together.
    @Test func aLogThatIsRotatedIsReadToItsEnd() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = folder.appendingPathComponent("log")
        try Data("one\ntw".utf8).write(to: log)
        var reader = try LineReader(log.path, lineBytesMax: 1_000, follows: true)
        let first = try reader.next()
        #expect(Self.text(first) == "one")
        let handle = try FileHandle(forWritingTo: log)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("o".utf8))
        try handle.close()
        try FileManager.default.moveItem(at: log, to: folder.appendingPathComponent("log.1"))
        try Data("three\n".utf8).write(to: log)
        let (second, third) = (try reader.next(), try reader.next())
        #expect(Self.text(second) == "two")
        #expect(Self.text(third) == "three")
        // Emptied and begun anew.
        try Data("4\n".utf8).write(to: log)
        let fourth = try reader.next()
        #expect(Self.text(fourth) == "4")
    }
}
