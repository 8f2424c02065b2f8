public import Martlet
public import MartletCommandLine

/// Filters as they are written on a command line.
public enum FilterOptions {
    /// All that `--filter` says; nil where it was not given.
    public static func filter(_ arguments: Arguments) throws(CommandFailure) -> Filter? {
        var filters: [Filter] = []
        for text in arguments.values("filter") {
            filters.append(
                try arguments.parsed("filter", text) { (text) throws(MartletError) in
                    try filter(text, isStrict: false)
                })
        }
        guard filters.count > 1 else { return filters.first }
        do throws(MartletError) { return try .all(filters) } catch {
            throw CommandFailure(error, about: "--filter")
        }
    }

    /// An expression, or a filter in JSON.
    public static func filter(_ text: String, isStrict: Bool) throws(MartletError) -> Filter {
        let first = text.first { !$0.isWhitespace }
        return first == "{" || first == "["
            ? try Filter(json: Bytes(utf8: text), isStrict: isStrict)
            : try .sql(text, isStrict: isStrict)
    }
}
