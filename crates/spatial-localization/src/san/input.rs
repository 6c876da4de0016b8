//! Bodies of `ssan-sanm`: media type, strict JSON, features, and what is left of members that were not negotiated.

use api_types::common_data::SupportedFeatures;
use api_types::problem::Cause;
use api_types::query::Query;
use api_types::validate::{Validate, cause_of};
use api_types::{InvalidParam, strict_json};
use authorization::Reason;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use service_http::call::Call;
use service_http::refusal::Refusal;

use crate::shared::supp_feat::SuppFeat;

/// Deepest nesting of a body. Own value: the deepest path of TS 29.437, a point of a polygon of a service area, has 11.
const MAX_DEPTH: usize = 24;

/// Media type of POST and PUT.
pub(super) const JSON: &[&str] = &["application/json"];

/// Media types of PATCH: the one of the API description and the one of RFC 7396, with the same meaning.
pub(super) const PATCH: &[&str] = &["application/json", "application/merge-patch+json"];

/// Members of an anchor beyond Rel-19 (contract, section 7).
const OWN_MEMBERS: [&str; 6] =
    ["visibility", "timePeriod", "premises", "servInfos", "name", "personalDataRequired"];

/// A body that was read, without members of ours unless the peer set feature 1.
pub(super) struct Input {
    pub(super) body: Value,
    pub(super) feat: SuppFeat,
}

/// Reads a body. `query` is what the query says of features.
///
/// # Errors
/// 415; 400 with the member at fault.
pub(super) fn read(
    headers: &HeaderMap,
    bytes: &[u8],
    accepted: &[&str],
    query: SuppFeat,
) -> Result<Input, Refusal> {
    check_media_type(headers, accepted)?;
    let mut body = strict_json::parse(bytes, MAX_DEPTH).map_err(of_json)?;
    let Value::Object(members) = &mut body else {
        return Err(refused(vec![InvalidParam::new("", "is not an object")]));
    };
    let named = match members.remove("suppFeat") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => return Err(optional("/suppFeat", "has the wrong type")),
    };
    let named = SuppFeat::parse(named.as_deref())
        .map_err(|_| optional("/suppFeat", "is not a hexadecimal feature mask"))?;
    let feat = named.or(query);
    if !feat.own_members() {
        each_anchor(&mut body, |anchor| OWN_MEMBERS.iter().for_each(|name| drop(anchor.remove(*name))));
    }
    Ok(Input { body, feat })
}

/// Does something with each anchor of a body that is an object.
pub(super) fn each_anchor(body: &mut Value, mut f: impl FnMut(&mut serde_json::Map<String, Value>)) {
    if let Some(Value::Object(anchors)) = body.get_mut("anchors") {
        anchors.values_mut().filter_map(Value::as_object_mut).for_each(&mut f);
    }
}

/// A body as its type, valid.
///
/// # Errors
/// 400 with the members at fault.
pub(super) fn typed<T: serde::de::DeserializeOwned + Validate>(body: Value) -> Result<T, Refusal> {
    let typed: T = strict_json::from_value(body).map_err(of_json)?;
    typed.validate("").map_err(refused)?;
    Ok(typed)
}

/// 400 by the faults found.
pub(super) fn refused(faults: Vec<InvalidParam>) -> Refusal {
    Refusal::input(cause_of(&faults), faults)
}

/// 400 by an optional member.
pub(super) fn optional(param: impl Into<String>, reason: &'static str) -> Refusal {
    Refusal::input(Cause::OptionalIeIncorrect, vec![InvalidParam::new(param, reason)])
}

/// 400 by a query parameter.
pub(super) fn query(param: &str, reason: &'static str) -> Refusal {
    parameter(InvalidParam::new(param, reason))
}

fn of_json(error: strict_json::StrictJsonError) -> Refusal {
    match error.cause() {
        Cause::TooLarge => Refusal::open(Reason::TooLarge),
        cause => Refusal::input(cause, error.invalid()),
    }
}

fn check_media_type(headers: &HeaderMap, accepted: &[&str]) -> Result<(), Refusal> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let named = values.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = named.split(';').next().unwrap_or_default().trim();
    let alone = values.next().is_none();
    if alone && accepted.iter().any(|media| media.eq_ignore_ascii_case(essence)) {
        Ok(())
    } else {
        Err(Refusal::open(Reason::MediaTypeWrong))
    }
}

/// No body panics.
pub(crate) fn fuzz_body(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    if let Ok(input) = read(&headers, bytes, PATCH, SuppFeat::default()) {
        let _ = typed::<api_types::san::SpatialAnchorsList>(input.body);
    }
}

/// What the query of a request says of features.
///
/// # Errors
/// 400 `INVALID_QUERY_PARAM`.
pub(super) fn features(text: Option<&str>) -> Result<SuppFeat, Refusal> {
    let query = parameters(text)?;
    supp_feats(&query)
}

/// The parameters of a request.
///
/// # Errors
/// 400 `INVALID_QUERY_PARAM`.
pub(super) fn parameters(text: Option<&str>) -> Result<Query, Refusal> {
    Query::parse(text.unwrap_or_default()).map_err(parameter)
}

/// `supp-feats`, with or without the quotes of JSON.
///
/// # Errors
/// 400 `INVALID_QUERY_PARAM`.
pub(super) fn supp_feats(query: &Query) -> Result<SuppFeat, Refusal> {
    let named: Option<SupportedFeatures> = query.json("supp-feats").map_err(parameter)?;
    let named = named.as_ref().map(SupportedFeatures::as_str);
    SuppFeat::parse(named).map_err(|_| self::query("supp-feats", "is not a hexadecimal feature mask"))
}

/// 400 by a parameter that was named.
pub(super) fn parameter(fault: InvalidParam) -> Refusal {
    Refusal::open(Reason::QueryWrong).answered(400, Cause::InvalidQueryParam).with_invalid(vec![fault])
}

/// The identifier of the path. What cannot be one names nothing.
///
/// # Errors
/// 404.
pub(super) fn list_id(path: Result<Path<String>, PathRejection>) -> Result<String, Refusal> {
    match path {
        Ok(Path(text)) if api_types::ids::is_id(&text) => Ok(text),
        _ => Err(Refusal::hidden(Reason::NotFound)),
    }
}

/// There is no such list; told with the bytes of a list that is hidden.
pub(super) fn absent(call: &Call) -> Refusal {
    call.ctx.fail("resource", "an anchor that stands open", Reason::NotFound.as_str());
    Refusal::hidden(Reason::NotFound)
}
