internal import MartletSockets

/// Calls that wait for the disk: each on a thread of its own, since Swift's pool has none to spare.
enum BlockingCall {
    /// What `body` returns or throws, which runs on another thread.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(MartletError) -> Value
    ) async throws(MartletError) -> Value {
        let outcome: Result<Value, MartletError> = await withCheckedContinuation { continuation in
            do throws(MartletError) {
                try DedicatedThread.start(named: "martlet-disk") {
                    do throws(MartletError) {
                        continuation.resume(returning: .success(try body()))
                    } catch { continuation.resume(returning: .failure(error)) }
                }
            } catch { continuation.resume(returning: .failure(error)) }
        }
        return try outcome.get()
    }
}
