import FoundationEssentials

/// Types that are written without asking them: those with a form of their own in each format, and
/// the commonest, for speed.
extension EncodingSink {
    static func isKnown<T>(_ type: T.Type) -> Bool {
        type == String.self || type == Int.self || type == Double.self || type == Date.self
            || type == Data.self || type == URL.self || type == Decimal.self || type == Bytes.self
            || type == MessagePackExtension.self
    }

    /// Writes a value of one of these types; false if it is of another.
    @inline(__always)
    func encodeKnown<T: Encodable>(_ value: T) throws -> Bool {
        // Sound: in each case T is the type that the value is taken for.
        if T.self == String.self {
            unsafe try writer.write(unsafeBitCast(value, to: String.self))
        } else if T.self == Int.self {
            unsafe try writer.write(unsafeBitCast(value, to: Int.self))
        } else if T.self == Double.self {
            unsafe try writer.writeDouble(unsafeBitCast(value, to: Double.self))
        } else {
            return try encodeRare(value)
        }
        return true
    }

    private func encodeRare<T: Encodable>(_ value: T) throws -> Bool {
        if T.self == Date.self {
            unsafe try encode(unsafeBitCast(value, to: Date.self))
        } else if T.self == Data.self {
            unsafe try unsafeBitCast(value, to: Data.self).withUnsafeBytes { bytes in
                unsafe try writer.writeBytes(bytes)
            }
        } else if T.self == URL.self {
            unsafe try writer.writeURL(unsafeBitCast(value, to: URL.self).absoluteString)
        } else if T.self == Decimal.self {
            let decimal = unsafe unsafeBitCast(value, to: Decimal.self)
            guard !decimal.isNaN else {
                throw MartletError(.notEncodable, "A Decimal is not a number. Send null instead.")
            }
            try writer.writeDecimal(decimal.description)
        } else if T.self == Bytes.self {
            unsafe try writer.write(unsafeBitCast(value, to: Bytes.self))
        } else if T.self == MessagePackExtension.self {
            unsafe try writer.writeExtension(unsafeBitCast(value, to: MessagePackExtension.self))
        } else {
            return false
        }
        return true
    }

    private func encode(_ date: Date) throws(MartletError) {
        switch options.dates {
        case .secondsSince1970: try writer.writeDouble(date.timeIntervalSince1970)
        case .millisecondsSince1970: try writer.writeDouble(date.timeIntervalSince1970 * 1_000)
        case .rfc3339, .native:
            guard let moment = Timestamp(date) else {
                throw MartletError(
                    .notEncodable,
                    "A date lies beyond the years 0 to 9999. Send it as a number of seconds.")
            }
            if options.dates == .native {
                try writer.writeTimestamp(moment)
            } else {
                try writer.write(moment.description)
            }
        }
    }
}
