//! Service characteristics (TS 29.222 `ServiceKpis`, TS 29.558): what is published against what is asked for.

use api_types::capif::profile::ServiceKpis;

/// Whether every characteristic that is asked for is published and at least as good. Less is better for the response
/// time, more for everything else; what is not published is not promised.
pub(crate) fn at_least(published: &ServiceKpis, asked: &ServiceKpis) -> bool {
    let more = |published: Option<u64>, asked: Option<u64>| {
        asked.is_none_or(|asked| published.is_some_and(|published| published >= asked))
    };
    let faster =
        asked.max_restime.is_none_or(|asked| published.max_restime.is_some_and(|time| time <= asked));
    let larger = |published: &Option<String>, asked: &Option<String>| {
        let Some(asked) = asked else { return true };
        let (published, asked) = (published.as_deref().and_then(Quantity::read), Quantity::read(asked));
        matches!((published, asked), (Some(published), Some(asked)) if published >= asked)
    };
    faster
        && more(published.max_req_rate, asked.max_req_rate)
        && more(published.availability, asked.availability)
        && more(published.con_band, asked.con_band)
        && larger(&published.aval_comp, &asked.aval_comp)
        && larger(&published.aval_gra_comp, &asked.aval_gra_comp)
        && larger(&published.aval_mem, &asked.aval_mem)
        && larger(&published.aval_stor, &asked.aval_stor)
}

/// A number and a unit, as `1.5 TFLOPS`, by its decimal digits: `0.1 TB` and `100 GB` are exactly the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Quantity {
    /// Digits before the point; of zero none is counted.
    magnitude: Option<i64>,
    /// The digits, without zeros at either end.
    digits: String,
}

impl Quantity {
    fn read(text: &str) -> Option<Self> {
        let (number, unit) = text.split_once(' ')?;
        let prefix = unit.chars().next()?.to_ascii_uppercase();
        let thousands = 1 + "KMGTPEZY".find(prefix)?;
        let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
        let all = format!("{whole}{rest}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = all.trim_start_matches('0');
        let leading = all.len() - significant.len();
        let magnitude = i64::try_from(3 * thousands + whole.len()).ok()? - i64::try_from(leading).ok()?;
        let digits = significant.trim_end_matches('0').to_owned();
        Some(Self { magnitude: (!digits.is_empty()).then_some(magnitude), digits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> ServiceKpis {
        ServiceKpis {
            max_req_rate: Some(100),
            max_restime: Some(20),
            availability: Some(99),
            aval_comp: Some("1.5 TFLOPS".into()),
            aval_gra_comp: Some("2 kFLOPS".into()),
            aval_mem: Some("16 GB".into()),
            aval_stor: Some("0.1 TB".into()),
            con_band: Some(1_000),
        }
    }

    #[test]
    fn each_characteristic_has_its_edge() {
        let none = ServiceKpis::default();
        assert!(
            at_least(&published(), &none) && at_least(&published(), &published()) && at_least(&none, &none)
        );
        type Ask = fn(&mut ServiceKpis);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Ask, Ask); 8] = [
            ("rate",         |k| k.max_req_rate = Some(100),                |k| k.max_req_rate = Some(101)),
            ("time",         |k| k.max_restime = Some(20),                  |k| k.max_restime = Some(19)),
            ("availability", |k| k.availability = Some(99),                 |k| k.availability = Some(100)),
            ("compute",      |k| k.aval_comp = Some("1500 GFLOPS".into()),  |k| k.aval_comp = Some("1501 GFLOPS".into())),
            ("graphics",     |k| k.aval_gra_comp = Some("2.00 kFLOPS".into()), |k| k.aval_gra_comp = Some("2.01 kFLOPS".into())),
            ("memory",       |k| k.aval_mem = Some("016 GB".into()),        |k| k.aval_mem = Some("1 TB".into())),
            ("storage",      |k| k.aval_stor = Some("100 GB".into()),       |k| k.aval_stor = Some("100.1 GB".into())),
            ("bandwidth",    |k| k.con_band = Some(1_000),                  |k| k.con_band = Some(1_001)),
        ];
        for (what, just, over) in rows {
            let asked = |ask: Ask| {
                let mut asked = ServiceKpis::default();
                ask(&mut asked);
                asked
            };
            assert!(at_least(&published(), &asked(just)), "{what}, just");
            assert!(!at_least(&published(), &asked(over)), "{what}, over");
            assert!(!at_least(&none, &asked(just)), "{what}, not published");
        }
    }

    #[test]
    fn quantities_are_compared_by_their_digits() {
        let rows = [
            "0 KB", "0.001 KB", "1 KB", "1.5 KB", "999.9 KB", "1 MB", "10 MB", "1 GB", "900 EB", "1 ZB",
            "1 YB",
        ];
        let read: Vec<_> = rows.iter().map(|text| Quantity::read(text).unwrap()).collect();
        assert!(read.is_sorted_by(|a, b| a < b), "{read:?}");
        assert_eq!(Quantity::read("0 KB"), Quantity::read("0.00 YB"));
        for text in ["", "1", "1KB", "KB", " KB", "1 B", "-1 KB", "1.2.3 KB"] {
            assert_eq!(Quantity::read(text), None, "{text}");
        }
    }
}
