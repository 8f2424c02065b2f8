import Foundation

/// A small disk of its own, which can be full. Root is needed.
final class ChaosDisk {
    let folder: URL
    private let mounted: Undoing
    private var filler: URL { folder.appendingPathComponent("filler") }

    init(at folder: URL, mebibytes: Int) throws {
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        guard unsafe mount("tmpfs", folder.path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else {
            throw ChaosFailure("no file system can be mounted at \(folder.path)")
        }
        let path = folder.path
        mounted = Undoing { unsafe umount2(path, Int32(MNT_DETACH)) }
    }

    func unmount() { mounted.undo() }

    /// Takes all room that is left.
    func fill() {
        guard FileManager.default.createFile(atPath: filler.path, contents: nil),
            let file = FileHandle(forWritingAtPath: filler.path)
        else { return }
        for size in [1 << 20, 1 << 12] {
            let block = Data(repeating: 1, count: size)
            // Until the disk refuses.
            while (try? file.write(contentsOf: block)) != nil {}
        }
        try? file.close()
    }

    /// Gives it back.
    func empty() { try? FileManager.default.removeItem(at: filler) }
}
