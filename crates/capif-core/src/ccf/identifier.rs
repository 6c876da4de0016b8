//! Identifiers that the core function assigns: letters and digits only, because a scope divides at `# : , ;` and clients
//! of others take no more (sheet 1).

use api_types::capif::publish::ServiceAPIDescription;
use service_http::ambient::Ambient;
use service_http::call::Ctx;

/// A fresh identifier of 128 random bits, behind a prefix that tells people what it is.
pub(crate) fn fresh(prefix: &str, ambient: &Ambient) -> String {
    let mut text = prefix.to_owned();
    for byte in ambient.random_bytes::<16>() {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// At which listener a party came in, and stays (decision 0085). It is part of the identifiers that are assigned there, so
/// that each record says it and no second one can be at odds with it. It is read of records, never of a certificate or a
/// request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Realm {
    /// That of TS 29.222 as it is served here.
    Native,
    /// That of plain clients of OpenCAPIF.
    OpenCapif,
}

/// How identifiers of [`Realm::OpenCapif`] begin; no other prefix does.
const OPEN_CAPIF: &str = "OC";

impl Realm {
    /// That of an identifier on record.
    pub(crate) fn of(assigned: &str) -> Self {
        if assigned.starts_with(OPEN_CAPIF) { Self::OpenCapif } else { Self::Native }
    }

    /// That of a published service API: where its publisher came in.
    pub(crate) fn of_api(api: &ServiceAPIDescription) -> Self {
        Self::of(api.api_id.as_ref().map(|id| id.as_str()).unwrap_or_default())
    }

    /// That of the listener of a request.
    pub(crate) fn of_listener(ctx: &Ctx) -> Self {
        if ctx.kit().settings.compat { Self::OpenCapif } else { Self::Native }
    }

    /// A fresh identifier of this realm.
    pub(crate) fn fresh(self, prefix: &str, ambient: &Ambient) -> String {
        match self {
            Self::Native => fresh(prefix, ambient),
            Self::OpenCapif => fresh(&format!("{OPEN_CAPIF}{prefix}"), ambient),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_says_where_it_was_assigned() {
        let (ambient, _) = Ambient::for_test(1_800_000_000, 1);
        for realm in [Realm::Native, Realm::OpenCapif] {
            for prefix in ["INV", "REG", "DOM", "AEF", "APF", "AMF", "API"] {
                let id = realm.fresh(prefix, &ambient);
                assert_eq!(Realm::of(&id), realm, "{id}");
                assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
            }
        }
    }
}
