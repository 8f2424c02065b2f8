/// Something that was noticed when a storage was opened.
public struct StorageFinding: Sendable, Hashable {
    /// What it is.
    public let text: String
    /// Whether something that was confirmed is lost. What a power cut left in part never was.
    public let isLoss: Bool

    /// Something that was noticed.
    package init(_ text: String, isLoss: Bool) {
        self.text = text
        self.isLoss = isLoss
    }
}

extension StorageFinding: CustomStringConvertible {
    /// What it is.
    public var description: String { text }
}
