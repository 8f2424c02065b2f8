/// Floating-point numbers of 16 bits, which Swift has not on every platform.
enum HalfFloat {
    static func double(_ bits: UInt16) -> Double {
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Double(bits & 0x3FF)
        let magnitude: Double =
            switch exponent {
            case 0: fraction * 0x1p-24
            case 31: fraction == 0 ? .infinity : .nan
            default:
                (1 + fraction * 0x1p-10)
                    * Double(sign: .plus, exponent: exponent - 15, significand: 1)
            }
        return bits & 0x8000 == 0 ? magnitude : -magnitude
    }

    /// The bits of the same number in 16, if there is one.
    static func bits(_ value: Double) -> UInt16? {
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        if value.isNaN { return 0x7E00 }
        if value.isInfinite { return sign | 0x7C00 }
        let magnitude = abs(value)
        if magnitude == 0 { return sign }
        guard magnitude < 65_536, magnitude >= 0x1p-24 else { return nil }
        // Below the smallest normal number, all are multiples of the smallest there is.
        let exponent = max(Int(magnitude.exponent), -14)
        let scaled = magnitude * Double(sign: .plus, exponent: 10 - exponent, significand: 1)
        guard scaled == scaled.rounded(), scaled < 2_048 else { return nil }
        let significand = UInt16(scaled)
        if significand < 1_024 { return sign | significand }
        return sign | UInt16(exponent + 15) << 10 | (significand & 0x3FF)
    }
}
