//! How a subscriber wants reports: at once, on an event, periodically, so many, until when (TS 29.523
//! `ReportingInformation`, and `expTime`). Pure; the time is an argument.

use api_types::DateTime;
use api_types::common_data::{NotificationMethod, ReportingInformation};
use api_types::problem::InvalidParam;

use super::sample::Sample;

/// Longest period, in seconds. Own value: 31 days.
pub const PERIOD_MAX_S: u32 = 31 * 24 * 3_600;

/// The one partition that can be told: where UEs are (TS 29.571 `PartitioningCriteria`).
const GEOAREA: &str = "GEOAREA";

/// When reports are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Each time that something happens.
    OnEvent,
    /// Once in so many seconds: what is the case then.
    Every(u32),
}

/// What becomes of a report that was made (TS 29.571 `NotificationFlag`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// It goes.
    #[default]
    Active,
    /// It is kept until it is asked for.
    Muted,
    /// What is kept goes now; what comes after is kept.
    Retrieved,
}

impl Flow {
    fn of(flag: Option<&str>) -> Self {
        match flag {
            Some("DEACTIVATE") => Self::Muted,
            Some("RETRIEVAL") => Self::Retrieved,
            // Unknown values of open enumerations are accepted.
            _ => Self::Active,
        }
    }

    /// Whether a report that is made is held back.
    #[must_use]
    pub fn holds(self) -> bool {
        self != Self::Active
    }

    /// Whether what was held back goes when a subscription is said so.
    #[must_use]
    pub fn lets_go(self) -> bool {
        self != Self::Muted
    }
}

/// How a subscriber wants reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reporting {
    /// What becomes of a report that was made (`notifFlag`).
    pub flow: Flow,
    /// For how many seconds reports of events are gathered into one (`grpRepTime`).
    pub gather_s: Option<u32>,
    /// Of which UEs is told (`sampRatio`, `partitionCriteria`).
    pub sample: Option<Sample>,
    /// The first report comes with the answer.
    pub immediate: bool,
    /// When reports are made.
    pub method: Method,
    /// Most reports, the immediate one included.
    pub max: Option<u32>,
    /// First second in which the subscription is over.
    pub ends_s: Option<i64>,
}

/// How long a report waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For the subscriber.
    UntilAsked,
    /// For others that come until then, in seconds since 1970.
    Until(i64),
}

/// What follows a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// That was the last one.
    pub ended: bool,
    /// When the next periodic report is due.
    pub next_s: Option<i64>,
}

impl Reporting {
    /// Reads what a subscription says. A method that is not known is that of events, as unknown values of open
    /// enumerations are accepted.
    ///
    /// # Errors
    /// The members at fault: a time that is past, a period that is absent or out of range, what is not supported.
    pub fn read(
        wanted: Option<&ReportingInformation>,
        exp_time: Option<DateTime>,
        now_s: i64,
    ) -> Result<Self, Vec<InvalidParam>> {
        let nothing = ReportingInformation::default();
        let wanted = wanted.unwrap_or(&nothing);
        let mut faults = Vec::new();
        let mut fault = |at: &str, reason: &'static str| faults.push(InvalidParam::new(at, reason));
        let past = |at: Option<DateTime>| at.is_some_and(|at| at.unix() <= now_s);
        if past(exp_time) {
            fault("/expTime", "is past");
        }
        if past(wanted.mon_dur) {
            fault("/reportReq/monDur", "is past");
        }
        if wanted.max_report_nbr == Some(0) {
            fault("/reportReq/maxReportNbr", "is out of range");
        }
        if wanted.grp_rep_time.is_some_and(|gather| gather > PERIOD_MAX_S) {
            fault("/reportReq/grpRepTime", "is out of range");
        }
        // Nothing is known here of a UE but where it is: to part by anything else is refused, so that nobody relies on it.
        let criteria = wanted.partition_criteria.as_deref().unwrap_or_default();
        if criteria.iter().any(|one| one != GEOAREA) {
            fault("/reportReq/partitionCriteria", "is not known of UEs here");
        }
        let sample = wanted.samp_ratio.filter(|ratio| *ratio < 100);
        let sample = sample.map(|ratio| Sample { ratio, by_area: !criteria.is_empty() });
        let mut max = wanted.max_report_nbr;
        let method = match (&wanted.notif_method, wanted.rep_period) {
            (Some(NotificationMethod::Periodic), Some(period)) if (1..=PERIOD_MAX_S).contains(&period) => {
                Method::Every(period)
            }
            (Some(NotificationMethod::Periodic), period) => {
                let why = if period.is_none() { "is missing" } else { "is out of range" };
                fault("/reportReq/repPeriod", why);
                Method::OnEvent
            }
            (Some(NotificationMethod::OneTime), _) => {
                max = Some(1);
                Method::OnEvent
            }
            _ => Method::OnEvent,
        };
        let ends = [exp_time, wanted.mon_dur].into_iter().flatten().map(DateTime::unix).min();
        if faults.is_empty() {
            Ok(Self {
                flow: Flow::of(wanted.notif_flag.as_deref()),
                // A periodic report gathers what is the case then.
                gather_s: wanted.grp_rep_time.filter(|gather| *gather > 0 && method == Method::OnEvent),
                sample,
                immediate: wanted.imm_rep,
                method,
                max,
                ends_s: ends,
            })
        } else {
            Err(faults)
        }
    }

    /// Whether a report that is made now waits, and until when; `None`: it goes.
    #[must_use]
    pub fn wait(&self, waits_until_s: Option<i64>, now_s: i64) -> Option<Wait> {
        if self.flow.holds() {
            return Some(Wait::UntilAsked);
        }
        let gather_s = i64::from(self.gather_s?);
        // The time runs from the first report, and ends with the subscription.
        let until_s = waits_until_s.unwrap_or_else(|| now_s.saturating_add(gather_s));
        let last_s = self.ends_s.map_or(i64::MAX, |ends_s| ends_s.saturating_sub(1).max(now_s));
        Some(Wait::Until(until_s.min(last_s)))
    }

    /// What follows when `reports` were made; `due_s` is when the one just made was due.
    #[must_use]
    pub fn after(&self, reports: i64, due_s: i64, now_s: i64) -> Next {
        let ended = self.max.is_some_and(|max| reports >= i64::from(max));
        let next_s = match self.method {
            Method::OnEvent => None,
            // Periods that were missed are not made up for.
            Method::Every(period) => {
                let period = i64::from(period);
                let missed = now_s.saturating_sub(due_s).max(0) / period;
                Some(due_s.saturating_add((missed + 1).saturating_mul(period)))
            }
        };
        Next { ended, next_s: next_s.filter(|_| !ended) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: i64 = 1_800_000_000;

    fn read(wanted: Value, exp_time: Option<i64>) -> Result<Reporting, String> {
        let wanted: ReportingInformation = serde_json::from_value(wanted).unwrap();
        Reporting::read(Some(&wanted), exp_time.map(DateTime::from_unix), NOW)
            .map_err(|faults| faults[0].param.clone())
    }

    fn plain(method: Method, max: Option<u32>) -> Reporting {
        let flow = Flow::Active;
        Reporting { flow, gather_s: None, sample: None, immediate: false, method, max, ends_s: None }
    }

    fn at(unix_s: i64) -> Value {
        json!(DateTime::from_unix(unix_s).to_string())
    }

    #[test]
    fn a_way_of_reporting_is_read() {
        let on_event = plain(Method::OnEvent, None);
        let sample = |ratio, by_area| Some(Sample { ratio, by_area });
        assert_eq!(Reporting::read(None, None, NOW), Ok(on_event));
        let rows = [
            ("nothing", json!({}), None, Ok(on_event)),
            ("at once", json!({ "immRep": true }), None, Ok(Reporting { immediate: true, ..on_event })),
            ("on event", json!({ "notifMethod": "ON_EVENT_DETECTION" }), None, Ok(on_event)),
            ("not known", json!({ "notifMethod": "SOMEHOW" }), None, Ok(on_event)),
            (
                "once",
                json!({ "notifMethod": "ONE_TIME", "maxReportNbr": 9 }),
                None,
                Ok(Reporting { max: Some(1), ..on_event }),
            ),
            ("at most", json!({ "maxReportNbr": 9 }), None, Ok(Reporting { max: Some(9), ..on_event })),
            ("all of them", json!({ "sampRatio": 100, "notifFlag": "ACTIVATE" }), None, Ok(on_event)),
            (
                "periodic",
                json!({ "notifMethod": "PERIODIC", "repPeriod": 5 }),
                None,
                Ok(Reporting { method: Method::Every(5), ..on_event }),
            ),
            ("until", json!({}), Some(NOW + 1), Ok(Reporting { ends_s: Some(NOW + 1), ..on_event })),
            (
                "the earlier end",
                json!({ "monDur": at(NOW + 5) }),
                Some(NOW + 9),
                Ok(Reporting { ends_s: Some(NOW + 5), ..on_event }),
            ),
            ("ends now", json!({}), Some(NOW), Err("/expTime")),
            ("monitored until now", json!({ "monDur": at(NOW) }), None, Err("/reportReq/monDur")),
            ("no report", json!({ "maxReportNbr": 0 }), None, Err("/reportReq/maxReportNbr")),
            ("no period", json!({ "notifMethod": "PERIODIC" }), None, Err("/reportReq/repPeriod")),
            (
                "period 0",
                json!({ "notifMethod": "PERIODIC", "repPeriod": 0 }),
                None,
                Err("/reportReq/repPeriod"),
            ),
            (
                "too long",
                json!({ "notifMethod": "PERIODIC", "repPeriod": PERIOD_MAX_S + 1 }),
                None,
                Err("/reportReq/repPeriod"),
            ),
            (
                "a sample",
                json!({ "sampRatio": 50 }),
                None,
                Ok(Reporting { sample: sample(50, false), ..on_event }),
            ),
            (
                "of each area",
                json!({ "sampRatio": 1, "partitionCriteria": ["GEOAREA"] }),
                None,
                Ok(Reporting { sample: sample(1, true), ..on_event }),
            ),
            ("areas of all", json!({ "partitionCriteria": ["GEOAREA"] }), None, Ok(on_event)),
            (
                "of each model",
                json!({ "sampRatio": 50, "partitionCriteria": ["GEOAREA", "TAC"] }),
                None,
                Err("/reportReq/partitionCriteria"),
            ),
            ("gathered", json!({ "grpRepTime": 5 }), None, Ok(Reporting { gather_s: Some(5), ..on_event })),
            ("gathered for no time", json!({ "grpRepTime": 0 }), None, Ok(on_event)),
            (
                "gathered in periods",
                json!({ "grpRepTime": 5, "notifMethod": "PERIODIC", "repPeriod": 5 }),
                None,
                Ok(Reporting { method: Method::Every(5), ..on_event }),
            ),
            (
                "gathered for too long",
                json!({ "grpRepTime": PERIOD_MAX_S + 1 }),
                None,
                Err("/reportReq/grpRepTime"),
            ),
            (
                "muted",
                json!({ "notifFlag": "DEACTIVATE" }),
                None,
                Ok(Reporting { flow: Flow::Muted, ..on_event }),
            ),
            (
                "retrieved",
                json!({ "notifFlag": "RETRIEVAL" }),
                None,
                Ok(Reporting { flow: Flow::Retrieved, ..on_event }),
            ),
            ("some other flag", json!({ "notifFlag": "SOMEHOW" }), None, Ok(on_event)),
        ];
        for (what, wanted, exp_time, expected) in rows {
            assert_eq!(read(wanted, exp_time), expected.map_err(str::to_owned), "{what}");
        }
    }

    #[test]
    fn a_report_goes_or_waits() {
        let plain = plain(Method::OnEvent, None);
        let gathers = Reporting { gather_s: Some(10), ..plain };
        let ends = |ends_s| Reporting { ends_s: Some(ends_s), ..gathers };
        let flow = |flow, reporting: Reporting| Reporting { flow, ..reporting };
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("goes",                    plain,                            None,           None),
            ("muted",                   flow(Flow::Muted, plain),         None,           Some(Wait::UntilAsked)),
            ("after a retrieval",       flow(Flow::Retrieved, plain),     None,           Some(Wait::UntilAsked)),
            ("muted, and gathers",      flow(Flow::Muted, gathers),       None,           Some(Wait::UntilAsked)),
            ("the first of a group",    gathers,                          None,           Some(Wait::Until(NOW + 10))),
            ("another of it",           gathers,                          Some(NOW + 3),  Some(Wait::Until(NOW + 3))),
            ("before the end",          ends(NOW + 5),                    None,           Some(Wait::Until(NOW + 4))),
            ("at the end",              ends(NOW + 1),                    None,           Some(Wait::Until(NOW))),
        ];
        for (what, reporting, until_s, expected) in rows {
            assert_eq!(reporting.wait(until_s, NOW), expected, "{what}");
        }
        let goes = [(Flow::Active, false, true), (Flow::Muted, true, false), (Flow::Retrieved, true, true)];
        for (flow, holds, lets_go) in goes {
            assert_eq!((flow.holds(), flow.lets_go()), (holds, lets_go), "{flow:?}");
        }
    }

    #[test]
    fn reports_end_and_recur() {
        let with = plain;
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("for ever",        with(Method::OnEvent, None),       1_000, NOW, NOW,      Next { ended: false, next_s: None }),
            ("one is left",     with(Method::OnEvent, Some(2)),    1,     NOW, NOW,      Next { ended: false, next_s: None }),
            ("the last",        with(Method::OnEvent, Some(2)),    2,     NOW, NOW,      Next { ended: true, next_s: None }),
            ("in time",         with(Method::Every(10), None),     1,     NOW, NOW,      Next { ended: false, next_s: Some(NOW + 10) }),
            ("a little late",   with(Method::Every(10), None),     1,     NOW, NOW + 9,  Next { ended: false, next_s: Some(NOW + 10) }),
            ("one was missed",  with(Method::Every(10), None),     1,     NOW, NOW + 10, Next { ended: false, next_s: Some(NOW + 20) }),
            ("many were",       with(Method::Every(10), None),     1,     NOW, NOW + 95, Next { ended: false, next_s: Some(NOW + 100) }),
            ("a clock set back",with(Method::Every(10), None),     1,     NOW, NOW - 50, Next { ended: false, next_s: Some(NOW + 10) }),
            ("the last of them",with(Method::Every(10), Some(3)),  3,     NOW, NOW,      Next { ended: true, next_s: None }),
        ];
        for (what, reporting, reports, due_s, now_s, expected) in rows {
            assert_eq!(reporting.after(reports, due_s, now_s), expected, "{what}");
        }
    }
}
