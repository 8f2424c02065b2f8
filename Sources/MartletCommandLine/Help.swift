/// The help of a command.
struct Help {
    let command: Command
    /// The words that lead to the command, the program's name first.
    let path: [String]

    private static let columns = 80

    var text: String {
        var parts = [
            Help.wrapped("\(path.joined(separator: " ")): \(command.summary)", margin: 0), usage,
        ]
        parts += command.details.map { Help.wrapped($0, margin: 0) }
        if !command.verbs.isEmpty {
            parts.append(section("Verbs", command.verbs.map { ($0.name, $0.summary) }))
        }
        if let operands = command.operands {
            parts.append(section("Operands", [(operands.name, operands.help)]))
        }
        parts.append(
            section(
                "Options",
                command.options.map { (label($0), $0.wholeHelp) } + [help]
                    + (path.count == 1 ? [("    --version", "Show the version.")] : [])))
        if !command.examples.isEmpty {
            let examples = command.examples.map { "  # \($0.meaning)\n  \($0.line)" }
            parts.append("Examples:\n" + examples.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private let help = ("-h, --help", "Show this.")

    private var usage: String {
        var lines: [String] = []
        if command.run != nil || command.verbs.isEmpty {
            var words = path
            words += command.options.filter(\.isRequired).map { "--\($0.name) \($0.value ?? "")" }
            if command.options.contains(where: { !$0.isRequired }) { words.append("[OPTION…]") }
            if let operands = command.operands {
                words.append(operands.count.lowerBound == 0 ? "[\(operands.name)]" : operands.name)
            }
            lines.append(words.joined(separator: " "))
        }
        if !command.verbs.isEmpty { lines.append((path + ["VERB", "…"]).joined(separator: " ")) }
        return "Usage: " + lines.joined(separator: "\n       ")
    }

    private func label(_ option: Command.Option) -> String {
        let letter = option.letter.map { "-\($0), " } ?? "    "
        return letter + "--\(option.name)" + (option.value.map { " \($0)" } ?? "")
    }

    private func section(_ title: String, _ rows: [(name: String, help: String)]) -> String {
        let width = min(rows.map(\.name.count).max() ?? 0, 26)
        let lines = rows.map { row in
            let padding = String(repeating: " ", count: max(width - row.name.count, 0) + 2)
            let text = Help.wrapped(row.help, margin: width + 4)
            return row.name.count > width
                ? "  \(row.name)\n" + String(repeating: " ", count: width + 4) + text
                : "  \(row.name)\(padding)\(text)"
        }
        return "\(title):\n" + lines.joined(separator: "\n")
    }

    /// The text in lines that end before the last column, all but the first with a margin.
    private static func wrapped(_ text: String, margin: Int) -> String {
        var lines: [String] = [""]
        for word in text.split(separator: " ") {
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if margin + last.count + 1 + word.count <= columns {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines.joined(separator: "\n" + String(repeating: " ", count: margin))
    }
}
