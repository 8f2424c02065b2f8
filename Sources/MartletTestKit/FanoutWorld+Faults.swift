internal import MartletDelivery

/// What goes wrong, and how it ends.
extension FanoutWorld {
    mutating func fault() {
        guard !isHealing else { return }
        schedule.plan(.fault, at: now + generator.milliseconds(100...1_500))
        let reader = generator.number(0...plan.readers - 1)
        let wound: Wound =
            switch generator.number(0...13) {
            case 0...2: .publishedCut(reader)
            case 3, 4: .toPublisherCut(reader)
            case 5, 6: .toReaderCut(reader)
            case 7...9: .readerPaused(reader)
            case 10: .publisherPaused
            case 11: .publisherDown
            case 12 where plan.isDurable: .diskFails
            default: .readerDown(reader)
            }
        guard wounds.insert(wound).inserted else { return }
        note("wound \(wound)")
        sometimes("wound: \("\(wound)".prefix { $0 != "(" })")
        // Most are short; some outlast a session.
        let time = generator.chance(oneIn: 4) ? 2_000...6_000 : 20...1_500
        schedule.plan(.heal(wound), at: now + generator.milliseconds(time))
        if wound == .publisherDown {
            publisher.lastArrival = [:]
            publisher.die(&generator)
        }
        if wound == .diskFails { publisher.failDisk(after: generator.number(0...8)) }
    }

    mutating func heal(_ wound: Wound) throws(Violation) {
        guard wounds.remove(wound) != nil else { return }
        note("heal \(wound)")
        switch wound {
        case .publisherDown:
            try publisher.restart(&generator)
            try checkStored()
        case .diskFails: publisher.failDisk(after: nil)
        case .readerDown(let reader):
            readers[reader].restart(generator.chance(oneIn: 2) ? .first : .now)
            checker.forget(reader: reader)
            schedule.plan(.connect(reader), at: now + generator.milliseconds(10...200))
        case .readerPaused(let reader):
            // In the order in which they came.
            for step in readers[reader].waiting { schedule.plan(step, at: now) }
            readers[reader].waiting = []
        case .publishedCut, .toPublisherCut, .toReaderCut, .publisherPaused: break
        }
    }
}
