/// Texts by their bytes.
package enum TextBytes {
    /// Whether both have the same bytes, whatever they look like.
    package static func isEqual(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && isEqual(left.utf8Span.span, right.utf8Span.span)
    }

    /// Whether both are the same.
    package static func isEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        left.count == right.count && begins(left, with: right)
    }

    /// Whether the left one begins with the right one.
    package static func begins(_ text: Span<UInt8>, with prefix: Span<UInt8>) -> Bool {
        text.count >= prefix.count && isEqual(text, from: 0, prefix)
    }

    /// Whether the left one ends with the right one.
    package static func ends(_ text: Span<UInt8>, with suffix: Span<UInt8>) -> Bool {
        text.count >= suffix.count && isEqual(text, from: text.count - suffix.count, suffix)
    }

    /// Whether the part of a text that begins at this place is this one; it must reach so far.
    package static func isEqual(
        _ text: Span<UInt8>, from place: Int, _ part: Span<UInt8>
    ) -> Bool {
        let there = text.extracting(place..<place + part.count)
        return unsafe there.withUnsafeBytes { there in
            unsafe part.withUnsafeBytes { unsafe Bytes.isSame(there, $0) }
        }
    }
}
