/// How a node stands, as it says itself.
public struct NodeReport: Sendable, Codable {
    /// A stream that it publishes.
    public struct Stream: Sendable, Codable {
        /// Its name.
        public let name: StreamName
        /// How many partitions it has.
        public let partitions: Int
        /// Whether it is stored.
        public let isDurable: Bool
    }

    /// Its journal.
    public struct Journal: Sendable, Codable {
        /// What was noticed when it was opened.
        public let findings: [String]
        /// Why nothing can be stored at present.
        public let failure: String?
        /// How many bytes it has on disk.
        public let byteCount: UInt64
        /// How many bytes are free there.
        public let freeByteCount: UInt64?
        /// The kind of its file system, if it is one that does not keep what it is given.
        public let unsafeFileSystem: String?
        /// Nothing expires by its age since the clock was set.
        public let isExpiryPaused: Bool
        /// How many ranges of events went before a cursor was past them.
        public let overrunCount: Int
    }

    /// The version of this Martlet.
    public static let currentVersion = "0.1.0"

    /// The version of Martlet.
    public let version: String
    /// Its name.
    public let name: String
    /// Its id.
    public let node: NodeID
    /// Its clock.
    public let time: Timestamp
    /// How many sessions others have with it.
    public let sessions: Int
    /// Its streams.
    public let streams: [Stream]
    /// Its journal; nil without one.
    public let journal: Journal?
    /// How many files and sockets it may have open.
    public let filesMax: Int
    /// How many files and sockets it has open.
    public let filesOpen: Int
}
