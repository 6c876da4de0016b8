//! Request headers of the payload routes.

use api_types::problem::{Cause, InvalidParam};
use authorization::Reason;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};
use service_http::refusal::Refusal;

use super::digest::{self, DigestError};
use super::media_type;

/// RFC 9530.
pub(super) const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// What an upload announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    /// One of [`media_type::ALLOWED`].
    pub(super) media_type: &'static str,
    /// SHA-256 of the octets, where the sender wants it checked.
    pub(super) sha256: Option<[u8; 32]>,
    /// Number of octets, where it is known before.
    pub(super) length: Option<u64>,
}

/// Reads the headers of an upload.
///
/// # Errors
/// 415 for another media type or an encoding; 400 for a part of a payload (RFC 9110 14.5) and for a digest that cannot be
/// checked.
pub(super) fn announced(headers: &HeaderMap) -> Result<Announced, Refusal> {
    let one = |name: &HeaderName| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().and_then(|value| value.to_str().ok());
        value.filter(|_| values.next().is_none())
    };
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Refusal::open(Reason::MediaTypeWrong));
    }
    let named = one(&CONTENT_TYPE).and_then(media_type::allowed);
    let media_type = named.ok_or_else(|| Refusal::open(Reason::MediaTypeWrong))?;
    if headers.contains_key(CONTENT_RANGE) {
        return Err(fault("Content-Range", "is not taken: a payload is replaced whole"));
    }
    let sha256 = match headers.contains_key(&REPR_DIGEST) {
        false => None,
        true => match one(&REPR_DIGEST).map(digest::announced) {
            Some(Ok(sha256)) => Some(sha256),
            Some(Err(DigestError::AlgorithmMissing)) => return Err(fault("Repr-Digest", "needs sha-256")),
            Some(Err(DigestError::Malformed)) | None => {
                return Err(fault("Repr-Digest", "is not a dictionary of digests"));
            }
        },
    };
    let length = one(&CONTENT_LENGTH).and_then(|text| text.parse().ok());
    Ok(Announced { media_type, sha256, length })
}

/// 400 that names a header.
pub(super) fn fault(header: &'static str, reason: &'static str) -> Refusal {
    Refusal::input(Cause::InvalidMsgFormat, vec![InvalidParam::new(header, reason)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers
    }

    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], u16);

    #[test]
    fn one_spoiled_header_is_refused_for_its_own_reason() {
        const GLB: (&str, &str) = ("content-type", "model/gltf-binary");
        let zero = digest::field(&[0; 32]);
        let good = announced(&headers(&[GLB, ("repr-digest", &zero), ("content-length", "5")])).unwrap();
        assert_eq!(good, Announced { media_type: GLB.1, sha256: Some([0; 32]), length: Some(5) });
        assert!(announced(&headers(&[GLB])).is_ok(), "a digest is offered, not asked for");
        #[rustfmt::skip] // a table stays a table
        let rows: [Row<'_>; 8] = [
            ("no type",          &[], 415),
            ("two types",        &[GLB, GLB], 415),
            ("a page",           &[("content-type", "text/html")], 415),
            ("compressed",       &[GLB, ("content-encoding", "gzip")], 415),
            ("a part",           &[GLB, ("content-range", "bytes 0-1/5")], 400),
            ("another digest",   &[GLB, ("repr-digest", "sha-512=:AAAA:")], 400),
            ("no digest",        &[GLB, ("repr-digest", "x")], 400),
            ("two digests",      &[GLB, ("repr-digest", &zero), ("repr-digest", &zero)], 400),
        ];
        for (what, pairs, status) in rows {
            let refusal = announced(&headers(pairs)).unwrap_err();
            assert_eq!(refusal.on_the_wire().0, status, "{what}");
        }
    }
}
