/// Numbers of events, as ranges in their order that neither touch nor overlap.
public struct SequenceSet: Sendable, Hashable {
    /// The ranges.
    public private(set) var ranges: [Range<UInt64>]

    /// No numbers, or those of a range.
    public init(_ range: Range<UInt64> = 0..<0) { ranges = range.isEmpty ? [] : [range] }

    /// Numbers that are ranges already; nil if the ranges are empty, overlap, touch or are in
    /// another order.
    public init?(ranges: [Range<UInt64>]) {
        guard ranges.allSatisfy({ !$0.isEmpty }),
            zip(ranges, ranges.dropFirst()).allSatisfy({ $0.upperBound < $1.lowerBound })
        else { return nil }
        self.ranges = ranges
    }

    /// Whether there are none.
    public var isEmpty: Bool { ranges.isEmpty }

    /// How many there are.
    public var count: UInt64 { ranges.reduce(0) { $0 + UInt64($1.count) } }

    /// The lowest.
    public var first: UInt64? { ranges.first?.lowerBound }

    /// Whether this number is one of them.
    public func contains(_ number: UInt64) -> Bool {
        let place = place { $0.upperBound > number }
        return place < ranges.count && ranges[place].contains(number)
    }

    /// Takes numbers in, and returns how many of them are new.
    @discardableResult
    public mutating func insert(_ range: Range<UInt64>) -> UInt64 {
        guard !range.isEmpty else { return 0 }
        // Most follow the last ones.
        if let last = ranges.last, range.lowerBound >= last.lowerBound,
            range.lowerBound <= last.upperBound
        {
            let end = max(last.upperBound, range.upperBound)
            ranges[ranges.count - 1] = last.lowerBound..<end
            return end - last.upperBound
        }
        let begin = place { $0.upperBound >= range.lowerBound }
        var end = begin
        var (lower, upper) = (range.lowerBound, range.upperBound)
        var known: UInt64 = 0
        while end < ranges.count, ranges[end].lowerBound <= range.upperBound {
            lower = min(lower, ranges[end].lowerBound)
            upper = max(upper, ranges[end].upperBound)
            known += UInt64(ranges[end].count)
            end += 1
        }
        ranges.replaceSubrange(begin..<end, with: CollectionOfOne(lower..<upper))
        return upper - lower - known
    }

    /// Takes numbers out.
    public mutating func remove(_ range: Range<UInt64>) {
        guard !range.isEmpty else { return }
        let begin = place { $0.upperBound > range.lowerBound }
        var end = begin
        var left: [Range<UInt64>] = []
        while end < ranges.count, ranges[end].lowerBound < range.upperBound {
            let known = ranges[end]
            if known.lowerBound < range.lowerBound {
                left.append(known.lowerBound..<range.lowerBound)
            }
            if known.upperBound > range.upperBound {
                left.append(range.upperBound..<known.upperBound)
            }
            end += 1
        }
        ranges.replaceSubrange(begin..<end, with: left)
    }

    /// Takes the range out that begins with this number, if there is one, and returns its end.
    public mutating func takeFirst(from number: UInt64) -> UInt64? {
        guard let first = ranges.first, first.lowerBound <= number, first.upperBound > number else {
            return nil
        }
        ranges.removeFirst()
        return first.upperBound
    }

    /// Those of the range that are here.
    public func common(with range: Range<UInt64>) -> [Range<UInt64>] {
        var common: [Range<UInt64>] = []
        for known in ranges[place { $0.upperBound > range.lowerBound }...] {
            guard known.lowerBound < range.upperBound else { break }
            common.append(known.clamped(to: range))
        }
        return common
    }

    /// Those of the range that are not here.
    public func missing(in range: Range<UInt64>) -> [Range<UInt64>] {
        var missing: [Range<UInt64>] = []
        var start = range.lowerBound
        for known in common(with: range) {
            if known.lowerBound > start { missing.append(start..<known.lowerBound) }
            start = known.upperBound
        }
        if start < range.upperBound { missing.append(start..<range.upperBound) }
        return missing
    }

    /// The first place where it is so, from which on it always is.
    private func place(where isSo: (Range<UInt64>) -> Bool) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if isSo(ranges[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension SequenceSet: Codable {
    /// Reads the ranges, which must be such as these are.
    public init(from decoder: any Decoder) throws {
        let ranges = try decoder.singleValueContainer().decode([Range<UInt64>].self)
        guard let read = SequenceSet(ranges: ranges) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "The ranges are empty, overlap, touch or are out of order."))
        }
        self = read
    }

    /// Writes the ranges.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(ranges)
    }
}
