internal import MartletDelivery
import Synchronization

/// Who waits for answers, and what has come of them.
final class AnswerBook: Sendable {
    typealias Ended = Result<[Bytes], MartletError>

    private struct Entry {
        var parts: [Bytes] = []
        var byteCount = 0
        let continuation: CheckedContinuation<Ended, Never>
        let deadline: MonotonicTime
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var failure: MartletError?
        /// What is to be asked.
        var inquiries: [Inquiry] = []
        /// What nobody waits for any more.
        var forgotten: [UInt64] = []
        var lastRequest: UInt64 = 0
    }

    private let state = Lock(State())
    private let node: Endpoint

    /// All parts of an answer together.
    private static let bytesMax = 256 * 1_048_576

    init(_ node: Endpoint) { self.node = node }

    /// Asks, and waits for the whole answer.
    func ask(
        _ verb: String, _ body: Bytes, until deadline: MonotonicTime, notify: () -> Void
    ) async throws(MartletError) -> [Bytes] {
        let request = state.withLock { state in
            state.lastRequest += 1
            return state.lastRequest
        }
        let ended = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let failure = state.withLock { state -> MartletError? in
                    if let failure = state.failure { return failure }
                    if Task.isCancelled { return Self.cancelled }
                    state.entries[request] = Entry(continuation: continuation, deadline: deadline)
                    state.inquiries.append(Inquiry(request: request, verb: verb, body: body))
                    return nil
                }
                if let failure { continuation.resume(returning: .failure(failure)) }
                notify()
            }
        } onCancel: {
            end(with: Self.cancelled) { number, _ in number == request }
        }
        return try ended.get()
    }

    // MARK: The loop

    func takeInquiries() -> (ask: [Inquiry], forget: [UInt64]) {
        state.withLock { state in
            defer { (state.inquiries, state.forgotten) = ([], []) }
            return (state.inquiries, state.forgotten)
        }
    }

    func take(_ answer: Answer) {
        let outcome = state.withLock {
            state -> (CheckedContinuation<Ended, Never>, Ended)? in
            guard let entry = state.entries[answer.request] else { return nil }
            let continuation = entry.continuation
            guard answer.kind == .failure || answer.number == UInt64(entry.parts.count) else {
                state.entries[answer.request] = nil
                state.forgotten.append(answer.request)
                return (continuation, .failure(Self.incomplete))
            }
            let isTooMuch = entry.byteCount + answer.body.count > AnswerBook.bytesMax
            switch answer.kind {
            case .part where !isTooMuch:
                state.entries[answer.request]?.parts.append(answer.body)
                state.entries[answer.request]?.byteCount += answer.body.count
                return nil
            case .part:
                state.entries[answer.request] = nil
                state.forgotten.append(answer.request)
                return (continuation, .failure(Self.tooMuch))
            case .last:
                state.entries[answer.request] = nil
                return (continuation, .success(entry.parts + [answer.body]))
            case .failure:
                state.entries[answer.request] = nil
                return (continuation, .failure(Self.error(answer.body)))
            }
        }
        if let (continuation, ended) = outcome { continuation.resume(returning: ended) }
    }

    func lose(_ requests: [UInt64]) {
        let error = MartletError(
            .unreachable,
            "The connection with the node at \(node) broke before it had answered. What it was to "
                + "do may have been done.", isRetriable: true)
        end(with: error) { number, _ in requests.contains(number) }
    }

    func fail(_ error: MartletError) {
        state.withLock { $0.failure = $0.failure ?? error }
        end(with: error) { _, _ in true }
    }

    func expire(at now: MonotonicTime) {
        let error = MartletError(
            .timedOut,
            "The node at \(node) has not answered in time. Start it, or correct the address: it is "
                + "the one that the node listens at.", isRetriable: true)
        end(with: error) { $1.deadline <= now }
    }

    private func end(with error: MartletError, where isTaken: (UInt64, Entry) -> Bool) {
        let taken = state.withLock { state in
            let taken = state.entries.filter { isTaken($0.key, $0.value) }
            for request in taken.keys {
                state.entries[request] = nil
                state.forgotten.append(request)
            }
            return taken.values.map(\.continuation)
        }
        for continuation in taken { continuation.resume(returning: .failure(error)) }
    }

    private static func error(_ body: Bytes) -> MartletError {
        guard let failure = try? JSONCodec().decode(ControlVerb.Failure.self, from: body) else {
            return MartletError(.failed, "The node could not do it, and did not say why.")
        }
        return MartletError(MartletError.Code(failure.code), failure.message)
    }

    private static let cancelled = MartletError(
        .cancelled, "The task was cancelled before the node had answered.")

    private static let incomplete = MartletError(
        .failed,
        "A part of the answer is missing: the node had no room for it. Ask again, or for "
            + "less, with a limit.", isRetriable: true)

    private static let tooMuch = MartletError(
        .resourceExhausted, "The answer is larger than 256 MiB. Ask for less, with a limit.")
}
