import Foundation
import Testing

/// Samples in the documentation are cut from `Snippets/`, which the build compiles. In a page, the
/// line `<!-- Snippets/Name.swift part -->` stands before the fence; in the snippet, the part lies
/// between `// begin part` and `// end part`.
@Suite struct SampleTests {
    static let pages = ["README.md", "CONTRIBUTING.md"]

    @Test func everySwiftSampleIsCutFromASnippet() throws {
        let pages = try Self.pages.map(Repository.file) + Repository.files(below: "Docs", ".md")
        var samples = 0
        for page in pages {
            for (number, line) in page.lines.enumerated() where line == "```swift" {
                samples += 1
                let place = "\(page):\(number + 1)"
                let mark = number > 0 ? page.lines[number - 1] : ""
                let words = mark.split(separator: " ").map(String.init)
                try #require(
                    words.count == 4 && words[0] == "<!--" && words[3] == "-->",
                    "\(place): the line above must be <!-- Snippets/X.swift part -->"
                )
                let shown = page.lines[(number + 1)...].prefix { $0 != "```" }
                let cut = try Self.part(words[2], of: Repository.file(words[1]))
                #expect(Array(shown) == cut, "\(place) differs from \(words[1]) \(words[2])")
            }
        }
        #expect(samples > 0)
    }

    /// Paths that pages link to exist.
    @Test func linksLeadSomewhere() throws {
        let link = /\]\((?<target>[^)#:]+)(#[^)]*)?\)/
        let pages =
            try (Self.pages + ["CHANGELOG.md"]).map(Repository.file)
            + Repository.files(below: "Docs", ".md")
        for page in pages {
            let folder = Repository.root.appendingPathComponent(page.path)
                .deletingLastPathComponent()
            for match in page.lines.joined(separator: "\n").matches(of: link) {
                let target = folder.appendingPathComponent(String(match.target))
                #expect(
                    FileManager.default.fileExists(atPath: target.path),
                    "\(page) links to \(match.target)")
            }
        }
    }

    private static func part(_ name: String, of snippet: Repository.File) throws -> [String] {
        let trimmed = snippet.lines.map { $0.trimmingCharacters(in: .whitespaces) }
        let begin = try #require(
            trimmed.firstIndex(of: "// begin \(name)"), "\(snippet): no \(name)")
        let end = try #require(
            trimmed.firstIndex(of: "// end \(name)"), "\(snippet): no end of \(name)")
        let lines = snippet.lines[(begin + 1)..<end]
        let margin = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        return lines.map { String($0.dropFirst(margin)) }
    }
}
