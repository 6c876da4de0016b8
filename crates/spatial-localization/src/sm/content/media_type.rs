//! Media types that a map payload may have (contract clause 7).
//!
//! The bytes are opaque to the server. The list keeps out what a browser would run when it is
//! served from the server's origin, such as HTML or SVG.

/// The media types, as they are stored and sent. E57 has no registered type: it is sent as
/// octets, as is LAS by those who do not know its own.
pub(crate) const ALLOWED: [&str; 6] = [
    "model/gltf-binary",
    "model/gltf+json",
    "application/3dtiles+zip",
    "application/zip",
    "application/vnd.las",
    "application/octet-stream",
];

/// The allowed type that a `Content-Type` names. Parameters are not kept: none of the types has
/// one that matters.
#[must_use]
pub(crate) fn allowed(header: &str) -> Option<&'static str> {
    let essence = header.split(';').next().unwrap_or_default().trim();
    ALLOWED.into_iter().find(|known| known.eq_ignore_ascii_case(essence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_types_pass() {
        for known in ALLOWED {
            assert_eq!(allowed(known), Some(known));
        }
        let rows = [
            ("capitals", "Model/GLTF-Binary", Some("model/gltf-binary")),
            ("parameter", "application/zip; x=y", Some("application/zip")),
            ("script", "text/html", None),
            ("image with script", "image/svg+xml", None),
            ("prefix", "model/gltf", None),
            ("suffix", "model/gltf-binaryx", None),
            ("hidden behind a parameter", "text/html; model/gltf-binary", None),
            ("list", "text/html, application/zip", None),
            ("empty", "", None),
        ];
        for (what, header, expected) in rows {
            assert_eq!(allowed(header), expected, "{what}");
        }
    }
}
