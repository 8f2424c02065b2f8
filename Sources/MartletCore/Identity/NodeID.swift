/// Who a node is: 16 random bytes, kept with its journal.
///
/// Names are labels and may change; two nodes with one name are still two. A node without a journal
/// draws a new identity at every start.
public struct NodeID: Sendable, Hashable {
    /// The first eight bytes, the most significant of them first.
    package let high: UInt64
    /// The last eight bytes.
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An identity that no other node has.
    public static func random() -> NodeID {
        var generator = SystemRandomNumberGenerator()
        return NodeID(high: generator.next(), low: generator.next())
    }

    /// The identity with these 32 hexadecimal digits; nil if the text is anything else.
    public init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 32, let high = Hexadecimal.value(of: digits[..<16]),
            let low = Hexadecimal.value(of: digits[16...])
        else { return nil }
        self.init(high: high, low: low)
    }
}

extension NodeID: CustomStringConvertible {
    /// 32 lower-case hexadecimal digits.
    public var description: String { Hexadecimal.digits(of: high) + Hexadecimal.digits(of: low) }
}

/// Sixteen digits for 64 bits, and back.
enum Hexadecimal {
    static func digits(of value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func value(of digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit & 0xF)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - 87)
            default: return nil
            }
        }
        return value
    }
}

extension NodeID: Codable {
    /// Reads the text.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let read = Self(text) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath, debugDescription: "This is no node id: \(text)")
            )
        }
        self = read
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
