internal import MartletCommandLine
public import MartletCore
internal import Synchronization

/// How many events have been published so far, or submitted, for somebody who watches and for the
/// end.
public final class EventProgress: Sendable {
    private let verb: String
    private let isShown: Bool
    private let doneCount = Atomic<Int>(0)
    private let refusedCount = Atomic<Int>(0)
    private let began = ContinuousClock.now

    /// Nothing yet of what is done, as in "published".
    public init(_ verb: String, isShown: Bool) {
        self.verb = verb
        self.isShown = isShown
    }

    /// How many are done.
    public var done: Int { doneCount.load(ordering: .relaxed) }

    /// How many were left out.
    public var refused: Int { refusedCount.load(ordering: .relaxed) }

    /// More are done.
    public func add(_ count: Int = 1) { doneCount.add(count, ordering: .relaxed) }

    /// Something was no event, and is left out. What ends the work is thrown on.
    public func refuse(_ place: String, _ error: MartletError) throws(MartletError) {
        guard error.code != .cancelled, error.code != .closed else { throw error }
        refusedCount.add(1, ordering: .relaxed)
        note("\(place): \(error.message)")
    }

    /// Something that should be known.
    public func note(_ text: String) {
        if isShown { Output.errors.write(Terminal.clearedLine) }
        Output.errors.lines(ofOthers: text)
        Output.errors.flush()
    }

    /// What there is to say at the end.
    public var summary: String {
        let seconds = Rate.seconds(ContinuousClock.now - began)
        let refusals = refused > 0 ? ", left out \(Rate.grouped(refused))" : ""
        return
            "\(verb) \(Rate.grouped(done)) events in \(Rate.shortened(seconds)) s\(refusals)"
    }

    /// Runs `body`, and keeps a line up to date meanwhile if somebody watches.
    public func whileShown<Value: Sendable>(
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
        var last = done
        while (try? await Task.sleep(for: .milliseconds(500))) != nil {
            let now = done
            let perSecond = Rate.grouped((now - last) * 2)
            Output.errors.write(
                "\(Terminal.clearedLine)\(Rate.grouped(now)) \(verb), \(perSecond)/s")
            Output.errors.flush()
            last = now
        }
    }
}
