extension AsyncStream where Element: Sendable {
    struct Missing: Error {}

    /// Returns when so many elements have come that are as wanted.
    func wait(for count: Int = 1, where isWanted: @escaping @Sendable (Element) -> Bool = { _ in true }) async throws {
        try await withDeadline(.seconds(30), or: Missing()) {
            var missing = count
            for await element in self where isWanted(element) {
                missing -= 1
                if missing == 0 { return }
            }
            throw Missing()
        }
    }
}

extension AsyncStream where Element: Hashable & Sendable {
    /// Returns when so many different elements have come.
    func wait(forDifferent count: Int) async throws {
        try await withDeadline(.seconds(30), or: Missing()) {
            var seen: Set<Element> = []
            for await element in self {
                seen.insert(element)
                if seen.count == count { return }
            }
            throw Missing()
        }
    }
}
