/// What the command line asks for.
struct Options {
    struct Wrong: Error, CustomStringConvertible {
        let description: String
    }

    /// The bench to run, or all of them.
    var bench: String?
    /// The case to run, or all of them.
    var caseName: String?
    var json: String?
    /// A hundredth of the work and one pair: shows that everything runs, measures nothing.
    var isQuick = false

    init(_ arguments: [String]) throws {
        var left = arguments[...]
        while let argument = left.popFirst() {
            switch argument {
            case "--json":
                guard let file = left.popFirst() else { throw Wrong(description: "--json FILE") }
                json = file
            case "--case":
                guard let name = left.popFirst() else { throw Wrong(description: "--case NAME") }
                caseName = name
            case "--quick": isQuick = true
            case _ where !argument.hasPrefix("-") && bench == nil: bench = argument
            default: throw Wrong(description: "`\(argument)` is not understood; \(Options.usage)")
            }
        }
    }

    static let usage = "usage: martlet-bench [BENCH] [--case NAME] [--json FILE] [--quick]"
}
