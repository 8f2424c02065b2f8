/// The keys of a large map in alphabetical order.
typealias KeyIndex = [Int]

extension DecodingSource {
    /// Up to so many keys are compared one by one.
    private static let smallMapMax = 12

    /// Puts the key under which a value is found where errors look for it.
    @inline(__always)
    func enter(_ key: any CodingKey, depth: Int, frozen: FrozenPath?) {
        if let frozen { unsafe state.pointee.path.replace(with: frozen.keys) }
        unsafe state.pointee.path.set(depth, key)
    }

    /// Where the keys of a map stand.
    func keys(of map: Int) -> [Int] {
        var keys: [Int] = []
        keys.reserveCapacity(token(map).high)
        var place = map + 1
        while place < token(map).low {
            keys.append(place)
            place = next(next(place))
        }
        return keys
    }

    /// Marks the keys that occur more than once. Large maps get an index.
    func markDuplicateKeys(of map: Int) -> KeyIndex? {
        if token(map).high > DecodingSource.smallMapMax { return indexKeys(of: map) }
        _ = hasUniqueKeys(map)
        return nil
    }

    /// Whether no key of the map occurs more than once; those that do are marked.
    func hasUniqueKeys(_ map: Int) -> Bool {
        let token = token(map)
        guard token.high <= DecodingSource.smallMapMax else {
            let index = indexKeys(of: map)
            return index.allSatisfy { self.token($0).detail & Token.duplicate == 0 }
        }
        // Most keys are told apart by their length and first byte, a bit for each.
        var seen: UInt64 = 0
        var isPlain = true
        var place = map &+ 1
        while place < token.low {
            let key = self.token(place)
            let bit: UInt64 = 1 << UInt64(truncatingIfNeeded: sketch(key) & 63)
            if key.kind != .text || seen & bit != 0 { isPlain = false }
            seen |= bit
            place = next(next(place))
        }
        return isPlain || compareKeys(map)
    }

    @inline(__always)
    private func sketch(_ key: Token) -> Int {
        unsafe withBytes(of: key) { bytes in
            unsafe bytes.count &* 31 &+ Int(truncatingIfNeeded: bytes.first ?? 0)
        }
    }

    private func compareKeys(_ map: Int) -> Bool {
        let end = token(map).low
        var isUnique = true
        var place = map &+ 1
        while place < end {
            let next = next(next(place))
            var other = next
            while other < end {
                if isSameKey(place, other) {
                    mark(place, other)
                    isUnique = false
                }
                other = self.next(self.next(other))
            }
            place = next
        }
        return isUnique
    }

    private func indexKeys(of map: Int) -> KeyIndex {
        let sorted = keys(of: map).sorted { isKey($0, before: $1) }
        for (left, right) in zip(sorted, sorted.dropFirst()) where isSameKey(left, right) {
            mark(left, right)
        }
        return sorted
    }

    private func mark(_ first: Int, _ second: Int) {
        unsafe state.pointee.tape.tokens[first].detail |= Token.duplicate
        unsafe state.pointee.tape.tokens[second].detail |= Token.duplicate
    }

    @inline(__always)
    private func isSameKey(_ left: Int, _ right: Int) -> Bool {
        let first = token(left)
        let second = token(right)
        if first.kind == .text, second.kind == .text {
            guard first.high == second.high else { return false }
            return unsafe withBytes(of: first) { bytes in
                unsafe withBytes(of: second) { unsafe Memory.isEqual(bytes, $0) }
            }
        }
        return text(ofKey: left) == text(ofKey: right) && text(ofKey: left) != nil
    }

    /// The order of the keys' bytes.
    private func isKey(_ left: Int, before right: Int) -> Bool {
        let first = token(left)
        let second = token(right)
        if first.kind == .text, second.kind == .text {
            return unsafe withBytes(of: first) { bytes in
                unsafe withBytes(of: second) { unsafe Memory.precedes(bytes, $0) }
            }
        }
        return (text(ofKey: left) ?? "").utf8
            .lexicographicallyPrecedes((text(ofKey: right) ?? "").utf8)
    }

    private func isKey(_ place: Int, before text: String) -> Bool {
        let token = token(place)
        guard token.kind == .text else {
            return (self.text(ofKey: place) ?? "").utf8.lexicographicallyPrecedes(text.utf8)
        }
        return unsafe withBytes(of: token) { bytes in
            unsafe text.utf8Span.span.withUnsafeBytes { unsafe Memory.precedes(bytes, $0) }
        }
    }

    /// Where the key stands, if the map has it.
    @inline(__always)
    func find(_ text: String, in map: Int, depth: Int, _ index: KeyIndex?) -> Int? {
        let token = token(map)
        let hint = unsafe state.pointee.hints[depth]
        if hint > map, hint < token.low, isKey(hint, text) {
            unsafe state.pointee.hints[depth] = next(next(hint))
            return hint
        }
        guard let found = index.map({ search(text, $0) }) ?? lookThrough(map, text) else {
            return nil
        }
        unsafe state.pointee.hints[depth] = next(next(found))
        return found
    }

    private func lookThrough(_ map: Int, _ text: String) -> Int? {
        let end = token(map).low
        var place = map &+ 1
        while place < end {
            if isKey(place, text) { return place }
            place = next(next(place))
        }
        return nil
    }

    private func search(_ text: String, _ index: KeyIndex) -> Int? {
        var low = 0
        var high = index.count
        while low < high {
            let middle = (low + high) / 2
            if isKey(index[middle], before: text) { low = middle + 1 } else { high = middle }
        }
        return low < index.count && isKey(index[low], text) ? index[low] : nil
    }
}
