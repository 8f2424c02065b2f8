// Samples of README.md and Docs/events.md. Run it: swift run Events

import MartletEvents

try frames()
try identity()
try coding()
try directly()
try crossing()

// begin event
struct OrderPlaced: Event {
    static let topic: Topic = "orders.placed"
    var id: String
    var customer: String
    var cents: Int
}
// end event

func frames() throws {
    // begin write
    let channel = Channel(node: .random(), stream: "orders", lane: 1)
    var builder = FrameBuilder(channel: channel, epoch: Epoch(start: 1, random: 0x5EED))
    let kind = try EventDefinition(of: OrderPlaced.self)
    let codec = try CodecSet.standard.require(kind.contentType)

    let order = OrderPlaced(id: "A-17", customer: "c-9", cents: 4_200)
    let sequence = try builder.append(
        order, with: codec, of: kind, at: now(), key: order.customer)
    // end write
    print("number \(sequence ?? 0)")

    // begin read
    let frame = try Frame(builder.seal())
    for event in frame {
        let order = try event.decode(as: OrderPlaced.self)
        print(event.topic, event.position, event.key ?? "-", order.cents)
    }
    // end read
}

func identity() throws {
    // begin attributes
    let attributes = try EventAttributes(
        subject: "A-17", ["correlationid": "checkout-8", "priority": 2, "urgent": true])
    print(attributes.correlationID ?? "-", attributes["priority"] ?? 0)
    // end attributes
}

func coding() throws {
    // begin codec
    let order = OrderPlaced(id: "A-17", customer: "c-9", cents: 4_200)
    for codec in [JSONCodec(), MessagePackCodec(), CBORCodec()] as [any Codec] {
        let bytes = try codec.encode(order)
        let again = try codec.decode(OrderPlaced.self, from: bytes)
        print(codec.contentType, bytes.count, again.cents)
    }
    // end codec

    // begin error
    do {
        let text = #"{"id":"A-17","customer":"c-9","cents":"many"}"#
        _ = try JSONCodec().decode(OrderPlaced.self, from: Bytes(utf8: text))
    } catch {
        let failure = error.cause as? CodingFailure
        print(failure?.path ?? "", failure?.byteOffset ?? 0, failure?.reason ?? "")
    }
    // end error
}

// begin direct
extension OrderPlaced: DirectlyCodable {
    func write(to writer: ValueWriter) throws {
        try writer.map {
            try writer.field("id", id)
            try writer.field("customer", customer)
            try writer.field("cents", cents)
        }
    }

    init(from reader: ValueReader) throws {
        var id: String?
        var customer: String?
        var cents: Int?
        try reader.map { field in
            switch field {
            case "id": id = try reader.string()
            case "customer": customer = try reader.string()
            case "cents": cents = try reader.integer()
            default: break
            }
        }
        self.id = try reader.require(id, "id")
        self.customer = try reader.require(customer, "customer")
        self.cents = try reader.require(cents, "cents")
    }
}
// end direct

func directly() throws {
    let order = OrderPlaced(id: "A-17", customer: "c-9", cents: 4_200)
    let bytes = try JSONCodec().encode(directly: order)
    print(try JSONCodec().decode(directly: OrderPlaced.self, from: bytes).customer)
}

func crossing() throws {
    // begin cloudevent
    let event = try CloudEvent(
        id: "A-17", source: "/checkout", type: "orders.placed", time: now(),
        contentType: .json, attributes: EventAttributes(["partitionkey": "c-9"]),
        data: Bytes(utf8: #"{"cents":4200}"#))
    let json = try CloudEventsJSON.encode(event)
    print(String(decoding: json.array(), as: UTF8.self))
    for (name, value) in CloudEventHeaders.headers(of: event) { print("\(name): \(value)") }
    // end cloudevent
}

/// A fixed moment, so that the output is the same at every run.
func now() -> Timestamp { Timestamp("2026-11-24T08:30:00Z") ?? .latest }
