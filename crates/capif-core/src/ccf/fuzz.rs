//! Entry points of the fuzz targets: bytes from outside that are read here.

/// Takes any bytes as a subscription to events, and as a patch of one; never panics.
pub fn fuzz_event_subscription(bytes: &[u8]) {
    super::events::fuzz_subscription(bytes);
}

/// Takes any bytes as the query of an audit, its cursor among them; never panics.
pub fn fuzz_audit_query(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        super::logs::fuzz_query(text);
    }
}

/// Takes any bytes as the target and as the password of an OpenCAPIF client; never panics.
pub fn fuzz_opencapif(bytes: &[u8]) {
    super::compat::fuzz_target(bytes);
    super::compat::fuzz_basic(bytes);
}
