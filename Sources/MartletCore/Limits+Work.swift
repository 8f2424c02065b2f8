/// Limits of groups of workers and of those who give them work.
extension Limits {
    /// Longest name of a group.
    public static let groupNameBytesMax = 128

    /// Groups that a node knows: each has a ledger for every channel.
    public static let groupsMax = 256

    /// Topics or patterns of a group.
    public static let topicsOfGroupMax = 64

    /// The filter of a group, as JSON.
    public static let filterBytesMax = 16 * 1_024

    /// What a worker says of its group.
    public static let definitionBytesMax = 32 * 1_024

    /// How often an event is tried unless a group says otherwise: with the usual waits, for two
    /// minutes on average.
    public static let attempts = 8

    /// Most attempts: beyond, an event fails for good and nobody says so.
    public static let attemptsMax = 100

    /// A failed event waits for so long at least.
    public static let backOffFloor = Duration.milliseconds(50)

    /// What a worker holds counts as its own for so long after the receipt of its last beat.
    public static let lease = Duration.seconds(8)

    /// A worker begins nothing more when its last beat that came back is older. The rest of the
    /// lease is for what it has just begun, and for clocks that run apart.
    public static let ownLease = Duration.seconds(6)

    /// Events before so many more may be given to workers once a commit says so.
    public static let leaseStride: UInt64 = 4_096

    /// Most events that a worker holds of one publisher.
    public static let workEventsMax = 16_384

    /// Most bytes that it does.
    public static let workBytesMax = 8 * 1_048_576

    /// Events of one channel that a dispatcher passes over while their keys are blocked. Then the
    /// channel stands still.
    public static let passedOverMax = 100_000

    /// Bytes of events of one channel that a dispatcher holds for its workers, beyond which it
    /// reads no further.
    public static let workLaneBytesMax = 16 * 1_048_576

    /// Events that a pool handles at once: each takes a task.
    public static let poolWidthMax = 4_096

    /// A handler that takes longer is cancelled.
    public static let handlerTime = Duration.seconds(300)

    /// Events that a runner takes together, if their handlers are quick.
    public static let batchEvents = 512

    /// How long a runner should have for what it takes together.
    public static let batchTime = Duration.microseconds(200)

    /// Losses that a ledger names; older ones are counted.
    public static let lossesMax = 64

    /// Keys that are parked in a channel, for a group: each is in its ledger. With more, nothing of
    /// the channel goes out until some go on.
    public static let parkedKeysMax = 4_096

    /// Events of a channel that were set aside and are tried again at once, for a group: each is in
    /// its ledger.
    public static let reopenedMax = 4_096

    /// So many if nothing else of the channel is tried again: a parked key goes on as a whole.
    public static let reopenedKeyMax = 65_536

    /// What a node is asked, or told to do: the word for it.
    public static let verbBytesMax = 64

    /// What belongs to that, in JSON.
    public static let inquiryBytesMax = 2 * 1_048_576

    /// A part of the answer.
    public static let answerBytesMax = 2 * 1_048_576

    /// Parts are made about so large.
    public static let answerPartBytes = 64 * 1_024

    /// Ranges and events of a ledger that a node names to others; it counts all.
    public static let reportedRangesMax = 1_000

    /// Questions that a node works on at once; more are turned away.
    public static let inquiriesMax = 16

    /// Dead letters that wait for room in memory, where there is no journal. The ledgers count the
    /// others.
    public static let lettersWaitingMax = 65_536

    /// Events of producers of which somebody waits to hear what groups make of them; others ask
    /// again.
    public static let awaitingMax = 65_536

    /// Outcomes that a node remembers, should one have been lost on its way.
    public static let outcomesMax = 4_096

    /// Why an event failed, as a worker says it.
    public static let reasonBytesMax = 1_024

    /// What a handler returns, as it travels back.
    public static let outcomeBytesMax = 64 * 1_024

    /// Results that have not been confirmed for so long are sent again.
    public static let resultTimeout = Duration.seconds(2)

    /// Outcomes of events by which a group is judged to fail as a whole.
    public static let breakerEvents = 50

    /// A group without workers for so long loses what streams in memory hold for it.
    public static let abandonedPatience = Duration.seconds(60)

    /// Attempts of an event that are remembered with what they said.
    public static let historyAttempts = 8

    /// Events of a group of which attempts are remembered so.
    public static let historyEvents = 10_000

    /// A message of results is so large at most, but for one result that is larger.
    public static let resultsBytes = 128 * 1_024

    /// A group that fails as a whole tries one event so often.
    public static let probeInterval = Duration.seconds(1)
}
