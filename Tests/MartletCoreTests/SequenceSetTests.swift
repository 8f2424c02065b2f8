import MartletCore
import Testing

/// Sets of numbers as ranges, against sets of numbers.
@Suite struct SequenceSetTests {
    @Test func theyAreWhatSetsAre() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var set = SequenceSet()
            var known: Set<UInt64> = []
            for _ in 0..<60 {
                let first = UInt64.random(in: 0...40, using: &random)
                let range = first..<first + UInt64.random(in: 0...8, using: &random)
                if Bool.random(using: &random) {
                    let before = known.count
                    known.formUnion(range)
                    #expect(set.insert(range) == UInt64(known.count - before))
                } else {
                    known.subtract(range)
                    set.remove(range)
                }
                #expect(Set(set.ranges.joined()) == known)
                #expect(SequenceSet(ranges: set.ranges) == set)
                #expect(set.count == UInt64(known.count))
                #expect(set.first == known.min())
                #expect(set.contains(first) == known.contains(first))
                #expect(Set(set.common(with: range).joined()) == known.intersection(range))
                #expect(Set(set.missing(in: range).joined()) == Set(range).subtracting(known))
            }
        }
    }

    @Test func othersAreNone() {
        #expect(SequenceSet(ranges: [1..<3, 3..<4]) == nil)
        #expect(SequenceSet(ranges: [4..<5, 1..<2]) == nil)
        #expect(SequenceSet(ranges: [1..<1]) == nil)
        #expect(SequenceSet(1..<1).isEmpty)
    }

    @Test func theFirstIsTakenIfItBeginsThere() {
        var set = SequenceSet(5..<8)
        #expect(set.takeFirst(from: 4) == nil)
        #expect(set.takeFirst(from: 6) == 8)
        #expect(set.isEmpty)
    }
}
