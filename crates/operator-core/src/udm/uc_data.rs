//! `GET /{supi}/uc-data`: what a subscriber consents to (TS 29.503 5.2.2.2.26; TS 33.501 V.2).

use api_types::nudm_sdm::{UcPurpose, UcSubscriptionData};
use api_types::problem::{Cause, InvalidParam};
use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::udm::consents;
use store::udm::subscribers::{self, SubscriberRow};
use store::{Sql, StoreError};

use super::UdmServer;
use super::server::{absent, caller};

/// What is kept may be kept only with a look at whether it is still so: a withdrawal counts with the next request.
const REVALIDATE: &str = "private, no-cache";

/// Longest `If-None-Match` that is read, in octets. Own value.
const MAX_HEADER: usize = 4096;

/// `GET /nudm-sdm/v2/{supi}/uc-data?uc-purpose`
pub(super) async fn read(
    State(udm): State<UdmServer>,
    ctx: Ctx,
    Path(supi): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    caller(&ctx)?;
    let purpose = purpose(query.as_deref().unwrap_or_default())?;
    let server = udm.clone();
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (data, tag, unchanged): (UcSubscriptionData, String, bool) = udm
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let row = subscribers::by_supi(tx, &supi).await?.ok_or_else(|| absent(&ctx))?;
                let data = of(tx, &row, purpose.as_ref()).await?.ok_or_else(|| absent(&ctx))?;
                let tag = tag(&data);
                let unchanged = known.is_some_and(|known| names(&known, &tag));
                let permit = Permit::new("udm.uc_data.read").object(server.object(&row, "uc-data"));
                let permit = permit.consent_version(row.version).units(0);
                let permit = permit.status(if unchanged { 304 } else { 200 });
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok::<_, Refusal>((data, tag, unchanged))
            })
        })
        .await?;
    let headers = [(ETAG, tag), (CACHE_CONTROL, REVALIDATE.to_owned())];
    if unchanged {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, Json(data)).into_response())
}

/// What a subscriber said, about one purpose or all; `None`: nothing.
pub(super) async fn of(
    tx: &mut dyn Sql,
    row: &SubscriberRow,
    purpose: Option<&UcPurpose>,
) -> Result<Option<UcSubscriptionData>, StoreError> {
    let said = match purpose {
        Some(purpose) => consents::find(tx, &row.supi, purpose).await?.into_iter().collect(),
        None => consents::of(tx, &row.supi).await?,
    };
    let list: std::collections::BTreeMap<_, _> =
        said.into_iter().map(|row| (row.purpose, row.consent)).collect();
    Ok((!list.is_empty()).then_some(UcSubscriptionData { user_consent_per_purpose_list: Some(list) }))
}

/// The purpose that is asked for. Parameters of later features are ignored (TS 29.500 6.6.2).
fn purpose(query: &str) -> Result<Option<UcPurpose>, Refusal> {
    const NAME: &str = "uc-purpose";
    let mut found = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == NAME);
    let refused = |why| Refusal::input(Cause::InvalidQueryParam, vec![InvalidParam::new(NAME, why)]);
    let Some((_, text)) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(refused("stands twice"));
    }
    let purpose = UcPurpose::from(&*text);
    if purpose.is_plain() { Ok(Some(purpose)) } else { Err(refused("is not a purpose")) }
}

/// The tag of an answer: what is told, and nothing else.
fn tag(data: &UcSubscriptionData) -> String {
    let mut text = String::new();
    for (purpose, consent) in data.user_consent_per_purpose_list.iter().flatten() {
        text.extend([purpose.as_str(), "\n", consent.as_str(), "\n"]);
    }
    let kept = digest(&SHA256, text.as_bytes());
    let hex: String = kept.as_ref().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Whether `If-None-Match: header` names a tag (RFC 9110 13.1.2, weak comparison).
fn names(header: &str, tag: &str) -> bool {
    let is = |listed: &str| {
        let listed = listed.trim();
        listed == "*" || listed.strip_prefix("W/").unwrap_or(listed) == tag
    };
    header.len() <= MAX_HEADER && header.split(',').any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_read_once_and_plainly() {
        for (query, expected) in [
            ("", Some(None)),
            ("supported-features=0", Some(None)),
            ("uc-purpose=ANALYTICS&later=1", Some(Some("ANALYTICS"))),
            ("uc-purpose=METAVERSE_LOCATION", Some(Some("METAVERSE_LOCATION"))),
            ("uc-purpose=", None),
            ("uc-purpose=A%2FB", None),
            ("uc-purpose=A&uc-purpose=A", None),
        ] {
            let read = purpose(query).ok().map(|read| read.map(|read| read.as_str().to_owned()));
            assert_eq!(read, expected.map(|read| read.map(str::to_owned)), "{query}");
        }
    }

    #[test]
    fn a_tag_is_named_by_any_of_the_listed() {
        for (header, named) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(names(header, "\"a\""), named, "{header}");
        }
    }

    #[test]
    fn a_tag_changes_with_what_is_told() {
        let data = |said: &[(&str, &str)]| UcSubscriptionData {
            user_consent_per_purpose_list: Some(
                said.iter().map(|(purpose, consent)| ((*purpose).into(), (*consent).into())).collect(),
            ),
        };
        let given = tag(&data(&[("A", "CONSENT_GIVEN")]));
        assert_eq!(given, tag(&data(&[("A", "CONSENT_GIVEN")])));
        assert_ne!(given, tag(&data(&[("A", "CONSENT_NOT_GIVEN")])));
        assert_ne!(given, tag(&data(&[("B", "CONSENT_GIVEN")])));
        assert_ne!(given, tag(&data(&[("A", "CONSENT_GIVEN"), ("B", "CONSENT_GIVEN")])));
    }
}
