/// A value of a document of JSON that people write, with where it stands: errors can name its line.
package struct PlacedValue: Sendable {
    /// What the value is.
    package enum Content: Sendable {
        case null
        case boolean(Bool)
        case number
        case text(String)
        case array([PlacedValue])
        case object([Member])
    }

    /// A name in an object, and the value under it.
    package struct Member: Sendable {
        package let name: String
        /// Where the name begins.
        package let offset: Int
        package let value: PlacedValue
    }

    package let content: Content
    /// Where its text lies in the document.
    package let range: Range<Int>

    /// The value that a document is. Throws `notDecodable` if that is no JSON.
    package static func document(_ json: Bytes) throws(MartletError) -> PlacedValue {
        // The source points into the document.
        defer { extendLifetime(json) }
        let codec = JSONCodec()
        let memory = unsafe json.withUnsafeMemory { memory, _ in unsafe memory }
        let source: DecodingSource
        do throws(ScanFailure) {
            source = unsafe DecodingSource(try codec.scan(memory), memory, codec.options)
        } catch {
            throw CodingFailure(path: "", byteOffset: error.offset, reason: error.description)
                .asError(reading: codec.contentType)
        }
        return PlacedValue(0, of: source, json.array())
    }

    private init(_ place: Int, of source: DecodingSource, _ bytes: [UInt8]) {
        let token = source.token(place)
        let start = Int(token.offset)
        range = start..<PlacedValue.end(of: start, in: bytes)
        switch token.kind {
        case .null: content = .null
        case .falseValue: content = .boolean(false)
        case .trueValue: content = .boolean(true)
        case .text: content = .text(source.text(token))
        case .array:
            var elements: [PlacedValue] = []
            var next = place + 1
            while next < token.low {
                elements.append(PlacedValue(next, of: source, bytes))
                next = source.next(next)
            }
            content = .array(elements)
        case .map:
            var members: [Member] = []
            var key = place + 1
            while key < token.low {
                members.append(
                    Member(
                        name: source.text(ofKey: key) ?? "", offset: Int(source.token(key).offset),
                        value: PlacedValue(key + 1, of: source, bytes)))
                key = source.next(key + 1)
            }
            content = .object(members)
        default: content = .number
        }
    }

    /// Behind the value that begins there, which is known to be well-formed.
    private static func end(of start: Int, in bytes: [UInt8]) -> Int {
        var depth = 0
        var isQuoted = false
        var place = start
        while place < bytes.count {
            let byte = bytes[place]
            if isQuoted {
                if byte == UInt8(ascii: "\\") { place += 1 }
                if byte == UInt8(ascii: "\"") { isQuoted = false }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isQuoted = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    // That of what it stands in ends a number or a word.
                    guard depth > 0 else { return place }
                    depth -= 1
                    if depth == 0 { return place + 1 }
                case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D: if depth == 0 { return place }
                default: break
                }
            }
            place += 1
            if depth == 0, !isQuoted, byte == UInt8(ascii: "\"") { return place }
        }
        return place
    }
}
