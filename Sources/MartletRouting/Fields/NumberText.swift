/// Numbers of payloads as texts.
enum NumberText {
    /// The shortest text that means the number; whole numbers have no fraction.
    static func text(of number: Double) -> String {
        if let whole = Int64(exactly: number), whole.magnitude < 1 << 53 { return String(whole) }
        return number.description
    }
}
