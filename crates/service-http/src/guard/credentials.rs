//! What a request presents: token, scheme, proof, and the identifiers that it claims.

use authorization::Reason;
use authorization::holder::Scheme;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName};

use api_types::problem::{Cause, InvalidParam};

use crate::refusal::Refusal;

/// The user for whom discovery is asked (contract, section 7).
pub const UE_ID: HeaderName = HeaderName::from_static("ue-id");

/// An identity that only a trusted proxy of the operator may assert (TS 24.109); nobody before us is one.
pub const ASSERTED_IDENTITY: HeaderName = HeaderName::from_static("x-3gpp-asserted-identity");

const DPOP: HeaderName = HeaderName::from_static("dpop");

/// Longest `Ue-Id`, in bytes. Own value.
const UE_ID_MAX: usize = 512;

/// What a request presents.
#[derive(Clone, Copy)]
pub struct Credentials<'r> {
    /// Scheme of the `Authorization` header.
    pub scheme: Scheme,
    /// The access token.
    pub token: &'r str,
    /// The DPoP proof.
    pub proof: Option<&'r str>,
    /// The user that the request names.
    pub ue_id: Option<&'r str>,
}

impl<'r> Credentials<'r> {
    /// Reads the head of a request (RFC 6750 2.1, RFC 9449 4.3). Two of a kind are refused: which one counts would be a
    /// guess.
    ///
    /// # Errors
    /// 400 for what is there twice or in the wrong place, 401 without a token, 403 for an asserted identity.
    pub fn of(parts: &'r Parts) -> Result<Self, Refusal> {
        refuse_asserted_identity(&parts.headers)?;
        refuse_token_in_query(parts.uri.query())?;
        let authorization = one(&parts.headers, &AUTHORIZATION, "Authorization")?;
        let proof = one(&parts.headers, &DPOP, "DPoP")?;
        let ue_id = one(&parts.headers, &UE_ID, "Ue-Id")?;
        if ue_id.is_some_and(|id| id.is_empty() || id.len() > UE_ID_MAX) {
            return Err(malformed("Ue-Id", "must name one user"));
        }
        let (scheme, token) =
            authorization.and_then(split).ok_or_else(|| Refusal::open(Reason::TokenMissing))?;
        // RFC 6750 2.1: one b64token and nothing behind it.
        if token.is_empty() || !token.bytes().all(is_token_byte) {
            return Err(Refusal::open(Reason::TokenMalformed));
        }
        Ok(Self { scheme, token, proof, ue_id })
    }
}

/// Refuses `X-3GPP-Asserted-Identity` from whomever (attack A41).
///
/// # Errors
/// 403.
pub(super) fn refuse_asserted_identity(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(&ASSERTED_IDENTITY) {
        return Err(Refusal::open(Reason::PeerRefused).answered(403, Cause::UnauthorizedOperation));
    }
    Ok(())
}

fn refuse_token_in_query(query: Option<&str>) -> Result<(), Refusal> {
    let query = query.unwrap_or_default().as_bytes();
    let named = url::form_urlencoded::parse(query).any(|(name, _)| name.eq_ignore_ascii_case("access_token"));
    if named {
        let fault = InvalidParam::new("access_token", "is not accepted in the query");
        return Err(Refusal::open(Reason::TokenInQuery)
            .answered(400, Cause::InvalidQueryParam)
            .with_invalid(vec![fault]));
    }
    Ok(())
}

fn split(value: &str) -> Option<(Scheme, &str)> {
    let (name, token) = value.split_once(' ').unwrap_or((value, ""));
    Some((Scheme::from_name(name)?, token))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

/// The one value of a header, if there is one.
fn one<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    shown: &'static str,
) -> Result<Option<&'h str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed(shown, "must be there once"));
    }
    value.to_str().map(Some).map_err(|_| malformed(shown, "must be printable ASCII"))
}

fn malformed(param: &'static str, reason: &'static str) -> Refusal {
    Refusal::open(Reason::InputRefused)
        .answered(400, Cause::InvalidMsgFormat)
        .with_invalid(vec![InvalidParam::new(param, reason)])
}

/// Entry points of the fuzz targets.
pub mod fuzz {
    use http::{HeaderValue, Request};

    /// Takes any bytes as the credentials of a request: lines are the query, then `Authorization`, `DPoP` and `Ue-Id`
    /// in turn. Never panics.
    pub fn fuzz_credentials(bytes: &[u8]) {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let query = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let Ok(request) = Request::builder().uri(format!("/x?{query}")).body(()) else { return };
        let (mut parts, ()) = request.into_parts();
        for (line, name) in lines.zip([http::header::AUTHORIZATION, super::DPOP, super::UE_ID].iter().cycle())
        {
            if let Ok(value) = HeaderValue::from_bytes(line) {
                parts.headers.append(name, value);
            }
        }
        let _ = super::Credentials::of(&parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn read(uri: &str, headers: &[(&str, &str)]) -> Result<(Scheme, String), Refusal> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Credentials::of(&parts).map(|credentials| (credentials.scheme, credentials.token.to_owned()))
    }

    #[test]
    fn one_token_in_one_place_is_read() {
        assert_eq!(
            read("/x", &[("Authorization", "Bearer a.b.c")]).unwrap(),
            (Scheme::Bearer, "a.b.c".to_owned())
        );
        assert_eq!(read("/x?q=1", &[("authorization", "dpop a")]).unwrap(), (Scheme::Dpop, "a".to_owned()));
        type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)], Reason, u16);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 13] = [
            ("nothing",              "/x", &[],                                                     Reason::TokenMissing,   401),
            ("another scheme",       "/x", &[("Authorization", "Basic YTpi")],                      Reason::TokenMissing,   401),
            ("no token",             "/x", &[("Authorization", "Bearer")],                          Reason::TokenMalformed, 401),
            ("a second word",        "/x", &[("Authorization", "Bearer a b")],                      Reason::TokenMalformed, 401),
            ("a comma",              "/x", &[("Authorization", "Bearer a,b")],                      Reason::TokenMalformed, 401),
            ("two of them",          "/x", &[("Authorization", "Bearer a"), ("Authorization", "Bearer a")], Reason::InputRefused, 400),
            ("two proofs",           "/x", &[("Authorization", "DPoP a"), ("DPoP", "p"), ("DPoP", "p")],    Reason::InputRefused, 400),
            ("two users",            "/x", &[("Authorization", "Bearer a"), ("Ue-Id", "p"), ("Ue-Id", "q")], Reason::InputRefused, 400),
            ("an empty user",        "/x", &[("Authorization", "Bearer a"), ("Ue-Id", "")],         Reason::InputRefused,   400),
            ("query",                "/x?access_token=a", &[],                                      Reason::TokenInQuery,   400),
            ("query beside header",  "/x?b=1&access_token=", &[("Authorization", "Bearer a")],      Reason::TokenInQuery,   400),
            ("query, encoded",       "/x?access%5Ftoken=a", &[("Authorization", "Bearer a")],       Reason::TokenInQuery,   400),
            ("asserted identity",    "/x", &[("Authorization", "Bearer a"), ("X-3GPP-Asserted-Identity", "sip:a@b")], Reason::PeerRefused, 403),
        ];
        for (what, uri, headers, reason, status) in rows {
            let refusal = read(uri, headers).unwrap_err();
            assert_eq!(refusal.reason, reason, "{what}");
            if status != 401 {
                assert_eq!(refusal.on_the_wire().0, status, "{what}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            fuzz::fuzz_credentials(&bytes);
            let mut lines = b"access_token=1\nBearer ".to_vec();
            lines.extend(bytes);
            fuzz::fuzz_credentials(&lines);
        }
    }
}
