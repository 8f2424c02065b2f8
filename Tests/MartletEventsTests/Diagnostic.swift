@testable import MartletEvents

/// A tape in the diagnostic notation of RFC 8949.
struct Diagnostic: ~Copyable {
    private let tape: ValueTape
    private let bytes: [UInt8]

    static func text(cbor bytes: [UInt8]) throws -> String {
        try bytes.withUnsafeBytes { buffer in
            Diagnostic(tape: try CBORScanner.scan(buffer), bytes: bytes).value(0).text
        }
    }

    static func text(messagePack bytes: [UInt8]) throws -> String {
        try bytes.withUnsafeBytes { buffer in
            Diagnostic(tape: try MessagePackScanner.scan(buffer), bytes: bytes).value(0).text
        }
    }

    private init(tape: consuming ValueTape, bytes: [UInt8]) {
        self.tape = tape
        self.bytes = bytes
    }

    private func content(_ token: Token) -> [UInt8] {
        let isAside = token.kind != .typed && token.detail & Token.aside != 0
        return Array((isAside ? tape.aside : bytes)[token.low..<token.low + token.high])
    }

    private func value(_ place: Int) -> (text: String, next: Int) {
        let token = tape.tokens[place]
        switch token.kind {
        case .null: return ("null", place + 1)
        case .falseValue: return ("false", place + 1)
        case .trueValue: return ("true", place + 1)
        case .unsigned: return (String(token.payload), place + 1)
        case .negative: return (String(Int64(bitPattern: token.payload)), place + 1)
        case .largeNegative: return (String(-1 - Int128(token.payload)), place + 1)
        case .double: return (Double(bitPattern: token.payload).description, place + 1)
        case .number, .shortNumber: return ("a number of JSON", place + 1)
        case .text:
            return ("\"" + String(decoding: content(token), as: UTF8.self) + "\"", place + 1)
        case .bytes: return ("h'" + hex(content(token)) + "'", place + 1)
        case .typed:
            return ("ext(\(Int8(bitPattern: token.detail)), h'\(hex(content(token)))')", place + 1)
        case .simple: return ("simple(\(token.payload))", place + 1)
        case .tag:
            let (text, next) = value(place + 1)
            return ("\(token.payload)(\(text))", next)
        case .array, .map:
            var parts: [String] = []
            var next = place + 1
            while next < token.low {
                let (text, after) = value(next)
                next = after
                guard token.kind == .map else {
                    parts.append(text)
                    continue
                }
                let (second, end) = value(next)
                parts.append(text + ": " + second)
                next = end
            }
            let inner = parts.joined(separator: ", ")
            return (token.kind == .map ? "{\(inner)}" : "[\(inner)]", next)
        }
    }
}
