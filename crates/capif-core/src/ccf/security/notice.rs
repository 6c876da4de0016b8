//! Who is told that an authorization has ended (sheet 2.7; decision 0080): the API exposing function, by
//! `revoke-authorization`, where it did not ask for it itself; then the API invoker, where its security context says. Both
//! are queued in the transaction that ends it, and leave through the outbox of the events.

use std::collections::BTreeMap;

use api_types::capif::aef_security::RevokeAuthorizationReq;
use api_types::capif::profile::AefProfile;
use api_types::capif::security::{RevocationCause, SecurityNotification};
use api_types::capif::{AefId, ApiInvokerId, ServiceApiId};
use api_types::common_data::SupportedFeatures;
use service_http::egress::Egress;
use service_http::outbox_driver::Decision;
use store::capif::contexts::{self, ContextEntry, Gone};
use store::capif::providers;
use store::outbox::{self, Message};
use store::{Sql, StoreError};

use super::read;
use crate::ccf::events::destination;
use crate::ccf::{CcfServer, published};

/// `kind` of the messages to API exposing functions.
pub(crate) const TO_AEF: &str = "REVOKE_AUTHORIZATION";
/// `kind` of the messages to API invokers.
pub(crate) const TO_INVOKER: &str = "SECURITY_NOTIFICATION";

/// Where a function takes them.
const AEF_PATH: &str = "/aef-security/v1/revoke-authorization";

/// How long the API invoker's message waits for that of the function, in milliseconds. Own value: a function that does not
/// answer keeps nobody from being told.
const PATIENCE_MS: i64 = 10_000;

/// Service APIs of one message. Own value, below what TS 29.222 is read with.
const PER_MESSAGE: usize = 64;

/// Who ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The core function: the API exposing function is told first.
    Core,
    /// The API exposing function, or it is gone.
    Aef,
}

/// Queues what is told of entries that have ended, or are about to; each function and API invoker once.
///
/// # Errors
/// The store fails.
pub(crate) async fn queue(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    gone: &[Gone],
    cause: &RevocationCause,
    by: By,
) -> Result<(), StoreError> {
    let mut ended: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for Gone { invoker_id, entry } in gone {
        ended.entry((invoker_id, &entry.aef_id)).or_default().push(&entry.api_id);
    }
    for ((invoker, aef), apis) in ended {
        for apis in apis.chunks(PER_MESSAGE) {
            let told = notification(invoker, aef, apis, cause)?;
            one(tx, ccf, &told, by).await?;
        }
    }
    Ok(())
}

/// As [`queue`], of entries of one API invoker.
///
/// # Errors
/// The store fails.
pub(crate) async fn queue_of(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    invoker: &str,
    entries: Vec<ContextEntry>,
    cause: &RevocationCause,
    by: By,
) -> Result<(), StoreError> {
    let gone = |entry| Gone { invoker_id: invoker.to_owned(), entry };
    let gone: Vec<Gone> = entries.into_iter().map(gone).collect();
    queue(tx, ccf, &gone, cause, by).await
}

async fn one(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    told: &SecurityNotification,
    by: By,
) -> Result<(), StoreError> {
    let id = ccf.kit().ambient.random_id();
    let now_ms = ccf.kit().ambient.now_ms();
    let message = |kind: &str, client: &str, target: String, body: String| Message {
        id: format!("{kind}:{id}"),
        kind: kind.to_owned(),
        client: client.to_owned(),
        target,
        body,
        trace: None,
        queued_ms: now_ms,
        due_ms: now_ms,
    };
    let (invoker, aef) = (told.api_invoker_id.as_str(), told.aef_id.as_ref().map(AefId::as_str));
    if let (By::Core, Some(aef)) = (by, aef)
        && let Some(origin) = origin_of(tx, aef).await?
    {
        let body = RevokeAuthorizationReq {
            revoke_info: told.clone(),
            supported_features: SupportedFeatures::of(&[]),
        };
        let target = format!("{origin}{AEF_PATH}");
        outbox::queue(tx, &message(TO_AEF, aef, target, written(&body)?)).await?;
    }
    let context = contexts::find(tx, invoker).await?;
    let context = context.as_ref().and_then(|row| read(row).ok());
    let to = context.map(|context| context.notification_destination);
    if let Some(to) = to.filter(|to| destination::hosts(to).is_some()) {
        outbox::queue(tx, &message(TO_INVOKER, invoker, to, written(told)?)).await?;
    }
    Ok(())
}

/// Where a function listens, as it is published.
async fn origin_of(tx: &mut dyn Sql, aef: &str) -> Result<Option<String>, StoreError> {
    let apis = published::of_aef(tx, aef).await?;
    let mut profiles = apis.iter().flat_map(|api| api.aef_profiles.iter().flatten());
    Ok(profiles.find(|profile| profile.aef_id.as_str() == aef).and_then(origin))
}

fn origin(profile: &AefProfile) -> Option<String> {
    let Some(interface) = profile.interface_descriptions.as_deref().and_then(<[_]>::first) else {
        return profile.domain_name.as_ref().map(|domain| format!("https://{domain}"));
    };
    let v6 = interface.ipv6_addr.as_ref().map(|address| format!("[{address}]"));
    let host = interface.fqdn.clone().or_else(|| interface.ipv4_addr.clone()).or(v6)?;
    Some(match interface.port {
        Some(port) => format!("https://{host}:{port}"),
        None => format!("https://{host}"),
    })
}

fn notification(
    invoker: &str,
    aef: &str,
    apis: &[&str],
    cause: &RevocationCause,
) -> Result<SecurityNotification, StoreError> {
    const DAMAGED: StoreError = StoreError::Damaged("an entry of a security context");
    let apis = apis.iter().map(|api| ServiceApiId::try_from(*api));
    Ok(SecurityNotification {
        api_invoker_id: ApiInvokerId::try_from(invoker).map_err(|_| DAMAGED)?,
        aef_id: Some(AefId::try_from(aef).map_err(|_| DAMAGED)?),
        api_ids: apis.collect::<Result<_, _>>().map_err(|_| DAMAGED)?,
        access_token: None,
        cause: cause.clone(),
    })
}

fn written(body: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(body).map_err(|_| StoreError::Damaged("a security notification"))
}

/// Whether a message is one of these.
pub(crate) fn is_ours(message: &Message) -> bool {
    matches!(message.kind.as_str(), TO_AEF | TO_INVOKER)
}

/// The way of a message: to a function with the certificate of the core function, to an API invoker as all notifications.
pub(crate) fn way(ccf: &CcfServer, message: &Message) -> Option<Egress> {
    (message.kind == TO_AEF).then(|| ccf.config().aef_egress.clone()).flatten()
}

/// Decides about a message that could go now.
///
/// # Errors
/// The store fails.
pub(crate) async fn decide(ccf: &CcfServer, message: &Message) -> Result<Decision, StoreError> {
    let Some(hosts) = hosts(message) else { return Ok(Decision::Drop) };
    let send = Decision::Send { hosts, body: message.body.clone() };
    if message.kind == TO_AEF {
        let aef = message.client.clone();
        let known =
            ccf.kit().store.read(move |tx| Box::pin(async move { providers::function(tx, &aef).await }));
        return Ok(if known.await?.is_some() && ccf.config().aef_egress.is_some() {
            send
        } else {
            Decision::Drop
        });
    }
    let before = message.id.replacen(TO_INVOKER, TO_AEF, 1);
    let waits = ccf.kit().store.read(move |tx| Box::pin(async move { outbox::waits(tx, &before).await }));
    let late = ccf.kit().ambient.now_ms().saturating_sub(message.queued_ms) > PATIENCE_MS;
    Ok(if waits.await? && !late { Decision::Later("the API exposing function is told first") } else { send })
}

/// The one host that a message may go to: to a function, also at the port that it is published with.
fn hosts(message: &Message) -> Option<Vec<String>> {
    if message.kind == TO_INVOKER {
        return destination::hosts(&message.target);
    }
    let url = url::Url::parse(&message.target).ok()?;
    let host = url.host_str()?.to_owned();
    Some(vec![format!("{host}:{}", url.port_or_known_default()?), host])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_function_is_told_where_it_is_published() {
        let at = |more: Value| {
            let mut profile = json!({ "aefId": "AEF1", "versions": [{ "apiVersion": "v1" }] });
            profile.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            origin(&serde_json::from_value(profile).unwrap())
        };
        #[rustfmt::skip] // a table stays a table
        let rows = [
            (json!({ "interfaceDescriptions": [{ "fqdn": "a.example", "port": 8443 }, { "fqdn": "b.example" }] }), Some("https://a.example:8443")),
            (json!({ "interfaceDescriptions": [{ "ipv4Addr": "192.0.2.1" }] }),                Some("https://192.0.2.1")),
            (json!({ "interfaceDescriptions": [{ "ipv6Addr": "2001:db8::1", "port": 444 }] }), Some("https://[2001:db8::1]:444")),
            (json!({ "domainName": "c.example" }),                                             Some("https://c.example")),
            (json!({}),                                                                        None),
        ];
        for (more, expected) in rows {
            assert_eq!(at(more.clone()).as_deref(), expected, "{more}");
        }
    }
}
