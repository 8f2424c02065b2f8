/// A payload in which single values are looked up, in whatever structured format it is.
///
/// The whole payload is looked through once, and has to be well-formed; values become values of
/// Swift only when they are asked for. Looking up is not for several tasks at once.
package final class PayloadReader {
    private enum Contents {
        case structured(DecodingSource)
        case text(String)
    }

    /// Longest number that is read: what has more digits costs more than it says.
    private static let numberBytesMax = 400

    /// Keeps the bytes to which the source points.
    private let payload: Bytes
    private let contents: Contents
    /// How many keys and elements may still be passed by.
    private var budget = Limits.payloadStepsMax

    /// Throws `notDecodable` if the payload is not what its content type says, `notSupported` if
    /// nothing can be looked up in what it says.
    package init(_ payload: Bytes, _ contentType: ContentType?) throws(MartletError) {
        self.payload = payload
        switch CodecSet.standard.codec(for: contentType) {
        case let codec as any StructuredCodec:
            contents = .structured(try PayloadReader.scan(payload, codec))
        case is TextCodec: contents = .text(try PayloadReader.text(payload))
        default:
            throw MartletError(
                .notSupported,
                "Nothing can be looked up in a payload of `\(contentType?.text ?? "")`. Payload "
                    + "paths lead into JSON, MessagePack, CBOR and texts.")
        }
    }

    private static func scan(
        _ payload: Bytes, _ codec: any StructuredCodec
    ) throws(MartletError) -> DecodingSource {
        // The reader keeps the payload, so that its memory outlives the source.
        let memory = unsafe payload.withUnsafeMemory { memory, _ in unsafe memory }
        do throws(ScanFailure) {
            guard payload.count <= Limits.encodedBytesMax else {
                throw ScanFailure(.tooLarge, at: Limits.encodedBytesMax)
            }
            return unsafe DecodingSource(try codec.scan(memory), memory, codec.options)
        } catch {
            throw CodingFailure(path: "", byteOffset: error.offset, reason: error.description)
                .asError(reading: codec.contentType)
        }
    }

    private static func text(_ payload: Bytes) throws(MartletError) -> String {
        try TextCodec().decode(String.self, from: payload)
    }

    /// What stands at the end of these steps; nil if nothing does, or null.
    package func value(at steps: [PayloadStep]) throws(PayloadFailure) -> PayloadValue? {
        // The source points into the payload.
        defer { extendLifetime(payload) }
        switch contents {
        case .text(let text): return steps.isEmpty ? .text(text) : nil
        case .structured(let source):
            guard let place = try place(at: steps, of: source) else { return nil }
            return try value(place, of: source)
        }
    }

    /// Whether anything but null stands at the end of these steps, whatever it is.
    package func exists(at steps: [PayloadStep]) throws(PayloadFailure) -> Bool {
        defer { extendLifetime(payload) }
        switch contents {
        case .text: return steps.isEmpty
        case .structured(let source):
            return try place(at: steps, of: source).map { !source.isNull($0) } ?? false
        }
    }

    /// Where in the payload begins what stands at the end of these steps.
    package func byteOffset(at steps: [PayloadStep]) -> Int? {
        defer { extendLifetime(payload) }
        guard case .structured(let source) = contents,
            let place = try? place(at: steps, of: source)
        else { return nil }
        return Int(source.token(place).offset)
    }

    private func place(
        at steps: [PayloadStep], of source: DecodingSource
    ) throws(PayloadFailure) -> Int? {
        var place = source.untagged(0)
        for step in steps {
            guard let next = try find(step, in: place, of: source) else { return nil }
            place = source.untagged(next)
        }
        return place
    }

    private func find(
        _ step: PayloadStep, in place: Int, of source: DecodingSource
    ) throws(PayloadFailure) -> Int? {
        let token = source.token(place)
        switch (step, token.kind) {
        case (.index(let index), .array):
            guard index < token.high else { return nil }
            try spend(index)
            var element = place + 1
            for _ in 0..<index { element = source.next(element) }
            return element
        case (.key(let name), .map):
            try spend(token.high)
            var found: Int?
            var key = place + 1
            while key < token.low {
                let value = source.next(key)
                if source.isKey(key, name) {
                    guard found == nil else { throw .repeatedKey }
                    found = value
                }
                key = source.next(value)
            }
            return found
        default: return nil
        }
    }

    /// Many paths into a large payload must not take for ever.
    private func spend(_ steps: Int) throws(PayloadFailure) {
        budget -= steps
        guard budget >= 0 else { throw .tooMuch }
    }

    private func value(
        _ place: Int, of source: DecodingSource
    ) throws(PayloadFailure) -> PayloadValue? {
        let token = source.token(place)
        switch token.kind {
        case .null: return nil
        case .falseValue: return .boolean(false)
        case .trueValue: return .boolean(true)
        case .negative: return .integer(Int64(bitPattern: token.payload))
        case .unsigned where token.payload <= UInt64(Int64.max):
            return .integer(Int64(bitPattern: token.payload))
        case .number where token.high > PayloadReader.numberBytesMax: throw .tooMuch
        case .unsigned, .largeNegative, .double, .number, .shortNumber:
            guard let number = try? source.double(place) else { throw .unreadable }
            return .number(number)
        case .text: return .text(source.text(token))
        case .bytes:
            if let number = try? source.integer(Int64.self, place) { return .integer(number) }
            if let number = try? source.double(place) { return .number(number) }
            return unsafe source.withBytes(of: token) { unsafe .bytes(Bytes(copying: $0.bytes)) }
        case .array, .map: throw .container
        case .typed, .simple, .tag: throw .unreadable
        }
    }
}

/// One step into a payload.
package enum PayloadStep: Sendable, Hashable {
    /// To the value under this key of a map.
    case key(String)
    /// To this value of an array, from 0.
    case index(Int)
}

/// A single value of a payload.
package enum PayloadValue: Sendable, Equatable {
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case bytes(Bytes)
}

/// Why there is a value that cannot be given.
package enum PayloadFailure: Error {
    /// An array or a map stands there.
    case container
    /// A map has the key more than once.
    case repeatedKey
    /// So much has been looked up that it has to end.
    case tooMuch
    /// A value that is neither true, false, a number, a text nor bytes.
    case unreadable
}
