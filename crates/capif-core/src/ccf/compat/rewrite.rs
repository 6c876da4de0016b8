//! What plain clients of OpenCAPIF write otherwise than TS 29.222: slashes twice, because they put a base with a slash
//! before a path with one. (Their capital booleans in queries are read at either listener.)

use http::Uri;
use http::uri::PathAndQuery;

/// The target that was meant; what needs no change, or cannot be read after it, stays.
pub(super) fn meant(uri: Uri) -> Uri {
    let single = without_empty_segments(uri.path());
    if single == uri.path() {
        return uri;
    }
    let target = match uri.query() {
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
            ("//capif-security/v1/trustedInvokers/I?authenticationInfo=True", "/capif-security/v1/trustedInvokers/I?authenticationInfo=True"),
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
