//! How a subscriber wants notifications: as things happen, together after a while, in periods, so many, until when (TS
//! 29.523 `ReportingInformation` as `eventReq`). Pure; the time is an argument.

use api_types::DateTime;
use api_types::common_data::{NotificationMethod, ReportingInformation};
use api_types::problem::InvalidParam;

/// Longest period or guard time, in seconds. Own value: 31 days.
pub(crate) const PERIOD_MAX_S: u32 = 31 * 24 * 3_600;

/// When notifications leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// As things happen.
    OnEvent,
    /// So many seconds after the first thing that was not yet told (`grpRepTime`).
    Gathered(u32),
    /// At the end of periods of so many seconds.
    Every(u32),
}

/// How a subscriber wants notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reporting {
    /// What is the case now is told at once (`immRep`).
    pub(crate) immediate: bool,
    /// When notifications leave.
    pub(crate) method: Method,
    /// Most notifications.
    pub(crate) max: Option<u32>,
    /// First second in which the subscription is over.
    pub(crate) ends_s: Option<i64>,
}

impl Reporting {
    /// Reads what a subscription says. A method that is not known is that of events, as unknown values of open
    /// enumerations are accepted.
    ///
    /// # Errors
    /// The members at fault: a time that is past, a period that is absent or out of range, what is not done.
    pub(crate) fn read(wanted: Option<&ReportingInformation>, now_s: i64) -> Result<Self, Vec<InvalidParam>> {
        let nothing = ReportingInformation::default();
        let wanted = wanted.unwrap_or(&nothing);
        let mut faults = Vec::new();
        let mut fault = |member: &str, why: &'static str| {
            faults.push(InvalidParam::new(format!("/eventReq/{member}"), why));
        };
        if wanted.mon_dur.is_some_and(|end| end.unix() <= now_s) {
            fault("monDur", "is past");
        }
        if wanted.max_report_nbr == Some(0) {
            fault("maxReportNbr", "is out of range");
        }
        // What would change the notifications and is not done is refused, so that nobody relies on it.
        if wanted.samp_ratio.is_some_and(|ratio| ratio != 100) {
            fault("sampRatio", "is not supported");
        }
        if wanted.partition_criteria.is_some() {
            fault("partitionCriteria", "is not supported");
        }
        if wanted.notif_flag.as_deref().is_some_and(|flag| flag != "ACTIVATE") {
            fault("notifFlag", "is not supported");
        }
        let mut seconds = |member: &str, value: Option<u32>| match value {
            Some(value) if (1..=PERIOD_MAX_S).contains(&value) => Some(value),
            Some(_) => {
                fault(member, "is out of range");
                None
            }
            None => None,
        };
        let gathered = seconds("grpRepTime", wanted.grp_rep_time);
        let period = seconds("repPeriod", wanted.rep_period);
        let method = match (&wanted.notif_method, period, gathered) {
            (Some(NotificationMethod::Periodic), Some(period), _) => Method::Every(period),
            (Some(NotificationMethod::Periodic), None, _) => {
                if wanted.rep_period.is_none() {
                    fault("repPeriod", "is missing");
                }
                Method::OnEvent
            }
            (_, _, Some(gathered)) => Method::Gathered(gathered),
            _ => Method::OnEvent,
        };
        let once = wanted.notif_method == Some(NotificationMethod::OneTime);
        let max = if once { Some(1) } else { wanted.max_report_nbr };
        let ends_s = wanted.mon_dur.map(DateTime::unix);
        if faults.is_empty() {
            Ok(Self { immediate: wanted.imm_rep, method, max, ends_s })
        } else {
            Err(faults)
        }
    }

    /// How many of `wanted` notifications may still be made after `made`.
    pub(crate) fn admits(&self, made: i64, wanted: usize) -> usize {
        let Some(max) = self.max else { return wanted };
        usize::try_from(i64::from(max).saturating_sub(made)).unwrap_or(0).min(wanted)
    }

    /// Whether that many notifications were the last.
    pub(crate) fn is_over(&self, made: i64) -> bool {
        self.max.is_some_and(|max| made >= i64::from(max))
    }

    /// When the next period ends; `None` without periods. `due_s` is when the one before ended or should have. Periods
    /// that were missed are not made up for.
    pub(crate) fn next_s(&self, due_s: i64, now_s: i64) -> Option<i64> {
        let Method::Every(period) = self.method else { return None };
        let period = i64::from(period);
        let missed = now_s.saturating_sub(due_s).max(0) / period;
        Some(due_s.saturating_add((missed + 1).saturating_mul(period)))
    }

    /// When what happens now is told, in seconds: `next_s` is the end of the period, `gathering_s` when what was gathered
    /// before leaves.
    pub(crate) fn due_s(&self, now_s: i64, next_s: Option<i64>, gathering_s: Option<i64>) -> i64 {
        match self.method {
            Method::OnEvent => now_s,
            Method::Every(_) => next_s.unwrap_or(now_s).max(now_s),
            Method::Gathered(seconds) => match gathering_s.filter(|until| *until > now_s) {
                Some(until) => until,
                None => now_s.saturating_add(i64::from(seconds)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: i64 = 1_800_000_000;

    fn read(wanted: Value) -> Result<Reporting, String> {
        let wanted: ReportingInformation = serde_json::from_value(wanted).unwrap();
        Reporting::read(Some(&wanted), NOW).map_err(|faults| faults[0].param.clone())
    }

    fn at(unix_s: i64) -> Value {
        json!(DateTime::from_unix(unix_s).to_string())
    }

    const PLAIN: Reporting = Reporting { immediate: false, method: Method::OnEvent, max: None, ends_s: None };

    #[test]
    fn a_way_of_reporting_is_read() {
        assert_eq!(Reporting::read(None, NOW), Ok(PLAIN));
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("nothing", json!({}), Ok(PLAIN)),
            ("at once", json!({ "immRep": true }), Ok(Reporting { immediate: true, ..PLAIN })),
            ("on event", json!({ "notifMethod": "ON_EVENT_DETECTION" }), Ok(PLAIN)),
            ("not known", json!({ "notifMethod": "SOMEHOW" }), Ok(PLAIN)),
            ("once", json!({ "notifMethod": "ONE_TIME", "maxReportNbr": 9 }), Ok(Reporting { max: Some(1), ..PLAIN })),
            ("at most", json!({ "maxReportNbr": 9 }), Ok(Reporting { max: Some(9), ..PLAIN })),
            ("all of them", json!({ "sampRatio": 100, "notifFlag": "ACTIVATE" }), Ok(PLAIN)),
            ("periodic", json!({ "notifMethod": "PERIODIC", "repPeriod": 5 }), Ok(Reporting { method: Method::Every(5), ..PLAIN })),
            ("gathered", json!({ "grpRepTime": 5 }), Ok(Reporting { method: Method::Gathered(5), ..PLAIN })),
            ("both", json!({ "notifMethod": "PERIODIC", "repPeriod": 5, "grpRepTime": 9 }), Ok(Reporting { method: Method::Every(5), ..PLAIN })),
            ("a period of no use", json!({ "repPeriod": 5 }), Ok(PLAIN)),
            ("until", json!({ "monDur": at(NOW + 1) }), Ok(Reporting { ends_s: Some(NOW + 1), ..PLAIN })),
            ("until now", json!({ "monDur": at(NOW) }), Err("/eventReq/monDur")),
            ("none", json!({ "maxReportNbr": 0 }), Err("/eventReq/maxReportNbr")),
            ("no period", json!({ "notifMethod": "PERIODIC" }), Err("/eventReq/repPeriod")),
            ("period 0", json!({ "notifMethod": "PERIODIC", "repPeriod": 0 }), Err("/eventReq/repPeriod")),
            ("too long", json!({ "notifMethod": "PERIODIC", "repPeriod": PERIOD_MAX_S + 1 }), Err("/eventReq/repPeriod")),
            ("gathered for ever", json!({ "grpRepTime": PERIOD_MAX_S + 1 }), Err("/eventReq/grpRepTime")),
            ("gathered for 0 s", json!({ "grpRepTime": 0 }), Err("/eventReq/grpRepTime")),
            ("a sample", json!({ "sampRatio": 50 }), Err("/eventReq/sampRatio")),
            ("partitions", json!({ "partitionCriteria": ["TAC"] }), Err("/eventReq/partitionCriteria")),
            ("muted", json!({ "notifFlag": "DEACTIVATE" }), Err("/eventReq/notifFlag")),
        ];
        for (what, wanted, expected) in rows {
            assert_eq!(read(wanted), expected.map_err(str::to_owned), "{what}");
        }
    }

    #[test]
    fn notifications_come_to_an_end() {
        let most = |max| Reporting { max, ..PLAIN };
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("for ever",    most(None),    1_000, 3, 3, false),
            ("three left",  most(Some(5)), 2,     3, 3, false),
            ("two left",    most(Some(5)), 3,     3, 2, false),
            ("none left",   most(Some(5)), 5,     3, 0, true),
            ("one too many",most(Some(5)), 6,     3, 0, true),
        ];
        for (what, reporting, made, wanted, admitted, over) in rows {
            assert_eq!((reporting.admits(made, wanted), reporting.is_over(made)), (admitted, over), "{what}");
        }
    }

    #[test]
    fn notifications_leave_when_they_are_wanted() {
        let by = |method| Reporting { method, ..PLAIN };
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("at once",                  by(Method::OnEvent),      Some(NOW + 9), Some(NOW + 9), NOW),
            ("at the end of the period", by(Method::Every(10)),    Some(NOW + 9), None,          NOW + 9),
            ("a period that is over",    by(Method::Every(10)),    Some(NOW - 1), None,          NOW),
            ("the first gathered",       by(Method::Gathered(10)), None,          None,          NOW + 10),
            ("with the first",           by(Method::Gathered(10)), None,          Some(NOW + 3), NOW + 3),
            ("the first again",          by(Method::Gathered(10)), None,          Some(NOW),     NOW + 10),
        ];
        for (what, reporting, next_s, gathering_s, due_s) in rows {
            assert_eq!(reporting.due_s(NOW, next_s, gathering_s), due_s, "{what}");
        }
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("in time",          Method::Every(10), NOW,      Some(NOW + 10)),
            ("a little late",    Method::Every(10), NOW + 9,  Some(NOW + 10)),
            ("one was missed",   Method::Every(10), NOW + 10, Some(NOW + 20)),
            ("many were",        Method::Every(10), NOW + 95, Some(NOW + 100)),
            ("a clock set back", Method::Every(10), NOW - 50, Some(NOW + 10)),
            ("no periods",       Method::OnEvent,   NOW,      None),
        ];
        for (what, method, now_s, next_s) in rows {
            assert_eq!(by(method).next_s(NOW, now_s), next_s, "{what}");
        }
    }
}
