internal import MartletSockets

/// What a producer has submitted is stored by the loop's thread.
struct StoringErrand: LoopErrand {
    let writer: StorageWriter

    func run() { writer.runErrand() }
}
