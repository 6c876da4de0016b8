//! What a request brings: media type, strict JSON, features, query and path, and what is left of members that were not
//! negotiated.

use api_types::problem::{Cause, InvalidParam};
use api_types::query::Query;
use api_types::strict_json::{self, StrictJsonError};
use api_types::validate::{Validate, cause_of};
use authorization::Reason;
use axum::extract::{FromRequestParts, Path, Request};
use http::HeaderMap;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;
use service_http::json_body;
use service_http::refusal::Refusal;

use super::supp_feat::SuppFeat;

/// Media type of POST and PUT.
pub(crate) const JSON: &[&str] = &["application/json"];

/// Media types of PATCH: the one of the API description and the one of RFC 7396, with the same meaning (C.7 row 5).
pub(crate) const PATCH: &[&str] = &["application/json", "application/merge-patch+json"];

/// A body that was read, without members of ours unless the peer set feature 1.
pub(crate) struct Input {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) features: SuppFeat,
}

/// Reads a body. Features are set in the body or in `supp-feats`; without feature 1, `strip` takes out what is ours.
///
/// # Errors
/// 415, 413; 400 with the member at fault.
pub(crate) async fn read(
    request: Request,
    accepted: &[&str],
    strip: fn(&mut Value),
) -> Result<Input, Refusal> {
    let asked = features(&query(request.uri().query())?)?;
    let (bytes, headers) = json_body::read(request).await?;
    json_body::check_type(&headers, accepted)?;
    let (body, features) = parse(&bytes, asked, strip)?;
    Ok(Input { headers, body, features })
}

/// Reads the bytes of a body; `asked` is what the query says of features.
///
/// # Errors
/// 400 with the member at fault.
pub(crate) fn parse(
    bytes: &[u8],
    asked: SuppFeat,
    strip: fn(&mut Value),
) -> Result<(Value, SuppFeat), Refusal> {
    let mut body = strict_json::parse(bytes, json_body::DEPTH_MAX).map_err(|error| of_json(&error))?;
    let Value::Object(members) = &mut body else {
        return Err(refused(vec![InvalidParam::new("", "is not an object")]));
    };
    let named = match members.remove("suppFeat") {
        None | Some(Value::Null) => SuppFeat::default(),
        Some(Value::String(text)) => SuppFeat::parse(Some(&text))
            .map_err(|_| optional("/suppFeat", "is not a hexadecimal feature mask"))?,
        Some(_) => return Err(optional("/suppFeat", "has the wrong type")),
    };
    let features = named.or(asked);
    if !features.own_members() {
        strip(&mut body);
    }
    Ok((body, features))
}

/// A body as its type, valid.
///
/// # Errors
/// 400 with the members at fault.
pub(crate) fn typed<T: DeserializeOwned + Validate>(body: Value) -> Result<T, Refusal> {
    let typed: T = strict_json::from_value(body).map_err(|error| of_json(&error))?;
    typed.validate("").map_err(refused)?;
    Ok(typed)
}

/// 400 by the members at fault.
pub(crate) fn refused(faults: Vec<InvalidParam>) -> Refusal {
    Refusal::input(cause_of(&faults), faults)
}

/// 400 by an optional member.
pub(crate) fn optional(param: impl Into<String>, reason: &'static str) -> Refusal {
    Refusal::input(Cause::OptionalIeIncorrect, vec![InvalidParam::new(param, reason)])
}

/// 400 by a mandatory member that is absent.
pub(crate) fn missing(param: impl Into<String>) -> Refusal {
    Refusal::input(Cause::MandatoryIeMissing, vec![InvalidParam::new(param, "is missing")])
}

/// The query of a request.
///
/// # Errors
/// 400: it is no query.
pub(crate) fn query(text: Option<&str>) -> Result<Query, Refusal> {
    Query::parse(text.unwrap_or_default()).map_err(bad_parameter)
}

/// `supp-feats` of a query.
///
/// # Errors
/// 400: no feature mask.
pub(crate) fn features(query: &Query) -> Result<SuppFeat, Refusal> {
    // An empty mask is a mask; bare or quoted (C.7 row 12).
    let raw = query.raw("supp-feats").map(|raw| raw.trim_matches('"'));
    SuppFeat::parse(raw).map_err(|_| parameter("supp-feats", "is not a hexadecimal feature mask"))
}

/// 400 by a parameter of the query.
pub(crate) fn parameter(name: &str, reason: &'static str) -> Refusal {
    bad_parameter(InvalidParam::new(name, reason))
}

/// 400 by a parameter of the query that was found at fault.
pub(crate) fn bad_parameter(fault: InvalidParam) -> Refusal {
    bad_query(vec![fault])
}

/// 400 by parameters of the query.
pub(crate) fn bad_query(faults: Vec<InvalidParam>) -> Refusal {
    Refusal::input(Cause::InvalidQueryParam, faults)
}

fn of_json(error: &StrictJsonError) -> Refusal {
    match error.cause() {
        Cause::TooLarge => Refusal::open(Reason::TooLarge),
        // What could not be read at all is told from a member with a wrong value.
        Cause::InvalidMsgFormat => Refusal {
            reason: Reason::BodyMalformed,
            ..Refusal::input(Cause::InvalidMsgFormat, error.invalid())
        },
        cause => Refusal::input(cause, error.invalid()),
    }
}

/// The identifier of a path. What cannot be one names nothing: 404.
pub(crate) struct PathId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) if api_types::ids::is_id(&text) => Ok(Self(text)),
            _ => Err(Refusal::hidden(Reason::NotFound)),
        }
    }
}
