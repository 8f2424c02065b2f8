/// What one run of one side measured.
struct Sample {
    let value: Double
    /// Processor time per message in nanoseconds, where it applies.
    var cpu: Double?
}

/// One comparison: Martlet and its baseline, run in turns.
struct Case {
    enum Better: String, Encodable { case higher, lower }

    let bench: String
    let name: String
    let unit: String
    let better: Better
    /// What the baseline is, exactly.
    let baselineNote: String
    var pairs: Int
    let martlet: () throws -> [Sample]
    let baseline: () throws -> [Sample]
    /// Names and units of further figures that one run yields, after the first.
    var also: [(name: String, unit: String)] = []
}

/// The medians of a case, and how far the pairs lay apart: a row of the table and of the file.
struct Report: Encodable {
    let bench: String
    let name: String
    let unit: String
    let better: Case.Better
    let martlet: Double
    let baseline: Double
    let ratio: Double
    let low: Double
    let high: Double
    let pairs: Int
    let martletCPU: Double?
    let baselineCPU: Double?

    private enum CodingKeys: String, CodingKey {
        case bench, unit, better, martlet, baseline, ratio, low, high, pairs
        case name = "case"
        case martletCPU = "martletCPUNanosecondsPerEvent"
        case baselineCPU = "baselineCPUNanosecondsPerEvent"
    }
}

extension Case {
    /// Runs all pairs, one side first in one and the other in the next, after a pair to warm up.
    func run(progress: (String) -> Void) throws -> [Report] {
        _ = try (martlet(), baseline())
        var ours: [[Sample]] = []
        var theirs: [[Sample]] = []
        for pair in 0..<pairs {
            progress("\(bench) \(name): pair \(pair + 1) of \(pairs)")
            if pair.isMultiple(of: 2) {
                ours.append(try martlet())
                theirs.append(try baseline())
            } else {
                theirs.append(try baseline())
                ours.append(try martlet())
            }
        }
        return ([(name: name, unit: unit)] + also).enumerated().map { index, figure in
            report(figure, ours.map { $0[index] }, theirs.map { $0[index] })
        }
    }

    private func report(
        _ figure: (name: String, unit: String), _ ours: [Sample], _ theirs: [Sample]
    ) -> Report {
        let ratios = zip(ours, theirs).map { $0.value / $1.value }
        let ourCPU = ours.compactMap(\.cpu)
        let theirCPU = theirs.compactMap(\.cpu)
        return Report(
            bench: bench, name: figure.name, unit: figure.unit, better: better,
            martlet: median(ours.map(\.value)), baseline: median(theirs.map(\.value)),
            ratio: median(ratios), low: ratios.min() ?? 0, high: ratios.max() ?? 0, pairs: pairs,
            martletCPU: ourCPU.isEmpty ? nil : median(ourCPU),
            baselineCPU: theirCPU.isEmpty ? nil : median(theirCPU))
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2)
            ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
