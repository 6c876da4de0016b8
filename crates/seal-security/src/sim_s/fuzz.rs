//! Readers of bytes from outside, each as a function that never panics.

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderValue};

use super::authorize::browser;
use super::client_auth;
use super::form::Form;
use super::passkey;
use super::redirect;

/// Forms and queries.
pub fn fuzz_form(bytes: &[u8]) {
    if let Ok(form) = Form::parse(bytes) {
        let _ = (form.one("client_id"), form.all("resource").count());
        let _ = client_auth::presented(&HeaderMap::new(), &form, None);
    }
}

/// Redirect URIs, as registered and as asked.
pub fn fuzz_redirect(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let registered = ["https://app.example/cb".to_owned(), "http://127.0.0.1/cb".to_owned()];
    let _ = redirect::is_registered(&registered, &text);
    if redirect::may_be_registered(&text) {
        let _ = redirect::policy_source(&text);
    }
}

/// What a browser sends of a passkey.
pub fn fuzz_passkey(bytes: &[u8]) {
    passkey::read_any(bytes);
}

/// Cookies and client credentials in headers.
pub fn fuzz_headers(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, value.clone());
    headers.insert(AUTHORIZATION, value);
    let _ = browser::cookie(&headers);
    let _ = browser::is_same_origin(&headers, "https://sim.example");
    let _ = client_auth::presented(&headers, &Form::default(), None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            fuzz_form(&bytes);
            fuzz_redirect(&bytes);
            fuzz_headers(&bytes);
            fuzz_passkey(&bytes);
        }

        #[test]
        fn no_text_near_a_uri_makes_a_reader_panic(text in "(https?|com.a):(//)?[a-z0-9.:@\\\\\\[\\]/%?#;-]{0,40}") {
            fuzz_redirect(text.as_bytes());
            fuzz_headers(format!("Basic {text}").as_bytes());
        }
    }
}
