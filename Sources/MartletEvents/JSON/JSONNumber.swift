/// Numbers of JSON as floating-point numbers.
enum JSONNumber {
    /// The number closest to a text that is a number of JSON; nil if none is close.
    @unsafe
    static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        guard let value = unsafe Double(String(decoding: text, as: UTF8.self)), value.isFinite
        else {
            return nil
        }
        return value
    }

    /// Ten to the power of up to fifteen.
    @inline(__always)
    static func power(_ exponent: Int) -> Double {
        switch exponent {
        case 0: 1
        case 1: 10
        case 2: 100
        case 3: 1e3
        case 4: 1e4
        case 5: 1e5
        case 6: 1e6
        case 7: 1e7
        case 8: 1e8
        case 9: 1e9
        case 10: 1e10
        case 11: 1e11
        case 12: 1e12
        case 13: 1e13
        case 14: 1e14
        default: 1e15
        }
    }
}
