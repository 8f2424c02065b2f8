import MartletRouting

/// Any value that the structured codecs know.
enum AnyValue: Codable, Equatable {
    case null
    case bool(Bool)
    case unsigned(UInt64)
    case signed(Int64)
    case number(UInt64)
    case text(String)
    case bytes(Bytes)
    case other(MessagePackExtension)
    case array([AnyValue])
    case map([String: AnyValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .unsigned(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .signed(value)
        } else if let value = try? container.decode(Double.self) {
            // A whole number is one in whatever form it came.
            if let whole = UInt64(exactly: value) {
                self = .unsigned(whole)
            } else if let whole = Int64(exactly: value) {
                self = .signed(whole)
            } else {
                // By its bits, so that NaN is itself; all NaN are one.
                self = .number(value.isNaN ? Double.nan.bitPattern : value.bitPattern)
            }
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode(Bytes.self) {
            self = .bytes(value)
        } else if let value = try? container.decode(MessagePackExtension.self) {
            self = .other(value)
        } else if let value = try? container.decode([AnyValue].self) {
            self = .array(value)
        } else {
            self = .map(try container.decode([String: AnyValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .unsigned(let value): try container.encode(value)
        case .signed(let value): try container.encode(value)
        case .number(let bits): try container.encode(Double(bitPattern: bits))
        case .text(let value): try container.encode(value)
        case .bytes(let value): try container.encode(value)
        case .other(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .map(let value): try container.encode(value)
        }
    }
}

/// A type with fields of many kinds, by both ways of coding.
struct Shape: Decodable, DirectlyCodable {
    var name: String
    var size: Int8?
    var weight: Float
    var corners: [Double]
    var inner: [Shape]?

    func write(to writer: ValueWriter) throws { try writer.write(name) }

    init(from reader: ValueReader) throws {
        name = ""
        weight = 0
        corners = []
        try reader.map { field in
            switch field {
            case "name": name = try reader.string()
            case "size": size = try reader.nothing() ? nil : reader.integer()
            case "weight": weight = Float(try reader.double())
            case "corners": corners = try reader.array { try reader.double() }
            case "inner": inner = try reader.array(of: Shape.self)
            default: _ = field.text
            }
        }
    }
}
