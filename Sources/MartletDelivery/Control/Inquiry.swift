/// A question to a node about itself, or something that it is to do.
package struct Inquiry: Sendable, Hashable {
    /// Tells a peer's questions from each other.
    package let request: UInt64
    /// What is asked, or to be done.
    package let verb: String
    /// In JSON, what belongs to it.
    package let body: Bytes

    package init(request: UInt64, verb: String, body: Bytes) {
        self.request = request
        self.verb = verb
        self.body = body
    }
}

/// A part of the answer.
package struct Answer: Sendable, Hashable {
    /// What kind of a part it is.
    package enum Kind: UInt8, Sendable {
        /// The last part.
        case last = 0
        /// More comes.
        case part = 1
        /// There is no answer, and the body says why.
        case failure = 2
    }

    package let request: UInt64
    package let kind: Kind
    /// Counts the parts of an answer, from 0.
    package let number: UInt64
    /// In JSON.
    package let body: Bytes

    package init(request: UInt64, kind: Kind, number: UInt64 = 0, body: Bytes) {
        self.request = request
        self.kind = kind
        self.number = number
        self.body = body
    }
}

extension Inquiry {
    init?(_ reader: inout FieldReader) {
        guard let request = reader.varint(),
            let verb = reader.text(atMost: Limits.verbBytesMax), !verb.isEmpty,
            let body = reader.bytes(atMost: Limits.inquiryBytesMax)
        else { return nil }
        self.init(request: request, verb: verb, body: body)
    }

    func write(into writer: inout FieldWriter) {
        writer.varint(request)
        writer.text(verb)
        writer.bytes(body)
    }
}

extension Answer {
    init?(_ reader: inout FieldReader) {
        guard let request = reader.varint(),
            let kind = reader.byte().flatMap({ Kind(rawValue: $0) }),
            let number = reader.varint(),
            let body = reader.bytes(atMost: Limits.answerBytesMax)
        else { return nil }
        self.init(request: request, kind: kind, number: number, body: body)
    }

    func write(into writer: inout FieldWriter) {
        writer.varint(request)
        writer.byte(kind.rawValue)
        writer.varint(number)
        writer.bytes(body)
    }
}
