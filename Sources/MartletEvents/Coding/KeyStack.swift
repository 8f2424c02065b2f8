/// The keys from the outermost value to the one that is being encoded.
///
/// Setting a key is what every nested value pays, so keys are not removed: those beyond the last
/// that was set are left over and do not count.
@safe
struct KeyStack: ~Copyable {
    /// Values nest deeper only rarely.
    private static let usualDepth = 8
    private static let depthMax = Limits.nestingMax + 4

    private var keys: UnsafeMutablePointer<any CodingKey>?
    private var capacity = 0
    private var initialized = 0
    private var count = 0

    init() {}

    deinit {
        unsafe keys?.deinitialize(count: initialized)
        unsafe keys?.deallocate()
    }

    /// The first keys, at most so many.
    func keys(_ depth: Int) -> [any CodingKey] {
        guard let keys = unsafe keys else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: keys, count: min(depth, count)))
    }

    /// Puts a key at this depth, behind which there is none.
    @inline(__always)
    mutating func set(_ depth: Int, _ key: any CodingKey) {
        guard depth < KeyStack.depthMax, depth <= initialized else { return }
        if depth >= capacity { grow() }
        if let place = unsafe keys {
            if depth < initialized {
                unsafe place[depth] = key
            } else {
                unsafe (place + depth).initialize(to: key)
                initialized = depth &+ 1
            }
        }
        count = depth &+ 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = capacity == 0 ? KeyStack.usualDepth : KeyStack.depthMax
        let grown = UnsafeMutablePointer<any CodingKey>.allocate(capacity: larger)
        if let keys = unsafe keys {
            unsafe grown.moveInitialize(from: keys, count: initialized)
            unsafe keys.deallocate()
        }
        unsafe keys = unsafe grown
        capacity = larger
    }
}
