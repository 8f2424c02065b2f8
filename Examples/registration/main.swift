// Somebody registers at a web site. One group of workers sends mail, another stores the user, and
// the site answers when the user is stored. Run it: swift run registration

import Martlet

struct UserRegistered: Event {
    static let topic: Topic = "users.registered"
    var name: String
    var mail: String
}

/// What the storage answers.
struct Account: Codable, Sendable {
    var number: Int
}

/// Where users are kept.
actor Users {
    private var accounts: [String: Account] = [:]

    /// The same user is the same account, also when an event comes twice.
    func store(_ user: UserRegistered) -> Account {
        let account = accounts[user.mail] ?? Account(number: accounts.count + 1)
        accounts[user.mail] = account
        return account
    }
}

/// A mail server that is not always in the mood.
actor MailServer {
    struct Busy: Error {}
    private var calls = 0

    func send(to address: String, _ text: String) throws {
        calls += 1
        if calls.isMultiple(of: 3) { throw Busy() }
        print("mail to \(address): \(text)")
    }
}

let users = Users()
let server = MailServer()

/// Mail may be sent later, and again.
let mailer = WorkerPool(
    of: UserRegistered.self, group: "mailer", width: 2,
    retry: .exponential(from: .milliseconds(50))
) { user, _ in
    guard user.mail.contains("@") else { throw Rejection("`\(user.mail)` is no address") }
    try await server.send(to: user.mail, "Welcome, \(user.name)!")
}

/// What the handler returns travels back to whoever has asked for it.
let storage = WorkerPool(of: UserRegistered.self, group: "storage", width: 2) { user, _ in
    await users.store(user)
}

try await withNode(named: "site", listening: "tcp://127.0.0.1:0") { site in
    guard let address = site.endpoint else { return }
    // Each could be a process of its own, on another machine, several times.
    let workers = [("mail-1", mailer), ("mail-2", mailer), ("storage-1", storage)].map {
        name, pool in
        Task {
            try await withNode(named: name, peers: [address]) { node in try await node.run(pool) }
        }
    }
    try await site.waitForWorkers(of: "mailer", atLeast: 2)
    try await site.waitForWorkers(of: "storage")

    let registrations = try site.publisher(of: UserRegistered.self, key: \.mail)
    for (name, mail) in [
        ("Ada", "ada@example.com"), ("Bob", "bob@example.com"), ("Cy", "no address"),
        ("Ada", "ada@example.com"),
    ] {
        let receipt = try await registrations.publish(
            UserRegistered(name: name, mail: mail), until: .handled(by: "storage"))
        let account = try receipt.outcome?.value(Account.self)
        print("\(name) has account \(account?.number ?? 0)")
    }

    while site.groups.contains(where: { $0.lag > 0 }) {
        try await Task.sleep(for: .milliseconds(5))
    }
    for letter in try await site.deadLetters() {
        print("no mail for `\(letter.key ?? "")`: \(letter.text)")
    }
    for worker in workers { worker.cancel() }
    for worker in workers { try await worker.value }
}
