import CDisk
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
        try FolderDisk.make(name)
        descriptor = try FolderDisk.open(name)
    }

    /// Opens a folder that is there.
    package init(existing name: String) throws(MartletError) {
        self.name = name
        descriptor = try FolderDisk.open(name)
    }

    deinit { cdisk_close(descriptor) }

    private static func make(_ name: String) throws(MartletError) {
        var path = name.hasPrefix("/") ? "/" : ""
        for part in name.split(separator: "/") {
            let parent = path.isEmpty ? "." : path
            path += part
            let made = unsafe cdisk_make_folder(path)
            if made == 0 {
                try synchronize(parent)
            } else if made != -EEXIST {
                try DiskFailure.check(made, "made", name)
            }
            path += "/"
        }
    }

    /// Makes the names in a folder outlive a power cut.
    private static func synchronize(_ folder: String) throws(MartletError) {
        let descriptor = try open(folder)
        defer { cdisk_close(descriptor) }
        try DiskFailure.check(cdisk_synchronize_all(descriptor), "synchronized", folder)
    }

    private static func open(_ name: String) throws(MartletError) -> Int32 {
        try DiskFailure.check(unsafe cdisk_open_folder(name), "opened", name)
    }

    package func files() throws(MartletError) -> [String] {
        guard let folder = unsafe opendir(name) else {
            throw MartletError(.failed, "\(name) cannot be listed. Look at the disk.")
        }
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
        try DiskFailure.check(unsafe cdisk_remove("\(name)/\(file)"), "removed", file)
    }

    package func rename(_ file: String, to other: String) throws(MartletError) {
        try DiskFailure.check(
            unsafe cdisk_rename("\(name)/\(file)", "\(name)/\(other)"), "renamed", file)
    }

    package func synchronize() throws(MartletError) {
        try DiskFailure.check(cdisk_synchronize_all(descriptor), "synchronized", name)
    }
}
