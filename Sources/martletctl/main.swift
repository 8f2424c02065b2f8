import MartletCommandLine

let martletctl = Command(
    "martletctl", "looks at events, routes and lanes",
    details: [
        "Exit status: 0 done, 1 nothing found, 64 the command line is wrong, 65 what was read is "
            + "not what it should be, 66 a file cannot be read, 74 the output cannot be written."
    ],
    examples: [
        .init("martletctl match --topic 'orders.*' < events.ndjson", "Events on some topics"),
        .init("martletctl partition c-9 --of 16", "The lane of a key"),
    ],
    verbs: [MatchCommand.command, RouteCommand.command, PartitionCommand.command])

Program.main(martletctl, version: "0.1.0")
