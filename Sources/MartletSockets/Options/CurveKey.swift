import CZeroMQ
public import MartletCore

/// The public half of a CURVE pair: 32 bytes, written as 40 characters of Z85.
public struct CurvePublicKey: Sendable, Hashable, CustomStringConvertible {
    /// The key as 40 characters.
    public let text: String

    /// Reads a key from its 40 characters.
    ///
    /// C: `zmq_z85_decode`
    public init(_ text: String) throws(MartletError) {
        self.text = try CurveKeyText.validated(text, "public")
    }

    fileprivate init(valid text: String) { self.text = text }

    /// A key from its 32 bytes, as ZAP has them.
    ///
    /// C: `zmq_z85_encode`
    public init(_ bytes: Bytes) throws(MartletError) {
        guard bytes.count == Int(ZEROMQ_KEY_BYTES) else {
            throw MartletError(
                .invalidArgument, "A CURVE key has 32 bytes, and this has \(bytes.count).")
        }
        var characters = [CChar](repeating: 0, count: Int(ZEROMQ_KEY_CHARACTERS) + 1)
        let result = unsafe zeromq_z85_encode(&characters, bytes.array(), bytes.count)
        guard result == 0 else { throw MartletError.socket(result, "zmq_z85_encode") }
        text = CurveKeyText.string(characters)
    }

    /// The key's 32 bytes.
    public var bytes: Bytes { CurveKeyText.bytes(text) }

    /// The key as 40 characters: it is public.
    public var description: String { text }
}

/// The secret half of a CURVE pair. It describes itself without showing what it is.
public struct CurveSecretKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let text: String

    /// Reads a key from its 40 characters.
    ///
    /// C: `zmq_z85_decode`
    public init(_ text: String) throws(MartletError) {
        self.text = try CurveKeyText.validated(text, "secret")
    }

    fileprivate init(valid text: String) { self.text = text }

    /// The public key that belongs to it.
    ///
    /// C: `zmq_curve_public`
    public func publicKey() throws(MartletError) -> CurvePublicKey {
        var characters = [CChar](repeating: 0, count: Int(ZEROMQ_KEY_CHARACTERS) + 1)
        let result = unsafe zeromq_curve_public(&characters, text)
        guard result == 0 else { throw MartletError.socket(result, "zmq_curve_public") }
        return CurvePublicKey(valid: CurveKeyText.string(characters))
    }

    /// Runs `body` with the 40 characters, to store them where only you can read them.
    public func withSecretText<Result>(_ body: (String) throws -> Result) rethrows -> Result {
        try body(text)
    }

    /// Nothing of the key.
    public var description: String { "CurveSecretKey(hidden)" }

    /// Nothing of the key.
    public var debugDescription: String { description }

    /// Nothing of the key.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A pair of CURVE keys: who a socket is.
public struct CurveKeyPair: Sendable {
    /// What others know it by.
    public let publicKey: CurvePublicKey

    /// What only it knows.
    public let secretKey: CurveSecretKey

    /// A new pair.
    ///
    /// C: `zmq_curve_keypair`
    public init() throws(MartletError) {
        var publicCharacters = [CChar](repeating: 0, count: Int(ZEROMQ_KEY_CHARACTERS) + 1)
        var secretCharacters = publicCharacters
        let result = unsafe zeromq_curve_keypair(&publicCharacters, &secretCharacters)
        guard result == 0 else { throw MartletError.socket(result, "zmq_curve_keypair") }
        publicKey = CurvePublicKey(valid: CurveKeyText.string(publicCharacters))
        secretKey = CurveSecretKey(valid: CurveKeyText.string(secretCharacters))
    }

    /// The pair of a secret key.
    public init(_ secretKey: CurveSecretKey) throws(MartletError) {
        self.secretKey = secretKey
        publicKey = try secretKey.publicKey()
    }
}

/// The 40 characters of a key.
private enum CurveKeyText {
    static func validated(_ text: String, _ kind: String) throws(MartletError) -> String {
        var bytes = [UInt8](repeating: 0, count: Int(ZEROMQ_KEY_BYTES))
        // The length first: the decoder writes four bytes for every five characters it is given.
        guard text.utf8.count == Int(ZEROMQ_KEY_CHARACTERS),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            unsafe zeromq_z85_decode(&bytes, text) == 0
        else {
            throw MartletError(
                .invalidArgument,
                "A \(kind) CURVE key is 40 characters of Z85. This text has \(text.count), or "
                    + "contains others; copy the key again, without spaces or line ends.")
        }
        return text
    }

    static func string(_ characters: [CChar]) -> String {
        String(
            decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func bytes(_ text: String) -> Bytes {
        var bytes = [UInt8](repeating: 0, count: Int(ZEROMQ_KEY_BYTES))
        _ = unsafe zeromq_z85_decode(&bytes, text)
        return Bytes(bytes)
    }
}
