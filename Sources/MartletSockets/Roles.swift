import CZeroMQ

/// One of libzmq's socket types, as a type: it decides which verbs and options a `Socket` has.
public protocol SocketRole: Sendable {
    /// The type for libzmq, and its name for people.
    static var kind: SocketKind { get }
}

/// A role whose sockets send.
public protocol SendingRole: SocketRole {}

/// A role whose sockets receive.
public protocol ReceivingRole: SocketRole {}

/// A role whose sockets choose what they receive by prefix.
public protocol SubscribingRole: ReceivingRole {}

/// The twelve socket types that libzmq calls stable.
public enum SocketKind: String, Sendable, CaseIterable {
    case pair, pub, sub, xpub, xsub, push, pull, req, rep, dealer, router, stream

    /// The number that libzmq knows the type by.
    var number: Int32 {
        switch self {
        case .pair: ZMQ_PAIR
        case .pub: ZMQ_PUB
        case .sub: ZMQ_SUB
        case .xpub: ZMQ_XPUB
        case .xsub: ZMQ_XSUB
        case .push: ZMQ_PUSH
        case .pull: ZMQ_PULL
        case .req: ZMQ_REQ
        case .rep: ZMQ_REP
        case .dealer: ZMQ_DEALER
        case .router: ZMQ_ROUTER
        case .stream: ZMQ_STREAM
        }
    }
}

/// Talks to one other PAIR, both ways.
public enum Pair: SendingRole, ReceivingRole {
    /// PAIR.
    public static var kind: SocketKind { .pair }
}

/// Sends each message to every subscriber of its prefix, and drops it for those that lag.
public enum Pub: SendingRole {
    /// PUB.
    public static var kind: SocketKind { .pub }
}

/// Receives what it has subscribed to from every publisher.
public enum Sub: SubscribingRole {
    /// SUB.
    public static var kind: SocketKind { .sub }
}

/// A PUB that also receives the subscriptions of its peers, as messages.
public enum XPub: SendingRole, ReceivingRole {
    /// XPUB.
    public static var kind: SocketKind { .xpub }
}

/// A SUB that sends subscriptions as messages of its own making.
public enum XSub: SendingRole, ReceivingRole {
    /// XSUB.
    public static var kind: SocketKind { .xsub }
}

/// Sends each message to one of the PULLs that have room, in turn.
public enum Push: SendingRole {
    /// PUSH.
    public static var kind: SocketKind { .push }
}

/// Receives from every PUSH, in turn.
public enum Pull: ReceivingRole {
    /// PULL.
    public static var kind: SocketKind { .pull }
}

/// Sends a request, then receives its reply, strictly in this order.
public enum Req: SendingRole, ReceivingRole {
    /// REQ.
    public static var kind: SocketKind { .req }
}

/// Receives a request, then sends its reply, strictly in this order.
public enum Rep: SendingRole, ReceivingRole {
    /// REP.
    public static var kind: SocketKind { .rep }
}

/// A REQ without the strict order: sends in turn to its peers, receives from all.
public enum Dealer: SendingRole, ReceivingRole {
    /// DEALER.
    public static var kind: SocketKind { .dealer }
}

/// Prefixes what it receives with the sender's routing id, and sends to the peer so named.
public enum Router: SendingRole, ReceivingRole {
    /// ROUTER.
    public static var kind: SocketKind { .router }
}

/// Exchanges plain TCP bytes: a part that names the connection, then a part of what it carries.
public enum Stream: SendingRole, ReceivingRole {
    /// STREAM.
    public static var kind: SocketKind { .stream }
}
