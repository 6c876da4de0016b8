//! The files of `console/dist`, embedded by the build script. Each `NAME.gz` beside a file is its compressed form.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};
use service_http::refusal::Refusal;

use super::page;
use authorization::Reason;

type Embedded = &'static [(&'static str, &'static [u8])];

/// Name and bytes of each file; none where the pages were not built.
static FILES: Embedded = include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// Names of assets hold a hash of their content: what was fetched once stays good.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// `GET /`
pub(super) async fn index(headers: HeaderMap) -> Response {
    let mut response = match found("index.html", &headers) {
        Some(response) => response,
        None => page::not_built(),
    };
    page::protect(&mut response);
    response
}

/// `GET /assets/{file}`
pub(super) async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let absent = || Refusal::open(Reason::RouteUnknown);
    if file.ends_with(".gz") {
        return Err(absent());
    }
    let mut response = found(&format!("assets/{file}"), &headers).ok_or_else(absent)?;
    response.headers_mut().insert(CACHE_CONTROL, FOREVER);
    // Workers run under the policy that they are served with.
    page::protect(&mut response);
    Ok(response)
}

fn found(name: &str, headers: &HeaderMap) -> Option<Response> {
    let bytes = |name: &str| FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes);
    let plain = bytes(name)?;
    let small = bytes(&format!("{name}.gz")).filter(|_| takes_gzip(headers));
    let mut response = small.unwrap_or(plain).into_response();
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if small.is_some() {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(response)
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "gzip" && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        // Browsers run a module only under this type, whatever it is called.
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_compressed_for_who_takes_that() {
        for (line, takes) in [
            ("gzip, deflate, br", true),
            ("br;q=1, gzip;q=0.5", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(line));
            assert_eq!(takes_gzip(&headers), takes, "{line}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn modules_are_scripts() {
        assert_eq!(media_type("assets/maplibre-gl-worker.mjs"), media_type("assets/index.js"));
        assert_eq!(media_type("x"), "application/octet-stream");
    }
}
