/// One step from a value to one within it, in a word: setting it is what every nested value pays.
struct PathStep {
    private static let indexFlag: UInt32 = 1 << 31

    private let bits: UInt32

    /// To the value under the key at this place of the tape.
    @inline(__always)
    static func key(_ place: Int) -> PathStep { PathStep(bits: UInt32(truncatingIfNeeded: place)) }

    /// To this value of an array.
    @inline(__always)
    static func index(_ index: Int) -> PathStep {
        PathStep(bits: UInt32(truncatingIfNeeded: index) | indexFlag)
    }

    /// The step as `Codable` knows it.
    func key(in source: DecodingSource) -> any CodingKey {
        let number = Int(truncatingIfNeeded: bits & ~PathStep.indexFlag)
        if bits & PathStep.indexFlag != 0 { return IndexKey(number) }
        return TextKey(source.text(ofKey: number) ?? "")
    }
}

/// The steps that lead to a container which its user holds beside others: `nestedContainer` and
/// `superDecoder` make such. Elsewhere the source keeps the steps to what is being read.
final class FrozenPath {
    let steps: [PathStep]

    init(_ steps: [PathStep]) { self.steps = steps }
}
