import Foundation

/// The files of this repository.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct File: CustomStringConvertible {
        /// As seen from the root.
        let path: String
        let lines: [String]

        var description: String { path }
    }

    static func file(_ path: String) throws -> File {
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        return File(path: path, lines: text.components(separatedBy: "\n"))
    }

    /// The files below a folder that end in one of these ways.
    static func files(below folder: String, _ endings: String...) throws -> [File] {
        let found = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
        let paths = (found?.allObjects as? [String] ?? []).filter { path in
            !path.contains(".build/") && endings.contains { path.hasSuffix($0) }
        }
        return try paths.sorted().map { try file("\(folder)/\($0)") }
    }
}
