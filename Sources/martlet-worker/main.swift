import Martlet
import MartletCommandLine
import MartletTools

let worker = Command(
    "martlet-worker", "works for a group: each event goes to one of its workers",
    details: [
        "Start as many as you like, on any machines, with the same --group, --topic and options of "
            + "the group (--filter, --from, --unkeyed, --attempts, --revision). Events of one key "
            + "come one after the other; what fails is tried again, and set aside after its last "
            + "attempt as an event of martlet.deadletters.",
        "With --exec, a command is run by the shell for each event, which gets the event in the "
            + "JSON format of CloudEvents on standard input, and MARTLET_TOPIC, MARTLET_ID, "
            + "MARTLET_KEY, MARTLET_ATTEMPT, MARTLET_REPEAT and MARTLET_FENCE in its environment. "
            + "Exit status 0 acknowledges the event, 75 asks for another attempt, any other sets "
            + "it aside. A command that takes too long is killed, which is a failure.",
        "With --persistent, the command is started once for each of --width, and goes on running. "
            + "It gets a line of JSON for each event, with the attributes attempt, repeat and "
            + "fence, and answers with a line: ack, retry or reject, and why if it likes.",
        "SIGTERM and SIGINT give back what is not begun and wait for the rest; a second signal "
            + "ends the program at once, and others get what it had.",
        "Settings may stand in a file, --config martlet.json, which describes any number of "
            + "groups, and in the environment, as MARTLET_GROUP, MARTLET_GROUP_WIDTH or "
            + "MARTLET_NODE_PEER; --check shows what comes of them.",
        "Exit status: 0 done, 64 the command line or a setting is wrong, 69 the node cannot start "
            + "or a publisher refuses the group.",
    ],
    options: [
        NodeOptions.usualPeer, NodeOptions.name("worker"), NodeOptions.limit,
    ] + WorkerOptions.all + [Settings.config, Settings.check],
    examples: [
        .init(
            "martlet-worker -g mailer -t users.registered --exec ./send-mail",
            "Run a command for each registration"),
        .init(
            "martlet-worker -g mailer -t users.registered --exec ./mailer --persistent -w 2",
            "Two commands that run on"),
        .init("martlet-worker -g audit -t 'orders.>' --append audit.ndjson", "Keep a file"),
        .init(
            "martlet-worker -g demo -t 'orders.>' --print --fail-rate 0.2 --delay 50",
            "See how failures come again"),
        .init("martlet-worker --config martlet.json -g mailer", "A group that a file describes"),
    ]
) { (arguments) throws(CommandFailure) in
    guard !arguments.flag("check") else {
        for arguments in try Settings.layeredByGroup(arguments) {
            _ = try WorkerProgram(arguments)
            try Settings.report(arguments)
        }
        return .success
    }
    return try WorkerProgram(Settings.layered(arguments)).run()
}

Program.main(worker, version: NodeReport.currentVersion)
