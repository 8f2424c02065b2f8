import Martlet
import MartletCommandLine
import MartletTools

let publisher = Command(
    "martlet-publisher", "publishes events from lines, a socket or a generator",
    details: [
        "It listens for subscribers and publishes what its source gives: lines of standard input "
            + "unless another source is named. A line is an event in the JSON format of "
            + "CloudEvents; with --topic it is the payload of an event on that topic. Events go to "
            + "the stream that is the first token of their topic.",
        "When the source ends, or on SIGTERM or SIGINT, subscribers are given time to get what was "
            + "published; a second signal ends it at once. Try `martletctl tail '>'` beside it.",
        "Generators: orders (orders.created, orders.shipped, orders.delivered, with a key), "
            + "registrations (users.registered) and sensors (sensors.SITE.temperature).",
        "With --pull, a message of one part is an event in the JSON format of CloudEvents, and one "
            + "of two parts is a topic and a payload in JSON.",
        "With --journal and --durable the events of some streams are on disk before anybody gets "
            + "them, and readers that come later, or were away, get all of them from there. Others "
            + "may submit events to these streams, as `martletctl submit` does, unless "
            + "--no-producers is given. Look at a journal with `martletctl journal info DIR` when "
            + "the publisher is stopped.",
        "Exit status: 0 done, 64 the command line is wrong, 65 something was no event and was left "
            + "out, 66 a file cannot be read, 69 the node cannot start.",
    ],
    options: [
        NodeOptions.listen, NodeOptions.advertise, NodeOptions.name, NodeOptions.stream,
        NodeOptions.peer, NodeOptions.journal, NodeOptions.durable,
        .flag("no-producers", nil, "Take no events from producers elsewhere."),
        .flag("no-commands", nil, "Tell others nothing, and do nothing that they want."),
        .flag("stay", nil, "When all is published, stay for workers and readers until SIGTERM."),
        .flag("idle", nil, "Publish nothing itself: for events that others submit."),
        .value("file", "FILE", nil, "Publish the lines of this file."),
        .flag("follow", "f", "Go on with what is added to the file, as tail -F does."),
        .value("generate", "KIND", "g", "Publish made-up orders, registrations or sensors."),
        .value("rate", "N", "r", "So many made-up events a second, or max; 10 without it."),
        .value("count", "N", "n", "Publish so many events, then end."),
        .value("seed", "N", nil, "Make up the events of this seed; 1 without it."),
        .value("pull", "ENDPOINT", nil, "Bind a PULL socket and publish what it gets."),
        .value("topic", "TOPIC", "t", "Lines are payloads of events on this topic."),
        EventKeys.option,
        .value("wait-for", "N", "w", "Begin when so many nodes subscribe."),
        .flag("quiet", "q", "Show no progress."),
    ],
    examples: [
        .init("martlet-publisher --generate orders --rate 1000", "A thousand orders a second"),
        .init(
            "martlet-publisher -g orders --journal shop.journal --durable orders",
            "Orders that outlive the program"),
        .init("martlet-publisher --topic logs.app --file app.log -f", "Follow a log of JSON lines"),
        .init("martlet-publisher --pull tcp://*:5560", "For ZeroMQ programs in any language"),
    ]
) { (arguments) throws(CommandFailure) in
    try PublisherProgram(arguments).run()
}

Program.main(publisher, version: NodeReport.currentVersion)
