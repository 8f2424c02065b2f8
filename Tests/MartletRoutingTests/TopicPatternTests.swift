import Testing

@testable import MartletRouting

/// Patterns of topics, as NATS has them.
@Suite struct TopicPatternTests {
    @Test(arguments: [
        ("orders", "orders", true), ("orders", "order", false), ("orders", "orders.placed", false),
        ("orders.placed", "orders.placed", true), ("orders.placed", "orders.Placed", false),
        ("orders.placed", "orders", false), ("*", "orders", true), ("*", "orders.placed", false),
        (">", "orders", true), (">", "orders.placed.eu", true), ("orders.*", "orders", false),
        ("orders.*", "orders.placed", true), ("orders.*", "orders.placed.eu", false),
        ("orders.>", "orders", false), ("orders.>", "orders.placed", true),
        ("orders.>", "orders.placed.eu", true), ("orders.>", "order.placed", false),
        ("*.placed", "orders.placed", true), ("*.placed", "placed", false),
        ("*.*", "a.b", true), ("*.*", "a", false), ("*.*", "a.b.c", false), ("*.>", "a", false),
        ("*.>", "a.b", true), ("*.>", "a.b.c.d", true), ("a.*.c", "a.b.c", true),
        ("a.*.c", "a.c", false), ("a.*.c", "a.b.d", false), ("a.*.>", "a.b", false),
        ("a.*.>", "a.b.c", true), ("*.b.*", "a.b.c", true), ("a.b.>", "a.b", false),
        ("é", "e\u{301}", false), ("e\u{301}.*", "e\u{301}.x", true),
    ])
    func means(pattern: String, topic: String, isMeant: Bool) throws {
        let pattern = try TopicPattern(pattern)
        let topic = try Topic(topic)
        #expect(pattern.matches(topic) == isMeant)
        var matcher = TopicMatcher<Int>()
        matcher.add(pattern, 1)
        #expect(matcher.matches(topic) == (isMeant ? [1] : []))
        #expect(matcher.hasMatch(topic) == isMeant)
    }

    @Test(arguments: [
        "", ".", "a.", ".a", "a..b", "..", "*.", ".*", ">.", ".>", ">.a", "a.>.b", ">.>", "a b",
        " a",
        "a\t", "a.\u{7F}", "a*", "*a", "a.b*", "**", ">>", "a>", "*>", "a.*b.c", "a\u{0}", "a\n",
        String(repeating: "a", count: 201), Array(repeating: "a", count: 17).joined(separator: "."),
    ])
    func isNoPattern(text: String) {
        #expect(failure { _ = try TopicPattern(text) }?.code == .invalidTopic)
    }

    @Test(arguments: [
        ("orders.eu.*", "orders.eu.", "orders"), ("orders.>", "orders.", "orders"),
        ("orders", "orders", "orders"), ("*.a", "", nil), (">", "", nil), ("a.*.b", "a.", "a"),
        ("*", "", nil),
        ("orders.\u{301}x", "orders.\u{301}x", "orders"), ("a.>", "a.", "a"),
    ])
    func literalPrefixesAndStreams(text: String, prefix: String, stream: String?) throws {
        let pattern = try TopicPattern(text)
        #expect(pattern.literalPrefix == prefix)
        #expect(pattern.stream?.text == stream)
        #expect(pattern.isLiteral == (prefix == text))
    }

    @Test func theLargestPatternsAreAllowed() throws {
        _ = try TopicPattern(String(repeating: "a", count: 200))
        let tokens = Array(repeating: "*", count: 15).joined(separator: ".")
        #expect(
            try TopicPattern(tokens + ".>").matches(Topic(tokens.replacing("*", with: "a") + ".b")))
    }
}

/// The tree against a list that is gone through, under additions and removals.
@Suite struct TopicMatcherTests {
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func agreesWithAList(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let tokens = ["a", "b", "c", "dd", "é", "e\u{301}"]
        var matcher = TopicMatcher<Int>()
        var list: [(entry: TopicMatcher<Int>.Entry, pattern: TopicPattern, value: Int)] = []
        for value in 0..<600 {
            let count = Int.random(in: 1...5, using: &generator)
            let words = (0..<count).map { place in
                let dice = Int.random(in: 0..<10, using: &generator)
                return dice == 0 && place == count - 1
                    ? ">"
                    : dice < 4
                        ? "*"
                        : tokens[Int.random(in: 0..<tokens.count, using: &generator)]
            }
            let pattern = try TopicPattern(words.joined(separator: "."))
            list.append((matcher.add(pattern, value), pattern, value))
            if value % 3 == 2 {
                let gone = list.remove(at: Int.random(in: 0..<list.count, using: &generator))
                #expect(matcher.remove(gone.entry) == gone.value)
                #expect(matcher.remove(gone.entry) == nil)
            }
            let topic = try Topic(
                (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                    tokens[Int.random(in: 0..<tokens.count, using: &generator)]
                }.joined(separator: "."))
            let expected = list.filter { $0.pattern.matches(topic) }.map(\.value)
            #expect(matcher.matches(topic) == expected)
            #expect(matcher.hasMatch(topic) == !expected.isEmpty)
            var seen: [Int] = []
            matcher.forEachMatch(topic) { seen.append($0) }
            #expect(seen.sorted() == expected)
        }
        #expect(matcher.count == list.count)
        for one in list.shuffled(using: &generator) { matcher.remove(one.entry) }
        #expect(matcher.count == 0)
        #expect(!matcher.hasMatch("a"))
    }

    @Test func aCopyIsASnapshot() {
        var matcher = TopicMatcher<String>()
        let first = matcher.add("orders.*", "first")
        let copy = matcher
        matcher.remove(first)
        matcher.add("orders.>", "second")
        #expect(copy.matches("orders.placed") == ["first"])
        #expect(matcher.matches("orders.placed") == ["second"])
    }

    @Test func anEntryOfAPatternThatHasGoneRemovesNoOther() {
        var matcher = TopicMatcher<Int>()
        let first = matcher.add("a.b", 1)
        matcher.remove(first)
        matcher.add("c.d", 2)
        #expect(matcher.remove(first) == nil)
        #expect(matcher.matches("c.d") == [2])
    }

    @Test func manyOfOnePatternGoOneByOne() {
        var matcher = TopicMatcher<Int>()
        let entries = (0..<20_000).map { matcher.add("orders.>", $0) }
        for entry in entries.shuffled() { matcher.remove(entry) }
        #expect(matcher.count == 0)
        #expect(!matcher.hasMatch("orders.placed"))
    }

    @Test func tokensOfOneHashAreToldApart() {
        var table = TokenTable()
        let names = ["a", "b", "c", "d"].map { Array($0.utf8) }
        func use(_ name: [UInt8]) -> Int32 { table.use(name.span, 7) }
        func number(_ name: [UInt8]) -> Int32? { table.number(of: name.span, 7) }
        let numbers = names.map(use)
        #expect(Set(numbers).count == 4)
        let again = use(names[1])
        #expect(again == numbers[1])
        #expect(names.map(number) == numbers)
        table.release(numbers[2])
        #expect(names.map(number) == [numbers[0], numbers[1], nil, numbers[3]])
        table.release(numbers[3])
        table.release(numbers[1])
        #expect(names.map(number) == [numbers[0], numbers[1], nil, nil])
        table.release(numbers[1])
        #expect(names.map(number) == [numbers[0], nil, nil, nil])
        let reused = use(names[3])
        #expect(reused == numbers[1])
        #expect(names.map(number) == [numbers[0], nil, nil, reused])
    }

    @Test func tokensOfRemovedPatternsAreForgotten() throws {
        var matcher = TopicMatcher<Int>()
        for round in 0..<100 {
            let entries = try (0..<50).map {
                matcher.add(try TopicPattern("t\(round)x\($0).b"), $0)
            }
            #expect(matcher.matches(try Topic("t\(round)x7.b")) == [7])
            for entry in entries { matcher.remove(entry) }
        }
        #expect(matcher.nodeCount <= 101)
    }
}
