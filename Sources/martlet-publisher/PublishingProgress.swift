import MartletCommandLine
import MartletCore
import MartletTools
import Synchronization

/// What has been published so far, for somebody who watches and for the end.
final class PublishingProgress: Sendable {
    private let isShown: Bool
    private let publishedCount = Atomic<Int>(0)
    private let refusedCount = Atomic<Int>(0)
    private let began = ContinuousClock.now

    init(isShown: Bool) { self.isShown = isShown }

    var published: Int { publishedCount.load(ordering: .relaxed) }

    var refused: Int { refusedCount.load(ordering: .relaxed) }

    func addPublished(_ count: Int = 1) { publishedCount.add(count, ordering: .relaxed) }

    /// Something was no event, and is left out. What ends the work is thrown on.
    func refuse(_ place: String, _ error: MartletError) throws(MartletError) {
        guard error.code != .cancelled, error.code != .closed else { throw error }
        refusedCount.add(1, ordering: .relaxed)
        note("\(place): \(error.message)")
    }

    /// Something that should be known.
    func note(_ text: String) {
        if isShown { Output.errors.write(Terminal.clearedLine) }
        Output.errors.lines(ofOthers: text)
        Output.errors.flush()
    }

    /// What there is to say at the end.
    var summary: String {
        let seconds = Rate.seconds(ContinuousClock.now - began)
        let refusals = refused > 0 ? ", left out \(Rate.grouped(refused))" : ""
        return
            "published \(Rate.grouped(published)) events in \(Rate.shortened(seconds)) s\(refusals)"
    }

    /// Runs `body`, and keeps a line up to date meanwhile if somebody watches.
    func whileShown<Value: Sendable>(
        _ body: () async throws -> Value
    ) async rethrows -> Value {
        guard isShown else { return try await body() }
        let display = Task { await show() }
        defer {
            display.cancel()
            Output.errors.write(Terminal.clearedLine)
        }
        return try await body()
    }

    private func show() async {
        var last = published
        while (try? await Task.sleep(for: .milliseconds(500))) != nil {
            let now = published
            let perSecond = Rate.grouped((now - last) * 2)
            Output.errors.write(
                "\(Terminal.clearedLine)\(Rate.grouped(now)) published, \(perSecond)/s")
            Output.errors.flush()
            last = now
        }
    }
}
