public import MartletDelivery

/// What becomes of an event whose handler has thrown.
///
/// Anything that is thrown asks for another attempt after a random wait, which grows with each;
/// `Rejection` never does. Rules say otherwise for single types of errors, the first that fits.
public struct RetryPolicy: Sendable {
    /// What a rule decides.
    enum Decision: Sendable {
        case retry(after: Duration?)
        case reject
    }

    let attempts: Int
    let first: Duration
    let longest: Duration
    let lastResort: GroupDefinition.LastResort
    private var rules: [@Sendable (any Error) -> Decision?] = []

    private init(
        attempts: Int, first: Duration, longest: Duration, lastResort: GroupDefinition.LastResort
    ) {
        self.attempts = attempts
        self.first = first
        self.longest = longest
        self.lastResort = lastResort
    }

    /// Eight attempts; waits of up to half a second, then of up to twice as long each time, five
    /// minutes at most.
    public static let standard = RetryPolicy.exponential()

    /// Waits of up to `first`, and of up to twice as long each time, but never longer than
    /// `longest`. After the last attempt the event is set aside; with `.park` so is what follows of
    /// its key, until that is tried again.
    public static func exponential(
        from first: Duration = .milliseconds(500), upTo longest: Duration = .seconds(300),
        attempts: Int = Limits.attempts, lastResort: GroupDefinition.LastResort = .skip
    ) -> RetryPolicy {
        RetryPolicy(attempts: attempts, first: first, longest: longest, lastResort: lastResort)
    }

    /// One attempt: who fails is set aside.
    public static let never = RetryPolicy.exponential(attempts: 1)

    /// Errors of a type ask for another attempt after this time, a day at most.
    public func retrying<Failure: Error>(
        _ type: Failure.Type, after wait: Duration
    ) -> RetryPolicy {
        let wait = min(max(wait, .zero), .seconds(86_400))
        return adding { $0 is Failure ? .retry(after: wait) : nil }
    }

    /// Errors of a type set the event aside at once.
    public func rejecting<Failure: Error>(_ type: Failure.Type) -> RetryPolicy {
        adding { $0 is Failure ? .reject : nil }
    }

    private func adding(_ rule: @escaping @Sendable (any Error) -> Decision?) -> RetryPolicy {
        var policy = self
        policy.rules.append(rule)
        return policy
    }

    func decide(_ error: any Error) -> Decision {
        if error is Rejection { return .reject }
        for rule in rules { if let decision = rule(error) { return decision } }
        return .retry(after: nil)
    }
}

/// Thrown by a handler for an event that must not be tried again: it is set aside at once.
public struct Rejection: Error, Hashable {
    /// Why, for whoever looks at what was set aside.
    public let reason: String

    /// An event that is of no use, and why.
    public init(_ reason: String) { self.reason = reason }
}
