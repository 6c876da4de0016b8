//! What the core function says of an API invoker to the functions that expose service APIs to it: the content of
//! `authorizationInfo`, which TS 29.222 leaves open (sheet 2.2). Ours is a JSON object in base64url.

use api_types::capif::security::ServiceSecurity;
use api_types::strict_json;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Deepest JSON. Own value.
const DEPTH: usize = 4;

/// Most hosts. Own value.
const HOSTS: usize = 16;

/// Longest text. Own value.
const TEXT_MAX: usize = 64 * 1024;

/// What is known of an API invoker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvokerContext {
    /// Whether a security method was agreed on with this function.
    pub negotiated: bool,
    /// Hosts at which the API invoker may be called back, as the core function knows them from its onboarding.
    pub callback_hosts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizationInfo {
    #[serde(default)]
    callback_hosts: Vec<String>,
}

impl InvokerContext {
    /// What a security context says. An `authorizationInfo` of other core functions says nothing here.
    #[must_use]
    pub fn of(context: &ServiceSecurity) -> Self {
        let mut known = Self::default();
        for entry in &context.security_info {
            known.negotiated |= entry.sel_security_method.is_some();
            for host in entry.authorization_info.as_deref().map(hosts).unwrap_or_default() {
                if !known.callback_hosts.contains(&host) && known.callback_hosts.len() < HOSTS {
                    known.callback_hosts.push(host);
                }
            }
        }
        known
    }
}

fn hosts(text: &str) -> Vec<String> {
    let read = || -> Option<AuthorizationInfo> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (text.len() <= TEXT_MAX).then_some(())?;
        strict_json::from_slice(&bytes, DEPTH).ok()
    };
    let told = read().map(|info| info.callback_hosts).unwrap_or_default();
    told.into_iter().filter(|host| service_http::callback_hosts::is_host(host)).collect()
}

/// Entry points for fuzzing.
pub mod fuzz {
    /// Takes any bytes as `authorizationInfo`, as it stands and as what is encoded in it; never panics, and whatever is read
    /// is a host.
    pub fn fuzz_authorization_info(bytes: &[u8]) {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        for text in [String::from_utf8_lossy(bytes).as_ref(), &encoded] {
            for host in super::hosts(text) {
                assert!(service_http::callback_hosts::is_host(&host));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn context(infos: &[Value]) -> ServiceSecurity {
        let encoded = |info: &Value| match info {
            Value::String(text) => text.clone(),
            info => URL_SAFE_NO_PAD.encode(info.to_string()),
        };
        let entry = |info: &Value| {
            json!({ "aefId": "AEF1", "prefSecurityMethods": ["OAUTH"], "selSecurityMethod": "OAUTH",
                "authorizationInfo": encoded(info) })
        };
        let entries: Vec<Value> = infos.iter().map(entry).collect();
        serde_json::from_value(
            json!({ "securityInfo": entries, "notificationDestination": "https://n.example/" }),
        )
        .unwrap()
    }

    #[test]
    fn only_hosts_are_read() {
        let of = |infos: &[Value]| InvokerContext::of(&context(infos)).callback_hosts;
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Vec<Value>, &[&str]); 9] = [
            ("two",               vec![json!({ "callbackHosts": ["a.example", "b.example"] })],  &["a.example", "b.example"]),
            ("of two entries",    vec![json!({ "callbackHosts": ["a.example"] }), json!({ "callbackHosts": ["b.example", "a.example"] })], &["a.example", "b.example"]),
            ("and more members",  vec![json!({ "scope": "3gpp#A:b", "apiIds": ["x"], "callbackHosts": ["a.example"] })], &["a.example"]),
            ("none",              vec![json!({ "scope": "3gpp#A:b" })],                           &[]),
            ("no host",           vec![json!({ "callbackHosts": ["https://a.example/", "a/b", ""] })], &[]),
            ("no list",           vec![json!({ "callbackHosts": "a.example" })],                  &[]),
            ("no text",           vec![json!({ "callbackHosts": [7] })],                          &[]),
            ("not encoded",       vec![json!("-----BEGIN CERTIFICATE-----")],                     &[]),
            ("one bad spoils its entry alone", vec![json!("x y"), json!({ "callbackHosts": ["a.example"] })], &["a.example"]),
        ];
        for (what, infos, expected) in rows {
            assert_eq!(of(&infos), expected, "{what}");
        }
        let many: Vec<String> = (0..100).map(|n| format!("h{n}.example")).collect();
        assert_eq!(of(&[json!({ "callbackHosts": many })]).len(), HOSTS);
        assert!(InvokerContext::of(&context(&[json!({})])).negotiated);
        assert!(!InvokerContext::of(&context(&[])).negotiated);
    }
}
