extension Duration {
    /// Whole milliseconds, as the C functions want them; too many for an `Int32` become its
    /// largest value, about 24 days.
    func milliseconds(rounded rule: FloatingPointRoundingRule) -> Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow, whole.magnitude < UInt64(Int64.max / 2) else {
            return seconds < 0 ? Int64(Int32.min) : Int64(Int32.max)
        }
        let part = (Double(attoseconds) / 1e15).rounded(rule)
        return min(max(whole + Int64(part), Int64(Int32.min)), Int64(Int32.max))
    }

    /// Nanoseconds, for at most a few years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
