extension Filter {
    /// Why the event passes or does not, in words, with the values that decided.
    public func explain(_ event: RecordedEvent) -> String {
        var payload = PayloadCache()
        return reason(for: event, &payload)
    }

    /// Why the event passes or does not, in words, with the values that decided.
    public func explain(_ event: CloudEvent) -> String {
        var payload = PayloadCache()
        return reason(for: event, &payload)
    }

    func reason(for source: some FieldSource, _ payload: inout PayloadCache) -> String {
        switch kind {
        case .texts(let dialect, let texts): return reason(dialect, texts, source)
        case .all(let filters):
            for filter in filters where !filter.holds(for: source, &payload) {
                return filter.reason(for: source, &payload)
            }
            return filters.map { $0.reason(for: source, &payload) }.joined(separator: "; ")
        case .any(let filters):
            for filter in filters where filter.holds(for: source, &payload) {
                return filter.reason(for: source, &payload)
            }
            return filters.map { $0.reason(for: source, &payload) }.joined(separator: "; ")
        case .not(let filter):
            let reason = filter.reason(for: source, &payload)
            return filter.holds(for: source, &payload)
                ? "what must not hold does: \(reason)" : "as it must not hold: \(reason)"
        case .sql(let expression): return expression.reason(for: source, &payload)
        }
    }

    private func reason(
        _ dialect: Dialect, _ texts: [FieldText], _ source: some FieldSource
    ) -> String {
        for text in texts where !text.isHeld(by: source, dialect) {
            guard let value = source.text(of: text.field) else {
                return "the event has no `\(text.field)`"
            }
            return "`\(text.field)` is `\(value.shortened)`, which \(dialect.denial) "
                + "`\(text.text)`"
        }
        return texts.map { "`\($0.field)` \(dialect.verb) `\($0.text)`" }
            .joined(separator: "; ")
    }
}

extension Filter.Dialect {
    fileprivate var verb: String {
        switch self {
        case .exact: "is"
        case .prefix: "begins with"
        case .suffix: "ends with"
        }
    }

    fileprivate var denial: String {
        switch self {
        case .exact: "is not"
        case .prefix: "does not begin with"
        case .suffix: "does not end with"
        }
    }
}

extension Expression {
    /// Why the expression is true or not: of conditions with AND between them the first that does
    /// not hold, with the values that it looked at.
    func reason(for source: some FieldSource, _ payload: inout PayloadCache) -> String {
        let evaluation = evaluation(of: source, &payload)
        if let error = evaluation.error { return "`\(text)` fails: \(error.message)" }
        let node = failingCondition(for: source, payload) ?? program.root
        let values = values(below: node, of: source, payload)
        let verdict = node == program.root ? evaluation.value.description : "false"
        return "`\(part(node))` is \(verdict)"
            + (values.isEmpty ? "" : ": " + values.joined(separator: ", "))
    }

    /// The first of the conditions with AND between them that is false.
    private func failingCondition(
        for source: some FieldSource, _ payload: PayloadCache
    ) -> Int32? {
        let root = program.nodes[Int(program.root)]
        guard root.kind == .chain else { return nil }
        let links = root.links.map { program.links[Int($0)] }
        guard links.allSatisfy({ $0.operation == .and }) else { return nil }
        var evaluator = Evaluator(program, source, payload)
        for node in [root.index] + links.map(\.operand) {
            let value = try? evaluator.value(of: node)
            if case .boolean(false)? = value { return node }
        }
        return nil
    }

    /// The fields and payload paths that a part names, each once, with what they are.
    private func values(
        below node: Int32, of source: some FieldSource, _ payload: PayloadCache
    ) -> [String] {
        let place = program.places[Int(node)]
        var evaluator = Evaluator(program, source, payload)
        var found: [String] = []
        for (other, part) in program.nodes.enumerated()
        where part.kind == .field || part.kind == .payload {
            guard place.contains(program.places[other].lowerBound),
                let value = try? evaluator.value(of: Int32(other))
            else { continue }
            let text = "`\(self.part(Int32(other)))` is `\(source.text(of: value).shortened)`"
            if !found.contains(text) { found.append(text) }
        }
        return found
    }
}

extension String {
    /// The text, cut where it is long.
    fileprivate var shortened: String {
        unicodeScalars.count > 60 ? String(unicodeScalars.prefix(60)) + "…" : self
    }
}
