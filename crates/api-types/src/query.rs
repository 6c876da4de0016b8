//! Query parameters of the SEAL APIs.
//!
//! Most are declared with `content: application/json` and carry JSON text; a scalar may come bare as well, because the
//! published files are read in both ways. A parameter twice is refused; an unknown one is ignored.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::problem::InvalidParam;
use crate::strict_json::{self, Kind};
use crate::validate::Validate;

/// Longest query, in bytes, before decoding. Own value.
pub const MAX_QUERY: usize = 16 * 1024;

/// Most parameters. Own value.
pub const MAX_PARAMETERS: usize = 64;

/// Most elements of a comma-separated list. Own value.
pub const MAX_CSV: usize = 1_000;

/// Deepest nesting of JSON in a parameter. Own value.
pub const MAX_DEPTH: usize = 16;

/// The parameters of a query, decoded.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

/// One hex digit.
fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Decodes `%xx` and `+` (application/x-www-form-urlencoded); `None` for a broken escape or text that is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// A name from outside as far as it may be repeated in an answer.
fn shown(name: &str) -> String {
    name.chars()
        .take(64)
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '?' })
        .collect()
}

impl Query {
    /// Reads the query part of a URI, without `?`; `""` is a query without parameters.
    ///
    /// # Errors
    /// Too long, too many parameters, a broken escape, or a parameter twice.
    pub fn parse(text: &str) -> Result<Self, InvalidParam> {
        if text.len() > MAX_QUERY {
            return Err(InvalidParam::new("query", "is too long"));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            if pairs.len() == MAX_PARAMETERS {
                return Err(InvalidParam::new("query", "has too many parameters"));
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name =
                decode(name).ok_or_else(|| InvalidParam::new("query", "is not percent-encoded UTF-8"))?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(InvalidParam::new(shown(&name), "stands there twice"));
            }
            let value = decode(value)
                .ok_or_else(|| InvalidParam::new(shown(&name), "is not percent-encoded UTF-8"))?;
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The decoded value as it stands.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The names of the parameters, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// A text, bare or as a JSON string; it must not be empty or hold control characters.
    ///
    /// # Errors
    /// It is no such text.
    pub fn text(&self, name: &'static str) -> Result<Option<String>, InvalidParam> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let text = match strict_json::parse(raw.as_bytes(), 1) {
            Ok(Value::String(text)) => text,
            _ => raw.to_owned(),
        };
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(InvalidParam::new(name, "is not a text"));
        }
        Ok(Some(text))
    }

    /// A text that is a `T`, such as an identifier.
    ///
    /// # Errors
    /// It is no `T`.
    pub fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<Option<T>, InvalidParam> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| InvalidParam::new(name, "has an unacceptable value"))
    }

    /// A boolean, in whatever case: clients of others write `True`.
    ///
    /// # Errors
    /// Anything else.
    pub fn boolean(&self, name: &'static str) -> Result<Option<bool>, InvalidParam> {
        match self.raw(name) {
            None => Ok(None),
            Some(raw) if raw.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(raw) if raw.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(InvalidParam::new(name, "is not a boolean")),
        }
    }

    /// Texts, as a list in JSON or separated by commas (`style=form, explode=false`), perhaps empty ones.
    ///
    /// # Errors
    /// A list in JSON that is none of texts.
    pub fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, InvalidParam> {
        match self.raw(name) {
            Some(raw) if raw.starts_with('[') => self.json(name),
            Some(raw) => Ok(Some(raw.split(',').map(str::to_owned).collect())),
            None => Ok(None),
        }
    }

    /// Base64 text, bare or as a JSON string. A space can only have been a `+` that was not escaped.
    ///
    /// # Errors
    /// It is no text.
    pub fn base64(&self, name: &'static str) -> Result<Option<String>, InvalidParam> {
        use base64::Engine as _;
        let Some(text) = self.text(name)? else { return Ok(None) };
        let text = text.replace(' ', "+");
        match base64::engine::general_purpose::STANDARD.decode(&text) {
            Ok(_) => Ok(Some(text)),
            Err(_) => Err(InvalidParam::new(name, "is not base64")),
        }
    }

    /// JSON text, or a bare scalar where `T` is read from a string.
    ///
    /// # Errors
    /// It is no `T`; the fault is named `parameter/pointer`.
    pub fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, InvalidParam> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let error = match strict_json::from_slice(raw.as_bytes(), MAX_DEPTH) {
            Ok(value) => return Ok(Some(value)),
            Err(error) => error,
        };
        // Objects and arrays are never bare; neither is anything that JSON itself refused for its form.
        let bare = !raw.starts_with(['{', '[', '"'])
            && matches!(error.kind, Kind::Syntax | Kind::WrongType | Kind::WrongValue);
        match bare.then(|| T::deserialize(Value::String(raw.to_owned()))) {
            Some(Ok(value)) => Ok(Some(value)),
            _ => Err(InvalidParam {
                param: format!("{name}{}", error.param),
                reason: Some(error.reason.into()),
            }),
        }
    }

    /// JSON text that is also valid.
    ///
    /// # Errors
    /// It is no valid `T`.
    pub fn valid<T: DeserializeOwned + Validate>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Vec<InvalidParam>> {
        let Some(value) = self.json::<T>(name).map_err(|fault| vec![fault])? else { return Ok(None) };
        value.validate(name)?;
        Ok(Some(value))
    }

    /// Whole numbers separated by commas (`style=form, explode=false`); at least one, each once.
    ///
    /// # Errors
    /// Anything else.
    pub fn csv_u32(&self, name: &'static str) -> Result<Option<Vec<u32>>, InvalidParam> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let mut numbers = Vec::new();
        for part in raw.split(',') {
            if numbers.len() == MAX_CSV {
                return Err(InvalidParam::new(name, "has too many elements"));
            }
            numbers
                .push(number(part).ok_or_else(|| InvalidParam::new(name, "is not a list of whole numbers"))?);
        }
        let mut distinct = numbers.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() != numbers.len() {
            return Err(InvalidParam::new(name, "holds an element twice"));
        }
        Ok(Some(numbers))
    }

    /// A whole number of 32 bits, bare as in JSON.
    ///
    /// # Errors
    /// Anything else.
    pub fn integer(&self, name: &'static str) -> Result<Option<u32>, InvalidParam> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let bare = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw);
        number(bare).map(Some).ok_or_else(|| InvalidParam::new(name, "is not a whole number"))
    }

    /// What a mandatory parameter gave.
    ///
    /// # Errors
    /// It is absent.
    pub fn required<T>(name: &'static str, value: Option<T>) -> Result<T, InvalidParam> {
        value.ok_or_else(|| InvalidParam::new(name, crate::validate::MISSING))
    }
}

/// Decimal digits without sign or leading zero.
fn number(text: &str) -> Option<u32> {
    text.parse::<crate::ids::SpatialAnchorId>().ok().map(|id| id.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common_data::SupportedFeatures;
    use crate::geo::ServiceArea;
    use proptest::prelude::*;

    fn query(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    #[test]
    fn escapes_and_repetitions() {
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, bool); 9] = [
            ("", true), ("a=1&b=2&&", true), ("a", true), ("a=%7B%22x%22%3A+1%7D", true),
            ("a=%zz", false), ("a=%2", false), ("a=%ff", false), ("a=1&a=1", false), ("a=1&%61=2", false),
        ];
        for (text, good) in rows {
            assert_eq!(Query::parse(text).is_ok(), good, "{text}");
        }
        assert!(Query::parse(&"x".repeat(MAX_QUERY + 1)).is_err());
        let many: Vec<_> = (0..=MAX_PARAMETERS).map(|n| format!("p{n}=1")).collect();
        assert!(Query::parse(&many.join("&")).is_err());
        assert!(Query::parse(&many[1..].join("&")).is_ok());
    }

    #[test]
    fn json_and_bare_scalars_are_the_same() {
        for text in ["supp-feats=1", "supp-feats=%221%22", "supp-feats=0f"] {
            let features: SupportedFeatures = query(text).json("supp-feats").unwrap().unwrap();
            assert!(features.has(1), "{text}");
        }
        for text in ["supp-feats=xyz", "supp-feats=[1]", "supp-feats={}", "supp-feats=%22"] {
            assert!(query(text).json::<SupportedFeatures>("supp-feats").is_err(), "{text}");
        }
        for text in ["svc-id=museum", "svc-id=%22museum%22"] {
            assert_eq!(query(text).text("svc-id").unwrap().as_deref(), Some("museum"), "{text}");
        }
        assert!(query("svc-id=").text("svc-id").is_err());
        assert!(query("svc-id=a%00").text("svc-id").is_err());
        assert_eq!(query("other=1").text("svc-id"), Ok(None));
    }

    #[test]
    fn an_object_is_read_strictly_and_named() {
        let area = |json: &str| {
            query(&format!("area-int={}", json.replace('"', "%22"))).valid::<ServiceArea>("area-int")
        };
        assert!(
            area(r#"{"geoServAr":{"geoArs":[{"shape":"POINT","point":{"lon":1,"lat":2}}]}}"#)
                .unwrap()
                .is_some()
        );
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("twice", r#"{"geoServAr":{},"geoServAr":{}}"#, "area-int"),
            ("no JSON", "{", "area-int"),
            ("text", "x", "area-int"),
            ("wrong type", r#"{"geoServAr":1}"#, "area-int/geoServAr"),
            ("range", r#"{"geoServAr":{"geoArs":[{"shape":"POINT","point":{"lon":1,"lat":91}}]}}"#, "area-int/geoServAr/geoArs/0/point/lat"),
        ];
        for (what, json, param) in rows {
            assert_eq!(area(json).unwrap_err()[0].param, param, "{what}");
        }
    }

    #[test]
    fn numbers_have_one_spelling() {
        assert_eq!(query("anchor-ids=1,2,4294967295").csv_u32("anchor-ids"), Ok(Some(vec![1, 2, u32::MAX])));
        for text in ["", "1,", "1,,2", "-1", "1.0", "01", "4294967296", "1 ,2", "1,1", "a"] {
            assert!(query(&format!("anchor-ids={text}")).csv_u32("anchor-ids").is_err(), "{text}");
        }
        assert_eq!(query("map-id=17").integer("map-id"), Ok(Some(17)));
        assert_eq!(query("map-id=%2217%22").integer("map-id"), Ok(Some(17)));
        assert!(query("map-id=x").integer("map-id").is_err());
        let many =
            format!("anchor-ids={}", (0..=MAX_CSV).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
        assert!(query(&many).csv_u32("anchor-ids").is_err());
    }

    #[test]
    fn base64_survives_a_plus() {
        for text in ["anch-inf=+/8=", "anch-inf=%2B/8=", "anch-inf=%22%2B/8=%22"] {
            assert_eq!(query(text).base64("anch-inf").unwrap().as_deref(), Some("+/8="), "{text}");
        }

        assert!(query("anch-inf=abc").base64("anch-inf").is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,80}") {
            if let Ok(query) = Query::parse(&text) {
                let _ = query.json::<ServiceArea>("a");
                let _ = query.csv_u32("a");
                let _ = query.text("a");
            }
        }
    }
}
