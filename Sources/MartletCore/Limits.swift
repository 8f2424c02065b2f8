/// Every limit and default of Martlet in one place, each with its reason.
public enum Limits {
    // MARK: Events

    /// Longest topic: with its lane it must fit into a subscription of libzmq 4.3.4.
    public static let topicBytesMax = 200

    /// Most tokens of a topic: matching costs a step for each.
    public static let topicTokensMax = 16

    /// Largest event record, with its key, id, attributes and payload. What is larger belongs into
    /// a store of its own, with a `dataref` that leads there.
    public static let eventBytesMax = 1_048_576

    /// Most attributes of an event beside those that every event has.
    public static let attributesMax = 64

    /// Longest name of an attribute. CloudEvents advises 20, some systems use more.
    public static let attributeNameBytesMax = 32

    /// Longest value of an attribute: attributes route and describe, the payload carries.
    public static let attributeBytesMax = 4_096

    /// Longest key, id, subject, type, source or schema reference, like any attribute's value.
    public static let identifierBytesMax = 4_096

    /// Most partitions of a stream: each has a sequence, a table and a beat of its own.
    public static let partitionsMax = 1_024

    /// Deepest nesting of a decoded value: coders recurse, and stacks are small.
    public static let nestingMax = 32

    // MARK: Frames

    /// A frame that has reached this size is sealed: 64 KiB is where batching has won most of what
    /// there is to win, and one frame does not hold up a line for long.
    public static let frameBytes = 64 * 1_024

    /// Largest target that may be configured: more gains little and makes waiting uneven.
    public static let frameBytesTargetMax = 256 * 1_024

    /// Largest frame that is accepted: one event of the largest size, and what a frame may add.
    public static let frameBytesMax = eventBytesMax + 64 * 1_024

    /// Most kinds of event (topic, content type and so on) that one frame names.
    public static let frameDefinitionsMax = 4_096

    // MARK: Codecs

    /// Largest value that a codec reads or writes unless told otherwise.
    public static let encodedBytesMax = eventBytesMax

    /// A codec refuses input with more values than this: an index of 16 bytes each is made of them.
    public static let decodedValuesMax = 1_048_576

    // MARK: Routing

    /// Longest expression: long enough for a list of hundreds of values, short enough to be read
    /// in a moment. What needs more is a table of rules.
    public static let expressionBytesMax = 16 * 1_024

    /// Longest pattern of `LIKE`.
    public static let likePatternBytesMax = 1_024

    /// Most characters between two `%` of a pattern where `_` is one of them: such a piece is tried
    /// at every place of a text, which pieces without `_` need not be.
    public static let likePieceMax = 64

    /// Longest text that an expression works with, from a payload or given to or by a function: it
    /// bounds the time of `LIKE` and the memory of functions. A longer one is an error.
    public static let expressionTextBytesMax = 16 * 1_024

    /// Bytes that the functions and patterns of an expression may go through for one event: some
    /// ten milliseconds. Most expressions go through less than a hundredth.
    public static let evaluationBytesMax = 2 * 1_048_576

    /// Keys and elements that all paths into one payload may pass by, for one event.
    public static let payloadStepsMax = 1_048_576

    /// Most parts of a filter, each dialect and each attribute that it names being one.
    public static let filterPartsMax = 1_024

    /// Most rules of a table; each costs every event a look.
    public static let rulesMax = 1_024

    /// Most topics that one rule looks at, and most to which it sends.
    public static let ruleTargetsMax = 64

    /// Most members among which lanes are assigned: each ranks every lane.
    public static let membersMax = 1_024

    /// How often an event may be sent on by rules: a loop ends here.
    public static let hopsMax = 8

    // MARK: Sessions

    /// Longest name of a node.
    public static let nodeNameBytesMax = 128

    /// Longest endpoint that a node tells another.
    public static let endpointBytesMax = 512

    /// Longest farewell.
    public static let goodbyeBytesMax = 512

    /// An idle session is heard from so often.
    public static let beatInterval = Duration.milliseconds(500)

    /// Beats that may be missing before a session counts as dead: 2.5 s forgive a lost packet or
    /// two and a system that is busy elsewhere.
    public static let silentBeatsMax = 5

    /// Most sessions of a node at once.
    public static let sessionsMax = 4_096

    /// Most streams that one session reads, and that one node publishes.
    public static let streamsMax = 1_024

    /// Most other nodes that a node knows.
    public static let peersMax = 1_024

    /// Most subscriptions of one node.
    public static let subscriptionsMax = 4_096

    /// Host names of peers are looked up so often.
    public static let lookupInterval = Duration.seconds(30)

    /// Those of peers that do not answer, so often: a node that comes back elsewhere, as containers
    /// do, is found within seconds.
    public static let lostLookupInterval = Duration.seconds(2)

    /// A peer that does not answer holds a new subscription up for so long, if others do.
    public static let peerPatience = Duration.seconds(2)

    /// A peer that another node has told of, or that was found by a name, is forgotten after so
    /// long without a session. An address that is configured never is.
    public static let learnedPeerPatience = Duration.seconds(30)

    /// Most channels of one publisher that a subscription follows: 3,800 streams of 17 lanes.
    public static let channelsMax = 65_536

    /// Channels of nodes out of sight of which a subscription remembers how far it had got.
    public static let resumedPositionsMax = 4_096

    /// Highest number of an event: at a billion a second it is reached after 146 years.
    public static let sequenceMax: UInt64 = 1 << 62

    /// Bytes that a stream which waits for its readers publishes beyond what the slowest of them is
    /// done with. Many frames, so that the line stays busy, and far below what would be dropped.
    public static let windowBytes = 4 * 1_048_576

    /// Frames that such a stream publishes beyond it: half of what libzmq queues for a subscriber.
    public static let windowFrames = highWaterMark / 2

    /// A reader reports at the latest when its consumers are done with so many bytes: half of what
    /// the smallest ring lets a publisher send ahead, so that it never waits for the next beat.
    public static let reportBytes = 256 * 1_024

    /// A reader that hears nothing over PUB for so long, though its session lives and lanes should
    /// beat, takes a fresh data socket: six beats, so that a busy publisher is not blamed.
    public static let dataSilence = Duration.seconds(3)

    /// The longest such time, where fresh sockets are as silent.
    public static let dataSilenceMax = Duration.seconds(10)

    /// A reader that holds such a stream up for so long no longer does.
    public static let windowPatience = Duration.seconds(1)

    /// Bytes of frames that a stream has waiting to be published before publishers wait.
    public static let publishBytes = 8 * 1_048_576

    /// Longest wait of a publisher for room.
    public static let publishTimeout = Duration.seconds(30)

    /// Bytes of sealed frames that a live stream keeps for readers that missed them.
    public static let ringBytes = 64 * 1_048_576

    /// Bytes of frames that a subscription has waiting for its consumer, for each publisher: twice
    /// what one sends ahead that waits for its readers.
    public static let bufferBytes = 8 * 1_048_576

    /// Bytes of frames that a subscription holds while holes before them are fetched, for each
    /// publisher.
    public static let heldBytes = 4 * 1_048_576

    /// Bytes of past events that are sent in one turn at most, so that replays take turns.
    public static let fetchBytes = 1_048_576

    /// Frames that are sent in one turn at most, in a few messages. A peer's queue holds a thousand
    /// messages, so that many channels may be asked for at once.
    public static let fetchFrames = 4 * messageFrames

    /// Turns that the answer to one request takes at most: while one is on its way, the next is
    /// read. A reader of one channel asks for so much, half of what it buffers.
    public static let fetchTurns = 4

    /// Bytes after which the next message of past events begins: whoever waits for them on a slow
    /// line sees within `fetchTimeout` that they come.
    public static let fetchMessageBytes = 256 * 1_024

    /// Frames that one message brings, behind a part that says what they are.
    public static let messageFrames = messagePartsMax - 1

    /// Without a session for so long, a reader no longer waits for holes to be filled.
    public static let publisherPatience = Duration.seconds(60)

    /// Longest pause before a peer is greeted again that has turned this node away.
    public static let greetingIntervalMax = Duration.seconds(5)

    /// A request that has had no answer for so long is made again.
    public static let fetchTimeout = Duration.seconds(2)

    // MARK: Messages

    /// Largest message part that a socket accepts unless told otherwise: an event of 1 MiB with
    /// the 64 KiB that a frame may add, doubled for room. libzmq's own default is no limit, with
    /// which one peer can exhaust the memory of another.
    public static let messageBytesMax = 2 * 1_048_576 + 128 * 1_024

    /// Parts of one message. A peer that sends more is broken.
    public static let messagePartsMax = 64

    /// Parts that ROUTER, REQ and REP add in front: the peer's name and a delimiter.
    public static let envelopePartsMax = 2

    /// Up to here a message is copied between libzmq and Swift, beyond it is passed by reference:
    /// below, a copy is cheaper than the bookkeeping, and a small message would keep alive the
    /// whole buffer of 8 KiB in which libzmq received it.
    public static let copiedMessageBytesMax = 2_048

    /// Small frames of a stream lie together in pieces of this size, which leave its ring together:
    /// asking the system for memory takes ten times as long as sealing a frame.
    public static let frameChunkBytes = 64 * 1_024

    /// Small messages that a loop receives lie together in chunks of this size. A consumer that
    /// keeps one of them keeps its chunk, twice what libzmq would hold for it.
    public static let messageChunkBytes = 16 * 1_024

    // MARK: Sockets

    /// Longest subscription: 4.3.4 garbles those of 246 to 255 bytes. A topic of 200 bytes with its
    /// lane fits.
    public static let subscriptionBytesMax = 245

    /// Messages that libzmq queues for a peer and from a peer, as libzmq has it: small enough to
    /// bound memory, large enough to keep the line busy with messages of 100 bytes.
    public static let highWaterMark = 1_000

    /// Pause before the first attempt to connect again.
    public static let reconnectInterval = Duration.milliseconds(100)

    /// Longest pause between attempts: a peer that comes back is found within this time.
    public static let reconnectIntervalMax = Duration.seconds(2)

    /// A connection that has not finished its handshake is dropped: 30 s, libzmq's default, lets
    /// strangers hold descriptors too cheaply.
    public static let handshakeInterval = Duration.seconds(5)

    /// The system probes a connection that has been silent for so long. ZMTP's own heartbeats are
    /// off: libzmq reads no pings while a receiver is full, and would drop the connection with all
    /// that it holds (Docs/decisions/0003).
    public static let keepAliveIdle = Duration.seconds(6)

    /// Pause between the system's probes.
    public static let keepAliveInterval = Duration.seconds(2)

    /// Probes without an answer after which a connection is given up: a host that vanishes from an
    /// idle connection is noticed within 12 s.
    public static let keepAliveProbes = 3

    /// Longest heartbeat time-to-live: 4.3.4 overflows above 65.5 s and kills connections.
    public static let heartbeatTTLMax = Duration.seconds(60)

    // MARK: Loop

    /// Messages waiting in one direction of a link, before its sender suspends or the loop stops
    /// reading the socket.
    public static let linkMessages = 4_096

    /// Bytes waiting in one direction of a link, for the same purpose: 64 frames of 128 KiB.
    public static let linkBytes = 8 * 1_048_576

    /// Messages that the loop reads from one socket before it looks at the next.
    public static let loopBatch = 256

    /// A consumer that walks through a batch lets the loop know after so many messages, and looks
    /// whether it has been cancelled: rarely enough to cost nothing.
    public static let messagesBetweenReports = 64

    /// Messages that could not be delivered and wait to be asked for; older ones are dropped and
    /// counted.
    public static let returnedMessages = 1_024

    /// Longest time for which a node's thread looks for news before it sleeps: beyond, it keeps a
    /// processor from others for nothing.
    public static let spinTimeMax = Duration.milliseconds(10)

    /// Freed memory that a process with a node keeps for each arena of glibc: what some hundred
    /// frames on their way take.
    public static let freedBytes = 16 * 1_048_576

    /// Blocks of memory from this size on are mapped each for itself, and given back when they are
    /// freed: no message is as large.
    public static let mappedBytes = 4 * 1_048_576

    /// The loop looks at every socket at least this often: libzmq releases the pipes of peers that
    /// have gone only when their socket is used.
    public static let loopIdleInterval = Duration.seconds(1)

    /// The loop's thread stores something itself while the disk synchronizes in less: as long as a
    /// few turns of a busy loop take.
    public static let errandTime = Duration.milliseconds(1)

    /// When the disk stalls all the same, another thread stands in for the loop's after so long,
    /// and after twice as long at most: a stall of this size harms nobody, and to look more often
    /// would take time from the loop.
    public static let errandPatience = Duration.milliseconds(4)

    /// The loop is watched for so long after a commit, at the price of a look in each
    /// `errandPatience`: who submits one event after another is back by then.
    public static let errandWatch = Duration.milliseconds(20)

    /// Largest request that the loop stores itself: it takes as long as a few turns of the loop.
    public static let errandBytes = 64 * 1_024

    /// Time that closing allows for what is queued to reach the network.
    public static let drainTimeout = Duration.seconds(30)

    /// Beyond that time, closing waits so long for libzmq's own threads, which are quick to end.
    public static let terminationGrace = Duration.milliseconds(500)

    /// Name lookups under way at once: each has a thread, and a resolver that hangs must not get
    /// hundreds of them.
    public static let lookupsMax = 32

    /// Events of one monitor that wait for their reader; older ones are dropped and counted.
    public static let monitorEvents = 1_024

    /// A segment of a journal is complete when it has reached this size: a second of writing on a
    /// fast disk, and small beside what is kept.
    public static let segmentBytes = 64 * 1_048_576

    /// A cursor is stored when so many events have been handled, or after a second: what follows it
    /// comes again after a crash.
    public static let cursorEvents = 1_000

    /// The second.
    public static let cursorInterval = Duration.seconds(1)

    /// Longest name of a cursor.
    public static let cursorNameBytesMax = 256

    /// Longest name of a producer.
    public static let producerNameBytesMax = 256

    /// Producers that a node remembers: each takes some hundred bytes of every segment.
    public static let producersMax = 16_384

    /// When there are so many, one that has not been heard of for so long gives way to a new one.
    public static let producerMemory = Duration.seconds(86_400)

    /// One that has never submitted anything gives way after so long.
    public static let openingMemory = Duration.seconds(60)

    /// Rows of events that one answer to a producer names; the places of others are not told.
    public static let submittedRunsMax = 4_096

    /// Rows of events of which a producer's positions are remembered, for one who asks again.
    public static let producerRunsMax = 16

    /// Bytes that a producer has on their way before it waits: enough for a slow line, and little
    /// to send again.
    public static let submissionBytes = 4 * 1_048_576

    /// Bytes of submissions that a node has waiting for its disk; others are to come again.
    public static let submissionsWaitingBytes = 16 * 1_048_576

    /// A record that was submitted may grow by so much where it is stored: numbers of kinds and
    /// times since a frame's first event are others there.
    public static let submissionMargin = 64

    /// Epochs that a channel remembers: one for each start of its node. A reader that has been away
    /// for longer is believed.
    public static let epochsMax = 256

    /// A journal looks for events that need not be kept any more so often.
    public static let retentionInterval = Duration.seconds(10)

    /// Files of complete segments that a journal keeps open.
    public static let openSegmentsMax = 64
}
