/// The rules of CloudEvents for texts in attributes.
enum AttributeText {
    /// Throws unless the text may be the value of this attribute: not empty, within the limit, and
    /// only characters that CloudEvents allows.
    static func check(_ text: String, of attribute: String) throws(MartletError) {
        guard !text.isEmpty else {
            throw MartletError(
                .invalidAttribute, "`\(attribute)` is empty. Leave it out, or give it a value.")
        }
        try checkValue(text, of: attribute)
    }

    /// The same for values that may be empty.
    static func checkValue(_ text: String, of attribute: String) throws(MartletError) {
        guard text.utf8.count <= Limits.attributeBytesMax else {
            throw MartletError(
                .invalidAttribute,
                "`\(attribute)` has \(text.utf8.count) bytes, of which \(Limits.attributeBytesMax) "
                    + "are allowed. Put long values into the payload.")
        }
        guard isAllowed(text) else {
            throw MartletError(
                .invalidAttribute,
                "`\(attribute)` holds a control character or a code point that is no character. "
                    + "CloudEvents does not allow these in attributes; remove them.")
        }
    }

    /// Neither control characters (U+0000 to U+001F, U+007F to U+009F) nor noncharacters.
    static func isAllowed(_ text: String) -> Bool {
        let isPlain = unsafe text.utf8Span.span.withUnsafeBytes { unsafe Text.isPlain($0) }
        return isPlain || isAllowed(scalars: text.unicodeScalars)
    }

    private static func isAllowed(scalars: String.UnicodeScalarView) -> Bool {
        scalars.allSatisfy { scalar in
            switch scalar.value {
            case 0...0x1F, 0x7F...0x9F, 0xFDD0...0xFDEF: false
            case let value: value & 0xFFFE != 0xFFFE
            }
        }
    }
}
