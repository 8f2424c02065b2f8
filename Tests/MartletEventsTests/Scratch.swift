import Foundation
import MartletEvents
import Testing

struct Item: Codable, Equatable { var sku: String; var count: Int; var price: Double }
struct Order: Codable, Equatable { var id: String; var customer: String; var total: Double; var items: [Item] }

@Test func scratch() throws {
    let order = Order(id: "A-17", customer: "c-9\n", total: 12.34, items: [Item(sku: "x", count: 3, price: 1e100), Item(sku: "äö", count: -7, price: 0.1 + 0.2)])
    for codec in [JSONCodec(), MessagePackCodec(), CBORCodec(), CBORCodec(deterministic: true)] as [any Codec] {
        let bytes = try codec.encode(order)
        print(codec.contentType, bytes.count, String(decoding: bytes.array(), as: UTF8.self))
        #expect(try codec.decode(Order.self, from: bytes) == order)
    }
    do { _ = try JSONCodec().decode(Order.self, from: Bytes(utf8: #"{"id":"1","customer":"c","total":1,"items":[{"sku":"a","count":1.5,"price":1}]}"#)) } catch { print(error) }
}
