//! The selection of security methods for a whole context, over what is published. Pure.

use api_types::capif::profile::{AefProfile, InterfaceDescription, OAuthGrantType, SecurityMethod};
use api_types::capif::publish::ServiceAPIDescription;
use api_types::capif::security::{SecurityInformation, SecurityTarget};
use authorization::capif::negotiation::{self, LocalPolicy, NoMethod, Published};

/// Names of APIs, or how they begin, that take access tokens and nothing else (NOTE of TR 33.721 6.2.2 and 6.3.1).
const TOKEN_ONLY: [&str; 5] = ["ssan-", "ssm-", "sm_smds", "ss-da-", "ss-userinfo"];

/// One API at one function, with the method that was selected for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selected {
    /// The API exposing function.
    pub(super) aef_id: String,
    /// The service API.
    pub(super) api_id: String,
    /// Its name.
    pub(super) api_name: String,
    /// The method.
    pub(super) method: SecurityMethod,
}

/// What became of one entry of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Negotiated {
    /// The entry as it is answered.
    pub(super) info: SecurityInformation,
    /// The APIs that it opens.
    pub(super) selected: Vec<Selected>,
    /// Why it opens none.
    pub(super) refused: Option<NoMethod>,
}

/// Selects for one entry, among the service APIs that the API invoker may use.
pub(super) fn negotiate(
    mut info: SecurityInformation,
    published: &[ServiceAPIDescription],
    local: &LocalPolicy,
) -> Negotiated {
    // Whatever an API invoker says here is for the API exposing function alone, and is made when that one asks.
    (info.sel_security_method, info.authentication_info, info.authorization_info) = (None, None, None);
    let (preferred, asked) = (info.pref_security_methods.clone(), info.grant_type.clone());
    let (mut selected, mut granted, mut refused) = (Vec::new(), Vec::<OAuthGrantType>::new(), None);
    for api in published {
        let (Some(api_id), Some(profiles)) = (&api.api_id, &api.aef_profiles) else { continue };
        if info.api_id.as_ref().is_some_and(|wanted| wanted != api_id) {
            continue;
        }
        for profile in profiles.iter().filter(|profile| is_active(api, profile)) {
            let Some(interface) = meant(&info, profile) else { continue };
            let published = Published {
                profile: profile.security_methods.as_deref().unwrap_or_default(),
                interface: interface.and_then(|own| own.security_methods.as_deref()).unwrap_or_default(),
            };
            match negotiation::select(published, &preferred, is_token_only(api), local) {
                Err(error) => refused = refused.or(Some(error)),
                Ok(method) => {
                    let flows = Published {
                        profile: profile.grant_types.as_deref().unwrap_or_default(),
                        interface: interface.and_then(|own| own.grant_types.as_deref()).unwrap_or_default(),
                    };
                    let Ok(grants) = negotiation::grants(flows, asked.as_deref(), local) else { continue };
                    granted.extend(
                        grants.into_iter().filter(|grant| !granted.contains(grant)).collect::<Vec<_>>(),
                    );
                    selected.push(Selected {
                        aef_id: profile.aef_id.as_str().to_owned(),
                        api_id: api_id.as_str().to_owned(),
                        api_name: api.api_name.as_str().to_owned(),
                        method,
                    });
                }
            }
        }
    }
    info.sel_security_method = selected.first().map(|first: &Selected| first.method.clone());
    if asked.is_some() {
        info.grant_type = (!granted.is_empty()).then_some(granted);
    }
    Negotiated { info, refused: if selected.is_empty() { refused } else { None }, selected }
}

/// Whether an API is active at a function (TS 29.222 `ApiStatus`: absent means everywhere, empty nowhere).
pub(super) fn is_active(api: &ServiceAPIDescription, profile: &AefProfile) -> bool {
    api.api_status.as_ref().is_none_or(|status| status.aef_ids.contains(&profile.aef_id))
}

fn is_token_only(api: &ServiceAPIDescription) -> bool {
    TOKEN_ONLY.iter().any(|prefix| api.api_name.as_str().starts_with(prefix))
}

/// Which interface of a profile the entry means: `Some(None)` is the profile as a whole.
fn meant<'p>(
    info: &SecurityInformation,
    profile: &'p AefProfile,
) -> Option<Option<&'p InterfaceDescription>> {
    match info.target()? {
        SecurityTarget::Aef(aef) => (*aef == profile.aef_id).then_some(None),
        SecurityTarget::Interface(wanted) => {
            let interfaces = profile.interface_descriptions.as_deref().unwrap_or_default();
            interfaces.iter().find(|interface| is_same(wanted, interface)).map(Some)
        }
    }
}

/// Whether two descriptions are of one address; what else they say is the publisher's.
pub(super) fn is_same(wanted: &InterfaceDescription, published: &InterfaceDescription) -> bool {
    wanted.ipv4_addr == published.ipv4_addr
        && wanted.ipv6_addr == published.ipv6_addr
        && wanted.fqdn == published.fqdn
        && wanted.port == published.port
        && (wanted.api_prefix.is_none() || wanted.api_prefix == published.api_prefix)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn api(spoil: impl FnOnce(&mut Value)) -> ServiceAPIDescription {
        let mut api = json!({
            "apiName": "ssan-sanm", "apiId": "API1",
            "aefProfiles": [{ "aefId": "AEF1", "versions": [{ "apiVersion": "v1" }], "securityMethods": ["PKI", "OAUTH"],
                "interfaceDescriptions": [{ "fqdn": "san.example", "port": 8446 }] }],
        });
        spoil(&mut api);
        serde_json::from_value(api).unwrap()
    }

    fn entry(spoil: impl FnOnce(&mut Value)) -> SecurityInformation {
        let mut entry = json!({ "aefId": "AEF1", "prefSecurityMethods": ["PSK", "PKI", "OAUTH"] });
        spoil(&mut entry);
        serde_json::from_value(entry).unwrap()
    }

    #[test]
    fn one_spoiled_thing_opens_nothing_for_its_own_reason() {
        let local = LocalPolicy::default();
        let good = negotiate(entry(|_| {}), &[api(|_| {})], &local);
        assert_eq!(good.info.sel_security_method, Some(SecurityMethod::Oauth));
        assert_eq!(good.selected.len(), 1);
        type Spoil = fn(&mut Value);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Spoil, Spoil, Option<NoMethod>); 9] = [
            ("another function", |_| {}, |e| e["aefId"] = "AEF2".into(), None),
            ("another API of the function", |_| {}, |e| e["apiId"] = "API2".into(), None),
            ("another interface", |_| {}, |e| { e.as_object_mut().unwrap().remove("aefId"); e["interfaceDetails"] = json!({ "fqdn": "sm.example", "port": 8446 }); }, None),
            ("another port", |_| {}, |e| { e.as_object_mut().unwrap().remove("aefId"); e["interfaceDetails"] = json!({ "fqdn": "san.example", "port": 1 }); }, None),
            ("certificates alone", |_| {}, |e| e["prefSecurityMethods"] = json!(["PKI"]), Some(NoMethod::TokenNeeded)),
            ("a shared key alone", |a| { a["apiName"] = "other".into(); a["aefProfiles"][0]["securityMethods"] = json!(["PSK"]); }, |_| {}, Some(NoMethod::PskOnly)),
            ("inactive everywhere", |a| a["apiStatus"] = json!({ "aefIds": [] }), |_| {}, None),
            ("active elsewhere", |a| a["apiStatus"] = json!({ "aefIds": ["AEF2"] }), |_| {}, None),
            ("nothing published", |a| a["aefProfiles"][0]["securityMethods"] = json!([]), |_| {}, Some(NoMethod::NothingPublished)),
        ];
        for (what, of_api, of_entry, refused) in rows {
            let got = negotiate(entry(of_entry), &[api(of_api)], &local);
            assert_eq!(
                (got.selected.len(), got.info.sel_security_method, got.refused),
                (0, None, refused),
                "{what}"
            );
        }
    }

    #[test]
    fn an_interface_comes_before_its_profile() {
        let by_interface = |e: &mut Value| {
            e.as_object_mut().unwrap().remove("aefId");
            e["interfaceDetails"] = json!({ "fqdn": "san.example", "port": 8446 });
        };
        let published = api(|a| {
            a["apiName"] = "other".into();
            a["aefProfiles"][0]["interfaceDescriptions"][0]["securityMethods"] = json!(["PKI"]);
        });
        let got = negotiate(entry(by_interface), &[published], &LocalPolicy::default());
        assert_eq!(got.info.sel_security_method, Some(SecurityMethod::Pki));
    }

    #[test]
    fn what_an_api_invoker_says_for_the_function_is_not_kept() {
        let got = negotiate(
            entry(|e| {
                e["authenticationInfo"] = "string".into();
                e["authorizationInfo"] = "string".into();
                e["selSecurityMethod"] = "PSK".into();
            }),
            &[],
            &LocalPolicy::default(),
        );
        assert_eq!(got.info.authentication_info, None);
        assert_eq!((got.info.authorization_info, got.info.sel_security_method), (None, None));
    }
}
