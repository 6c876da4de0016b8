//! A small tolerant reader of login pages: the form with its action and hidden inputs, and no more.

/// Longest page that is read, in bytes. Own value.
pub const MAX_PAGE: usize = 256 * 1024;

/// Most inputs of one form. Own value.
const MAX_INPUTS: usize = 64;

/// A form of a page.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent, as it stands there; empty is the page itself.
    pub action: String,
    /// Its hidden inputs.
    pub hidden: Vec<(String, String)>,
    /// Whether it asks for a password.
    pub password: bool,
    post: bool,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The inputs may hold a token against forgery.
        f.debug_struct("Form").field("action", &self.action).finish_non_exhaustive()
    }
}

/// The form to log in with: the first POST form that asks for a password, else the first POST form.
#[must_use]
pub fn login_form(page: &str) -> Option<Form> {
    let forms = forms(page);
    let posted = || forms.iter().filter(|form| form.post);
    posted().find(|form| form.password).or_else(|| posted().next()).cloned()
}

fn forms(page: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut open = false;
    let mut rest = if page.len() > MAX_PAGE { "" } else { page };
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let name_end = rest.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(rest.len());
        let name = rest[..name_end].trim_end_matches('/').to_ascii_lowercase();
        match name.as_str() {
            "script" | "style" | "textarea" => {
                // Their content is text, whatever it looks like.
                let end = format!("</{name}");
                let place =
                    rest.as_bytes().windows(end.len()).position(|w| w.eq_ignore_ascii_case(end.as_bytes()));
                rest = place.map_or("", |place| &rest[place + 1..]);
            }
            "form" | "input" => {
                let (attributes, after) = attributes(&rest[name_end..]);
                rest = after;
                let value = |wanted: &str| {
                    attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
                };
                if name == "form" {
                    let post = value("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
                    let action = value("action").unwrap_or_default().to_owned();
                    forms.push(Form { action, post, ..Form::default() });
                    open = true;
                } else if let Some(form) = forms.last_mut().filter(|_| open) {
                    let kind = value("type").unwrap_or("text").to_ascii_lowercase();
                    form.password |= kind == "password";
                    if let Some(field) =
                        value("name").filter(|_| kind == "hidden" && form.hidden.len() < MAX_INPUTS)
                    {
                        form.hidden.push((field.to_owned(), value("value").unwrap_or_default().to_owned()));
                    }
                }
            }
            "/form" => open = false,
            _ => {}
        }
    }
    forms
}

/// The attributes of a tag, and what comes behind its `>`. The first of two equal names counts.
fn attributes(tag: &str) -> (Vec<(String, String)>, &str) {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return (found, after);
        }
        if rest.is_empty() {
            return (found, "");
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || "=>/".contains(c)).unwrap_or(rest.len());
        // A stray `=` where a name should stand is part of nothing.
        let end = if end == 0 { 1 } else { end };
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start_matches(|c: char| c.is_ascii_whitespace());
        let mut value = String::new();
        if let Some(given) = rest.strip_prefix('=') {
            let given = given.trim_start_matches(|c: char| c.is_ascii_whitespace());
            let quote = given.chars().next().filter(|c| *c == '"' || *c == '\'');
            let (text, after) = match quote {
                Some(quote) => {
                    let body = &given[1..];
                    body.find(quote).map_or((body, ""), |end| (&body[..end], &body[end + 1..]))
                }
                None => {
                    let end =
                        given.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(given.len());
                    given.split_at(end)
                }
            };
            value = unescape(text);
            rest = after;
        }
        if !found.iter().any(|(known, _)| *known == name) {
            found.push((name, value));
        }
    }
}

/// Resolves the character references that serialisers write; any other stays as it is.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.char_indices().take(12).find(|(_, c)| *c == ';').map(|(place, _)| place);
        let resolved = end.and_then(|end| reference(&rest[1..end]).map(|c| (c, end)));
        match resolved {
            Some((c, end)) => {
                plain.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// Entry point for fuzzing.
pub fn fuzz_login_form(bytes: &[u8]) {
    let _ = login_form(&String::from_utf8_lossy(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_inputs_are_read_as_written() {
        let page = r#"<!doctype html><html><head><style>a<form method=post></style></head><body>
            <!-- <form method="post"><input type=hidden name=trap value=1> -->
            <form method="get" action="/search"><input type=hidden name=q value=1></form>
            <FORM action="/authorize?a=1&amp;b=2" METHOD='POST' autocomplete=off>
              <label for=u>User</label><input id="u" name="username" required />
              <input type="password" name="password">
              <input type="hidden" name="csrf" value="a&quot;b&#39;c&#x2F;d&lt;&gt;&unknown;&"/>
              <input value='x y' name=ticket type=HIDDEN>
              <input type=hidden name=empty>
              <input type=hidden value="no name">
              <input type=hidden name=twice value=1 value=2>
              <button>Log in</button>
            </FORM>
            <input type=hidden name=outside value=1>
            <script>document.write("<input type=hidden name=script>")</script></body></html>"#;
        let form = login_form(page).unwrap();
        assert_eq!(form.action, "/authorize?a=1&b=2");
        assert!(form.password);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [
            pair("csrf", "a\"b'c/d<>&unknown;&"),
            pair("ticket", "x y"),
            pair("empty", ""),
            pair("twice", "1"),
        ];
        assert_eq!(form.hidden, expected);
    }

    #[test]
    fn a_page_without_such_a_form_has_none() {
        for page in
            ["", "<", "<form", "<form>", "<form method=get></form>", "<p>no</p>", "<!-- <form method=post>"]
        {
            assert_eq!(login_form(page), None, "{page}");
        }
        assert!(login_form("<form method=post").is_some());
        assert!(login_form(&" ".repeat(MAX_PAGE + 1)).is_none());
    }

    #[test]
    fn broken_pages_are_survived() {
        for page in [
            "<form method=post><input =",
            "<form =\">",
            "<input type='hidden",
            "<form/method=post>&#xffffffff;",
            "<é<form method=\"post\" é=é>",
        ] {
            let _ = login_form(page);
        }
        const ALPHABET: &[u8] = b"<>/='\"! -&#;xfominput\xc3\xa9";
        let mut seed = 1_u32;
        for _ in 0..2_000 {
            let bytes: Vec<u8> = (0..60)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ALPHABET[(seed >> 16) as usize % ALPHABET.len()]
                })
                .collect();
            fuzz_login_form(&bytes);
        }
    }
}
