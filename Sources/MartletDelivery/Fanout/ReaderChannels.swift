/// The channels that a subscription follows, each with a number, which its requests have.
struct ReaderChannels {
    private struct Slot {
        let place: ChannelPlace
        var channel: SubscriberChannel?
    }

    /// In the order in which they came, each for as long as the subscription lasts.
    private var slots: [Slot] = []
    private var numbers: [ChannelPlace: Int] = [:]
    /// Those that are followed, in the order of their places.
    private(set) var order: [Int] = []
    /// Where the last frame was of, as the next one often is.
    private var recent = 0

    /// How many have had a number.
    var count: Int { slots.count }

    /// Where the channel is.
    func place(_ number: Int) -> ChannelPlace { slots[number].place }

    /// The number of a channel that is followed.
    mutating func number(of place: ChannelPlace) -> Int? {
        if recent < slots.count, slots[recent].place == place {
            return slots[recent].channel == nil ? nil : recent
        }
        guard let number = numbers[place], slots[number].channel != nil else { return nil }
        recent = number
        return number
    }

    /// Follows a channel, which `make` makes for its number.
    mutating func follow(_ place: ChannelPlace, _ make: (Int) -> SubscriberChannel) -> Int {
        let number = numbers[place] ?? slots.count
        if number == slots.count {
            slots.append(Slot(place: place, channel: nil))
            numbers[place] = number
        }
        slots[number].channel = make(number)
        order.insert(number, at: rank(of: place))
        return number
    }

    /// How many that are followed come before a place.
    private func rank(of place: ChannelPlace) -> Int {
        // A WELCOME names them in their order.
        guard let last = order.last, place < slots[last].place else { return order.count }
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if slots[order[middle]].place < place { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Follows none of them any more. Their numbers stay.
    mutating func removeAll() {
        for number in slots.indices { slots[number].channel = nil }
        order = []
    }

    /// A channel that is followed; nil if it is not.
    subscript(number: Int) -> SubscriberChannel? { slots[number].channel }

    /// Does something with a channel where it lies, if it is followed.
    @inline(__always)
    mutating func update<Result>(
        _ number: Int, _ body: (inout SubscriberChannel) -> Result
    ) -> Result? {
        slots[number].channel?.apply(body)
    }

    /// What holds for all that are followed.
    func reduce<Result>(
        _ initial: Result, _ add: (Result, borrowing SubscriberChannel) -> Result
    ) -> Result {
        var result = initial
        for slot in slots {
            if let channel = slot.channel { result = add(result, channel) }
        }
        return result
    }
}

extension SubscriberChannel {
    /// Optional chaining leads to a value in its place, and this does anything there.
    @inline(__always)
    fileprivate mutating func apply<Result>(_ body: (inout Self) -> Result) -> Result {
        body(&self)
    }
}
