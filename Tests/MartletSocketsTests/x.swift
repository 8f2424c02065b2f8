import MartletCore
import Testing

@Test func sizes() { #expect(Bytes([1, 2, 3]).count == 3) }
