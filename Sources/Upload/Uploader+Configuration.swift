extension Uploader {
    package struct Configuration: Sendable {
        /// How long name look-up, TCP and TLS may take together.
        package var connectTimeout: Duration = .seconds(3)
        /// How long after an object's last byte the answer may come.
        package var responseTimeout: Duration = .seconds(5)
        /// How long a connection may take no byte while there are some to send.
        package var progressTimeout: Duration = .seconds(10)
        /// How long a whole object is retried.
        package var wholeLifetime: Duration = .seconds(30)
        /// The longest wait before the first retry, doubled by each further failure.
        package var firstRetryDelay: Duration = .milliseconds(100)
        package var longestRetryDelay: Duration = .seconds(2)
        /// Requests in flight at one destination, at least 1.
        package var connectionsLimit = 1_024
        /// Objects in flight and waiting at one destination, at least 1; what does not fit is dropped and counted.
        package var transfersLimit = 4_096
        /// Bytes of one growing body, at least 1; a longer one is abandoned.
        package var bodyBytesLimit = 256 << 20

        package init() {}
    }
}
