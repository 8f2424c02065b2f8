internal import CDisk

/// Where a folder lies.
package struct FileSystem: Sendable {
    /// How many bytes are free there.
    package let freeByteCount: UInt64
    /// What it is called, if it does not keep what it says it has, or is not on this machine.
    package let unsafeKind: String?

    /// Nil if the system does not say.
    package init?(of folder: String) {
        var place = cdisk_place()
        guard unsafe cdisk_place_of(folder, &place) == 0 else { return nil }
        freeByteCount = place.free_bytes
        unsafeKind =
            switch place.kind {
            case 0x0102_1994: "tmpfs, which is memory"
            case 0x6969: "NFS, whose locks and flushes depend on its server"
            case 0xFF53_4D42, 0xFE53_4D42: "SMB, whose locks and flushes depend on its server"
            case 0x0102_1997: "9P, whose flushes depend on the host"
            case 0x794C_7630: "overlay, which goes with its container"
            default: nil
            }
    }
}

/// The files and sockets that this process has open.
package enum Descriptors {
    /// How many there may be; 0 if the system does not say.
    package static var max: Int { Int(Swift.max(0, cdisk_files_max())) }

    /// How many there are; 0 if the system does not say.
    package static var count: Int { Int(Swift.max(0, cdisk_files_open())) }
}
