import MartletRouting
import Testing

/// The lanes of keys. The vectors are published in Docs/routing.md, for other languages.
@Suite struct PartitioningTests {
    @Test(arguments: PartitioningTests.vectors)
    func publishedVectors(vector: Vector) throws {
        for (partitions, lane) in zip([1, 16, 64, 1_024], vector.lanes) {
            #expect(try Partitioning(partitions).lane(ofKey: vector.key) == lane)
        }
    }

    @Test func eventsWithoutKeyKeepToLaneZero() throws {
        let partitioning = try Partitioning(16)
        #expect(partitioning.lane(ofKey: nil) == 0)
        #expect(partitioning.lane(of: try .sample()) == 0)
        #expect(partitioning.lane(ofKey: "") > 0)
    }

    @Test func everyLaneGetsItsShare() throws {
        let partitioning = try Partitioning(64)
        var counts = [Int](repeating: 0, count: 65)
        for number in 0..<64_000 { counts[partitioning.lane(ofKey: "customer-\(number)")] += 1 }
        #expect(counts[0] == 0)
        #expect(counts[1...].allSatisfy { (800...1_200).contains($0) })
    }

    @Test func keysAreFoundWhereTheySayTheyAre() throws {
        let event = try CloudEvent.sample(
            subject: "s-1", ["partitionkey": "c-9", "region": "eu", "shard": 7],
            data: Bytes(utf8: #"{"customer": {"id": "c-10", "number": 12}, "list": []}"#))
        let cases: [(Partitioning.KeySource, String?)] = [
            (.key, "c-9"), (.field("region"), "eu"), (.field("subject"), "s-1"),
            (.field("shard"), "7"),
            (.field("missing"), nil), (.payload("data.customer.id"), "c-10"),
            (.payload("customer.number"), "12"), (.payload("data.list"), nil),
            (.payload("data.x"), nil),
        ]
        for (source, key) in cases {
            let partitioning = try Partitioning(64, by: source)
            for found in [partitioning.key(of: event), partitioning.key(of: try event.recorded())] {
                #expect(found == key)
            }
            let lane = partitioning.lane(ofKey: key)
            #expect(partitioning.lane(of: event) == lane)
            #expect(partitioning.lane(of: try event.recorded()) == lane)
        }
    }

    struct Order { let customer: String }

    @Test func keyPathsAndClosuresServe() throws {
        let partitioning = try Partitioning(64)
        let order = Order(customer: "c-9")
        #expect(partitioning.lane(of: order, by: \.customer) == partitioning.lane(ofKey: "c-9"))
        #expect(partitioning.lane(of: order) { _ in nil } == 0)
    }

    @Test(arguments: [0, -1, 1_025]) func countsOutOfBounds(count: Int) {
        #expect(failure { _ = try Partitioning(count) }?.code == .invalidArgument)
        #expect(
            failure { _ = try Assignment(of: "orders", partitions: count, to: ["a"]) }?.code
                == .invalidArgument)
    }

    struct Vector: Sendable {
        let key: String
        /// Of 1, 16, 64 and 1,024 partitions.
        let lanes: [Int]
    }

    /// Made with the C library.
    static let vectors = [
        Vector(key: "", lanes: [1, 3, 12, 181]),
        Vector(key: "a", lanes: [1, 15, 58, 924]),
        Vector(key: "c-9", lanes: [1, 1, 3, 48]),
        Vector(key: "c-10", lanes: [1, 11, 43, 680]),
        Vector(key: "customer-42", lanes: [1, 16, 62, 977]),
        Vector(key: "sensor/eu/0007", lanes: [1, 1, 4, 50]),
        Vector(key: "0123456789abcdef", lanes: [1, 7, 26, 402]),
        Vector(key: "grün", lanes: [1, 9, 33, 528]),
        Vector(
            key: "a key that is longer than sixteen bytes, as some are", lanes: [1, 15, 59, 939]),
    ]
}

/// Who serves which lane.
@Suite struct AssignmentTests {
    static func members(_ count: Int, _ generator: inout SeededGenerator) -> [String] {
        (0..<count).map { _ in String(generator.next(), radix: 16) }
    }

    @Test func nobodyGetsMuchMoreThanTheMean() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<1_000 {
            let members = Self.members(Int.random(in: 3...60, using: &generator), &generator)
            let assignment = try Assignment(of: "orders", partitions: 64, to: members)
            let loads = members.map { assignment.lanes(of: $0).count }
            #expect(loads.reduce(0, +) == 64)
            let most = (Double(64) / Double(members.count) * 1.25).rounded(.up)
            #expect(Double(try #require(loads.max())) <= most)
        }
    }

    @Test func fewLanesMove() throws {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<1_000 {
            let ten = Self.members(10, &generator)
            let nine = Array(ten.dropLast())
            let before = try Assignment(of: "orders", partitions: 64, to: nine)
            let after = try Assignment(of: "orders", partitions: 64, to: ten)
            #expect(try AssignmentPlan(from: before, to: after).moves.count <= 14)
            let own = after.lanes(of: ten[9]).count
            #expect(try AssignmentPlan(from: after, to: before).moves.count <= own + 6)
        }
    }

    @Test func theMemberSetDecidesAlone() throws {
        var generator = SeededGenerator(seed: 3)
        let members = Self.members(7, &generator)
        let assignment = try Assignment(of: "orders", partitions: 16, to: members)
        for _ in 0..<20 {
            let shuffled = (members + members.prefix(2)).shuffled(using: &generator)
            #expect(try Assignment(of: "orders", partitions: 16, to: shuffled) == assignment)
        }
        #expect(try Assignment(of: "users", partitions: 16, to: members) != assignment)
    }

    /// Made with the C library, of eight lanes and the members a, b and c.
    static let example = [[1, 3, 7], [2, 5, 8], [4, 6]]

    @Test func publishedExample() throws {
        let assignment = try Assignment(of: "orders", partitions: 8, to: ["a", "b", "c"])
        #expect(assignment.members.map { assignment.lanes(of: $0) } == Self.example)
    }

    @Test func plansSayWhoGetsWhat() throws {
        let before = try Assignment(of: "orders", partitions: 8, to: ["a", "b", "c"])
        let after = try Assignment(of: "orders", partitions: 8, to: ["a", "b"])
        let plan = try AssignmentPlan(from: before, to: after)
        for move in plan.moves {
            #expect(before.member(for: move.lane) == move.from)
            #expect(after.member(for: move.lane) == move.to)
        }
        let moved = Set(plan.moves.map(\.lane))
        for lane in 1...8 where !moved.contains(lane) {
            #expect(before.member(for: lane) == after.member(for: lane))
        }
        #expect(moved.isSuperset(of: before.lanes(of: "c")))
        #expect(plan.description.hasSuffix("\(plan.moves.count) of 8 lanes move"))
        #expect(try AssignmentPlan(from: before, to: before).description == "nothing moves")
    }

    @Test func withoutMembersNobodyServes() throws {
        let nobody = try Assignment(of: "orders", partitions: 4, to: [])
        #expect(nobody.member(for: 1) == nil)
        let one = try Assignment(of: "orders", partitions: 4, to: ["a"])
        #expect(one.lanes(of: "a") == [1, 2, 3, 4])
        #expect(one.member(for: 0) == nil)
        #expect(one.member(for: 5) == nil)
        let plan = try AssignmentPlan(from: nobody, to: one)
        #expect(plan.moves.count == 4)
        #expect(plan.description.hasPrefix("(nobody) -> a: lanes 1 2 3 4"))
    }

    @Test func membersAreTheirBytes() throws {
        let one = try Assignment(of: "orders", partitions: 8, to: ["\u{E9}", "b"])
        let other = try Assignment(of: "orders", partitions: 8, to: ["e\u{301}", "b"])
        let own = one.lanes(of: "\u{E9}").count
        #expect(own > 0)
        #expect(try AssignmentPlan(from: one, to: other).moves.count >= own)
        #expect(one.lanesByMember.map(\.lanes) == one.members.map { one.lanes(of: $0) })
    }

    @Test func boundsAreKept() throws {
        let assignment = try Assignment(of: "orders", partitions: 4, to: ["a"])
        #expect(assignment.member(for: .min) == nil)
        #expect(assignment.member(for: .max) == nil)
        let many = (0...Limits.membersMax).map { "m\($0)" }
        #expect(
            failure { _ = try Assignment(of: "orders", partitions: 4, to: many) }?.code
                == .invalidArgument)
    }

    @Test func whatCannotBeCompared() throws {
        let one = try Assignment(of: "orders", partitions: 4, to: ["a"])
        let other = try Assignment(of: "users", partitions: 4, to: ["a"])
        let more = try Assignment(of: "orders", partitions: 5, to: ["a"])
        #expect(failure { _ = try AssignmentPlan(from: one, to: other) }?.code == .invalidArgument)
        #expect(failure { _ = try AssignmentPlan(from: one, to: more) }?.code == .invalidArgument)
        #expect(failure { _ = try Assignment(of: "orders", partitions: 4, to: ["a", ""]) } != nil)
    }
}
