//! What an API exposing function is told of a context, and nobody else (sheet 2.2): own content in base64url, because
//! TS 29.222 says "string" and no more.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::ccf::CcfServer;

/// How the API invoker proves who it is.
pub(super) fn authentication(ccf: &CcfServer, method: &str, thumbprints: &[String]) -> String {
    if ccf.face().is_some() {
        // Clients of OpenCAPIF look for the root as it is.
        return ccf.certificates().root_pem();
    }
    encoded(&match method {
        "OAUTH" => json!({
            "issuer": ccf.config().issuer, "jwksUri": ccf.at("/jwks"), "x5t#S256": thumbprints,
        }),
        _ => json!({ "ca": ccf.certificates().root_pem(), "x5t#S256": thumbprints }),
    })
}

/// What it may be granted now: `apis` by name and identifier; and where the function may call it back (decision 0083).
pub(super) fn authorization(aef: &str, apis: &[(&str, &str)], hosts: &[String]) -> String {
    let names: Vec<&str> = apis.iter().map(|(name, _)| *name).collect();
    encoded(&json!({
        "scope": format!("3gpp#{aef}:{}", names.join(",")),
        "apiIds": apis.iter().map(|(_, id)| *id).collect::<Vec<_>>(),
        "callbackHosts": hosts,
    }))
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
