/// A plot of points and lines over two logarithmic axes, as a picture in SVG.
struct Plot {
    /// What belongs together.
    struct Line {
        let name: String
        let points: [(x: Double, y: Double)]
        /// What was expected, in the place of what came out.
        var isExpected = false
    }

    let title: String
    let xTitle: String
    let lines: [Line]

    private static let (width, height) = (800.0, 400.0)
    private static let (left, right, top, bottom) = (70.0, 200.0, 40.0, 50.0)
    private static let colours = ["#1b6ca8", "#c8553d", "#4f772d", "#7b2d8b"]

    private var points: [(x: Double, y: Double)] { lines.flatMap(\.points).filter { $0.y > 0 } }

    /// The picture.
    var svg: String {
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Plot.text(Plot.width)) "
                + "\(Plot.text(Plot.height))\" font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
            label(title, Plot.width / 2, 22, "middle", size: 15),
            label(xTitle, Plot.width / 2, Plot.height - 12, "middle"),
        ]
        parts += grid
        for (number, line) in lines.enumerated() { parts += drawn(line, number) }
        return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    // MARK: Axes

    /// The powers of ten around all values.
    private func powers(_ values: [Double]) -> ClosedRange<Int> {
        let low = Plot.power(values.min() ?? 1)
        let high = Plot.power((values.max() ?? 10) / 1.0001)
        return low...max(low + 1, high + 1)
    }

    private var xPowers: ClosedRange<Int> { powers(points.map(\.x)) }
    private var yPowers: ClosedRange<Int> { powers(points.map(\.y)) }

    private func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
        let (xs, ys) = (xPowers, yPowers)
        let x = (Plot.logarithm(point.x) - Double(xs.lowerBound)) / Double(xs.count - 1)
        let y = (Plot.logarithm(point.y) - Double(ys.lowerBound)) / Double(ys.count - 1)
        return (
            Plot.left + x * (Plot.width - Plot.left - Plot.right),
            Plot.height - Plot.bottom - y * (Plot.height - Plot.top - Plot.bottom)
        )
    }

    private var grid: [String] {
        let (xs, ys) = (xPowers, yPowers)
        var parts: [String] = []
        for power in xs {
            let x = place((Plot.value(power), Plot.value(ys.lowerBound))).x
            parts.append(stroke((x, Plot.top), (x, Plot.height - Plot.bottom), "#ddd"))
            parts.append(label(Plot.name(power), x, Plot.height - Plot.bottom + 18, "middle"))
        }
        for power in ys {
            let y = place((Plot.value(xs.lowerBound), Plot.value(power))).y
            parts.append(stroke((Plot.left, y), (Plot.width - Plot.right, y), "#ddd"))
            parts.append(label(Plot.name(power), Plot.left - 8, y + 4, "end"))
        }
        return parts
    }

    // MARK: Lines

    private func drawn(_ line: Line, _ number: Int) -> [String] {
        // What was expected follows what came out, in its colour.
        let place = lines[...number].count { !$0.isExpected } - 1
        let colour = Plot.colours[max(place, 0) % Plot.colours.count]
        let places = line.points.filter { $0.y > 0 }.map(self.place)
        let path = places.map { "\(Plot.text($0.x)),\(Plot.text($0.y))" }.joined(separator: " ")
        let dash = line.isExpected ? " stroke-dasharray=\"5 4\"" : ""
        var parts = [
            "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" "
                + "stroke-width=\"1.5\"\(dash)/>"
        ]
        if !line.isExpected {
            parts += places.map {
                "<circle cx=\"\(Plot.text($0.x))\" cy=\"\(Plot.text($0.y))\" r=\"3\" "
                    + "fill=\"\(colour)\"/>"
            }
        }
        let (x, y) = (Plot.width - Plot.right + 12, Plot.top + 12 + Double(number) * 18)
        parts.append(
            "<line x1=\"\(Plot.text(x))\" y1=\"\(Plot.text(y - 4))\" "
                + "x2=\"\(Plot.text(x + 24))\" y2=\"\(Plot.text(y - 4))\" "
                + "stroke=\"\(colour)\" stroke-width=\"1.5\"\(dash)/>")
        parts.append(label(line.name, x + 30, y, "start"))
        return parts
    }

    private func stroke(
        _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), _ colour: String
    ) -> String {
        "<line x1=\"\(Plot.text(from.x))\" y1=\"\(Plot.text(from.y))\" x2=\"\(Plot.text(to.x))\" "
            + "y2=\"\(Plot.text(to.y))\" stroke=\"\(colour)\"/>"
    }

    private func label(
        _ text: String, _ x: Double, _ y: Double, _ anchor: String, size: Int = 12
    ) -> String {
        "<text x=\"\(Plot.text(x))\" y=\"\(Plot.text(y))\" text-anchor=\"\(anchor)\" "
            + "font-size=\"\(size)\">\(text)</text>"
    }

    // MARK: Numbers

    /// With one digit behind the point, so that pictures are the same wherever they are made.
    private static func text(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths.isMultiple(of: 10) ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
    }

    private static func value(_ power: Int) -> Double {
        (0..<abs(power)).reduce(1.0) { value, _ in power < 0 ? value / 10 : value * 10 }
    }

    private static func name(_ power: Int) -> String {
        switch power {
        case ..<0: "\(value(power))"
        case 0...2: "\(Int(value(power)))"
        case 3...5: "\(Int(value(power - 3))) k"
        default: "\(Int(value(power - 6))) M"
        }
    }

    /// The largest power of ten that is not larger.
    private static func power(_ value: Double) -> Int {
        var power = 0
        while Plot.value(power + 1) <= value { power += 1 }
        while Plot.value(power) > value { power -= 1 }
        return power
    }

    /// To the base of ten, by halving: there is no other in the standard library.
    private static func logarithm(_ value: Double) -> Double {
        var result = Double(power(value))
        var rest = value / Plot.value(power(value))
        var digit = 0.5
        for _ in 0..<20 {
            rest *= rest
            if rest >= 10 {
                rest /= 10
                result += digit
            }
            digit /= 2
        }
        return result
    }
}
