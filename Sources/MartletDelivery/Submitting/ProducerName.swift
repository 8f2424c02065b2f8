/// What a producer may be called: its name stands in the source of its events, which is a URI
/// reference.
package enum ProducerName {
    private static let others = Set("._~/:@-".utf8)

    package static func isAllowed(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= Limits.producerNameBytesMax
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || others.contains(byte)
            }
    }

    package static func check(_ name: String) throws(MartletError) {
        guard isAllowed(name) else {
            throw MartletError(
                .invalidArgument,
                "A producer's name has 1 to \(Limits.producerNameBytesMax) letters of English, "
                    + "digits and . _ ~ / : @ - , and no others.")
        }
    }
}
