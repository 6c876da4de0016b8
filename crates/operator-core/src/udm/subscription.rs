//! What every operation on a subscription looks at.

use api_types::DateTime;
use api_types::nudm_sdm::SdmSubscription;
use api_types::problem::{Cause, InvalidParam};
use authorization::Reason;
use service_http::call::Ctx;
use service_http::egress::Target;
use service_http::refusal::Refusal;
use store::udm::sdm_subscriptions::{self, SdmSubscriptionRow};
use store::udm::subscribers::SubscriberRow;
use store::{Sql, StoreError};
use url::Url;

use super::UdmServer;
use super::server::{caller, subscriber};

/// How long a subscription lasts that names no end, in seconds. Own value: what a consumer may keep with one.
pub(super) const LASTS_S: i64 = 24 * 3_600;

/// Longest life of a subscription, in seconds. Own value.
pub(super) const LASTS_MAX_S: i64 = 7 * 24 * 3_600;

/// Most subscriptions of one function. Own value.
pub(super) const PER_FUNCTION: u64 = 100_000;

/// The hosts that a notification to `uri` may go to: that of the address. `None`: nothing is sent to such an address.
pub(super) fn hosts(uri: &str) -> Option<Vec<String>> {
    let hosts = vec![Url::parse(uri).ok()?.host_str()?.to_owned()];
    Target::parse(uri, &hosts).is_ok().then_some(hosts)
}

/// Decides what a subscription may ask for, and until when it lasts.
///
/// # Errors
/// An address that nothing is sent to, a resource that is not this subscriber's consent, an end that has passed.
pub(super) fn check(
    udm: &UdmServer,
    ctx: &Ctx,
    row: &SubscriberRow,
    body: &mut SdmSubscription,
) -> Result<i64, Refusal> {
    let fault =
        |param: &str, why| Refusal::input(Cause::MandatoryIeIncorrect, vec![InvalidParam::new(param, why)]);
    if hosts(&body.callback_reference).is_none() {
        ctx.fail("callback address", "https, without user, at 443 or a port from 1024 on", "not so");
        let why =
            InvalidParam::new("/callbackReference", "is not an https address that notifications are sent to");
        return Err(Refusal::open(Reason::AddressRefused).with_invalid(vec![why]));
    }
    for (index, uri) in body.monitored_resource_uris.iter().enumerate() {
        if !is_consent_of(&udm.kit().origin, row, uri) {
            let why = "is not the uc-data of this subscriber";
            return Err(fault(&format!("/monitoredResourceUris/{index}"), why));
        }
    }
    let now_s = udm.now_s();
    let until_s = body.expires.map_or(now_s.saturating_add(LASTS_S), DateTime::unix);
    if until_s <= now_s {
        return Err(fault("/expires", "has passed"));
    }
    let until_s = until_s.min(now_s.saturating_add(LASTS_MAX_S));
    body.expires = Some(DateTime::from_unix(until_s));
    Ok(until_s)
}

/// Whether a URI, absolute or a path, is the consent of this subscriber.
fn is_consent_of(origin: &str, row: &SubscriberRow, uri: &str) -> bool {
    let path = uri.strip_prefix(origin).unwrap_or(uri);
    let id = path.strip_prefix("/nudm-sdm/v2/").and_then(|rest| rest.strip_suffix("/uc-data"));
    id.is_some_and(|id| id == row.supi.as_str() || id == row.gpsi.as_str())
}

/// A subscription of the caller about a subscriber. Another function's is as if it were not there.
///
/// # Errors
/// `SUBSCRIPTION_NOT_FOUND`.
pub(super) async fn held(
    tx: &mut dyn Sql,
    udm: &UdmServer,
    ctx: &Ctx,
    (ue_id, sub_id): (&str, &str),
) -> Result<(SubscriberRow, SdmSubscriptionRow), Refusal> {
    let peer = caller(ctx)?;
    let of = subscriber(tx, ue_id).await?;
    let row = sdm_subscriptions::live(tx, sub_id, udm.now_s()).await?;
    match (of, row) {
        (Some(of), Some(row)) if row.peer == peer && row.supi == of.supi => Ok((of, row)),
        _ => {
            ctx.fail("resource", "a subscription of the caller", "none");
            Err(Refusal::open(Reason::NotFound).answered(404, Cause::SubscriptionNotFound))
        }
    }
}

/// Reads what is kept.
pub(super) fn opened(row: &SdmSubscriptionRow) -> Result<SdmSubscription, StoreError> {
    serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("a subscription at the UDM"))
}

/// Writes what is kept.
pub(super) fn written<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged("JSON"))
}
