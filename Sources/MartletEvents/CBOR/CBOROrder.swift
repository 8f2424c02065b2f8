/// Puts the keys of maps into the order of their bytes.
enum CBOROrder {
    /// Sorts all maps of the one value that begins here and ends with what has been written.
    static func sort(_ memory: inout EncodingMemory, from place: Int) throws(MartletError) {
        let value = unsafe UnsafeRawBufferPointer(rebasing: memory.written[place...])
        let tape: ValueTape
        do throws(ScanFailure) { tape = unsafe try CBORScanner.scan(value) } catch {
            throw MartletError(
                .notEncodable,
                "The value cannot be put into order: \(error.description). Make it smaller, or do "
                    + "without the deterministic form.")
        }
        let sorter = unsafe Sorter(tape, value)
        var sorted: [UInt8] = []
        sorted.reserveCapacity(value.count)
        sorter.append(0, to: &sorted)
        unsafe sorted.withUnsafeBytes { unsafe memory.overwrite(at: place, $0) }
    }

    @safe
    private struct Sorter: ~Copyable {
        let tape: ValueTape
        let value: UnsafeRawBufferPointer

        init(_ tape: consuming ValueTape, _ value: UnsafeRawBufferPointer) {
            self.tape = tape
            unsafe self.value = unsafe value
        }

        /// Appends the value at this place of the tape, and returns the place behind it.
        @discardableResult
        func append(_ place: Int, to target: inout [UInt8]) -> Int {
            let token = unsafe tape.tokens[place]
            let begin = Int(token.offset)
            switch token.kind {
            case .tag:
                unsafe target += value[begin..<Int(tape.tokens[place + 1].offset)]
                return append(place + 1, to: &target)
            case .array, .map:
                let end = token.low
                let headEnd =
                    unsafe place + 1 < end ? Int(tape.tokens[place + 1].offset) : offset(end)
                unsafe target += value[begin..<headEnd]
                if token.kind == .map {
                    appendEntries(place + 1, end, to: &target)
                } else {
                    var next = place + 1
                    while next < end { next = append(next, to: &target) }
                }
                return end
            default:
                unsafe target += value[begin..<offset(place + 1)]
                return place + 1
            }
        }

        private func appendEntries(_ start: Int, _ end: Int, to target: inout [UInt8]) {
            var entries: [(key: [UInt8], value: [UInt8])] = []
            var place = start
            while place < end {
                var entry: (key: [UInt8], value: [UInt8]) = ([], [])
                place = append(place, to: &entry.key)
                place = append(place, to: &entry.value)
                entries.append(entry)
            }
            entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
            for entry in entries {
                target += entry.key
                target += entry.value
            }
        }

        /// Where the value at this place of the tape begins.
        private func offset(_ place: Int) -> Int {
            unsafe place < tape.count ? Int(tape.tokens[place].offset) : value.count
        }
    }
}
