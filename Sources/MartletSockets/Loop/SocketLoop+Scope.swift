import MartletCore

/// Runs `body` with a loop that is closed when it returns or throws.
public func withSocketLoop<Result>(
    named name: String = "martlet-loop",
    drainingFor timeout: Duration = Limits.drainTimeout,
    _ body: (SocketLoop) async throws -> Result
) async throws -> Result {
    let loop = try SocketLoop(named: name)
    do {
        let result = try await body(loop)
        await loop.close(drainingFor: timeout)
        return result
    } catch {
        await loop.close(drainingFor: timeout)
        throw error
    }
}
