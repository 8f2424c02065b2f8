import MartletCore
import Synchronization

/// The files of segments that are complete: opened when they are read, and a few of them kept open.
/// A journal may have more of them than a process may open.
final class OpenFiles: Sendable {
    private struct State {
        var files: [String: any DiskFile] = [:]
        /// Their names, the one that was used last at the end.
        var order: [String] = []
    }

    private let disk: any Disk
    private let state = Lock(State())

    init(_ disk: any Disk) { self.disk = disk }

    /// The file of a name. Those who have one already go on with it.
    func file(_ name: String) throws(MartletError) -> any DiskFile {
        let known = state.withLock { state -> (any DiskFile)? in
            guard let file = state.files[name] else { return nil }
            state.order.removeAll { $0 == name }
            state.order.append(name)
            return file
        }
        if let known { return known }
        let file = try disk.open(name)
        state.withLock { state in
            state.order.removeAll { $0 == name }
            state.files[name] = file
            state.order.append(name)
            if state.order.count > Limits.openSegmentsMax {
                state.files[state.order.removeFirst()] = nil
            }
        }
        return file
    }

    /// Forgets a file, which is removed or written anew.
    func forget(_ name: String) {
        state.withLock { state in
            state.files[name] = nil
            state.order.removeAll { $0 == name }
        }
    }
}

/// A file that is opened when it is used.
final class LazyFile: DiskFile {
    private let name: String
    private let files: OpenFiles

    init(_ name: String, of files: OpenFiles) {
        self.name = name
        self.files = files
    }

    func size() throws(MartletError) -> Int { try files.file(name).size() }

    func write(_ pieces: [Bytes], at offset: Int) throws(MartletError) {
        try files.file(name).write(pieces, at: offset)
    }

    func read(at offset: Int, count: Int) throws(MartletError) -> Bytes {
        try files.file(name).read(at: offset, count: count)
    }

    func resize(to size: Int) throws(MartletError) { try files.file(name).resize(to: size) }

    func synchronize() throws(MartletError) { try files.file(name).synchronize() }

    func forgetCached() {
        // What is not open is read from the medium, or from what the system trusts.
        if let file = try? files.file(name) { file.forgetCached() }
        files.forget(name)
    }
}
