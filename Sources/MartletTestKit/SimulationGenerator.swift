/// Numbers that are the same at every run of a seed, on every platform (SplitMix64).
package struct SimulationGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// The numbers of a seed.
    package init(seed: UInt64) { state = seed }

    /// The next number.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// True once in so many times.
    mutating func chance(oneIn count: UInt64) -> Bool { next() % count == 0 }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// A time of so many milliseconds.
    mutating func milliseconds(_ range: ClosedRange<Int>) -> UInt64 {
        UInt64(Int.random(in: range.lowerBound * 1_000...range.upperBound * 1_000, using: &self))
    }
}
