#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The environment that the program was started with, and its machine.
public enum ProcessEnvironment {
    /// What the machine, or the container, is called.
    public static var hostName: String? {
        var bytes = [CChar](repeating: 0, count: 256)
        // Sound: the array outlives the call, which writes no more than it is told.
        guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return nil }
        return String(
            decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The variables whose names begin so; those that are not UTF-8 are left out.
    public static func variables(prefix: String) -> [String: String] {
        var variables: [String: String] = [:]
        var next = unsafe environ
        // The system gives a list of texts that ends in nil, and nothing here changes it.
        while let entry = unsafe next.pointee {
            if let text = unsafe String(validatingCString: entry), text.hasPrefix(prefix) {
                let sides = text.utf8.split(
                    separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                if sides.count == 2 {
                    variables[String(Substring(sides[0]))] = String(Substring(sides[1]))
                }
            }
            unsafe next += 1
        }
        return variables
    }
}
