import Foundation
import MartletEvents
import Testing

/// Codecs by content type, and those of bytes and texts.
@Suite struct CodecSetTests {
    @Test(arguments: [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("application/cloudevents+json", "application/json"), ("text/json", "application/json"),
        ("application/msgpack", "application/vnd.msgpack"),
        ("application/x-msgpack", "application/vnd.msgpack"),
        ("application/cbor", "application/cbor"), ("application/senml+cbor", "application/cbor"),
        ("text/plain", "text/plain;charset=utf-8"),
        ("application/octet-stream", "application/octet-stream"),
    ])
    func findsTheCodec(name: String, codec: String) throws {
        #expect(try CodecSet.standard.require(ContentType(name)).contentType.text == codec)
    }

    @Test func withoutAContentTypeItIsJSON() throws {
        #expect(try CodecSet.standard.require(nil).contentType == .json)
    }

    @Test func saysWhatIsMissing() throws {
        let error = #expect(throws: MartletError.self) {
            try CodecSet.standard.require("image/png")
        }
        #expect(error?.code == .notSupported)
        #expect(error?.message.contains("image/png") == true)
        var set = CodecSet.standard
        set.add(BytesCodec(contentType: "image/png"))
        #expect(try set.require("image/png").decode(Bytes.self, from: Bytes([1])) == Bytes([1]))
        #expect(CodecSet().codec(for: .json) == nil)
    }

    @Test func bytesAreTheirOwnPayload() throws {
        let codec = BytesCodec()
        #expect(try codec.encode(Bytes([1, 2])) == Bytes([1, 2]))
        #expect(try codec.encode([UInt8]([1, 2])) == Bytes([1, 2]))
        #expect(try codec.encode(Data([1, 2])) == Bytes([1, 2]))
        #expect(try codec.decode(Data.self, from: Bytes([1])) == Data([1]))
        #expect(try codec.decode([UInt8].self, from: Bytes([1])) == [1])
        #expect(throws: MartletError.self) { try codec.encode(7) }
        #expect(throws: MartletError.self) { try codec.decode(Int.self, from: Bytes([1])) }
    }

    @Test func textsAreTheirOwnPayload() throws {
        let codec = TextCodec()
        #expect(try codec.encode("é") == Bytes([0xC3, 0xA9]))
        #expect(try codec.decode(String.self, from: Bytes([0xC3, 0xA9])) == "é")
        #expect(throws: MartletError.self) { try codec.decode(String.self, from: Bytes([0xC3])) }
        #expect(throws: MartletError.self) { try codec.encode(7) }
    }

    @Test func eventsAreReadByTheirContentType() throws {
        struct Order: Event, Equatable {
            static let topic: Topic = "orders.placed"
            var id = "A-17"
        }
        var builder = FrameBuilder.sample()
        for codec in [JSONCodec(), MessagePackCodec(), CBORCodec()] as [any Codec] {
            let definition = try EventDefinition(topic: Order.topic, contentType: codec.contentType)
            try builder.add(codec.encode(Order()).array(), definition)
        }
        for event in try Frame(builder.seal()) {
            #expect(try event.decode(as: Order.self) == Order())
        }
        let definition = try EventDefinition(of: Order.self)
        #expect(
            definition.contentType == .json && definition.type == nil && definition.schema == nil)
    }

    @Test func aBufferServesAgainAndAgain() throws {
        var buffer = EncodingBuffer()
        var sizes: [Int] = []
        for count in [1, 1_000, 3] {
            buffer.removeAll()
            try JSONCodec().encode(Array(0..<count), into: &buffer)
            try JSONCodec().encode(true, into: &buffer)
            sizes.append(buffer.count)
        }
        #expect(sizes == [7, 3_895, 11])
        let bytes = buffer.bytes()
        #expect(bytes == Bytes(utf8: "[0,1,2]true"))
    }
}
