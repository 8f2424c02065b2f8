internal import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Standard output and standard error, gathered into large writes.
///
/// What was written goes out when enough has come together and when the program asks for it. A
/// reader that goes away ends the program, as it does with other tools, and so does a full disk.
public final class Output: Sendable {
    /// Standard output.
    public static let standard = Output(descriptor: 1)
    /// Standard error.
    public static let errors = Output(descriptor: 2)

    private static let bufferBytes = 64 * 1_024

    private let descriptor: Int32
    private let buffer = Mutex<[UInt8]>([])

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Writes a text.
    public func write(_ text: String) { write(utf8: text.utf8) }

    /// Writes bytes.
    public func write(utf8 bytes: some Sequence<UInt8>) {
        let isFull = buffer.withLock { buffer in
            buffer += bytes
            return buffer.count >= Output.bufferBytes
        }
        if isFull { flush() }
    }

    /// Writes a text and ends the line.
    public func line(_ text: String) { write(text + "\n") }

    /// Writes lines that may hold what others wrote: control characters, which a terminal would
    /// obey, are shown as their numbers.
    public func lines(ofOthers text: String) {
        var shown = ""
        for scalar in text.unicodeScalars {
            if scalar != "\n", scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        line(shown)
    }

    /// Hands all that was written to the system.
    public func flush() {
        var bytes = buffer.withLock { buffer in
            defer { buffer = [] }
            return buffer
        }
        while !bytes.isEmpty {
            let written = unsafe bytes.withUnsafeBytes { bytes in
                unsafe writeBytes(descriptor, bytes)
            }
            if written < 0, errno != EINTR { fail() }
            bytes.removeFirst(max(written, 0))
        }
    }

    private func fail() -> Never {
        let reason = unsafe String(cString: strerror(errno))
        if descriptor != 2 {
            Output.errors.line("The output cannot be written: \(reason).")
            Output.errors.flush()
        }
        exit(ExitStatus.outputFailure.code)
    }
}

@unsafe
private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe write(descriptor, bytes.baseAddress, bytes.count)
}
