/// The keys of a large map: texts in the order of their bytes, and whole numbers in theirs.
struct KeyIndex {
    let texts: [Int]
    let numbers: [Int]
}

extension DecodingSource {
    /// Up to so many keys are compared one by one.
    static let smallMapMax = 12

    /// Notes the step to a nested value, where errors look for it.
    @inline(__always)
    func enter(_ step: PathStep, depth: Int, frozen: FrozenPath?) {
        if let frozen { restore(frozen) }
        unsafe state.pointee.steps[depth] = step
        unsafe state.pointee.depth = depth &+ 1
    }

    @inline(never)
    private func restore(_ frozen: FrozenPath) {
        for (depth, step) in frozen.steps.enumerated() where depth < 34 {
            unsafe state.pointee.steps[depth] = step
        }
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
    @inline(__always)
    func markDuplicateKeys(of map: Int) -> KeyIndex? {
        let token = token(map)
        if token.high > DecodingSource.smallMapMax { return indexKeys(of: map) }
        if token.detail & Token.mayRepeat != 0 { markRepeatedKeys(of: map) }
        return nil
    }

    @inline(never)
    private func markRepeatedKeys(of map: Int) {
        let end = token(map).low
        var key = map &+ 1
        while key < end {
            var other = next(next(key))
            while other < end {
                if isSameKey(key, other) { mark(key, other) }
                other = next(next(other))
            }
            key = next(next(key))
        }
    }

    private func indexKeys(of map: Int) -> KeyIndex {
        let keys = keys(of: map)
        let texts = keys.filter { token(untagged($0)).kind == .text }
            .sorted { isText($0, before: $1) }
        let numbers = keys.filter { number(ofKey: $0) != nil }
            .sorted { (number(ofKey: $0) ?? 0) < (number(ofKey: $1) ?? 0) }
        for sorted in [texts, numbers] {
            for (left, right) in zip(sorted, sorted.dropFirst()) where isSameKey(left, right) {
                mark(left, right)
            }
        }
        return KeyIndex(texts: texts, numbers: numbers)
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

    private func isText(_ left: Int, before right: Int) -> Bool {
        unsafe withBytes(of: token(untagged(left))) { bytes in
            unsafe withBytes(of: token(untagged(right))) { unsafe Memory.precedes(bytes, $0) }
        }
    }

    private func isText(_ place: Int, before text: String) -> Bool {
        unsafe withBytes(of: token(untagged(place))) { bytes in
            unsafe text.utf8Span.span.withUnsafeBytes { unsafe Memory.precedes(bytes, $0) }
        }
    }

    /// Where the key stands, if the map has it.
    @inline(__always)
    func find(_ text: String, in map: Int, depth: Int, _ index: KeyIndex?) -> Int? {
        let token = token(map)
        let hint = unsafe Int(state.pointee.hints[depth])
        if hint > map, hint < token.low, isKey(hint, text) {
            unsafe state.pointee.hints[depth] = UInt32(truncatingIfNeeded: next(next(hint)))
            return hint
        }
        guard let found = index.map({ search(text, $0) }) ?? lookThrough(map, text) else {
            return nil
        }
        unsafe state.pointee.hints[depth] = UInt32(truncatingIfNeeded: next(next(found)))
        return found
    }

    /// Where a key stands that is this number and no text.
    func find(number: Int, in map: Int, _ index: KeyIndex?) -> Int? {
        if let index {
            let found = first(of: index.numbers) { (self.number(ofKey: $0) ?? 0) < number }
            return found.flatMap { self.number(ofKey: $0) == number ? $0 : nil }
        }
        let end = token(map).low
        var place = map &+ 1
        while place < end {
            if self.number(ofKey: place) == number { return place }
            place = next(next(place))
        }
        return nil
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
        if let found = first(of: index.texts, behind: { isText($0, before: text) }),
            isKey(found, text)
        {
            return found
        }
        // A number that is written as a text, as dictionaries ask for it.
        guard !index.numbers.isEmpty, let number = Int(text), String(number) == text else {
            return nil
        }
        let found = first(of: index.numbers) { (self.number(ofKey: $0) ?? 0) < number }
        return found.flatMap { self.number(ofKey: $0) == number ? $0 : nil }
    }

    /// The first of the places behind those for which this holds.
    private func first(of places: [Int], behind isBefore: (Int) -> Bool) -> Int? {
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(places[middle]) { low = middle + 1 } else { high = middle }
        }
        return low < places.count ? places[low] : nil
    }
}
