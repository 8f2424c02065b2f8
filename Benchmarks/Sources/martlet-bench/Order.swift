import MartletEvents

/// What the codecs are measured on.
struct Order: Codable, Equatable {
    struct Item: Codable, Equatable {
        var sku: String
        var quantity: Int
        var price: Double
    }

    var id: String
    var customer: String
    var total: Double
    var items: [Item]

    static let sample = Order(
        id: "order-000017", customer: "customer-42", total: 124.9,
        items: [
            Item(sku: "sku-1001", quantity: 2, price: 19.95),
            Item(sku: "sku-2002", quantity: 1, price: 5.5),
            Item(sku: "sku-3003", quantity: 7, price: 11.36),
        ])
}

extension Order: DirectlyCodable {
    func write(to writer: ValueWriter) throws {
        try writer.map {
            try writer.field("id", id)
            try writer.field("customer", customer)
            try writer.field("total", total)
            try writer.field("items", items)
        }
    }

    init(from reader: ValueReader) throws {
        var id: String?
        var customer: String?
        var total: Double?
        var items: [Item]?
        try reader.map { field in
            switch field {
            case "id": id = try reader.string()
            case "customer": customer = try reader.string()
            case "total": total = try reader.double()
            case "items": items = try reader.array(of: Item.self)
            default: break
            }
        }
        self.id = try reader.require(id, "id")
        self.customer = try reader.require(customer, "customer")
        self.total = try reader.require(total, "total")
        self.items = try reader.require(items, "items")
    }
}

extension Order.Item: DirectlyCodable {
    func write(to writer: ValueWriter) throws {
        try writer.map {
            try writer.field("sku", sku)
            try writer.field("quantity", quantity)
            try writer.field("price", price)
        }
    }

    init(from reader: ValueReader) throws {
        var sku: String?
        var quantity: Int?
        var price: Double?
        try reader.map { field in
            switch field {
            case "sku": sku = try reader.string()
            case "quantity": quantity = try reader.integer()
            case "price": price = try reader.double()
            default: break
            }
        }
        self.sku = try reader.require(sku, "sku")
        self.quantity = try reader.require(quantity, "quantity")
        self.price = try reader.require(price, "price")
    }
}
