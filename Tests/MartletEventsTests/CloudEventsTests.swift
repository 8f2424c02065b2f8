import Foundation
import MartletEvents
import Testing

/// CloudEvents 1.0 in its JSON format and as headers.
@Suite struct CloudEventsTests {
    private func read(_ text: String) throws -> CloudEvent {
        try Bytes(utf8: text).withBytes { (span) throws(MartletError) in
            try CloudEventsJSON.decode(from: span)
        }
    }

    private func written(_ event: CloudEvent) throws -> String {
        String(decoding: try CloudEventsJSON.encode(event).array(), as: UTF8.self)
    }

    /// The example of the specification.
    static let example = """
        {
            "specversion" : "1.0",
            "type" : "com.github.pull_request.opened",
            "source" : "https://github.com/cloudevents/spec/pull",
            "subject" : "123",
            "id" : "A234-1234-1234",
            "time" : "2018-04-05T17:31:00Z",
            "comexampleextension1" : "value",
            "comexampleothervalue" : 5,
            "datacontenttype" : "text/xml",
            "data" : "<much wow=\\"xml\\"/>"
        }
        """

    @Test func readsTheExample() throws {
        let event = try read(Self.example)
        #expect(event.type == "com.github.pull_request.opened")
        #expect(
            event.eventID
                == EventID(source: "https://github.com/cloudevents/spec/pull", id: "A234-1234-1234")
        )
        #expect(event.attributes.subject == "123")
        #expect(event.time?.description == "2018-04-05T17:31:00Z")
        #expect(event.attributes["comexampleextension1"] == "value")
        #expect(event.attributes["comexampleothervalue"] == 5)
        #expect(event.contentType?.text == "text/xml")
        #expect(event.data == Bytes(utf8: #"<much wow="xml"/>"#))
        #expect(try read(written(event)) == event)
    }

    @Test(arguments: [
        (#""data":{"a":[1,"x"]}"#, #"{"a":[1,"x"]}"#), (#""data": [ 1 , 2 ] "#, "[ 1 , 2 ]"),
        (#""data":"text""#, #""text""#), (#""data":"a\"]}b","x":1"#, #""a\"]}b""#),
        (#""data":42,"x":1"#, "42"), (#""data":-1.5e3 "#, "-1.5e3"), (#""data":true"#, "true"),
        (#""data_base64":"AQID""#, "\u{1}\u{2}\u{3}"),
        (#""datacontenttype":"application/json","data":{"k":{}}"#, #"{"k":{}}"#),
        (#""datacontenttype":"application/x+json","data":"s""#, #""s""#),
        (#""datacontenttype":"text/plain","data":"s\n""#, "s\n"),
        (#""datacontenttype":"application/xml","data":{"k":1}"#, #"{"k":1}"#),
    ])
    func dataIsWhatItsContentTypeSays(member: String, data: String) throws {
        let event = try read(#"{"specversion":"1.0","id":"1","source":"s","type":"t",\#(member)}"#)
        #expect(event.data == Bytes(utf8: data))
        #expect(try read(written(event)).data == event.data)
    }

    @Test func dataThatIsAbsentStaysAbsent() throws {
        let event = try read(
            #"{"specversion":"1.0","id":"1","source":"s","type":"t","data":null,"x":null}"#)
        #expect(event.data == nil && event.attributes.isEmpty)
        #expect(try written(event) == #"{"specversion":"1.0","id":"1","source":"s","type":"t"}"#)
    }

    @Test func bytesBecomeBase64AndJSONStaysJSON() throws {
        func event(_ type: ContentType?, _ data: [UInt8]) throws -> String {
            try written(
                CloudEvent(id: "1", source: "s", type: "t", contentType: type, data: Bytes(data)))
        }
        #expect(try event(.cbor, [1, 2]).contains(#""data_base64":"AQI=""#))
        #expect(try event(.json, Array(#"{"a": 1}"#.utf8)).contains(#""data":{"a": 1}"#))
        #expect(try event(.text, Array("é\"".utf8)).contains(#""data":"é\"""#))
        #expect(try event(.text, [0xFF]).contains(#""data_base64":"/w==""#))
        #expect(try event(nil, [0xFF]).contains(#""data_base64":"/w==""#))
        let error = #expect(throws: MartletError.self) { try event(.json, Array("{".utf8)) }
        #expect(error?.code == .notEncodable)
    }

    @Test(arguments: [
        "", "[]", "7", "{}", #"{"specversion":"1.0"}"#,
        #"{"specversion":"0.3","id":"1","source":"s","type":"t"}"#,
        #"{"specversion":1.0,"id":"1","source":"s","type":"t"}"#,
        #"{"id":"1","source":"s","type":"t"}"#,
        #"{"specversion":"1.0","id":"","source":"s","type":"t"}"#,
        #"{"specversion":"1.0","id":1,"source":"s","type":"t"}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","id":"1"}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","time":"today"}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","Upper":"x"}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","x":1.5}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","x":2147483648}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","x":{}}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","x":"a\u0001"}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","data":1,"data_base64":"AQ=="}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"??"}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"json"}"#,
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","partitionkey":""}"#,
    ])
    func whatIsNoEventIsRefused(text: String) {
        #expect(throws: MartletError.self) { try read(text) }
    }

    @Test func batchesGoBothWays() throws {
        let events = try (0..<3).map { number in
            try CloudEvent(
                id: "\(number)", source: "s", type: "t", contentType: .json,
                data: Bytes(utf8: "\(number)"))
        }
        for count in 0...3 {
            var buffer = EncodingBuffer()
            try CloudEventsJSON.encode(batch: events.prefix(count), into: &buffer)
            let read = try buffer.withBytes { (span) throws(MartletError) in
                try CloudEventsJSON.decodeBatch(from: span)
            }
            #expect(read == Array(events.prefix(count)))
        }
    }

    /// Any event in a frame becomes a CloudEvent and comes back with the same identity and content.
    @Test(arguments: GoldenFrame.allCases)
    func recordedEventsCrossAndComeBack(golden: GoldenFrame) throws {
        for event in try Frame(Bytes(golden.bytes())) {
            let cloud = try event.cloudEvent()
            #expect(try read(written(cloud)).eventID == event.eventID)
            var builder = FrameBuilder.sample(nextSequence: 1)
            _ = try builder.append(read(written(cloud)), at: .earliest)
            let again = try Frame(builder.seal())[0]
            #expect(again.eventID == event.eventID)
            #expect(
                again.topic == event.topic && again.type == event.type && again.key == event.key)
            #expect(again.time == event.time && again.payload == event.payload)
            #expect(again.schema == event.schema && again.contentType == event.contentType)
            #expect(again.attributes.subject == event.attributes.subject)
            for (name, value) in event.attributes.extensions {
                #expect(again.attributes[name]?.canonicalText == value.canonicalText)
            }
            #expect(
                again.attributes[.sequence]?.canonicalText == "000000000000000000\(event.sequence)")
            #expect(again.attributes[.topic] == nil)
        }
    }

    @Test func headersGoBothWays() throws {
        let event = try CloudEvent(
            id: "1", source: "/s", type: "t", time: .sample, contentType: .cbor, schema: "urn:x",
            attributes: EventAttributes(
                subject: "é \"50%\" ☂", ["n": 7, "b": true, "partitionkey": "k"]),
            data: Bytes([1]))
        let headers = CloudEventHeaders.headers(of: event)
        #expect(headers.contains { $0 == ("ce-subject", "%C3%A9%20%2250%25%22%20%E2%98%82") })
        #expect(headers.last.map { $0 == ("content-type", "application/cbor") } == true)
        let back = try CloudEventHeaders.event(
            headers: headers.map { (name: $0.name.uppercased(), value: $0.value) }, data: event.data
        )
        #expect(
            back.eventID == event.eventID && back.attributes.subject == event.attributes.subject)
        #expect(back.attributes["n"] == "7" && back.attributes["b"] == "true" && back.key == "k")
        #expect(back.time == event.time && back.schema == event.schema && back.data == event.data)
        let odd = [
            ("ce-specversion", "1.0"), ("ce-id", #""a \"b\" %zz%4""#), ("ce-source", "s"),
            ("ce-type", "t"), ("x", "y"),
        ]
        #expect(
            try CloudEventHeaders.event(headers: odd.map { (name: $0.0, value: $0.1) }, data: nil)
                .id == #"a "b" %zz%4"#)
        for missing in 0..<4 {
            var some = odd
            some.remove(at: missing)
            #expect(throws: MartletError.self) {
                try CloudEventHeaders.event(
                    headers: some.map { (name: $0.0, value: $0.1) }, data: nil)
            }
        }
    }
}
