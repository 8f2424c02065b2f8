/// Numbers of JSON as floating-point numbers.
enum JSONNumber {
    /// The number closest to a text that is a number of JSON; nil if none is close.
    @unsafe
    static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        if let exact = unsafe exactDouble(text) { return exact }
        guard let value = unsafe Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
            return nil
        }
        return value
    }

    /// Up to fifteen digits and a small power of ten: both are exact as floating-point numbers, and
    /// one multiplication or division rounds once, which is what is asked for.
    @unsafe
    private static func exactDouble(_ text: UnsafeRawBufferPointer) -> Double? {
        var mantissa: UInt64 = 0
        var digits = 0
        var exponent = 0
        var place = 0
        let isNegative = unsafe text.first == UInt8(ascii: "-")
        if isNegative { place = 1 }
        var isFraction = false
        while place < text.count {
            let byte = unsafe text[place]
            let digit = byte &- UInt8(ascii: "0")
            if digit < 10 {
                mantissa = mantissa &* 10 &+ UInt64(digit)
                if mantissa > 0 { digits &+= 1 }
                if isFraction { exponent &-= 1 }
            } else if byte == UInt8(ascii: ".") {
                isFraction = true
            } else {
                return nil
            }
            guard digits <= 15 else { return nil }
            place &+= 1
        }
        guard exponent >= -22 else { return nil }
        let value = Double(mantissa) / powersOfTen[-exponent]
        return isNegative ? -value : value
    }

    static let powersOfTen: [Double] = (0...22).map { Double("1e\($0)") ?? .nan }
}
