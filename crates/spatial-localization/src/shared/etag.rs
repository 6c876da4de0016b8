//! Entity tags and conditional requests (RFC 9110 clauses 8.8.3 and 13.1).
//!
//! A tag is made of what *this reader* is shown, so that a change of something hidden does not show in it (requirement
//! T3b). Where a map embeds anchors, its tag has a second half made of their identifiers: it changes exactly when the
//! reader's anchors do. `If-Match` looks at the first half alone, because the anchors are not part of what a writer
//! replaces.

use authorization::Reason;
use aws_lc_rs::digest::{SHA256, digest};
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use service_http::refusal::Refusal;

/// Octets of the digest that are kept. Own value: 96 bits.
const KEPT: usize = 12;

/// Longest `If-Match` or `If-None-Match` that is read, in octets. Own value.
const MAX_HEADER: usize = 4096;

/// Refuses a change whose `If-Match` names none of the representations that the caller may have been given.
///
/// # Errors
/// `STALE_VERSION` (412).
pub(crate) fn check_if_match(headers: &HeaderMap, current: &[EntityTag]) -> Result<(), Refusal> {
    match condition(headers, IF_MATCH) {
        Some(header) if !current.iter().any(|tag| tag.allows_change(&header)) => {
            Err(Refusal::open(Reason::StaleVersion))
        }
        _ => Ok(()),
    }
}

/// Whether `If-None-Match` names what the reader would be sent, so that 304 answers.
pub(crate) fn is_not_modified(headers: &HeaderMap, current: &EntityTag) -> bool {
    condition(headers, IF_NONE_MATCH).is_some_and(|header| current.is_known_to(&header))
}

/// The lines of a header as one list (RFC 9110 5.3); `None` without it. What is no text is a tag that matches nothing.
pub(crate) fn condition(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("?"));
    lines.map(str::to_owned).reduce(|all, line| all + ", " + &line)
}

/// The tag of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntityTag {
    document: String,
    embedded: Option<String>,
}

impl EntityTag {
    /// The tag of the document that a reader is shown. `version` is given to the owner only, who may know of each change.
    #[must_use]
    pub(crate) fn of_document(shown: &[u8], version: Option<u64>) -> Self {
        let mut text = shown.to_vec();
        text.extend(version.unwrap_or_default().to_be_bytes());
        Self { document: short(&text), embedded: None }
    }

    /// The tag of a payload: its whole digest.
    #[must_use]
    pub(crate) fn of_content(sha256: &[u8; 32]) -> Self {
        Self { document: hex(sha256), embedded: None }
    }

    /// With the anchors that a reader is shown inside of the document.
    #[must_use]
    pub(crate) fn embedding(mut self, shown: &[u8]) -> Self {
        self.embedded = Some(short(shown));
        self
    }

    /// As it stands in the `ETag` header.
    #[must_use]
    pub(crate) fn header(&self) -> String {
        match &self.embedded {
            Some(embedded) => format!("\"{}.{embedded}\"", self.document),
            None => format!("\"{}\"", self.document),
        }
    }

    /// Whether `If-Match: header` allows a change (clause 13.1.1, strong comparison of the document's half).
    #[must_use]
    pub(crate) fn allows_change(&self, header: &str) -> bool {
        match listed(header) {
            Some(Listed::Any) => true,
            Some(Listed::Tags(tags)) => {
                tags.iter().any(|(weak, tag)| !weak && tag.split('.').next() == Some(&*self.document))
            }
            None => false,
        }
    }

    /// Whether `If-None-Match: header` names what the reader would be sent (clause 13.1.2, weak comparison).
    #[must_use]
    pub(crate) fn is_known_to(&self, header: &str) -> bool {
        let own = self.header();
        let own = own.trim_matches('"');
        match listed(header) {
            Some(Listed::Any) => true,
            Some(Listed::Tags(tags)) => tags.iter().any(|(_, tag)| *tag == own),
            None => false,
        }
    }

    /// Whether `If-Range: header` names exactly this (clause 13.1.5, strong comparison). A date never does: payloads
    /// have none.
    #[must_use]
    pub(crate) fn is_range_of(&self, header: &str) -> bool {
        header.trim() == self.header()
    }
}

enum Listed<'h> {
    Any,
    Tags(Vec<(bool, &'h str)>),
}

/// `"*" / #entity-tag`; `None` when it is neither.
fn listed(header: &str) -> Option<Listed<'_>> {
    if header.len() > MAX_HEADER {
        return None;
    }
    if header.trim() == "*" {
        return Some(Listed::Any);
    }
    let mut tags = Vec::new();
    let mut rest = element(header);
    while !rest.is_empty() {
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        tags.push((weak, tag));
        let after = after.trim_start();
        if !after.is_empty() && !after.starts_with(',') {
            return None;
        }
        rest = element(after);
    }
    Some(Listed::Tags(tags))
}

/// Where the next element begins; elements may be empty (clause 5.6.1.2).
fn element(rest: &str) -> &str {
    rest.trim_start_matches([' ', '\t', ','])
}

fn short(text: &[u8]) -> String {
    hex(&digest(&SHA256, text).as_ref()[..KEPT])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tag() -> EntityTag {
        EntityTag { document: "d1".into(), embedded: None }
    }

    fn embedding() -> EntityTag {
        EntityTag { document: "d1".into(), embedded: Some("e1".into()) }
    }

    #[test]
    fn a_condition_holds_as_rfc_9110_says() {
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &str, EntityTag, bool, bool); 15] = [
            //                    header               tag          change  known
            ("same",              "\"d1\"",            tag(),       true,  true),
            ("any",               "*",                 tag(),       true,  true),
            ("second of a list",  "\"x\" , \"d1\"",    tag(),       true,  true),
            ("weak",              "W/\"d1\"",          tag(),       false, true),
            ("another",           "\"d2\"",            tag(),       false, false),
            ("prefix",            "\"d\"",             tag(),       false, false),
            ("no quotes",         "d1",                tag(),       false, false),
            ("open quote",        "\"d1",              tag(),       false, false),
            ("comma inside",      "\"a,b\", \"d1\"",   tag(),       true,  true),
            ("empty elements",    ", \"d1\",, ",       tag(),       true,  true),
            ("no comma",          "\"d1\" \"d1\"",     tag(),       false, false),
            ("empty",             "",                  tag(),       false, false),
            ("with its anchors",  "\"d1.e1\"",         embedding(), true,  true),
            ("other anchors",     "\"d1.e2\"",         embedding(), true,  false),
            ("without anchors",   "\"d1\"",            embedding(), true,  false),
        ];
        for (what, header, tag, change, known) in rows {
            assert_eq!(tag.allows_change(header), change, "If-Match: {what}");
            assert_eq!(tag.is_known_to(header), known, "If-None-Match: {what}");
        }
    }

    #[test]
    fn the_lines_of_a_header_are_one_list() {
        let with = |name: HeaderName, lines: &[&[u8]]| -> HeaderMap {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(name.clone(), http::HeaderValue::from_bytes(line).unwrap());
            }
            headers
        };
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &[&[u8]], bool, bool); 5] = [
            ("none",           &[],                       true,  false),
            ("the second",     &[b"\"x\"", b"\"d1\""],    true,  true),
            ("none of two",    &[b"\"x\"", b"\"y\""],     false, false),
            ("no text",        &[b"\xff"],                false, false),
            ("beside no text", &[b"\xff", b"\"d1\""],    false, false),
        ];
        for (what, lines, changes, known) in rows {
            let got = check_if_match(&with(IF_MATCH, lines), &[embedding(), tag()]);
            assert_eq!(got.is_ok(), changes, "{what}");
            assert_eq!(is_not_modified(&with(IF_NONE_MATCH, lines), &tag()), known, "{what}");
        }
    }

    #[test]
    fn only_the_exact_tag_continues_a_range() {
        assert!(tag().is_range_of("\"d1\""));
        for header in ["W/\"d1\"", "\"d2\"", "*", "Sat, 21 Nov 2026 12:00:00 GMT", ""] {
            assert!(!tag().is_range_of(header), "{header}");
        }
    }

    #[test]
    fn a_reader_sees_in_the_tag_what_he_is_shown_and_no_more() {
        let reader = |shown: &[u8]| EntityTag::of_document(shown, None);
        assert_eq!(reader(b"a"), reader(b"a"));
        assert_ne!(reader(b"a"), reader(b"b"));
        let owner = |version| EntityTag::of_document(b"a", Some(version));
        assert_ne!(owner(1), owner(2));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in ".{0,100}") {
            let _ = (tag().allows_change(&header), tag().is_known_to(&header), tag().is_range_of(&header));
        }
    }
}
