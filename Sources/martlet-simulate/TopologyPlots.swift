import MartletCommandLine

struct TopologyPlots {
    init(_ rows: [TopologyRow]) {}
    func write(to folder: String) throws(CommandFailure) {}
}
