//! What was measured, and the bars that it is held against.

use std::time::Duration;

use serde::Serialize;

use super::samples::Samples;
use super::{CASES, Options};

/// A whole run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Version of the program.
    pub version: &'static str,
    /// Processors of the machine, which the load generator shares.
    pub cores: usize,
    /// Seconds of each measurement over TLS.
    pub seconds: f64,
    /// Connections of the load generator.
    pub connections: usize,
    /// Ratios against what is to be reached.
    pub bars: Vec<Bar>,
    /// Measurements.
    pub rows: Vec<Row>,
    #[serde(skip)]
    pub(super) steps: usize,
}

/// One measurement.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Which case.
    pub case: &'static str,
    /// What was done.
    pub what: String,
    /// On which engine; nothing for what needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<&'static str>,
    /// Requests a second.
    pub per_s: f64,
    /// Requests a second of processor time of whoever answered.
    pub per_cpu_s: f64,
    /// Half of the requests took no longer, in microseconds.
    pub p50_us: f64,
    /// 99 of 100 took no longer.
    pub p99_us: f64,
    /// Memory afterwards, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_mib: Option<f64>,
    /// Answers of a question on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<f64>,
    /// Requests that were turned away with 429 or 503.
    pub shed: u64,
    /// As many times the rate of what it is held against: of the requests, then of the requests per processor second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ratios: Vec<[f64; 2]>,
}

/// Something to be reached.
#[derive(Debug, Clone, Serialize)]
pub struct Bar {
    /// What.
    pub what: String,
    /// What it is.
    pub is: f64,
    /// At least, or at most, this.
    pub bar: f64,
    /// Whether it is the most that is allowed.
    pub most: bool,
    /// In what, where it is no ratio.
    pub unit: &'static str,
}

impl Bar {
    /// Whether it is reached.
    pub fn reached(&self) -> bool {
        if self.most { self.is <= self.bar } else { self.is >= self.bar }
    }
}

impl Row {
    pub(super) fn of(case: &'static str, what: impl Into<String>, samples: &Samples) -> Self {
        Self {
            case,
            what: what.into(),
            engine: None,
            per_s: samples.per_s(),
            per_cpu_s: samples.per_cpu_s(),
            p50_us: samples.percentile(0.5),
            p99_us: samples.percentile(0.99),
            rss_mib: None,
            answers: None,
            shed: samples.shed,
            ratios: Vec::new(),
        }
    }

    pub(super) fn on(self, engine: &'static str) -> Self {
        Self { engine: Some(engine), ..self }
    }

    pub(super) fn rss(self, mib: f64) -> Self {
        Self { rss_mib: Some(mib), ..self }
    }

    pub(super) fn answers(self, answers: f64) -> Self {
        Self { answers: Some(answers), ..self }
    }

    pub(super) fn beside(mut self, other: &Samples) -> Self {
        self.ratios
            .push([self.per_s / other.per_s().max(1e-9), self.per_cpu_s / other.per_cpu_s().max(1e-9)]);
        self
    }
}

impl Report {
    pub(super) fn of_this_machine(options: &Options) -> Self {
        let engines = 1 + usize::from(options.postgres);
        let cases = CASES.iter().filter(|case| options.wants(case)).count();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            seconds: options.seconds,
            connections: options.connections,
            bars: Vec::new(),
            rows: Vec::new(),
            steps: engines * (cases + 3 * options.anchors.len()),
        }
    }

    pub(super) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Time to be ready and memory then, with so many anchors.
    pub(super) fn started(&mut self, engine: &str, anchors: u32, after: Duration, rss_mib: f64) {
        let what = format!("start to ready with {anchors} anchors, {engine}");
        self.bars.push(Bar { what, is: after.as_secs_f64(), bar: 1.0, most: true, unit: "s" });
        let what = format!("memory when ready with {anchors} anchors, {engine}");
        self.bars.push(Bar { what, is: rss_mib, bar: 100.0, most: true, unit: "MiB" });
    }

    /// Memory of all roles without load.
    pub(super) fn idle(&mut self, engine: &str, rss_mib: f64) {
        let what = format!("memory of all roles, idle, {engine}");
        self.bars.push(Bar { what, is: rss_mib, bar: 100.0, most: true, unit: "MiB" });
    }

    /// Holds the measurements against the bars.
    pub(super) fn judge(&mut self) {
        let mut bars = Vec::new();
        let mut ratio = |what: String, is: f64, bar: f64, most: bool| {
            bars.push(Bar { what, is, bar, most, unit: "" });
        };
        for engine in ["SQLite", "PostgreSQL"] {
            let row =
                |what: &str| self.rows.iter().find(|row| row.engine == Some(engine) && row.what == what);
            if let Some([requests, processor]) =
                row("client credentials").and_then(|row| row.ratios.first().copied())
            {
                ratio(format!("tokens a second, times oidc-provider's, {engine}"), requests, 5.0, false);
                ratio(
                    format!("tokens a processor second, times oidc-provider's, {engine}"),
                    processor,
                    2.5,
                    false,
                );
            }
            if let Some(read) = row("anchors list, token remembered") {
                let [committed, empty] = [0, 1].map(|at| read.ratios.get(at).map_or(0.0, |ratio| ratio[0]));
                ratio(
                    format!("anchor read, of an empty handler that commits a row, {engine}"),
                    committed,
                    0.70,
                    false,
                );
                ratio(format!("anchor read, of an empty handler, {engine}"), empty, 0.45, false);
            }
            for what in ["token of the core function", "token of the core function, with details"] {
                if let Some([requests, _]) = row(what).and_then(|row| row.ratios.first().copied()) {
                    ratio(format!("{what}, of a token of the SIM-S, {engine}"), requests, 0.85, false);
                }
            }
            let apis = |row: &&Row| row.engine == Some(engine) && row.case == "apis";
            if let Some((row, [rate, _])) =
                self.rows.iter().filter(apis).find_map(|row| Some((row, row.ratios.first()?)))
            {
                let what = format!("{}, times that among the fewest, {engine}", row.what);
                ratio(what, 1.0 / rate, 2.0, true);
            }
            let found: Vec<&Row> = self
                .rows
                .iter()
                .filter(|row| row.engine == Some(engine) && row.what.starts_with("discovery, "))
                .collect();
            for row in &found {
                if let Some([rate, _]) = row.ratios.first() {
                    ratio(
                        format!("{}, times the bare index query, {engine}", row.what),
                        1.0 / rate,
                        1.5,
                        true,
                    );
                }
            }
            if let (Some(few), Some(many)) = (found.first(), found.last())
                && found.len() > 1
            {
                let what = format!("{}, times that of the fewest, {engine}", many.what);
                ratio(what, few.per_s / many.per_s, 2.0, true);
            }
        }
        bars.append(&mut self.bars);
        self.bars = bars;
    }

    /// The tables, for people.
    pub fn print(&self) {
        crate::out!("\n{:<72} {:>9} {:>9}", "to be reached", "is", "bar");
        for bar in &self.bars {
            let sign = if bar.most { "<=" } else { ">=" };
            let verdict = if bar.reached() { "" } else { "  MISSED" };
            let (is, most) = (figure(bar.is), figure(bar.bar));
            crate::out!("{:<72} {is:>9} {:>9} {}{verdict}", bar.what, format!("{sign} {most}"), bar.unit);
        }
        crate::out!(
            "\n{:<50} {:<10} {:>9} {:>9} {:>8} {:>8} {:>6} {:>6}  {}",
            "measured",
            "",
            "req/s",
            "req/CPU-s",
            "p50 us",
            "p99 us",
            "MiB",
            "found",
            "ratios (req/s, req/CPU-s)"
        );
        for row in &self.rows {
            let ratios: Vec<String> =
                row.ratios.iter().map(|[a, b]| format!("{} {}", figure(*a), figure(*b))).collect();
            let [rss, answers] = [row.rss_mib, row.answers].map(|value| value.map_or(String::new(), figure));
            crate::out!(
                "{:<50} {:<10} {:>9} {:>9} {:>8} {:>8} {rss:>6} {answers:>6}  {}",
                row.what,
                row.engine.unwrap_or_default(),
                figure(row.per_s),
                figure(row.per_cpu_s),
                figure(row.p50_us),
                figure(row.p99_us),
                ratios.join("; ")
            );
            if row.shed > 0 {
                crate::out!("  {} of these were turned away", row.shed);
            }
        }
    }
}

/// Three digits that matter.
fn figure(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_a_least_or_a_most() {
        let bar = |is, most| Bar { what: String::new(), is, bar: 2.0, most, unit: "" };
        assert!(bar(2.0, true).reached() && bar(2.0, false).reached());
        assert!(!bar(2.1, true).reached() && !bar(1.9, false).reached());
        assert_eq!([figure(1234.5), figure(12.34), figure(0.126)], ["1234", "12.3", "0.13"]);
    }
}
