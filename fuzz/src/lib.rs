//! The parsers of bytes from outside, with good inputs to start from.
//!
//! A parser has a `pub fn fuzz_<name>(bytes: &[u8])` in its own crate; a test here finds every one of them in the sources
//! and misses none in [`TARGETS`]. Its good inputs are the files of `corpus/<name>/`.

pub mod mutate;

use std::io;
use std::path::{Path, PathBuf};

/// A parser of outside bytes.
pub struct Target {
    /// Name on the command line, of the corpus directory, and behind `fuzz_` in the sources.
    pub name: &'static str,
    /// Must not panic, whatever the bytes.
    pub run: fn(&[u8]),
}

impl Target {
    /// Where its good inputs are.
    #[must_use]
    pub fn corpus(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(self.name)
    }

    /// Inputs that the parser accepts, in the order of their names.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn seeds(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut paths = std::fs::read_dir(self.corpus())?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        paths.iter().map(std::fs::read).collect()
    }
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Every parser of outside bytes.
pub const TARGETS: &[Target] = &[
    // JSON, queries and bodies of the APIs
    target("strict_json", api_types::fuzz::fuzz_strict_json),
    target("merge_patch", api_types::fuzz::fuzz_merge_patch),
    target("query", api_types::fuzz::fuzz_query),
    target("service_area", api_types::fuzz::fuzz_service_area),
    target("san_list", api_types::fuzz::fuzz_san_list),
    target("sm_map", api_types::fuzz::fuzz_sm_map),
    target("admin_body", api_types::fuzz::fuzz_admin_body),
    target("capif_body", api_types::fuzz::fuzz_capif_body),
    target("capif_query", api_types::fuzz::fuzz_capif_query),
    target("capif_resource_auth", api_types::fuzz::fuzz_capif_resource_auth),
    target("capif_token_form", api_types::fuzz::fuzz_capif_token_form),
    // Tokens, keys and claims
    target("compact", jose::fuzz::fuzz_compact),
    target("dpop", jose::fuzz::fuzz_dpop),
    target("jwks", jose::fuzz::fuzz_jwks),
    target("pem", jose::fuzz::fuzz_pem),
    target("claims", authorization::fuzz::fuzz_claims),
    target("scope", authorization::fuzz::fuzz_scope),
    target("policy", authorization::fuzz::fuzz_policy),
    // CAPIF
    target("capif_scope", authorization::fuzz::fuzz_capif_scope),
    target("authorization_details", authorization::fuzz::fuzz_authorization_details),
    target("owner_policy", authorization::fuzz::fuzz_owner_policy),
    target("authorization_info", capif_aef::fuzz::fuzz_authorization_info),
    target("event_subscription", capif_core::ccf::fuzz::fuzz_event_subscription),
    target("audit_query", capif_core::ccf::fuzz::fuzz_audit_query),
    target("opencapif", capif_core::ccf::fuzz::fuzz_opencapif),
    // The edge and the guard
    target("request_path", service_http::edge::request::fuzz::fuzz_request_path),
    target("certificate_identity", service_http::peer::fuzz::fuzz_certificate_identity),
    target("credentials", service_http::guard::fuzz::fuzz_credentials),
    target("traceparent", service_http::response::fuzz::fuzz_traceparent),
    target("media_type", service_http::json_body::fuzz::fuzz_media_type),
    target("callback_hosts", service_http::callback_hosts::fuzz_callback_hosts),
    target("feed_query", service_http::feed::fuzz::fuzz_feed_query),
    target("feed_answer", service_http::feed::fuzz::fuzz_feed_answer),
    target("target", service_http::egress::fuzz::fuzz_target),
    target("redact", service_http::logging::fuzz::fuzz_redact),
    // SIM-S
    target("form", seal_security::sim_s::fuzz::fuzz_form),
    target("headers", seal_security::sim_s::fuzz::fuzz_headers),
    target("passkey", seal_security::sim_s::fuzz::fuzz_passkey),
    target("redirect", seal_security::sim_s::fuzz::fuzz_redirect),
    // SAn server and SM server
    target("lm_ues", sdk::lm::fuzz_lm_ues),
    target("anchors_list", spatial_localization::san::fuzz::fuzz_anchors_list),
    target("anchors_subscription", spatial_localization::san::fuzz::fuzz_anchors_subscription),
    target("anchor_lines", spatial_localization::san::fuzz::fuzz_anchor_lines),
    target("world_anchor", spatial_localization::san::fuzz::fuzz_world_anchor),
    target("trackable", spatial_localization::sm::fuzz::fuzz_trackable),
    target("service_record", spatial_localization::sm::fuzz::fuzz_service_record),
    target("area", spatial_localization::san::fuzz::fuzz_area),
    target("cursor", spatial_localization::san::fuzz::fuzz_cursor),
    target("map", spatial_localization::sm::fuzz::fuzz_map),
    target("map_registrations", spatial_localization::sm::fuzz::fuzz_map_registrations),
    target("content_headers", spatial_localization::sm::fuzz::fuzz_content_headers),
    // The program and the clients
    target("filters", server::fuzz::fuzz_filters),
    target("config", server::fuzz::fuzz_config),
    target("csr", server::fuzz::fuzz_csr),
    target("backup", server::fuzz::fuzz_backup),
    target("login_form", sdk::sim::fuzz_login_form),
    target("link", sdk::link::fuzz_link),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use api_types::strict_json;
    use api_types::validate::Validate;

    use super::*;

    fn sources(dir: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(dir).expect("readable").flatten() {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(fs::read_to_string(&path).expect("readable"));
            }
        }
    }

    #[test]
    fn every_parser_of_outside_bytes_is_a_target() {
        let mut texts = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates"), &mut texts);
        let mut written: Vec<&str> = texts
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(|line| line.trim_start().strip_prefix("pub fn fuzz_")?.split_once('('))
            .map(|(name, _)| name)
            .collect();
        written.sort_unstable();
        let mut listed: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        listed.sort_unstable();
        assert_eq!(listed, written, "TARGETS on the left, the sources on the right");
    }

    #[test]
    fn every_target_takes_its_good_inputs() {
        for target in TARGETS {
            let seeds = target.seeds().expect(target.name);
            assert!(!seeds.is_empty(), "{} has no good input", target.name);
            for seed in seeds {
                (target.run)(&seed);
            }
        }
        let names: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
        for entry in
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")).expect("readable").flatten()
        {
            let name = entry.file_name().into_string().expect("a plain name");
            assert!(names.contains(&name), "corpus/{name} is of no target");
        }
    }

    fn seed(path: &str) -> Vec<u8> {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(path)).expect(path)
    }

    fn is_valid<T: serde::de::DeserializeOwned + Validate>(path: &str) {
        let value: T = strict_json::from_slice(&seed(path), 32).expect(path);
        value.validate("").expect(path);
    }

    /// A good input that is refused at the first byte would leave the rest of its parser untried.
    #[test]
    fn good_inputs_are_good() {
        is_valid::<api_types::san::SpatialAnchorsList>("san_list/full.json");
        is_valid::<api_types::san::SpatialAnchorsList>("san_list/small.json");
        is_valid::<api_types::san::SpatialAnchorsSub>("anchors_subscription/anchors.json");
        is_valid::<api_types::san::SpatialAnchorsUsageInfoSub>("anchors_subscription/usage.json");
        is_valid::<api_types::san::SpatialAnchorUsageReportReq>("anchors_subscription/report.json");
        is_valid::<api_types::sm::SpatialMapsSub>("map_registrations/subscription.json");
        is_valid::<api_types::sm::DataSourceRegReq>("map_registrations/source.json");
        is_valid::<api_types::sm::SMASReg>("map_registrations/server.json");
        is_valid::<api_types::sm::SpatialMapCreateReq>("sm_map/request.json");
        is_valid::<api_types::sm::SpatialMap>("sm_map/map.json");
        is_valid::<api_types::geo::ServiceArea>("service_area/polygon.json");
        is_valid::<api_types::geo::ServiceArea>("service_area/shapes.json");
        is_valid::<api_types::admin::User>("admin_body/user.json");
        is_valid::<api_types::admin::Client>("admin_body/client.json");
        is_valid::<api_types::admin::Service>("admin_body/service.json");
        is_valid::<api_types::admin::Policy>("admin_body/policy.json");
        is_valid::<api_types::admin::RevocationRequest>("admin_body/revocation.json");
        is_valid::<api_types::admin::Position>("admin_body/position.json");
        is_valid::<api_types::capif::events::EventSubscription>("event_subscription/filtered.json");
        is_valid::<api_types::capif::events::EventSubscription>("event_subscription/plain.json");
        is_valid::<api_types::capif::resource_auth::ResourceAuthInfo>("owner_policy/anchor.json");
        is_valid::<api_types::capif::resource_auth::ResourceAuthInfo>("owner_policy/map.json");
        for details in ["authorization_details/levels.json", "authorization_details/others.json"] {
            let others = ["3gpp_digital_asset", "3gpp_avatar"];
            assert!(
                authorization::capif::details::Details::read(&seed(details), &others).is_ok(),
                "{details}"
            );
        }
        for scope in ["capif_scope/one.txt", "capif_scope/several.txt"] {
            let text = String::from_utf8(seed(scope)).expect("text");
            assert!(text.parse::<authorization::capif::scope::CapifScope>().is_ok(), "{scope}");
        }
        for claims in ["claims/user.json", "claims/server.json"] {
            strict_json::from_slice::<authorization::AccessClaims>(&seed(claims), 16).expect(claims);
        }
        let token = String::from_utf8(seed("compact/access-token.txt")).expect("text");
        assert!(jose::compact::parse(&token, &jose::HeaderPolicy::access_token()).is_ok());
        let proof = String::from_utf8(seed("dpop/token-request.txt")).expect("text");
        let want = jose::dpop::DpopExpected {
            htm: "POST",
            htu: "https://sim.example/token",
            ath: None,
            nonce: None,
            now_s: 1_800_000_000,
            jkt: None,
        };
        assert!(jose::dpop::check(&proof, &want).is_ok());
        assert_eq!(jose::Jwks::parse(&seed("jwks/three-keys.json")).expect("a key set").len(), 3);
        let config = String::from_utf8(seed("config/full.toml")).expect("text");
        assert!(
            toml::from_str::<server::config::Config>(&config).is_ok_and(|config| config.validate().is_ok())
        );
    }
}
