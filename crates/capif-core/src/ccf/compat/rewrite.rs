//! What plain clients of OpenCAPIF write otherwise than TS 29.222: slashes twice, because they put a base with a slash
//! before a path with one, and Python's booleans in a query.

use http::Uri;
use http::uri::PathAndQuery;

/// Where a query holds booleans.
const TRUSTED: &str = "/capif-security/v1/trustedInvokers/";

/// The target that was meant; what needs no change, or cannot be read after it, stays.
pub(super) fn meant(uri: Uri) -> Uri {
    let (path, query) = (uri.path(), uri.query());
    let single = without_empty_segments(path);
    let query = query.map(|query| match single.starts_with(TRUSTED) {
        true => lower_booleans(query),
        false => query.to_owned(),
    });
    if single == path && query.as_deref() == uri.query() {
        return uri;
    }
    let target = match query {
        Some(query) => format!("{single}?{query}"),
        None => single,
    };
    let Ok(target) = PathAndQuery::try_from(target) else { return uri };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).unwrap_or(uri)
}

fn without_empty_segments(path: &str) -> String {
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    single
}

fn lower_booleans(query: &str) -> String {
    let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, "True")) => format!("{name}=true"),
        Some((name, "False")) => format!("{name}=false"),
        _ => parameter.to_owned(),
    });
    parameters.collect::<Vec<_>>().join("&")
}

/// Takes any bytes as a target; never panics, and what was meant is meant once.
pub(crate) fn fuzz(bytes: &[u8]) {
    let Ok(uri) = Uri::try_from(bytes) else { return };
    let once = meant(uri);
    assert!(!once.path().contains("//"));
    assert_eq!(meant(once.clone()), once);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_they_were_meant() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("/getauth", "/getauth"),
            ("//getauth", "/getauth"),
            ("//api-invocation-logs/v1/OCAEF1/logs", "/api-invocation-logs/v1/OCAEF1/logs"),
            ("/a///b//", "/a/b/"),
            ("//capif-security/v1/trustedInvokers/I?authenticationInfo=True&authorizationInfo=False",
             "/capif-security/v1/trustedInvokers/I?authenticationInfo=true&authorizationInfo=false"),
            ("/capif-security/v1/trustedInvokers/I?authenticationInfo=Truer", "/capif-security/v1/trustedInvokers/I?authenticationInfo=Truer"),
            ("/service-apis/v1/allServiceAPIs?api-name=True", "/service-apis/v1/allServiceAPIs?api-name=True"),
            ("/a?b=//c", "/a?b=//c"),
            ("/a/%2F/b", "/a/%2F/b"),
            ("/a/../b", "/a/../b"),
        ];
        for (sent, read) in rows {
            assert_eq!(meant(sent.parse().unwrap()).to_string(), read, "{sent}");
            fuzz(sent.as_bytes());
        }
        let absolute = "https://ccf.example//getauth".parse().unwrap();
        assert_eq!(meant(absolute).to_string(), "https://ccf.example/getauth");
    }

    proptest::proptest! {
        #[test]
        fn no_target_makes_it_panic(bytes: Vec<u8>) {
            fuzz(&bytes);
        }
    }
}
