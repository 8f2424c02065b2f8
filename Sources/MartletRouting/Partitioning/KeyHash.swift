/// What stands for a key where only equality matters: XXH3-64 of its UTF-8. Two keys with one hash,
/// of which there is one pair in ten billion keys, wait for each other and nothing worse.
package enum KeyHash {
    /// That of this key.
    package static func of(_ key: String) -> UInt64 {
        var key = key
        return key.withUTF8 { bytes in unsafe Hash.xxh3(bytes.span) }
    }

    /// That of an event's key; nil if it has none.
    package static func of(_ event: RecordedEvent) -> UInt64? {
        event.keyPlace.map { place in
            event.frame.bytes.withBytes { span in
                unsafe span.extracting(place).withUnsafeBytes { bytes in
                    unsafe Hash.xxh3(bytes.bindMemory(to: UInt8.self).span)
                }
            }
        }
    }
}
