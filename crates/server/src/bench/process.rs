//! A process that is measured: its processor time, its memory, its end.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Ticks of `/proc/PID/stat` in a second, on every Linux of these days.
const TICKS: f64 = 100.0;

/// Longest wait for a process to be ready. Own value.
const READY_WAIT: Duration = Duration::from_secs(120);

/// Between two looks at a file. Own value.
const LOOK: Duration = Duration::from_millis(5);

/// A child that ends with its owner.
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn().context("starting a process to be measured")?;
        Ok(Self { child })
    }

    /// Its standard output, once.
    pub(super) fn stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for a file that the process writes, and reads it.
    ///
    /// # Errors
    /// The process ended, or takes too long.
    pub(super) async fn file(&mut self, path: &Path) -> Result<serde_json::Value> {
        for _ in 0..READY_WAIT.as_millis() / LOOK.as_millis() {
            if let Ok(text) = std::fs::read(path) {
                return Ok(serde_json::from_slice(&text)?);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the process ended before it was ready: {status}");
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("the process is not ready after {} s", READY_WAIT.as_secs())
    }

    /// Processor time of all its threads so far, in user and kernel.
    pub(super) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // The name in parentheses may hold spaces; the 12th and 13th fields behind it are user and system time.
        let fields: Vec<&str> =
            stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
        Duration::from_secs_f64((ticks(11) + ticks(12)) / TICKS)
    }

    /// Memory in use now, in MiB.
    pub(super) fn rss_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kib = line.split_ascii_whitespace().next().and_then(|kib| kib.parse::<f64>().ok());
        kib.unwrap_or(0.0) / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of this thread so far.
pub(super) fn thread_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_ascii_whitespace().next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
