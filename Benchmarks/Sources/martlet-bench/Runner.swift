import Foundation

/// Runs the chosen cases one after the other, prints the table and writes the file.
struct Runner {
    private let options: Options

    init(_ options: Options) {
        self.options = options
    }

    func run() throws {
        let scale = options.isQuick ? 0.01 : 1
        let all =
            SocketsBench.cases(scale: scale) + LoopBench.cases(scale: scale)
            + FramesBench.cases(scale: scale) + CodecsBench.cases(scale: scale)
            + RoutingBench.cases(scale: scale) + FanoutBench.cases(scale: scale)
            + JournalBench.cases(scale: scale) + WorkBench.cases(scale: scale)
        var chosen = all.filter { candidate in
            (options.bench == nil || options.bench == candidate.bench)
                && (options.caseName == nil || options.caseName == candidate.name)
        }
        guard !chosen.isEmpty else {
            let names = Set(all.map(\.bench)).sorted().joined(separator: ", ")
            throw Options.Wrong(description: "no such bench or case; the benches are \(names)")
        }
        if options.isQuick { for index in chosen.indices { chosen[index].pairs = 1 } }
        var reports: [Report] = []
        say(Table.heading)
        for candidate in chosen {
            let found = try candidate.run(progress: showProgress)
            showProgress("")
            for report in found { say(Table.row(report)) }
            reports += found
        }
        print("\nBaselines:")
        for candidate in chosen { print("  \(candidate.name): \(candidate.baselineNote).") }
        if let json = options.json {
            try JSONFile.write(reports, to: json)
            print("\nWritten to \(json).")
        }
    }

    /// At once, even into a pipe.
    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    /// On a terminal only.
    private func showProgress(_ line: String) {
        guard isatty(2) == 1 else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8))
    }
}

/// The figures for people.
private enum Table {
    static let heading = line(
        "bench", "case", "martlet", "baseline", "unit", "ratio", "low", "high", "pairs",
        "CPU ns/event")

    static func row(_ report: Report) -> String {
        let cpu =
            if let ours = report.martletCPU, let theirs = report.baselineCPU {
                "\(small(ours)) / \(small(theirs))"
            } else { "" }
        let digits = report.unit == "us" ? 1 : 0
        return line(
            report.bench, report.name, number(report.martlet, digits),
            number(report.baseline, digits), report.unit, number(report.ratio, 3),
            number(report.low, 3), number(report.high, 3), String(report.pairs), cpu)
    }

    private static func number(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }

    /// Nanoseconds: a digit more where there are few.
    private static func small(_ value: Double) -> String { number(value, value < 100 ? 1 : 0) }

    private static func line(_ columns: String...) -> String {
        let widths = [9, 18, 12, 12, 9, 7, 7, 7, 6, 14]
        return zip(columns, widths).enumerated().map { index, cell in
            let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index < 2 ? cell.0 + padding : padding + cell.0
        }.joined(separator: " ")
    }
}

/// The figures for programs: a list with one object a case.
private enum JSONFile {
    static func write(_ reports: [Report], to file: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(reports).write(to: URL(fileURLWithPath: file))
    }
}
