//! Counters and times for the operator (IMP-42). Labels are functions, operations, statuses and
//! other closed words: never an identifier, an address or a path.

use std::sync::OnceLock;
use std::time::Duration;

use ::metrics::{counter, gauge, histogram, set_global_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Bounds of the time histogram, in seconds. Own values.
const BUCKETS_S: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Why metrics cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another recorder of metrics is installed in this process")]
pub struct MetricsTaken;

/// Begins to count. May be called again.
///
/// # Errors
///
/// When somebody else has installed a recorder.
pub fn install() -> Result<(), MetricsTaken> {
    let handle = RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS_S).ok()?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        set_global_recorder(recorder).ok()?;
        Some(handle)
    });
    handle.as_ref().map(|_| ()).ok_or(MetricsTaken)
}

/// The text format of Prometheus; empty before [`install`].
pub fn render() -> String {
    match RECORDER.get() {
        Some(Some(handle)) => {
            handle.run_upkeep();
            handle.render()
        }
        _ => String::new(),
    }
}

/// Media type of [`render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A request was answered.
pub fn request(function: &'static str, operation: &'static str, status: u16, took: Duration) {
    let labels = [("function", function), ("operation", operation)];
    counter!(
        "metaseal_requests_total",
        "function" => function,
        "operation" => operation,
        "status" => status_text(status)
    )
    .increment(1);
    histogram!("metaseal_request_seconds", &labels).record(took.as_secs_f64());
}

/// A connection was refused before it was served.
pub fn connection_refused(why: &'static str) {
    counter!("metaseal_connections_refused_total", "why" => why).increment(1);
}

/// A connection was ended by us while it was served.
pub fn connection_cut(why: &'static str) {
    counter!("metaseal_connections_cut_total", "why" => why).increment(1);
}

/// An open connection, for as long as it lives.
#[derive(Debug)]
pub struct OpenConnection(());

/// A connection was opened.
pub fn connection_open() -> OpenConnection {
    gauge!("metaseal_connections").increment(1.0);
    OpenConnection(())
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        gauge!("metaseal_connections").decrement(1.0);
    }
}

/// The status as a label; those that we send are constants, so that counting allocates nothing.
fn status_text(status: u16) -> ::metrics::SharedString {
    let text = match status {
        200 => "200",
        201 => "201",
        204 => "204",
        302 => "302",
        304 => "304",
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        405 => "405",
        409 => "409",
        412 => "412",
        413 => "413",
        415 => "415",
        429 => "429",
        500 => "500",
        503 => "503",
        other => return other.to_string().into(),
    };
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_closed_words() {
        install().expect("recorder");
        install().expect("twice is the same");
        request("san", "GetAnchorsList", 200, Duration::from_millis(3));
        request("san", "GetAnchorsList", 418, Duration::from_millis(3));
        connection_refused("handshake");
        let text = render();
        let row = r#"metaseal_requests_total{function="san",operation="GetAnchorsList",status="200"} 1"#;
        assert!(text.contains(row), "{text}");
        assert!(text.contains(r#"status="418""#), "{text}");
        assert!(text.contains("metaseal_request_seconds_bucket"), "{text}");
        assert!(text.contains(r#"metaseal_connections_refused_total{why="handshake"} 1"#), "{text}");
    }
}
