/// A time as people write it: `500ms`, `10s`, `5m`, `2h` or `7d`.
enum DurationText {
    private static let units: [(name: String, milliseconds: Int)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// Nil where it is none, or beyond a million days.
    static func duration(_ text: String) -> Duration? {
        for unit in units where text.hasSuffix(unit.name) {
            guard let number = Int(text.dropLast(unit.name.count)),
                (0...86_400_000_000_000 / unit.milliseconds).contains(number)
            else { continue }
            return .milliseconds(number * unit.milliseconds)
        }
        return nil
    }

    /// The shortest way to write a time of whole milliseconds.
    static func text(_ duration: Duration) -> String {
        let milliseconds = Int(duration / .milliseconds(1))
        guard milliseconds > 0 else { return "0ms" }
        let unit = units.last { milliseconds.isMultiple(of: $0.milliseconds) }
        return unit.map { "\(milliseconds / $0.milliseconds)\($0.name)" } ?? "\(milliseconds)ms"
    }
}
