//! Every limit of the edge, by name. All values are our own unless a source is named.

use std::time::Duration;

/// What a peer may take before and while it is served.
///
/// The defaults fit a public listener; a test shrinks what it wants to hit.
#[derive(Clone, Debug)]
pub struct EdgeLimits {
    /// Connections of all peers together; one more is closed at once.
    pub connections: usize,
    /// Connections of one source: an IPv4 address, or a /64 of IPv6.
    pub connections_per_source: usize,
    /// From accepting the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the first moment that a request is awaited to the end of its header section
    /// (HTTP/1.1). Also how long an HTTP/1.1 connection may be idle: what comes first ends it.
    pub header_read: Duration,
    /// How long a connection without a request in flight is kept.
    pub idle: Duration,
    /// Bytes of a header section, and of the HTTP/1.1 read buffer.
    pub header_bytes: u32,
    /// Header fields of an HTTP/1.1 request.
    pub header_fields: usize,
    /// Bytes of a request target; one more is answered with 414.
    pub target_bytes: usize,
    /// Concurrent streams of an HTTP/2 connection.
    pub streams: u32,
    /// Streams that a peer has reset before they were accepted (CVE-2023-44487).
    pub pending_reset_streams: usize,
    /// Streams that were reset here because the peer broke the protocol.
    pub local_reset_streams: usize,
    /// Requests of a connection that its peer called off before the answer; one more ends the
    /// connection when it also called off more than it let be answered (CVE-2023-44487).
    pub cancelled_requests: u64,
    /// Flow control window of an HTTP/2 stream in bytes.
    pub stream_window: u32,
    /// Flow control window of an HTTP/2 connection in bytes.
    pub connection_window: u32,
    /// Bytes that wait to be sent on an HTTP/2 stream.
    pub send_buffer: usize,
    /// Interval of HTTP/2 pings that find a dead peer.
    pub ping_interval: Duration,
    /// How long an HTTP/2 ping may stay unanswered.
    pub ping_timeout: Duration,
    /// Longest silence within a request body.
    pub body_silence: Duration,
    /// Least bytes of a request body in each [`Self::body_window`] spent waiting for them.
    pub body_bytes_per_window: u64,
    /// Time spent waiting for the peer after which the rate of a request body is judged.
    pub body_window: Duration,
    /// How long a peer may take no byte of a response that is ready.
    pub write_stall: Duration,
    /// Bytes of a request body that are thrown away after the answer, so that the peer gets to read
    /// it (HTTP/1.1).
    pub linger_bytes: usize,
    /// How long they are thrown away.
    pub linger: Duration,
    /// How long a connection that was asked to end may take to do so.
    pub close: Duration,
    /// How long requests in flight may take after shutdown was asked for.
    pub drain: Duration,
}

impl Default for EdgeLimits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            connections_per_source: 1_024,
            handshake: Duration::from_secs(5),
            header_read: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            header_bytes: 32 * 1024,
            header_fields: 64,
            target_bytes: 8 * 1024,
            streams: 128,
            pending_reset_streams: 20,
            local_reset_streams: 64,
            cancelled_requests: 100,
            stream_window: 256 * 1024,
            connection_window: 1024 * 1024,
            send_buffer: 256 * 1024,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
            body_silence: Duration::from_secs(10),
            body_bytes_per_window: 4 * 1024,
            body_window: Duration::from_secs(10),
            write_stall: Duration::from_secs(20),
            linger_bytes: 16 * 1024 * 1024,
            linger: Duration::from_secs(2),
            close: Duration::from_secs(5),
            drain: Duration::from_secs(15),
        }
    }
}

impl EdgeLimits {
    /// How often a connection is looked at: fine enough for the shortest of its limits.
    pub(super) fn watch_interval(&self) -> Duration {
        let shortest = self.idle.min(self.write_stall).min(self.close);
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}
