public import MartletCommandLine

extension Settings {
    /// Prints all settings of a program, each with where it comes from.
    public static func report(_ arguments: Arguments) throws(CommandFailure) {
        var table = TextTable(["SETTING", "VALUE", "FROM"])
        for option in arguments.options {
            guard let key = option.key, key != "streams", key != "limits" else { continue }
            let values = arguments.located(option.name)
            for value in values {
                let text = key == "routes" && value.origin.kind == .file ? "rules" : value.text
                table.add([key, text, value.origin.text])
            }
            if values.isEmpty { table.add([key, option.isFlag ? "false" : "-", "default"]) }
        }
        if arguments.options.contains(where: { $0.key == "streams" }) {
            let streams = try StreamSettings(arguments)
            for name in streams.names {
                for (setting, standard) in StreamSettings.standards {
                    let value = streams.value(setting, of: name)
                    let text = value?.text ?? standard
                    table.add([
                        "streams.\(name).\(setting)", text.isEmpty ? "-" : text,
                        value?.origin.text ?? "default",
                    ])
                }
            }
        }
        if arguments.options.contains(where: { $0.key == "limits" }) {
            let limits = try LimitSettings(arguments)
            for limit in LimitSettings.all {
                let value = limits.value(limit.name)
                table.add([
                    "limits.\(limit.name)", value?.text ?? DurationText.text(limit.standard),
                    value?.origin.text ?? "default",
                ])
            }
        }
        for line in table.lines { Output.standard.lines(ofOthers: line) }
    }
}
