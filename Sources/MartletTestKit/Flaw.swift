/// A bug that is planted on purpose, to see that the checker finds it.
public enum Flaw: String, Sendable, CaseIterable {
    /// Frames of an answer begin one too late.
    case answersSkipAFrame
    /// No beats are published: the loss of the last frame is never noticed.
    case noTailBeat
    /// An event is handed out twice.
    case deliversTwice
    /// A frame counts as delivered and never arrives.
    case cursorBeforeDelivery
    /// Two frames change places on their way to the consumer.
    case deliversOutOfOrder
    /// A gap is known and not reported.
    case gapNotReported
    /// A publisher that starts anew keeps its epoch.
    case epochNotRaised
    /// A request behind a history that has ended is answered from the new one.
    case truncatedAnsweredFromNewHistory
    /// Expired events are answered as if there had been none.
    case expiredAnsweredAsDone
    /// Everything behind the end is called expired, whether it is kept or not.
    case everythingExpires
    /// Readers of all that is kept are given only what comes.
    case firstMeansNow
    /// A reader does not ask again when its session has come back.
    case noRequestAfterReattach
    /// The ring keeps everything.
    case ringWithoutBound
    /// Events are published before they are stored.
    case publishesBeforeCommit
    /// What is to be synchronized is not.
    case neverSynchronizes
    /// A publisher that starts anew with its journal does not raise the epoch there.
    case epochNotStored
    /// The first frame behind the start does not arrive.
    case forgetsTheFirst
    /// What a producer has submitted is not stored together with its events.
    case producersNotStored
    /// Producers are told before the commit that their events are stored.
    case answersBeforeCommit
    /// A producer that was replaced may go on.
    case replacedGoesOn
    /// What follows a hole in what a producer submits is appended all the same.
    case appendsBehindHoles
    /// A producer that starts anew begins with an event too many.
    case numbersSkipOne
    /// After a restart events are given out that workers may still have.
    case leasesUnclaimedEarly
    /// After a restart a group goes on with what was never given out, and not with what was never
    /// settled.
    case leasesFromLeasedThrough
    /// Failed attempts are forgotten with a restart.
    case attemptsInMemory
    /// What follows a failed event of its key is begun all the same.
    case followersGoOn
    /// Events that have failed are given back as if they had not been begun.
    case failuresVanish
    /// Workers are told that results are settled before they are on disk.
    case settlesBeforeCommit
    /// Which keys are parked is forgotten with a restart.
    case parksInMemory
    /// Which events are tried again is forgotten with a restart.
    case reopensInMemory
    /// A parked key goes on before what was set aside of it is tried again.
    case releasesEarly
    /// A handler goes on with events that others have been given since it was held up.
    case keepsItsRest
}
