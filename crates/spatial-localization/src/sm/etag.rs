//! Entity tags of maps (RFC 9110 clauses 8.8.3 and 13.1).
//!
//! A tag is made of what *this reader* is shown, so that a change of something hidden does not show in it (requirement
//! T3b). Where anchors are embedded, the tag has a second half made of their identifiers: it changes exactly when the
//! reader's anchors do. `If-Match` looks at the first half alone, because the anchors are not part of what a writer
//! replaces.

use aws_lc_rs::digest::{SHA256, digest};

/// Octets of the digest that are kept. Own value: 96 bits.
const KEPT: usize = 12;

/// Longest `If-Match` or `If-None-Match` that is read, in octets. Own value.
const MAX_HEADER: usize = 4096;

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
    let mut rest = header.trim();
    loop {
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        tags.push((weak, tag));
        rest = after.trim_start();
        if rest.is_empty() {
            return Some(Listed::Tags(tags));
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
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
        let rows: [(&str, &str, EntityTag, bool, bool); 14] = [
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
            ("trailing comma",    "\"d1\",",           tag(),       false, false),
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
