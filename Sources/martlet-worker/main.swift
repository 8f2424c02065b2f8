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
        "Exit status: 0 done, 64 the command line is wrong, 69 the node cannot start or a "
            + "publisher refuses the group.",
    ],
    options: [
        NodeOptions.peer, NodeOptions.name,
        .value("group", "NAME", "g", "The group to work for."),
        .values("topic", "PATTERN", "t", "The topics of its events, as orders.placed or orders.>."),
        .values("filter", "EXPRESSION", nil, "Only events for which this is so."),
        .value("from", "START", nil, "Where a new group begins: first (without it) or now."),
        .flag("unkeyed", nil, "The group does not mind the order of keys."),
        .value("attempts", "N", nil, "So often an event is tried; 8 without it."),
        .value("back-off", "MS", nil, "Up to here waits the first retry, in ms; 500 without it."),
        .flag("park", nil, "After the last attempt, set aside what follows of its key, too."),
        .value("revision", "N", nil, "Raise it when the group is to be another; 1 without it."),
        .value("width", "N", "w", "So many events at once; 8 without it."),
        .value("time-limit", "SECONDS", nil, "An event may take so long; 300 without it."),
        .value("exec", "COMMAND", "e", "Run a command for each event."),
        .flag("persistent", nil, "Let the command run on, and give it events as lines."),
        .flag("print", nil, "Print a line for each event."),
        .value("append", "FILE", nil, "Append each event to a file, as a line of JSON."),
        .flag("count", nil, "Only count events."),
        .value("fail-rate", "SHARE", nil, "Let so many attempts fail, 0.1 being a tenth."),
        .value("delay", "MS", nil, "Take so long for each event, in ms."),
        .value("reject", "EXPRESSION", nil, "Set events aside for which this is so."),
        .value("crash", "EXPRESSION", nil, "End at once on such an event, as if killed by it."),
        .flag("quiet", "q", "Say nothing but what went wrong."),
    ],
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
    ]
) { (arguments) throws(CommandFailure) in
    try WorkerProgram(arguments).run()
}

Program.main(worker, version: NodeReport.currentVersion)
