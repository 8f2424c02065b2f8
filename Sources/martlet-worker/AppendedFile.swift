import Martlet
import MartletCommandLine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that grows.
final class AppendedFile: Sendable {
    private let name: String
    private let descriptor: Int32

    init(_ name: String) throws(CommandFailure) {
        self.name = name
        descriptor = unsafe open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CommandFailure(.unavailable, "\(name) cannot be written: \(AppendedFile.why)")
        }
    }

    deinit { close(descriptor) }

    /// Appends bytes, all of them or, if it throws, perhaps some.
    func append(_ bytes: [UInt8]) throws(MartletError) {
        let isWhole = unsafe bytes.withUnsafeBytes { bytes in
            var rest = unsafe bytes[...]
            while unsafe !rest.isEmpty {
                let piece = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let count = unsafe write(descriptor, piece.baseAddress, piece.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                unsafe rest = rest.dropFirst(count)
            }
            return true
        }
        guard isWhole else {
            throw MartletError(
                .failed, "\(name) cannot be written: \(AppendedFile.why)", isRetriable: true)
        }
    }

    private static var why: String { unsafe String(cString: strerror(errno)) }
}
