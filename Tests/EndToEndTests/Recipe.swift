import FoundationEssentials
import Subprocess
import SystemPackage
import Testing

/// The configurations of `deploy` that are given to other programs.
enum Recipe {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "deploy")

    /// Copies one, with what differs between sites replaced; each text must be there once.
    static func copy(_ name: String, to path: String, replacing texts: [(String, String)] = []) throws {
        var recipe = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        for (text, replacement) in texts {
            let parts = recipe.split(separator: text, omittingEmptySubsequences: false)
            try #require(parts.count == 2, "\(name) must name \(text) once")
            recipe = parts.joined(separator: replacement)
        }
        try Data(recipe.utf8).write(to: URL(filePath: path))
    }

    /// A program that Debian keeps where not everyone looks.
    static func program(_ name: String) -> Executable {
        let path = "/usr/sbin/\(name)"
        return FileManager.default.fileExists(atPath: path) ? .path(FilePath(path)) : .name(name)
    }
}
