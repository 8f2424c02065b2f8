import Martlet
import MartletCommandLine

/// Rules that say on which topics events are published.
enum Routes {
    /// What `--routes` or a file of settings say; nil without.
    static func table(_ arguments: Arguments) throws(CommandFailure) -> RuleTable? {
        guard let value = arguments.located("routes").last else { return nil }
        let (json, name) = try contents(value)
        do throws(MartletError) { return try RuleFile(json: json, named: name).table } catch {
            throw CommandFailure(error)
        }
    }

    /// A file of settings holds the rules themselves; all else names a file of them.
    private static func contents(
        _ value: Arguments.Value
    ) throws(CommandFailure) -> (Bytes, String) {
        guard value.origin.kind == .file, let place = value.origin.place else {
            let json = try LineReader.contents(
                of: value.text, byteCountMax: Limits.encodedBytesMax)
            return (Bytes(json), value.text)
        }
        let name = place.lastIndex(of: ":").map { String(place[..<$0]) } ?? place
        return (Bytes(utf8: value.text), name)
    }
}
