/// Columns of text, each as wide as its widest cell.
public struct TextTable {
    private var rows: [[String]]

    /// A table with these heads.
    public init(_ heads: [String]) { rows = [heads] }

    /// Adds a row, with as many cells as there are heads.
    public mutating func add(_ row: [String]) { rows.append(row) }

    /// Its lines, the heads first.
    public var lines: [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
