import Martlet
import MartletCommandLine

let martletctl = Command(
    "martletctl", "looks at events, nodes, groups, journals, routes and lanes",
    details: [
        "The nodes to talk to may be named in the environment, MARTLET_NODE_PEER, or in the file "
            + "of settings that MARTLET_CONFIG names.",
        "Exit status: 0 done, 1 nothing found or something lost, 64 the command line is wrong, 65 "
            + "what was read is not what it should be, 66 a file cannot be read, 69 a node cannot "
            + "be had, 74 the output cannot be written.",
    ],
    examples: [
        .init("martletctl tail 'orders.>'", "Events as they are published"),
        .init(
            "martletctl submit --producer import-7 --resume orders.ndjson",
            "Events for a node's disk, each once"),
        .init("martletctl groups", "Who works for a node, and how far they are"),
        .init("martletctl match --topic 'orders.*' < events.ndjson", "Events on some topics"),
        .init("martletctl partition c-9 --of 16", "The lane of a key"),
    ],
    verbs: [
        TailCommand.command, TopCommand.command, NodesCommand.command, PublishCommand.command,
        SubmitCommand.command, MatchCommand.command, RouteCommand.command, PartitionCommand.command,
        ReplayCommand.command, JournalCommand.command, GroupsCommand.command,
        LettersCommand.command, DrainCommand.command, DoctorCommand.command,
        HealthCommand.command,
    ])

Program.main(martletctl, version: NodeReport.currentVersion)
