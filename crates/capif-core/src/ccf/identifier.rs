//! Identifiers that the core function assigns: letters and digits only, because a scope divides at `# : , ;` and clients
//! of others take no more (sheet 1).

use service_http::ambient::Ambient;

/// A fresh identifier of 128 random bits, behind a prefix that tells people what it is.
pub(crate) fn fresh(prefix: &str, ambient: &Ambient) -> String {
    let mut text = prefix.to_owned();
    for byte in ambient.random_bytes::<16>() {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
