// The messages of the service socket: the publisher's is a ROUTER, its peers' are DEALERs. All
// numbers are little-endian; "varint" is LEB128 of 64 bits as in frames; "text" is a varint length
// and so many bytes of UTF-8. The first part of a message is
//
//   at  bytes
//    0    3   4D 53 56, "MSV"
//    3    1   version, 1
//    4    1   kind
//    5    3   reserved: 0 when sent, ignored when read
//    8    8   session: what the WELCOME said; 0 in HELLO, and in a BYE before any session
//   16        what the kind says below; bytes behind it are for later versions, and ignored
//
//   kind  name     holds
//    1    HELLO    node id (16 bytes), epoch (8), nonce (8), lowest and highest version (1 each),
//                  name (text), service endpoint (text, empty for none); varint count of streams
//                  that are read, and their names (texts) in the order of their bytes, or one name
//                  ">" for all streams
//    2    WELCOME  nonce of the HELLO (8), node id (16), epoch (8), name, data endpoint, push
//                  endpoint (texts, empty for none), event bytes at most (varint); varint count of
//                  channels, and for each: stream (text), lane (varint), first sequence that can be
//                  fetched (varint), next sequence to come (varint), flags (1): 1 if it is durable,
//                  and then its present epoch (8); varint count of other peers, and their endpoints
//                  (texts)
//    3    BEAT     the sender's clock in µs (8), the newest one it has received (8, 0 for none);
//                  varint count of channels whose consumers have moved on, and for each: stream
//                  (text), lane (varint), sequence of the last event they are done with (varint),
//                  in the publisher's present epoch
//    4    BYE      code (1), text
//    5    PEERS    varint count of other peers that have become known, and their endpoints (texts)
//   16    FETCH    request (varint), stream (text), lane (varint), how it starts (1) and from what,
//                  last sequence wanted (varint, 0 for all there are), byte budget (varint)
//                    0  behind a position: epoch (8), sequence of the last event delivered (varint)
//                    1  at the first event there is
//                    2  at the next event to come
//                    3  at the first event of a time or later: µs since 1970 (8, signed)
//   17    FRAMES   request (varint); the further parts of the message, 1 to 63, are frames
//   18    END      request (varint), reason (1), epoch (8), next sequence (varint): what the reader
//                  goes on with, or for 2 and 3 the first that there is
//                    0  done: everything that was asked for has been sent
//                    1  more: the budget is used up, ask again
//                    2  truncated: this history does not have the position
//                    3  expired: events before the next sequence are gone
//                    4  busy: ask again later
//                    5  unknown: there is no such channel, or none yet
//                    6  diverged: the publisher's journal never had the position
//                    7  corrupt: events before the next sequence are damaged in its journal
//   32    OPEN     producer (text), a number of 32 bits that tells those of this name from each
//                  other (8), its epoch (8, 0 at first)
//   33    OPENED   producer (text), refusal (1, 0 for none) and then why (text), epoch (8), number
//                  of its next event (varint), rows of events, varint count of streams that take
//                  its events, and their names (texts)
//   34    SUBMIT   producer (text), attempt (varint); the further parts of the message, 1 to 63,
//                  are frames: of lane 0, the producer's epoch in place of a node's, counting as
//                  the producer does, each behind the one before
//   35    SUBMITTED  producer (text), the attempt (varint), number of its next event (varint), what
//                  became of the events (1), and what belongs to it
//                    0  stored: rows of events, as far as their places are remembered
//                    1  refused, replaced: another has opened the producer since; why (text)
//                    2  refused, full: there are too many producers; why (text)
//                    3  refused, unavailable: the node takes no events from others; why (text)
//                    4  refused, invalid: an event cannot be stored; why (text)
//                   16  behind: events before these are missing
//                   17  busy: submit again later
//   36    AWAIT    producer (text), its number of an event (varint), group (text)
//   37    OUTCOME  the same, and what the group has made of it (1)
//                    0  handled
//                    1  handled, with a value (a varint length and so many bytes)
//                    2  set aside: reason (1: 0 rejected, 1 failed, 2 lapsed, 3 parked), why (text)
//                    3  not wanted
//                    4  lost: reason (1, as in a ledger)
//                    5  done with, and nobody remembers how
//                    6  there is no such group
//   48    JOIN     group (text), round (varint), definition (a varint length and so many bytes, see
//                  GroupDefinition+Coding.swift), window: events, bytes (varints); varint count of
//                  what it holds, and for each stream (text), lane (varint), fence (8), numbers
//   49    JOINED   group (text), round (varint), refusal (1, 0 for none) and then why (text): 1 the
//                  group is defined otherwise, 2 there are too many, 3 the node gives no work
//   50    WORK     group (text), round, number of the message in the round (varints); for each of
//                  the further parts of the message, 1 to 63 frames: fence (8), attempt (varint),
//                  flags (1): 1 if its events may have been handled before
//   51    RESULT   group (text), number of the message, and of the first that is not settled
//                  (varints), varint count of results, and for each stream (text), lane (varint),
//                  fence (8), numbers, verdict (1)
//                    0  done
//                    1  done, with a value (a varint length and so many bytes), of one event
//                    2  retry: µs to wait and one more (varint, 0 if the group says), why (text),
//                       of one event
//                    3  reject: why (text), of one event
//                    4  returned: not begun
//   52    SETTLED  group (text), round, number of its last message that brought or recalled
//                  something, number from which on results are to be sent again (0 for none),
//                  events that others had been given meanwhile (varints), varint count of messages
//                  of results, and their numbers (varints)
//   53    RECALL   group (text), round, number of the message in the round (varints), stream
//                  (text), lane (varint), fence (8)
//   54    RESIZE   group (text), round (varint), window: events, bytes (varints)
//   55    LEAVE    group (text)
//   58    PULLED   stream (text), events whose handlers have returned, and others that came
//                  (varints), since whoever pulls has begun
//   64    ASK      request (varint), what is asked or to be done (text), and what belongs to it, in
//                  JSON (a varint length and so many bytes)
//   65    TELL     request (varint), kind (1): 0 the last part of the answer, 1 more comes, 2 there
//                  is none; the part's number, from 0 (varint); the part, or why not, in JSON (a
//                  varint length and so many bytes)
//
// Numbers of events are a varint count of ranges, and for each how far it begins behind the end of
// the one before, from 0 on, and its length (varints). Rows of events are a varint count, and for
// each the producer's number of the first (varint), stream (text), lane (varint), epoch (8),
// sequence of the first, count (varints).

/// A message of the service socket.
package enum SessionMessage: Sendable, Hashable {
    /// The first message of a peer.
    case hello(Hello)
    /// The answer to it, with which a session begins.
    case welcome(session: UInt64, Welcome)
    /// A sign of life.
    case beat(session: UInt64, Beat)
    /// The end of a session, and why.
    case bye(session: UInt64, Goodbye)
    /// News of other nodes: their service endpoints.
    case peers(session: UInt64, [String])
    /// A request for events of the past.
    case fetch(session: UInt64, Fetch)
    /// Some of the events that were asked for.
    case frames(session: UInt64, request: UInt64, [Bytes])
    /// The end of what was asked for.
    case end(session: UInt64, FetchEnd)
    /// A producer wants to submit events.
    case open(session: UInt64, ProducerOpening)
    /// Whether it may.
    case opened(session: UInt64, ProducerOpened)
    /// Events of a producer.
    case submit(session: UInt64, Submission)
    /// What became of them.
    case submitted(session: UInt64, Submitted)
    /// What a group makes of an event is wanted.
    case await(session: UInt64, ProducerAwaiting)
    /// What it has made of it.
    case outcome(session: UInt64, ProducerOutcome)
    /// A worker wants to work for a group.
    case join(session: UInt64, WorkJoin)
    /// Whether it may.
    case joined(session: UInt64, WorkJoined)
    /// Events for a worker.
    case work(session: UInt64, Work)
    /// What became of events that a worker had.
    case results(session: UInt64, WorkResults)
    /// Results are taken.
    case settled(session: UInt64, WorkSettled)
    /// Events are wanted back.
    case recall(session: UInt64, WorkRecall)
    /// A worker takes more or less.
    case resize(session: UInt64, WorkResize)
    /// A worker works for a group no more, and has nothing of it.
    case leave(session: UInt64, group: String)
    /// Somebody pulls, and says how far it is.
    case pulled(session: UInt64, PullReport)
    /// A question to the node, or something that it is to do.
    case ask(session: UInt64, Inquiry)
    /// A part of the answer.
    case tell(session: UInt64, Answer)

    /// The session that the message belongs to; 0 for HELLO.
    package var session: UInt64 {
        switch self {
        case .hello: 0
        case .welcome(let session, _), .beat(let session, _), .bye(let session, _),
            .peers(let session, _), .fetch(let session, _), .frames(let session, _, _),
            .end(let session, _), .open(let session, _), .opened(let session, _),
            .submit(let session, _), .submitted(let session, _), .await(let session, _),
            .outcome(let session, _), .join(let session, _),
            .joined(let session, _), .work(let session, _), .results(let session, _),
            .settled(let session, _), .recall(let session, _), .resize(let session, _),
            .leave(let session, _), .pulled(let session, _), .ask(let session, _),
            .tell(let session, _):
            session
        }
    }
}

/// A node between two starts.
package struct Instance: Sendable, Hashable {
    /// Whose it is.
    package let node: NodeID
    /// Which of its starts.
    package let epoch: Epoch

    /// An instance.
    package init(node: NodeID, epoch: Epoch) {
        self.node = node
        self.epoch = epoch
    }
}

/// Who greets, and what it speaks.
package struct Hello: Sendable, Hashable {
    package let instance: Instance
    /// Tells the answer to this HELLO from one to an earlier.
    package let nonce: UInt64
    package let versions: ClosedRange<UInt8>
    package let name: String
    /// Where others reach its service socket; empty if it has none.
    package let endpoint: String
    /// What it wants to read.
    package let streams: StreamSelection
}

/// What a newcomer needs to know of a publisher.
package struct Welcome: Sendable, Hashable {
    /// A channel and what it holds.
    package struct ChannelState: Sendable, Hashable {
        package let stream: StreamName
        package let lane: Int
        /// The first sequence that can be fetched; the next to come if none can.
        package let first: UInt64
        /// The next sequence to come.
        package let next: UInt64
        /// Of a channel that is on disk, and goes on after a restart: its present epoch.
        package let durableEpoch: Epoch?

        package init(
            stream: StreamName, lane: Int, first: UInt64, next: UInt64, durableEpoch: Epoch? = nil
        ) {
            self.stream = stream
            self.lane = lane
            self.first = first
            self.next = next
            self.durableEpoch = durableEpoch
        }
    }

    package let nonce: UInt64
    package let instance: Instance
    package let name: String
    package let dataEndpoint: String
    package let pushEndpoint: String
    package let eventBytesMax: UInt64
    package let channels: [ChannelState]
    package let peers: [String]
}

/// A sign of life.
package struct Beat: Sendable, Hashable {
    package let clock: MonotonicTime
    /// The newest clock of the peer that has come back; nil before the first.
    package let echo: MonotonicTime?
    /// Where consumers have moved on since the last beat.
    package let reached: [Reached]

    package init(clock: MonotonicTime, echo: MonotonicTime?, reached: [Reached] = []) {
        self.clock = clock
        self.echo = echo
        self.reached = reached
    }
}

/// How far the consumers of a channel have got, in the publisher's present epoch.
package struct Reached: Sendable, Hashable {
    package let stream: StreamName
    package let lane: Int
    /// The last event that they are done with; 0 before the first.
    package let sequence: UInt64
}

/// Why a session ends.
package struct Goodbye: Sendable, Hashable {
    /// The reasons.
    package enum Code: UInt8, Sendable, Hashable {
        /// The node closes in order.
        case closing = 0
        /// The message could not be understood.
        case protocolError = 1
        /// No version is spoken by both.
        case version = 2
        /// The session is not known here, or has been forgotten.
        case unknownSession = 3
        /// Another node has this identity.
        case duplicateIdentity = 4
        /// There are too many sessions.
        case full = 5
        /// The node that greets is this one.
        case itself = 6
    }

    package let code: Code
    package let text: String
}

/// A request for events of a channel.
package struct Fetch: Sendable, Hashable {
    /// Where to begin.
    package enum Start: Sendable, Hashable {
        /// Behind the last event that was delivered.
        case behind(epoch: Epoch, sequence: UInt64)
        /// At the first event there is.
        case first
        /// At the next event to come.
        case now
        /// At the first event of this time or later.
        case time(Timestamp)
    }

    package let request: UInt64
    package let stream: StreamName
    package let lane: Int
    package let start: Start
    /// The last sequence that is wanted; nil for all there are.
    package let upTo: UInt64?
    package let byteBudget: UInt64

    package init(
        request: UInt64, stream: StreamName, lane: Int, start: Start, upTo: UInt64?,
        byteBudget: UInt64
    ) {
        self.request = request
        self.stream = stream
        self.lane = lane
        self.start = start
        self.upTo = upTo
        self.byteBudget = byteBudget
    }

    /// What is left of the request from this event on, when so many bytes have been sent.
    func rest(in epoch: Epoch, from next: UInt64, without byteCount: Int) -> Fetch {
        Fetch(
            request: request, stream: stream, lane: lane,
            start: .behind(epoch: epoch, sequence: next - 1), upTo: upTo,
            byteBudget: byteBudget - min(byteBudget, UInt64(byteCount)))
    }
}

/// The end of an answer to a request.
package struct FetchEnd: Sendable, Hashable {
    /// Why it ends.
    package enum Reason: UInt8, Sendable, Hashable {
        /// All that was asked for has been sent.
        case done = 0
        /// The budget is used up.
        case more = 1
        /// This history does not have the position.
        case truncated = 2
        /// Events before the next sequence are gone.
        case expired = 3
        /// Later.
        case busy = 4
        /// There is no such channel yet.
        case unknown = 5
        /// This history, which is on disk, never had the position.
        case diverged = 6
        /// Events before the next sequence are damaged.
        case corrupt = 7
    }

    package let request: UInt64
    package let reason: Reason
    package let epoch: Epoch
    package let next: UInt64

    package init(request: UInt64, reason: Reason, epoch: Epoch, next: UInt64) {
        self.request = request
        self.reason = reason
        self.epoch = epoch
        self.next = next
    }
}
