import CWorkload
for _ in 0..<9 {
    let a = baseline_pair(1_000_000, 400, 100)
    let b = try martletPair(count: 1_000_000, burst: 400, size: 100)
    print(a / 1_000_000, b / 1_000_000, Double(a) / Double(b))
}
