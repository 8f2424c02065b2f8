import Foundation

/// A disk that takes its time: what a program asks it to synchronize, takes as long as it is told.
struct SlowDisk {
    private let file: URL

    /// What a program must be started with.
    let environment: [String: String]

    /// - Parameter file: where the time is written, for the program to look at.
    init(commandedBy file: URL) throws {
        self.file = file
        let library = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("libmartlet-slow-disk.so")
        guard FileManager.default.fileExists(atPath: library.path) else {
            throw ChaosFailure(
                "\(library.path) is not there. Build the product martlet-slow-disk beside the "
                    + "programs.")
        }
        environment = ["LD_PRELOAD": library.path, "MARTLET_SLOW_DISK": file.path]
        try set(.zero)
    }

    /// From now on each synchronization takes so much longer.
    func set(_ time: Duration) throws {
        let microseconds = UInt64(time / .microseconds(1))
        try unsafe withUnsafeBytes(of: microseconds) { unsafe Data($0) }
            .write(to: file, options: .atomic)
    }
}
