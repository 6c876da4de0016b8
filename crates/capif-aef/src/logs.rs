//! The log of invocations on its way to the core function (TS 29.222 8.7): gathered in memory for a moment, kept in the
//! records with the counts, sent until it is taken.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use api_types::DateTime;
use api_types::capif::logging::{InvocationLog, Log};
use api_types::capif::profile::{Operation, Protocol};
use api_types::capif::{AefId, ApiInvokerId, ApiName};
use http::Version;
use service_http::exposure::Invocation;

use crate::aef::ServiceApi;

/// Most invocations of one log. Own value.
pub(crate) const PER_LOG: usize = 200;

/// Most invocations that wait in memory; the records take them many times a second. Own value.
const BUFFERED: usize = 50_000;

/// From so many on they are kept at once. Own value.
pub(crate) const ENOUGH: usize = 1_000;

/// Longest path that is reported. Own value; TS 29.222 has none.
const URI_MAX: usize = 1_024;

/// Invocations that have ended and are in no record yet.
#[derive(Default)]
pub(crate) struct Buffer(Mutex<Vec<Invocation>>);

impl Buffer {
    /// Adds one. How many there are; `None`: there is no room, and it is lost.
    pub(crate) fn push(&self, invocation: Invocation) -> Option<usize> {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (buffer.len() < BUFFERED).then(|| {
            buffer.push(invocation);
            buffer.len()
        })
    }

    /// Takes all.
    pub(crate) fn take(&self) -> Vec<Invocation> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those that could not be kept come again, as far as there is room.
    pub(crate) fn put_back(&self, invocations: Vec<Invocation>) {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = BUFFERED.saturating_sub(buffer.len());
        buffer.splice(0..0, invocations.into_iter().take(room));
    }
}

/// The logs of invocations, one or more for each API invoker. Of what is no published service API nothing is said.
pub(crate) fn logs_of(
    aef: &AefId,
    apis: &BTreeMap<String, ServiceApi>,
    invocations: &[Invocation],
) -> Vec<InvocationLog> {
    let mut by_invoker: BTreeMap<&str, Vec<Log>> = BTreeMap::new();
    for invocation in invocations {
        let entry = apis.get(&invocation.api).and_then(|api| log_of(api, invocation));
        by_invoker.entry(&invocation.invoker).or_default().extend(entry);
    }
    let mut logs = Vec::new();
    for (invoker, entries) in by_invoker {
        let Ok(api_invoker_id) = ApiInvokerId::try_from(invoker) else { continue };
        logs.extend(entries.chunks(PER_LOG).map(|part| InvocationLog {
            aef_id: aef.clone(),
            api_invoker_id: api_invoker_id.clone(),
            logs: part.to_vec(),
            supported_features: None,
        }));
    }
    logs
}

fn log_of(api: &ServiceApi, invocation: &Invocation) -> Option<Log> {
    let base = format!("/{}/{}/", invocation.api, api.version);
    let resource = invocation.resource.strip_prefix(&base).unwrap_or(&invocation.resource);
    Some(Log {
        api_id: api.id.clone(),
        api_name: ApiName::try_from(invocation.api.as_str()).ok()?,
        api_version: api.version.clone(),
        resource_name: resource.trim_start_matches('/').to_owned(),
        uri: (invocation.uri.len() <= URI_MAX).then(|| invocation.uri.clone()),
        protocol: if invocation.version == Version::HTTP_2 { Protocol::Http2 } else { Protocol::Http11 },
        operation: Some(Operation::from(invocation.method.as_str())),
        result: invocation.status.to_string(),
        invocation_time: Some(DateTime::from_unix_ms(invocation.at_ms)),
        invocation_latency: u64::try_from(invocation.took.as_millis()).ok(),
        // What was asked and answered may name persons, and is nobody's here.
        input_parameters: None,
        output_parameters: None,
        src_interface: None,
        dest_interface: None,
        fwd_interface: None,
        net_slice_info: None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use api_types::validate::Validate as _;
    use http::Method;

    use super::*;

    fn invocation(invoker: &str, api: &str) -> Invocation {
        Invocation {
            issuer: "https://ccf.example".to_owned(),
            invoker: invoker.to_owned(),
            api: api.to_owned(),
            resource: format!("/{api}/v1/things/{{thingId}}"),
            uri: format!("/{api}/v1/things/7"),
            method: Method::GET,
            version: Version::HTTP_2,
            status: 404,
            at_ms: 1_800_000_000_123,
            took: Duration::from_millis(7),
        }
    }

    #[test]
    fn each_api_invoker_has_logs_of_its_own_that_the_core_function_takes() {
        let aef = "AEF1".try_into().unwrap();
        let api = ServiceApi { id: "API1".try_into().unwrap(), version: "v1".to_owned() };
        let apis = [("things".to_owned(), api)].into();
        let mut ended = vec![invocation("INV2", "things"), invocation("INV1", "oscp-ssd")];
        ended.extend((0..PER_LOG + 1).map(|_| invocation("INV1", "things")));
        let logs = logs_of(&aef, &apis, &ended);
        let seen: Vec<_> = logs.iter().map(|log| (log.api_invoker_id.as_str(), log.logs.len())).collect();
        assert_eq!(seen, [("INV1", PER_LOG), ("INV1", 1), ("INV2", 1)]);
        assert!(logs.iter().all(|log| log.validate("").is_ok()));
        let entry = serde_json::to_value(&logs[2].logs[0]).unwrap();
        assert_eq!(
            entry,
            serde_json::json!({
                "apiId": "API1", "apiName": "things", "apiVersion": "v1", "resourceName": "things/{thingId}",
                "uri": "/things/v1/things/7", "protocol": "HTTP_2", "operation": "GET", "result": "404",
                "invocationTime": "2027-01-15T08:00:00.123Z", "invocationLatency": 7,
            })
        );
    }

    #[test]
    fn what_waits_is_bounded() {
        let buffer = Buffer::default();
        for n in 1..=BUFFERED {
            assert_eq!(buffer.push(invocation("INV1", "things")), Some(n));
        }
        assert_eq!(buffer.push(invocation("INV1", "things")), None);
        let taken = buffer.take();
        assert_eq!(buffer.push(invocation("INV2", "things")), Some(1));
        buffer.put_back(taken);
        let all = buffer.take();
        assert_eq!(
            (all.len(), all[BUFFERED - 1].invoker.as_str()),
            (BUFFERED, "INV2"),
            "the oldest come first"
        );
    }
}
