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
        "Settings may stand in a file, --config martlet.json, and in the environment, as "
            + "MARTLET_NODE_LISTEN or MARTLET_SOURCE_RATE; --check shows what comes of them. With "
            + "routes, rules say on which topics events of lines and of --pull are published.",
        "Exit status: 0 done, 64 the command line or a setting is wrong, 65 something was no event "
            + "and was left out, 66 a file cannot be read, 69 the node cannot start.",
    ],
    options: [
        NodeOptions.usualListen, NodeOptions.advertise, NodeOptions.name("publisher"),
        NodeOptions.stream, NodeOptions.peer, NodeOptions.journal, NodeOptions.durable,
        NodeOptions.noProducers, NodeOptions.noCommands, NodeOptions.limit,
    ] + PublisherOptions.all + [Settings.config, Settings.check],
    examples: [
        .init("martlet-publisher --generate orders --rate 1000", "A thousand orders a second"),
        .init(
            "martlet-publisher -g orders --journal shop.journal --durable orders",
            "Orders that outlive the program"),
        .init("martlet-publisher --topic logs.app --file app.log -f", "Follow a log of JSON lines"),
        .init("martlet-publisher --pull tcp://*:5560", "For ZeroMQ programs in any language"),
        .init("martlet-publisher --config martlet.json --check", "Is the file in order?"),
    ]
) { (arguments) throws(CommandFailure) in
    let arguments = try Settings.layered(arguments)
    let program = try PublisherProgram(arguments)
    guard !arguments.flag("check") else {
        try Settings.report(arguments)
        return .success
    }
    return try program.run()
}

Program.main(publisher, version: NodeReport.currentVersion)
