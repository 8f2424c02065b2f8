extension DecodingSource {
    func messagePackExtension(
        _ place: Int
    ) throws(ValueFailure) -> MessagePackExtension {
        let token = token(place)
        guard token.kind == .typed else {
            throw ValueFailure(MessagePackExtension.self, at: place)
        }
        return unsafe MessagePackExtension(
            type: Int8(bitPattern: token.detail),
            data: withBytes(ofTyped: token) { unsafe Bytes(copying: $0.bytes) })
    }

    /// The moment of an extension value of type -1: seconds, with nanoseconds in its longer forms.
    func messagePackTimestamp(_ token: Token) -> Timestamp? {
        guard token.detail == 0xFF else { return nil }
        return unsafe withBytes(ofTyped: token) { bytes in
            let seconds: Int64
            let nanoseconds: UInt32
            switch bytes.count {
            case 4:
                seconds = unsafe Int64(bytes.big(0, as: UInt32.self))
                nanoseconds = 0
            case 8:
                let both = unsafe bytes.big(0, as: UInt64.self)
                seconds = Int64(both & 0x3_FFFF_FFFF)
                nanoseconds = UInt32(both >> 34)
            case 12:
                nanoseconds = unsafe bytes.big(0, as: UInt32.self)
                seconds = unsafe bytes.big(4, as: Int64.self)
            default: return nil
            }
            guard nanoseconds < 1_000_000_000 else { return nil }
            let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
            let (sum, overflow2) = whole.addingReportingOverflow(Int64(nanoseconds / 1_000))
            return overflow || overflow2 ? nil : Timestamp(microseconds: sum)
        }
    }

    private func withBytes<Result>(
        ofTyped token: Token, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        // The detail is the type here; the bytes always lie in the input.
        unsafe withBytes(of: Token(.bytes, at: Int(token.offset), payload: token.payload), body)
    }
}

extension UnsafeRawBufferPointer {
    /// A number with its bytes from the most significant to the least, which must lie within the
    /// buffer.
    @inline(__always)
    func big<Number: FixedWidthInteger & BitwiseCopyable>(
        _ place: Int, as type: Number.Type
    ) -> Number {
        unsafe Number(bigEndian: loadUnaligned(fromByteOffset: place, as: type))
    }
}
