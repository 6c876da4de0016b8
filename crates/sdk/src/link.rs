//! The `Link` header field (RFC 8288), as far as paging needs it.

use url::Url;

/// The target of the first link with relation `rel`, resolved against `base`; `None` unless it stays on its origin.
///
/// A page that sent its reader elsewhere would get the reader's token.
#[must_use]
pub fn target(header: &str, rel: &str, base: &Url) -> Option<Url> {
    let mut rest = header;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>')?;
        let uri = &rest[start + 1..end];
        let (parameters, next) = split_parameters(&rest[end + 1..]);
        if parameters.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("rel")
                && value.split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case(rel))
        }) {
            let url = base.join(uri).ok()?;
            return (url.origin() == base.origin()).then_some(url);
        }
        rest = next;
    }
    None
}

/// The parameters behind a target, and what comes after the comma that ends them.
fn split_parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut parameters = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let Some(after) = rest.strip_prefix(';') else { break };
        let after = after.trim_start_matches([' ', '\t']);
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let name = after[..end].trim().to_owned();
        rest = &after[end..];
        let mut value = String::new();
        if let Some(given) = rest.strip_prefix('=') {
            if let Some(quoted) = given.strip_prefix('"') {
                let mut escaped = false;
                let mut used = quoted.len();
                for (place, c) in quoted.char_indices() {
                    match c {
                        _ if escaped => {
                            value.push(c);
                            escaped = false;
                        }
                        '\\' => escaped = true,
                        '"' => {
                            used = place + 1;
                            break;
                        }
                        c => value.push(c),
                    }
                }
                rest = &quoted[used..];
            } else {
                let end = given.find([';', ',']).unwrap_or(given.len());
                given[..end].trim().clone_into(&mut value);
                rest = &given[end..];
            }
        }
        parameters.push((name, value));
    }
    (parameters, rest.trim_start_matches([' ', '\t']).strip_prefix(',').unwrap_or_default())
}

/// Entry point for fuzzing: a link never leads to another origin.
pub fn fuzz_link(bytes: &[u8]) {
    let (Ok(header), Ok(base)) = (std::str::from_utf8(bytes), Url::parse("https://san.example/ssan-disc"))
    else {
        return;
    };
    if let Some(url) = target(header, "next", &base) {
        assert_eq!(url.origin(), base.origin());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_and_stays_here() {
        let base = Url::parse("https://localhost:8445/ssan-disc/v1/spatial-anchors?limit=2").unwrap();
        #[rustfmt::skip] // a table stays a table
        let rows = [
            (r#"</ssan-disc/v1/spatial-anchors?cursor=a>; rel="next""#, Some("https://localhost:8445/ssan-disc/v1/spatial-anchors?cursor=a")),
            (r#"<?cursor=a%2C>; rel=next"#, Some("https://localhost:8445/ssan-disc/v1/spatial-anchors?cursor=a%2C")),
            (r#"<https://localhost:8445/x>;title="a, b; <c>";rel="last Next""#, Some("https://localhost:8445/x")),
            (r#"</first>; rel="first", </n>; rel="next""#, Some("https://localhost:8445/n")),
            (r#"<https://elsewhere.example/x>; rel="next""#, None),
            (r#"<http://localhost:8445/x>; rel="next""#, None),
            (r#"</x>; rel="prev""#, None), (r#"</x"#, None), (r#"</x>; rel="next"#, Some("https://localhost:8445/x")),
            ("", None), (r#"</x>; title="rel=next""#, None),
        ];
        for (header, expected) in rows {
            assert_eq!(target(header, "next", &base).as_ref().map(Url::as_str), expected, "{header}");
            fuzz_link(header.as_bytes());
        }
    }
}
