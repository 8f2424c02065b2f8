import Testing

/// Files and functions stay small enough to be read at one go.
@Suite struct SizeTests {
    static let fileLinesMax = 400
    static let functionLinesMax = 70
    static let columnsMax = 100

    @Test func filesFitAScreenfulOfScreens() throws {
        for file in try Self.sources() {
            #expect(file.lines.count <= Self.fileLinesMax, "\(file) has \(file.lines.count) lines")
        }
    }

    @Test func linesFitTheirWidth() throws {
        for file in try Self.sources() where !file.path.contains("Samples/") {
            for (number, line) in file.lines.enumerated() where line.count > Self.columnsMax {
                Issue.record("\(file):\(number + 1) is \(line.count) columns wide")
            }
        }
    }

    /// The format gives every function's closing brace the indentation of its first line.
    @Test func functionsFitAScreen() throws {
        for file in try Self.sources() where file.path.hasSuffix(".swift") {
            var begun: (indentation: Int, line: Int)?
            for (number, line) in file.lines.enumerated() {
                let indentation = line.prefix { $0 == " " }.count
                let text = line.dropFirst(indentation)
                if text.contains("func ") || text.contains("init("), begun == nil,
                    !text.hasPrefix("//")
                {
                    begun = (indentation, number)
                } else if let start = begun, text.hasPrefix("}"), indentation == start.indentation {
                    let length = number - start.line + 1
                    #expect(
                        length <= Self.functionLinesMax,
                        "\(file):\(start.line + 1) has \(length) lines")
                    begun = nil
                } else if let start = begun, indentation <= start.indentation, !text.isEmpty,
                    number > start.line, text.hasPrefix("///") || text.hasPrefix("@")
                {
                    // A declaration without a body, such as a protocol's.
                    begun = nil
                }
            }
        }
    }

    private static func sources() throws -> [Repository.File] {
        try Repository.files(below: "Sources", ".swift", ".h", ".c")
            + Repository.files(below: "Tests", ".swift")
            + Repository.files(below: "Snippets", ".swift")
            + Repository.files(below: "Benchmarks", ".swift", ".h", ".c")
    }
}
