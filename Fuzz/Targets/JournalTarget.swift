internal import MartletJournal
import MartletRouting
import Synchronization

/// A journal whose last group holds whatever there is, with the right checksums: opening it,
/// reading and checking it, and opening it again may find damage, and never trap.
enum JournalTarget {
    static func feed(_ input: Bytes) {
        let node = NodeID("00112233445566778899aabbccddeeff") ?? .random()
        let salt: UInt64 = 7
        let head = SegmentHead(node: node, number: 1, salt: salt, firstGroup: 1)
        // The first byte says how much of the input is frames.
        let bytes = input.array()
        let split = bytes.first.map { Int($0) * bytes.count / 256 } ?? 0
        let (directory, frames) = (Array(bytes[split...]), bytes[..<split])
        let first = LogGroup.head(directory: [], number: 1, frameBytes: 0, salt: salt)
        let second = LogGroup.head(
            directory: directory, number: 2, frameBytes: frames.count, salt: salt)
        var content = head.bytes.array() + first + second + frames
        while !content.count.isMultiple(of: 8) { content.append(0) }
        let disk = FuzzedDisk([SegmentHead.fileName(1): content])
        for _ in 0..<2 {
            guard let journal = try? Journal(on: disk, node: node) else { return }
            _ = try? journal.check { _ in }
            for stored in journal.channels {
                precondition(stored.first <= stored.next, "a channel ends before it begins")
                _ = try? journal.firsts(of: stored.channel.stream, keeping: 1)
                _ = try? journal.sequence(at: .earliest, of: stored.channel)
            }
            try? journal.shrink()
            try? journal.close()
        }
    }
}

/// Files in memory.
private final class FuzzedDisk: Disk {
    let name = "fuzzed"
    fileprivate let contents: Mutex<[String: [UInt8]]>

    init(_ contents: [String: [UInt8]]) { self.contents = Mutex(contents) }

    func files() throws(MartletError) -> [String] { contents.withLock { $0.keys.sorted() } }

    func open(_ file: String) throws(MartletError) -> any DiskFile {
        contents.withLock { $0[file, default: []] += [] }
        return FuzzedFile(self, file)
    }

    func remove(_ file: String) throws(MartletError) { contents.withLock { $0[file] = nil } }

    func rename(_ file: String, to name: String) throws(MartletError) {
        contents.withLock { $0[name] = $0.removeValue(forKey: file) }
    }

    func synchronize() throws(MartletError) {}
}

private final class FuzzedFile: DiskFile {
    private let disk: FuzzedDisk
    private let name: String

    init(_ disk: FuzzedDisk, _ name: String) {
        self.disk = disk
        self.name = name
    }

    func size() throws(MartletError) -> Int {
        disk.contents.withLock { $0[name]?.count ?? 0 }
    }

    func write(_ pieces: [Bytes], at offset: Int) throws(MartletError) {
        let bytes = pieces.flatMap { $0.array() }
        disk.contents.withLock { contents in
            var content = contents[name] ?? []
            while content.count < offset + bytes.count { content.append(0) }
            content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            contents[name] = content
        }
    }

    func read(at offset: Int, count: Int) throws(MartletError) -> Bytes {
        disk.contents.withLock { contents in
            let content = contents[name] ?? []
            let start = min(offset, content.count)
            return Bytes(Array(content[start..<min(start + count, content.count)]))
        }
    }

    func resize(to size: Int) throws(MartletError) {
        disk.contents.withLock { contents in
            var content = contents[name] ?? []
            content.removeLast(max(0, content.count - size))
            while content.count < size { content.append(0) }
            contents[name] = content
        }
    }

    func synchronize() throws(MartletError) {}

    func forgetCached() {}
}
