//! How a subscriber wants reports: at once, on an event, periodically, so many, until when (TS 29.523
//! `ReportingInformation`, and `expTime`). Pure; the time is an argument.

use api_types::DateTime;
use api_types::common_data::{NotificationMethod, ReportingInformation};
use api_types::problem::InvalidParam;

/// Longest period, in seconds. Own value: 31 days.
pub const PERIOD_MAX_S: u32 = 31 * 24 * 3_600;

/// When reports are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Each time that something happens.
    OnEvent,
    /// Once in so many seconds: what is the case then.
    Every(u32),
}

/// How a subscriber wants reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reporting {
    /// The first report comes with the answer.
    pub immediate: bool,
    /// When reports are made.
    pub method: Method,
    /// Most reports, the immediate one included.
    pub max: Option<u32>,
    /// First second in which the subscription is over.
    pub ends_s: Option<i64>,
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
        // What would change the reports and is not done is refused, so that nobody relies on it.
        if wanted.samp_ratio.is_some_and(|ratio| ratio != 100) {
            fault("/reportReq/sampRatio", "is not supported");
        }
        if wanted.partition_criteria.is_some() {
            fault("/reportReq/partitionCriteria", "is not supported");
        }
        if wanted.grp_rep_time.is_some() {
            fault("/reportReq/grpRepTime", "is not supported");
        }
        if wanted.notif_flag.as_deref().is_some_and(|flag| flag != "ACTIVATE") {
            fault("/reportReq/notifFlag", "is not supported");
        }
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
            Ok(Self { immediate: wanted.imm_rep, method, max, ends_s: ends })
        } else {
            Err(faults)
        }
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

    fn at(unix_s: i64) -> Value {
        json!(DateTime::from_unix(unix_s).to_string())
    }

    #[test]
    fn a_way_of_reporting_is_read() {
        let on_event = Reporting { immediate: false, method: Method::OnEvent, max: None, ends_s: None };
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
            ("a sample", json!({ "sampRatio": 50 }), None, Err("/reportReq/sampRatio")),
            (
                "partitions",
                json!({ "partitionCriteria": ["TAC"] }),
                None,
                Err("/reportReq/partitionCriteria"),
            ),
            ("groups", json!({ "grpRepTime": 5 }), None, Err("/reportReq/grpRepTime")),
            ("muted", json!({ "notifFlag": "DEACTIVATE" }), None, Err("/reportReq/notifFlag")),
        ];
        for (what, wanted, exp_time, expected) in rows {
            assert_eq!(read(wanted, exp_time), expected.map_err(str::to_owned), "{what}");
        }
    }

    #[test]
    fn reports_end_and_recur() {
        let with = |method, max| Reporting { immediate: false, method, max, ends_s: None };
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
