import FoundationEssentials
import NIOCore

/// The processors this process may run on.
package enum Processors {
    /// At least 1: no more than the affinity mask names, than the control group allows, or than are there.
    package static var available: Int {
        let status = try? Data(contentsOf: URL(filePath: "/proc/self/status"))
        let affinity = status.flatMap { affinityCount(status: String(decoding: $0, as: UTF8.self)) }
        return max(1, min(System.coreCount, affinity ?? System.coreCount))
    }

    /// How many processors `Cpus_allowed`, a mask in hexadecimal with commas, names (`proc_pid_status(5)`).
    package static func affinityCount(status: String) -> Int? {
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") }) else {
            return nil
        }
        let mask = line.dropFirst("Cpus_allowed:".count).filter { !$0.isWhitespace && $0 != "," }
        let count = mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return count > 0 ? count : nil
    }
}
