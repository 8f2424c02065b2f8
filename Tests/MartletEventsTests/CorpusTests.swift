import Foundation
import FuzzTargets
import MartletEvents
import Testing

/// The inputs that fuzzing started from and those that it broke something with, every one again,
/// and each with every bit flipped and cut at every length.
@Suite struct CorpusTests {
    @Test(arguments: FuzzTarget.allCases)
    func everyInputIsReadOrRefused(target: FuzzTarget) throws {
        let folder = Files.root.appendingPathComponent("Fuzz/Corpus/\(target.rawValue)")
        let files = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        #expect(files.count > 2)
        for file in files {
            let bytes = try Array(Data(contentsOf: file))
            target.feed(Bytes(bytes))
            for count in 0..<bytes.count { target.feed(Bytes(Array(bytes.prefix(count)))) }
            for bit in 0..<min(bytes.count, 200) * 8 {
                var flipped = bytes
                flipped[bit / 8] ^= 1 << (bit % 8)
                target.feed(Bytes(flipped))
            }
        }
    }
}
