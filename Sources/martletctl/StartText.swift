import Martlet

/// Where to begin, as it is written on a command line.
enum StartText {
    static func start(_ text: String, now: Timestamp) throws(MartletError) -> Start {
        switch text {
        case "now": return .now
        case "beginning": return .beginning
        default: break
        }
        if let position = Position(text) { return .after([position]) }
        if let time = Timestamp(text) { return .time(time) }
        if let microseconds = age(text),
            let time = Timestamp(microseconds: now.microseconds - microseconds)
        {
            return .time(time)
        }
        throw MartletError(
            .invalidArgument,
            "`\(text)` is no start. There are now, beginning, an age as 90s, 10m, 2h or 1d, a time "
                + "as 2026-11-24T19:00:00Z, and the id of an event.")
    }

    /// So many microseconds ago.
    private static func age(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last, let seconds = units[unit],
            let number = Int64(text.dropLast()), (0...1_000_000).contains(number)
        else { return nil }
        return number * seconds * 1_000_000
    }
}
