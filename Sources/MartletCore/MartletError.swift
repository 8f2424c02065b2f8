/// What went wrong, where, and what to do about it: the one error type of Martlet.
///
/// The `code` is for programs, the `message` for people. Neither ever contains a payload or a
/// secret. The `cause` is the failure beneath, for example a `SocketFailure` with its errno.
public struct MartletError: Error, Sendable {
    private let contents: Contents

    /// Makes an error. `isRetriable` defaults to what the code says about itself.
    public init(
        _ code: Code, _ message: String, cause: (any Error)? = nil, isRetriable: Bool? = nil
    ) {
        contents = Contents(
            code: code, message: message, cause: cause,
            isRetriable: isRetriable ?? code.isUsuallyRetriable)
    }

    /// The kind of failure, to compare with the codes that you handle.
    public var code: Code { contents.code }

    /// One or two sentences: what happened, and what to do next.
    public var message: String { contents.message }

    /// The failure beneath this one, where there is one.
    public var cause: (any Error)? { contents.cause }

    /// Whether the same call may well succeed later without anything being mended.
    public var isRetriable: Bool { contents.isRetriable }

    /// A class, so that a throwing call hands up one word however much an error has to say.
    private final class Contents: Sendable {
        let code: Code
        let message: String
        let cause: (any Error)?
        let isRetriable: Bool

        init(code: Code, message: String, cause: (any Error)?, isRetriable: Bool) {
            self.code = code
            self.message = message
            self.cause = cause
            self.isRetriable = isRetriable
        }
    }
}

extension MartletError: CustomStringConvertible {
    /// The code and the message, as in `addressInUse: …`.
    public var description: String { "\(code): \(message)" }
}

extension MartletError {
    /// The kind of a failure. Open: later versions add codes, so compare, do not exhaust.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name by which logs and programs know the code.
        public let name: String

        /// A code of your own, for links and stores that you implement.
        public init(_ name: String) { self.name = name }

        /// The same as `name`.
        public var description: String { name }
    }
}

extension MartletError.Code {
    /// Text that is not an endpoint, or an endpoint that cannot be used in this way.
    public static let invalidEndpoint = Self("invalidEndpoint")
    /// A value outside the bounds of what it is given to.
    public static let invalidArgument = Self("invalidArgument")
    /// Another socket listens at this address.
    public static let addressInUse = Self("addressInUse")
    /// No interface of this machine has this address.
    public static let addressNotAvailable = Self("addressNotAvailable")
    /// A host name that has no address.
    public static let unknownHost = Self("unknownHost")
    /// The operating system does not let this user do it.
    public static let permissionDenied = Self("permissionDenied")
    /// No peer has this routing id, or it has gone.
    public static let unreachable = Self("unreachable")
    /// The queue to this peer is full: it reads too slowly, or not at all.
    public static let full = Self("full")
    /// A message above the limit of the socket that was to carry it, or an event above its own.
    public static let messageTooLarge = Self("messageTooLarge")
    /// Text that cannot be a topic, or the name of a stream.
    public static let invalidTopic = Self("invalidTopic")
    /// An attribute whose name or value the rules of CloudEvents do not allow.
    public static let invalidAttribute = Self("invalidAttribute")
    /// A text that is no expression, filter, payload path or table of rules, or one that can never
    /// be evaluated. The cause is a `SyntaxFailure` where one place is at fault.
    public static let invalidExpression = Self("invalidExpression")
    /// Bytes that are not a frame, or a frame that was damaged.
    public static let invalidFrame = Self("invalidFrame")
    /// A value that its codec cannot write. The cause is a `CodingFailure`.
    public static let notEncodable = Self("notEncodable")
    /// Bytes that are not what was to be read from them. The cause is a `CodingFailure`.
    public static let notDecodable = Self("notDecodable")
    /// The time allowed for the call passed.
    public static let timedOut = Self("timedOut")
    /// The task was cancelled while it waited; nothing was sent or consumed.
    public static let cancelled = Self("cancelled")
    /// The context, the loop or the link has been closed.
    public static let closed = Self("closed")
    /// The call does not fit what the other calls have done, such as a second reply.
    public static let wrongState = Self("wrongState")
    /// The libzmq at hand was built without it.
    public static let notSupported = Self("notSupported")
    /// Too many sockets, descriptors or threads, or too little memory.
    public static let resourceExhausted = Self("resourceExhausted")
    /// A failure that has no code of its own; the cause tells more.
    public static let failed = Self("failed")

    fileprivate var isUsuallyRetriable: Bool {
        switch self {
        case .addressInUse, .unreachable, .full, .timedOut, .resourceExhausted, .unknownHost: true
        default: false
        }
    }
}
