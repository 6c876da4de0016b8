//! Bodies of `ssm-smm`: media type, strict JSON, features, and what is left of members that were not negotiated.

use api_types::problem::{Cause, InvalidParam};
use api_types::query::Query;
use api_types::strict_json::{self, StrictJsonError};
use api_types::validate::Validate;
use authorization::Reason;
use axum::extract::Request;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use service_http::json_body;
use service_http::refusal::Refusal;

use crate::shared::supp_feat::SuppFeat;
use crate::sm::record::refused;

/// Media type of POST and PUT.
pub(super) const JSON: &[&str] = &["application/json"];

/// Media types of PATCH: the one of the API description and the one of RFC 7396, with the same meaning (C.7 row 5).
pub(super) const PATCH: &[&str] = &["application/json", "application/merge-patch+json"];

/// Members of a map beyond Rel-19 (contract, section 7).
const OWN_MEMBERS: [&str; 6] =
    ["visibility", "timePeriod", "premises", "servInfos", "name", "personalDataRequired"];

/// A body that was read.
pub(super) struct Input {
    pub(super) headers: http::HeaderMap,
    pub(super) body: Value,
    pub(super) features: SuppFeat,
}

/// Reads a body. Members of ours stay only where the peer set feature 1, in the body or in `supp-feats`; `profile` is the
/// member that holds them.
///
/// # Errors
/// 415, 413; 400 with the member at fault.
pub(super) async fn read(request: Request, accepted: &[&str], profile: &str) -> Result<Input, Refusal> {
    let asked = features(request.uri().query())?;
    let (bytes, headers) = json_body::read(request).await?;
    json_body::check_type(&headers, accepted)?;
    let mut body = strict_json::parse(&bytes, json_body::DEPTH_MAX).map_err(|error| of_json(&error))?;
    let Value::Object(members) = &mut body else {
        return Err(refused(vec![InvalidParam::new("", "is not an object")]));
    };
    let named = match members.remove("suppFeat") {
        None | Some(Value::Null) => SuppFeat::default(),
        Some(Value::String(text)) => SuppFeat::parse(Some(&text)).map_err(|_| {
            refused(vec![InvalidParam::new("/suppFeat", "is not a hexadecimal feature mask")])
        })?,
        Some(_) => return Err(refused(vec![InvalidParam::new("/suppFeat", "has the wrong type")])),
    };
    let features = named.or(asked);
    if !features.own_members()
        && let Some(Value::Object(profile)) = members.get_mut(profile)
    {
        strip(profile);
    }
    Ok(Input { headers, body, features })
}

fn strip(profile: &mut Map<String, Value>) {
    for name in OWN_MEMBERS {
        profile.remove(name);
    }
}

/// A body as its type, valid.
///
/// # Errors
/// 400 with the members at fault.
pub(super) fn typed<T: DeserializeOwned + Validate>(body: Value) -> Result<T, Refusal> {
    let typed: T = strict_json::from_value(body).map_err(|error| of_json(&error))?;
    typed.validate("").map_err(refused)?;
    Ok(typed)
}

/// `supp-feats` of a query.
///
/// # Errors
/// 400: no query, or no feature mask.
pub(super) fn features(query: Option<&str>) -> Result<SuppFeat, Refusal> {
    let query = self::query(query)?;
    features_of(&query)
}

/// `supp-feats` of a query that was read.
///
/// # Errors
/// 400: no feature mask.
pub(super) fn features_of(query: &Query) -> Result<SuppFeat, Refusal> {
    // An empty mask is a mask; bare or quoted (C.7 row 12).
    let raw = query.raw("supp-feats").map(|raw| raw.trim_matches('"'));
    SuppFeat::parse(raw)
        .map_err(|_| bad_query(vec![InvalidParam::new("supp-feats", "is not a hexadecimal feature mask")]))
}

/// The query of a request.
///
/// # Errors
/// 400: it is no query.
pub(super) fn query(query: Option<&str>) -> Result<Query, Refusal> {
    Query::parse(query.unwrap_or_default()).map_err(|fault| bad_query(vec![fault]))
}

/// 400 by parameters of the query.
pub(super) fn bad_query(faults: Vec<InvalidParam>) -> Refusal {
    Refusal::input(Cause::InvalidQueryParam, faults)
}

fn of_json(error: &StrictJsonError) -> Refusal {
    match error.cause() {
        Cause::TooLarge => Refusal::open(Reason::TooLarge),
        cause => Refusal::input(cause, error.invalid()),
    }
}

/// For a fuzz target: no body panics.
pub fn fuzz_map(bytes: &[u8]) {
    let Ok(body) = strict_json::parse(bytes, json_body::DEPTH_MAX) else { return };
    if let Ok(request) = typed::<api_types::sm::SpatialMapCreateReq>(body.clone()) {
        let map = crate::sm::build::build(api_types::ids::SpatialMapId(1), &request, SuppFeat::default());
        let _ = crate::sm::build::boxes(&map, 1.0e10);
    }
    if let Ok(map) = typed::<api_types::sm::SpatialMap>(body.clone()) {
        let _ = crate::sm::build::boxes(&map, 1.0e10);
        let _ = map.patched(&body);
    }
}
