/// The definitions of a frame, in the order of their numbers.
struct DefinitionTable: Sendable {
    private var entries: [(number: UInt64, definition: EventDefinition)] = []
    /// Whether the numbers are 0, 1, 2 and so on, as a builder gives them. A slice may lack some.
    private var isDense = true

    /// How many there are.
    var count: Int { entries.count }

    /// All numbers below are there.
    var denseCount: UInt64 { isDense ? UInt64(entries.count) : 0 }

    /// False unless the number is above all that are there and within the limit.
    mutating func add(_ number: UInt64, _ definition: EventDefinition) -> Bool {
        guard number < UInt64(Limits.frameDefinitionsMax) else { return false }
        if let last = entries.last, number <= last.number { return false }
        isDense = isDense && number == UInt64(entries.count)
        entries.append((number, definition))
        return true
    }

    @inline(__always)
    func contains(_ number: UInt64) -> Bool {
        isDense ? number < UInt64(entries.count) : place(of: number) != nil
    }

    func allSatisfy(_ isSo: (EventDefinition) -> Bool) -> Bool {
        entries.allSatisfy { isSo($0.definition) }
    }

    /// The definition of this number, which must be there.
    subscript(number: UInt64) -> EventDefinition {
        if isDense { return entries[Int(number)].definition }
        guard let place = place(of: number) else { preconditionFailure("no such definition") }
        return entries[place].definition
    }

    private func place(of number: UInt64) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].number == number ? low : nil
    }
}
