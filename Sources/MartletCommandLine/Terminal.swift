#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Who is at the other end: somebody who watches, or another program.
public enum Terminal {
    /// Whether standard output is a terminal.
    public static var isOutputOne: Bool { isatty(1) == 1 }

    /// Whether standard error is a terminal.
    public static var isErrorsOne: Bool { isatty(2) == 1 }

    /// Goes to the beginning of the line and clears it.
    public static let clearedLine = "\r\u{1B}[2K"

    /// Goes up so many lines, and clears everything from there on.
    public static func clearedLines(_ count: Int) -> String {
        count > 0 ? "\r\u{1B}[\(count)A\u{1B}[J" : "\r\u{1B}[J"
    }
}
