//! Which invocations an audit is about: what the index of the store cannot say, and the order of several functions. Pure.

use api_types::capif::logging::{AuditFilter, InvocationLog, Log};
use store::StoreError;
use store::capif::invocations::{InvocationFilter, InvocationRecord};

/// What the store is asked, for one function of the domain.
pub(crate) fn stored(filter: &AuditFilter, aef: &str, after: u64) -> InvocationFilter {
    InvocationFilter {
        aef_id: Some(aef.to_owned()),
        invoker_id: filter.api_invoker_id.as_ref().map(|id| id.as_str().to_owned()),
        from_ms: filter.time_range_start.map(|at| at.unix_ms()),
        to_ms: filter.time_range_end.map(|at| at.unix_ms()),
        api_id: filter.api_id.as_ref().map(|id| id.as_str().to_owned()),
        api_name: filter.api_name.as_ref().map(|name| name.as_str().to_owned()),
        api_version: filter.api_version.clone(),
        resource_name: filter.resource_name.clone(),
        protocol: filter.protocol.as_ref().map(|protocol| protocol.as_str().to_owned()),
        operation: filter.operation.as_ref().map(|operation| operation.as_str().to_owned()),
        result: filter.result.clone(),
        after,
    }
}

/// Whether an entry fits what only the entry itself says: its interfaces and its slice.
pub(crate) fn fits(filter: &AuditFilter, entry: &Log) -> bool {
    let interface = |wanted: &Option<_>, seen: &Option<_>| wanted.is_none() || wanted == seen;
    let slice = filter
        .net_slice_info
        .as_ref()
        .is_none_or(|wanted| entry.net_slice_info.as_ref().is_some_and(|seen| wanted.contains(seen)));
    interface(&filter.src_interface, &entry.src_interface)
        && interface(&filter.dest_interface, &entry.dest_interface)
        && slice
}

/// Entries of one answer, in the order of the chain.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// By function and API invoker, in the order of their first entry.
    pub(crate) logs: Vec<InvocationLog>,
    /// How many entries there are in all.
    pub(crate) entries: usize,
}

impl Found {
    /// Adds an entry, if it fits.
    ///
    /// # Errors
    /// The record is damaged.
    pub(crate) fn add(&mut self, filter: &AuditFilter, record: &InvocationRecord) -> Result<(), StoreError> {
        let damaged = || StoreError::Damaged("an invocation");
        let entry: Log = serde_json::from_str(&record.row.body).map_err(|_| damaged())?;
        if !fits(filter, &entry) {
            return Ok(());
        }
        self.entries += 1;
        let (aef, invoker) = (record.row.aef_id.as_str(), record.row.invoker_id.as_str());
        let of_both =
            |log: &&mut InvocationLog| log.aef_id.as_str() == aef && log.api_invoker_id.as_str() == invoker;
        if let Some(log) = self.logs.iter_mut().find(of_both) {
            log.logs.push(entry);
            return Ok(());
        }
        self.logs.push(InvocationLog {
            aef_id: aef.try_into().map_err(|_| damaged())?,
            api_invoker_id: invoker.try_into().map_err(|_| damaged())?,
            logs: vec![entry],
            supported_features: None,
        });
        Ok(())
    }
}

/// Joins pages of several functions into one in the order of the chain. Up to the place that is given back the joined page
/// is whole; behind it, functions whose page was full may have more. `None`: all of them are at their end.
pub(crate) fn joined(pages: Vec<Vec<InvocationRecord>>, full: usize) -> (Vec<InvocationRecord>, Option<u64>) {
    let ends =
        pages.iter().filter(|page| page.len() >= full).filter_map(|page| page.last().map(|last| last.seq));
    let whole = ends.min();
    let mut records: Vec<_> = pages.into_iter().flatten().collect();
    records.sort_by_key(|record| record.seq);
    if let Some(whole) = whole {
        records.retain(|record| record.seq <= whole);
    }
    (records, whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api_types::query::Query;
    use serde_json::{Value, json};
    use store::capif::invocations::InvocationRow;

    fn entry(more: Value) -> Log {
        let mut entry = json!({
            "apiId": "API1", "apiName": "ssan-sanm", "apiVersion": "v1", "resourceName": "anchors-lists",
            "protocol": "HTTP_2", "operation": "GET", "result": "200",
        });
        if let (Some(entry), Some(more)) = (entry.as_object_mut(), more.as_object()) {
            entry.extend(more.clone());
        }
        serde_json::from_value(entry).unwrap()
    }

    fn record(seq: u64, aef: &str, invoker: &str) -> InvocationRecord {
        let row = InvocationRow {
            log_id: "LOG1".into(),
            at_ms: 0,
            aef_id: aef.into(),
            invoker_id: invoker.into(),
            api_id: "API1".into(),
            api_name: "ssan-sanm".into(),
            api_version: "v1".into(),
            resource_name: "anchors-lists".into(),
            protocol: "HTTP_2".into(),
            operation: Some("GET".into()),
            result: "200".into(),
            body: serde_json::to_string(&entry(json!({ "invocationLatency": seq }))).unwrap(),
        };
        InvocationRecord { seq, row, prev: String::new(), hash: String::new() }
    }

    fn filter(query: &str) -> AuditFilter {
        AuditFilter::parse(&Query::parse(query).unwrap()).unwrap()
    }

    #[test]
    fn every_filter_of_the_query_is_asked_for() {
        let all = "aef-id=AEF1&api-invoker-id=INV1&time-range-start=2026-01-01T00:00:00Z\
                   &time-range-end=2026-01-02T00:00:00Z&api-id=API1&api-name=ssan-sanm&api-version=v1&protocol=HTTP_2\
                   &operation=GET&result=200&resource-name=anchors-lists";
        let asked = stored(&filter(all), "AEF1", 7);
        let expected = InvocationFilter {
            aef_id: Some("AEF1".into()),
            invoker_id: Some("INV1".into()),
            from_ms: Some(1_767_225_600_000),
            to_ms: Some(1_767_312_000_000),
            api_id: Some("API1".into()),
            api_name: Some("ssan-sanm".into()),
            api_version: Some("v1".into()),
            resource_name: Some("anchors-lists".into()),
            protocol: Some("HTTP_2".into()),
            operation: Some("GET".into()),
            result: Some("200".into()),
            after: 7,
        };
        assert_eq!(asked, expected);
        let nothing = InvocationFilter { aef_id: Some("AEF1".into()), ..InvocationFilter::default() };
        assert_eq!(stored(&filter(""), "AEF1", 0), nothing);
    }

    #[test]
    fn interfaces_and_slices_are_those_of_the_entry() {
        let here = json!({ "ipv4Addr": "192.0.2.1", "port": 443 });
        let there = json!({ "ipv4Addr": "192.0.2.2", "port": 443 });
        let seen =
            entry(json!({ "srcInterface": here, "destInterface": there, "netSliceInfo": { "nsiId": "n1" } }));
        let bare = entry(json!({}));
        let src = |value: &Value| format!("src-interface={value}");
        let dest = |value: &Value| format!("dest-interface={value}");
        let rows = [
            (String::new(), true, true),
            (src(&here), true, false),
            (src(&there), false, false),
            (dest(&there), true, false),
            (dest(&here), false, false),
            (format!("{}&{}", src(&here), dest(&there)), true, false),
            ("net-slice-info=[{\"nsiId\":\"n0\"},{\"nsiId\":\"n1\"}]".to_owned(), true, false),
            ("net-slice-info=[{\"nsiId\":\"n2\"}]".to_owned(), false, false),
        ];
        for (query, of_seen, of_bare) in rows {
            let filter = filter(&query);
            assert_eq!((fits(&filter, &seen), fits(&filter, &bare)), (of_seen, of_bare), "{query}");
        }
    }

    #[test]
    fn entries_are_grouped_and_keep_their_order() {
        let mut found = Found::default();
        for (seq, aef, invoker) in
            [(1, "AEF1", "INV1"), (2, "AEF2", "INV1"), (3, "AEF1", "INV2"), (4, "AEF1", "INV1")]
        {
            found.add(&filter(""), &record(seq, aef, invoker)).unwrap();
        }
        let seen: Vec<_> = found
            .logs
            .iter()
            .map(|log| {
                let latencies: Vec<_> =
                    log.logs.iter().map(|entry| entry.invocation_latency.unwrap()).collect();
                (log.aef_id.as_str(), log.api_invoker_id.as_str(), latencies)
            })
            .collect();
        assert_eq!(
            seen,
            [("AEF1", "INV1", vec![1, 4]), ("AEF2", "INV1", vec![2]), ("AEF1", "INV2", vec![3])]
        );
        assert_eq!(found.entries, 4);
    }

    #[test]
    fn pages_of_several_functions_are_joined_without_a_gap() {
        let page =
            |aef: &str, seqs: &[u64]| seqs.iter().map(|seq| record(*seq, aef, "INV1")).collect::<Vec<_>>();
        let seqs = |(records, whole): (Vec<InvocationRecord>, Option<u64>)| {
            (records.iter().map(|record| record.seq).collect::<Vec<_>>(), whole)
        };
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("all at their end",   vec![page("A", &[1, 4]), page("B", &[2])],          (vec![1, 2, 4], None)),
            ("one has more",       vec![page("A", &[1, 4, 5]), page("B", &[2, 9])],    (vec![1, 2, 4, 5], Some(5))),
            ("both have more",     vec![page("A", &[1, 4, 9]), page("B", &[2, 3, 5])], (vec![1, 2, 3, 4, 5], Some(5))),
            ("none",               vec![page("A", &[]), page("B", &[])],               (vec![], None)),
        ];
        for (what, pages, expected) in rows {
            assert_eq!(seqs(joined(pages, 3)), expected, "{what}");
        }
    }
}
