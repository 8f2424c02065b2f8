import CDisk
import MartletCore

/// A file of a folder.
final class FolderFile: DiskFile {
    private let name: String
    private let descriptor: Int32

    init(_ name: String) throws(MartletError) {
        self.name = name
        descriptor = try DiskFailure.check(unsafe cdisk_open_file(name), "opened", name)
    }

    deinit { cdisk_close(descriptor) }

    func size() throws(MartletError) -> Int {
        Int(try DiskFailure.check(cdisk_size(descriptor), "measured", name))
    }

    /// The file as no other on its file system is called.
    func inode() throws(MartletError) -> Int64 {
        try DiskFailure.check(cdisk_inode(descriptor), "measured", name)
    }

    /// False if another process has it.
    func lock() throws(MartletError) -> Bool {
        let result = cdisk_lock(descriptor)
        if result == -EWOULDBLOCK { return false }
        try DiskFailure.check(result, "locked", name)
        return true
    }

    /// The system takes so many pieces at a time.
    private static let piecesMax = 512

    func write(_ pieces: [Bytes], at offset: Int) throws(MartletError) {
        var offset = offset
        var left = pieces[...]
        while !left.isEmpty {
            var written = try write(left.prefix(FolderFile.piecesMax), at: offset)
            offset += written
            // The system may have taken some of them only, and the last in part.
            while let first = left.first, written >= first.count {
                written -= first.count
                left = left.dropFirst()
            }
            if written > 0, let first = left.popFirst() {
                left = [first[written..<first.count]] + left
            }
        }
    }

    /// How many bytes were written.
    private func write(
        _ pieces: ArraySlice<Bytes>, at offset: Int
    ) throws(MartletError) -> Int {
        // Sound: the pieces outlive the call, which only reads them.
        let vectors = unsafe pieces.map { piece in
            unsafe piece.withUnsafeMemory { memory, _ in
                unsafe iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: memory.baseAddress),
                    iov_len: memory.count)
            }
        }
        let written = withExtendedLifetime(pieces) {
            unsafe cdisk_write(descriptor, vectors, Int32(vectors.count), Int64(offset))
        }
        return Int(try DiskFailure.check(written, "written", name))
    }

    func read(at offset: Int, count: Int) throws(MartletError) -> Bytes {
        var read: Int64 = 0
        let bytes = unsafe Bytes(byteCountMax: count) { memory in
            read = unsafe cdisk_read(
                descriptor, memory.baseAddress, Int64(memory.count), Int64(offset))
            return Int(max(0, read))
        }
        try DiskFailure.check(read, "read", name)
        return bytes
    }

    func resize(to size: Int) throws(MartletError) {
        try DiskFailure.check(cdisk_resize(descriptor, Int64(size)), "resized", name)
    }

    func beginSynchronizing(at offset: Int, count: Int) {
        cdisk_begin_synchronizing(descriptor, Int64(offset), Int64(count))
    }

    func synchronize() throws(MartletError) {
        try DiskFailure.check(cdisk_synchronize(descriptor), "synchronized", name)
    }

    func forgetCached() { cdisk_forget_cached(descriptor) }
}
