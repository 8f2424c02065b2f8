import CZeroMQ

/// What the loop waits for: descriptors that become readable.
struct DescriptorSet {
    private var items: [pollfd] = []
    /// How long it looks again and again before it sleeps.
    private let spinTime: Duration
    private let clock = ContinuousClock()

    init(spinTime: Duration) { self.spinTime = spinTime }

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }

    mutating func add(_ descriptor: Int32) { items.append(zeromq_wait_item(descriptor)) }

    /// Whether any was readable when the last wait ended.
    var hasReadable: Bool { items.contains { $0.revents != 0 } }

    /// Whether the descriptor at this place was readable when the last wait ended.
    func isReadable(_ place: Int) -> Bool { items[place].revents != 0 }

    /// Waits until one of them is readable. A signal may end it early.
    mutating func wait(atMost time: Duration) {
        let count = Int32(items.count)
        var left = time
        if time > .zero, spinTime > .zero {
            let start = clock.now
            repeat {
                if unsafe zeromq_wait(&items, count, 0) != 0 { return }
                // Who else wants this processor may be the one to bring the news.
                zeromq_thread_yield()
                left = time - (clock.now - start)
            } while left > max(.zero, time - spinTime)
        }
        _ = unsafe zeromq_wait(&items, count, max(.zero, left).nanoseconds)
    }
}
