/// A row of elements that leave it at its front.
package struct Queue<Element: Sendable>: Sendable {
    /// Those that have gone left their places empty, so that what they hold is free at once.
    private var elements: [Element?] = []
    /// How many places at the front are empty; they are removed in bulk.
    private var gone = 0

    package init() {}

    package var isEmpty: Bool { gone == elements.count }

    package var count: Int { elements.count - gone }

    package var first: Element? { isEmpty ? nil : elements[gone] }

    package var last: Element? { elements.last ?? nil }

    package mutating func append(_ element: Element) { elements.append(element) }

    /// Puts an element before all others.
    package mutating func prepend(_ element: Element) {
        guard gone > 0 else { return elements.insert(element, at: 0) }
        gone -= 1
        elements[gone] = element
    }

    package mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let first = elements[gone]
        elements[gone] = nil
        gone += 1
        // Each element is moved once at most for each time that as many have gone.
        if gone == elements.count {
            elements.removeAll(keepingCapacity: gone <= 64)
            gone = 0
        } else if gone > 64, gone * 2 > elements.count {
            elements.removeFirst(gone)
            gone = 0
        }
        return first
    }

    /// Puts an element before the first for which it is so.
    package mutating func insert(_ element: Element, before isLater: (Element) -> Bool) {
        var place = elements.count
        while place > gone, elements[place - 1].map(isLater) == true { place -= 1 }
        elements.insert(element, at: place)
    }

    package mutating func removeAll() {
        elements = []
        gone = 0
    }

    package func forEach(_ body: (Element) -> Void) {
        for place in gone..<elements.count {
            if let element = elements[place] { body(element) }
        }
    }
}
