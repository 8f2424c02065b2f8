/// Numbers as people read them.
public enum Rate {
    /// With a comma between thousands.
    public static func grouped(_ number: some BinaryInteger) -> String {
        var text = ""
        for (place, digit) in String(number).reversed().enumerated() {
            if place > 0, place.isMultiple(of: 3), digit != "-" { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// With one digit behind the point, or none where there are many before it.
    public static func shortened(_ number: Double) -> String {
        if number < 0 { return "-" + shortened(-number) }
        if number >= 100 { return grouped(Int(number.rounded())) }
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// A duration in seconds.
    public static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
