package import MartletCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A folder of the file system.
package final class FolderDisk: Disk {
    package let name: String
    private let descriptor: Int32

    /// Opens a folder, which is made if it is not there, with those that it lies in.
    package init(_ name: String) throws(MartletError) {
        self.name = name
        var path = name.hasPrefix("/") ? "/" : ""
        for part in name.split(separator: "/") {
            let parent = path.isEmpty ? "." : path
            path += part
            if unsafe mkdir(path, 0o755) == 0 {
                try FolderDisk.synchronize(parent)
            } else if errno != EEXIST {
                throw DiskFailure.now("made", name)
            }
            path += "/"
        }
        descriptor = try FolderDisk.open(name)
    }

    /// Opens a folder that is there.
    package init(existing name: String) throws(MartletError) {
        self.name = name
        descriptor = try FolderDisk.open(name)
    }

    /// Makes the names in a folder outlive a power cut.
    private static func synchronize(_ folder: String) throws(MartletError) {
        let descriptor = try open(folder)
        defer { DiskCalls.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw DiskFailure.now("synchronized", folder) }
    }

    private static func open(_ name: String) throws(MartletError) -> Int32 {
        let descriptor = DiskCalls.open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskFailure.now("opened", name) }
        return descriptor
    }

    deinit { DiskCalls.close(descriptor) }

    package func files() throws(MartletError) -> [String] {
        guard let folder = unsafe opendir(name) else { throw DiskFailure.now("listed", name) }
        defer { unsafe closedir(folder) }
        var files: [String] = []
        while let entry = unsafe readdir(folder) {
            let file = unsafe withUnsafePointer(to: &entry.pointee.d_name) { place in
                unsafe place.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if file != ".", file != ".." { files.append(file) }
        }
        return files.sorted()
    }

    package func open(_ file: String) throws(MartletError) -> any DiskFile {
        try FolderFile("\(name)/\(file)")
    }

    package func remove(_ file: String) throws(MartletError) {
        guard unsafe unlink("\(name)/\(file)") == 0 else { throw DiskFailure.now("removed", file) }
    }

    package func rename(_ file: String, to other: String) throws(MartletError) {
        guard systemRename("\(name)/\(file)", "\(name)/\(other)") == 0 else {
            throw DiskFailure.now("renamed", file)
        }
    }

    package func synchronize() throws(MartletError) {
        guard fsync(descriptor) == 0 else { throw DiskFailure.now("synchronized", name) }
    }
}

/// A file of such a folder.
final class FolderFile: DiskFile {
    private let name: String
    private let descriptor: Int32

    init(_ name: String) throws(MartletError) {
        self.name = name
        descriptor = DiskCalls.open(name, O_RDWR | O_CREAT | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskFailure.now("opened", name) }
    }

    deinit { DiskCalls.close(descriptor) }

    func size() throws(MartletError) -> Int {
        let size = lseek(descriptor, 0, SEEK_END)
        guard size >= 0 else { throw DiskFailure.now("measured", name) }
        return Int(size)
    }

    /// The system takes so many pieces at a time.
    private static let piecesMax = 512

    func write(_ pieces: [Bytes], at offset: Int) throws(MartletError) {
        var offset = offset
        var rest = pieces[...]
        while !rest.isEmpty {
            let some = rest.prefix(FolderFile.piecesMax)
            rest = rest.dropFirst(some.count)
            try write(some, &offset)
        }
    }

    private func write(
        _ pieces: ArraySlice<Bytes>, _ offset: inout Int
    ) throws(MartletError) {
        var left = pieces
        while !left.isEmpty {
            var written = DiskCalls.write(descriptor, left, at: offset)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw DiskFailure.now("written", name) }
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

    func read(at offset: Int, count: Int) throws(MartletError) -> Bytes {
        guard let bytes = DiskCalls.read(descriptor, at: offset, count: count) else {
            throw DiskFailure.now("read", name)
        }
        return bytes
    }

    func resize(to size: Int) throws(MartletError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw DiskFailure.now("resized", name)
        }
    }

    func synchronize() throws(MartletError) {
        // What reading needs of the file's metadata, such as its length, is included.
        while fdatasync(descriptor) != 0 {
            guard errno == EINTR else { throw DiskFailure.now("synchronized", name) }
        }
    }

    func forgetCached() {
        #if canImport(Glibc)
            _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
        #endif
    }
}

/// Calls of the system that have names of ours, or take pointers.
enum DiskCalls {
    static func open(_ name: String, _ flags: Int32) -> Int32 { systemOpen(name, flags) }

    static func close(_ descriptor: Int32) { systemClose(descriptor) }

    /// How many bytes were written; negative if none could be.
    static func write(_ descriptor: Int32, _ pieces: ArraySlice<Bytes>, at offset: Int) -> Int {
        // Sound: the pieces outlive the call, which only reads them.
        let vectors = unsafe pieces.map { piece in
            unsafe piece.withUnsafeMemory { memory, _ in
                unsafe iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: memory.baseAddress),
                    iov_len: memory.count)
            }
        }
        return withExtendedLifetime(pieces) {
            unsafe pwritev(descriptor, vectors, Int32(vectors.count), off_t(offset))
        }
    }

    /// Nil if reading failed.
    static func read(_ descriptor: Int32, at offset: Int, count: Int) -> Bytes? {
        var read = 0
        var isFailed = false
        let bytes = unsafe Bytes(byteCountMax: count) { memory in
            while read < memory.count {
                let got = unsafe pread(
                    descriptor, memory.baseAddress.map { unsafe $0 + read }, memory.count - read,
                    off_t(offset + read))
                if got < 0, errno == EINTR { continue }
                isFailed = got < 0
                guard got > 0 else { break }
                read += got
            }
            return read
        }
        return isFailed ? nil : bytes
    }
}

private func systemOpen(_ name: String, _ flags: Int32) -> Int32 { unsafe open(name, flags, 0o644) }

private func systemRename(_ file: String, _ name: String) -> Int32 { unsafe rename(file, name) }

private func systemClose(_ descriptor: Int32) { close(descriptor) }

/// What the system refused.
enum DiskFailure {
    /// What `errno` says now.
    static func now(_ what: String, _ name: String) -> MartletError {
        let number = errno
        let reason = unsafe String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT:
            return MartletError(
                .resourceExhausted,
                "\(name) cannot be \(what): the disk is full. Make room: what was confirmed is "
                    + "kept, and publishing goes on when there is some.")
        case ENOENT:
            return MartletError(
                .failed, "\(name) cannot be \(what): it is not there. Name another folder.")
        case EACCES, EPERM, EROFS:
            return MartletError(
                .permissionDenied,
                "\(name) cannot be \(what): \(reason). Let this user write there, or choose "
                    + "another folder.")
        default:
            return MartletError(
                .failed, "\(name) cannot be \(what): \(reason). Look at the disk.",
                isRetriable: true)
        }
    }
}
