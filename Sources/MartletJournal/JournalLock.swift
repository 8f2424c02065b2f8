package import MartletCore
import Synchronization

/// Keeps two processes from one folder, and notices a folder that was copied: two nodes with one
/// identity would number different events alike.
package final class JournalLock: Sendable {
    /// Closed, and with it unlocked, when it is given up.
    private let file: Lock<FolderFile?>

    private static let fileName = "lock"

    /// Locks a folder. With `adopting` a copied folder becomes the original.
    package init(_ folder: String, adopting: Bool = false) throws(MartletError) {
        let file = try FolderFile("\(folder)/\(JournalLock.fileName)")
        guard try file.lock() else {
            throw MartletError(
                .wrongState,
                "The journal \(folder) is used by another process. Stop that one, or give this "
                    + "node a folder of its own.")
        }
        // The file says which file it is: a copy is another, and says the same.
        let own = Bytes(utf8: "\(try file.inode())\n")
        let text = try file.read(at: 0, count: 64)
        if text.isEmpty || adopting {
            try file.resize(to: 0)
            try file.write([own], at: 0)
            try file.synchronize()
        } else if text != own {
            throw MartletError(
                .wrongState,
                "The folder \(folder) is a copy of a journal: if the original is used too, "
                    + "readers cannot tell the two apart. If the original is gone for good, "
                    + "call `martletctl journal adopt \(folder)` and start again.")
        }
        self.file = Lock(file)
    }

    /// Lets others have the folder.
    package func release() { file.withLock { $0 = nil } }
}
