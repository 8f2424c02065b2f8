package import MartletCore

/// A folder of files, as the journal uses one. Tests put one in its place that fails, tears and
/// forgets.
package protocol Disk: Sendable {
    /// Where it is, for messages.
    var name: String { get }

    /// The names of the files.
    func files() throws(MartletError) -> [String]

    /// Opens a file, which is made if it is not there.
    func open(_ file: String) throws(MartletError) -> any DiskFile

    /// Removes a file.
    func remove(_ file: String) throws(MartletError)

    /// Gives a file another name, in the place of any that has it.
    func rename(_ file: String, to name: String) throws(MartletError)

    /// Makes what files there are outlive a power cut.
    func synchronize() throws(MartletError)
}

/// A file of the journal. One thread at a time writes; any thread reads meanwhile.
package protocol DiskFile: AnyObject, Sendable {
    /// How long it is.
    func size() throws(MartletError) -> Int

    /// Writes the pieces one behind the other.
    func write(_ pieces: [Bytes], at offset: Int) throws(MartletError)

    /// Reads so many bytes, or up to the end.
    func read(at offset: Int, count: Int) throws(MartletError) -> Bytes

    /// Cuts it, or fills it with zeros.
    func resize(to size: Int) throws(MartletError)

    /// Lets the medium begin with what was written there, and does not wait for it. Nothing follows
    /// from it but that `synchronize` is done sooner.
    func beginSynchronizing(at offset: Int, count: Int)

    /// Makes what was written outlive a power cut.
    func synchronize() throws(MartletError)

    /// Forgets what the system remembers of it, so that reading shows what the medium has.
    func forgetCached()
}

extension DiskFile {
    package func beginSynchronizing(at offset: Int, count: Int) {}
}
