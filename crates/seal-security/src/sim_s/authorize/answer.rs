//! The authorization response: parameters in the query of the redirect URI, always with `iss` (RFC 9207).

use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use url::form_urlencoded;

use super::page;
use crate::sim_s::error::{OAuthError, no_store};

/// Where an answer goes and what it echoes.
#[derive(Debug, Clone, Copy)]
pub struct ReturnTo<'a> {
    /// A registered redirect URI.
    pub redirect_uri: &'a str,
    /// `state` of the request, if it had one.
    pub state: Option<&'a str>,
    /// The issuer.
    pub issuer: &'a str,
}

/// An answer with a code. After a form, `see_other` makes a browser forget the POST (RFC 9700 4.12); TS 24.547 says 302.
#[must_use]
pub fn granted(to: ReturnTo<'_>, code: &str, see_other: bool) -> Response {
    let status = if see_other { StatusCode::SEE_OTHER } else { StatusCode::FOUND };
    redirect(status, to, &[("code", code)])
}

/// A refusal (RFC 6749 4.1.2.1).
#[must_use]
pub fn refused(to: ReturnTo<'_>, error: &OAuthError, see_other: bool) -> Response {
    let status = if see_other { StatusCode::SEE_OTHER } else { StatusCode::FOUND };
    let parameters = [("error", error.code.as_str()), ("error_description", error.code.description())];
    let mut response = redirect(status, to, &parameters);
    response.extensions_mut().insert(error.record(status.as_u16()));
    response
}

fn redirect(status: StatusCode, to: ReturnTo<'_>, parameters: &[(&str, &str)]) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    if let Some(state) = to.state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", to.issuer);
    let mark = if to.redirect_uri.contains('?') { '&' } else { '?' };
    let location = format!("{}{mark}{}", to.redirect_uri, query.finish());
    let Ok(location) = HeaderValue::from_str(&location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = status.into_response();
    no_store(&mut response);
    page::protect(&mut response);
    response.headers_mut().insert(LOCATION, location);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_names_its_issuer() {
        let to =
            ReturnTo { redirect_uri: "https://a.example/cb?x=1", state: Some("s &"), issuer: "https://sim" };
        let answer = granted(to, "c", false);
        assert_eq!(answer.status(), 302);
        assert_eq!(
            answer.headers()[LOCATION],
            "https://a.example/cb?x=1&code=c&state=s+%26&iss=https%3A%2F%2Fsim"
        );
        let answer = refused(ReturnTo { state: None, ..to }, &OAuthError::malformed(), true);
        assert_eq!(answer.status(), 303);
        let location = answer.headers()[LOCATION].to_str().unwrap();
        assert!(location.contains("error=invalid_request") && location.ends_with("&iss=https%3A%2F%2Fsim"));
    }
}
