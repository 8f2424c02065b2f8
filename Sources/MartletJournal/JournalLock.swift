package import MartletCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps two processes from one folder, and notices a folder that was copied: two nodes with one
/// identity would number different events alike.
package final class JournalLock: Sendable {
    private let descriptor: Int32
    private let isHeld = Lock(true)

    private static let fileName = "lock"

    /// Locks a folder. With `adopting` a copied folder becomes the original.
    package init(_ folder: String, adopting: Bool = false) throws(MartletError) {
        let name = "\(folder)/\(JournalLock.fileName)"
        descriptor = DiskCalls.open(name, O_RDWR | O_CREAT | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskFailure.now("opened", name) }
        // What throws from here on ends this object, which closes the file.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw DiskFailure.now("locked", name) }
            throw MartletError(
                .wrongState,
                "The journal \(folder) is used by another process. Stop that one, or give this "
                    + "node a folder of its own.")
        }
        try identify(folder, name, adopting)
    }

    deinit { release() }

    /// The file says which file it is: a copy is another, and says the same.
    private func identify(
        _ folder: String, _ name: String, _ adopting: Bool
    ) throws(MartletError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw DiskFailure.now("read", name) }
        let own = "\(status.st_ino)\n"
        guard let text = DiskCalls.read(descriptor, at: 0, count: 64) else {
            throw DiskFailure.now("read", name)
        }
        guard text.isEmpty || adopting else {
            guard text == Bytes(utf8: own) else {
                throw MartletError(
                    .wrongState,
                    "The folder \(folder) is a copy of a journal: if the original is used too, "
                        + "readers cannot tell the two apart. If the original is gone for good, "
                        + "call `martletctl journal adopt \(folder)` and start again.")
            }
            return
        }
        guard ftruncate(descriptor, 0) == 0,
            DiskCalls.write(descriptor, [Bytes(utf8: own)], at: 0) == own.utf8.count,
            fsync(descriptor) == 0
        else { throw DiskFailure.now("written", name) }
    }

    /// Lets others have the folder.
    package func release() {
        let wasHeld = isHeld.withLock { isHeld in
            defer { isHeld = false }
            return isHeld
        }
        if wasHeld { DiskCalls.close(descriptor) }
    }
}
