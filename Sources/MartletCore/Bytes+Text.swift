extension Bytes {
    /// Shows the bytes in this range, which must lie within.
    @inlinable
    package func withUTF8<Result>(
        in range: Range<Int>, _ body: (Span<UInt8>) -> Result
    ) -> Result {
        precondition(range.upperBound <= count, "there are no such bytes")
        // The keeper outlives the call, and the span cannot leave it.
        defer { extendLifetime(keeper) }
        let bytes = unsafe UnsafeBufferPointer(
            start: (start + range.lowerBound).assumingMemoryBound(to: UInt8.self),
            count: range.count)
        return unsafe body(bytes.span)
    }

    /// The bytes in this range as a text; what is not UTF-8 is repaired.
    package func text(in range: Range<Int>) -> String {
        withUTF8(in: range) { span in
            unsafe span.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
        }
    }
}
