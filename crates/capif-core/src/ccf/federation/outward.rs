//! What a partner gets of a service API of ours. Pure.

use api_types::capif::publish::{PublishedApiPath, ServiceAPIDescription};
use api_types::capif::vendor::VendorSpecific;

use crate::ccf::discover::is_shared;

/// A service API as `partner_domain` may have it; `None` if it is not shared with it (TS 29.222 `ShareableInformation`).
///
/// Its way (`pubApiPath`) names the core functions where it is published, so that no partner sends it round in a circle.
pub(super) fn outward(
    api: &ServiceAPIDescription,
    own_id: &str,
    partner_domain: &str,
) -> Option<ServiceAPIDescription> {
    if !is_shared(api, partner_domain) {
        return None;
    }
    let mut api = api.clone();
    // Each core function assigns its own, and negotiates its own features.
    api.api_id = None;
    api.supported_features = None;
    api.vendor_specific = VendorSpecific::default();
    for profile in api.aef_profiles.iter_mut().flatten() {
        profile.vendor_specific = VendorSpecific::default();
    }
    // With whom else it is shared is none of the partner's business.
    if let Some(info) = &mut api.shareable_info {
        info.capif_prov_doms = Some(vec![partner_domain.to_owned()]);
    }
    api.ccf_id = Some(own_id.to_owned());
    api.pub_api_path = Some(PublishedApiPath { ccf_ids: Some(vec![own_id.to_owned()]) });
    Some(api)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_partner_gets_what_is_shared_with_it_and_no_more() {
        let api = |info| -> ServiceAPIDescription {
            serde_json::from_value(json!({
                "apiName": "things", "apiId": "API1", "shareableInfo": info, "supportedFeatures": "100",
                "vendorSpecific-x": 1, "description": "for people",
                "aefProfiles": [{ "aefId": "AEF1", "versions": [{ "apiVersion": "v1" }], "domainName": "a.example" }],
            }))
            .unwrap()
        };
        assert_eq!(outward(&api(json!(null)), "CCFA", "b"), None);
        assert_eq!(outward(&api(json!({ "isShareable": false })), "CCFA", "b"), None);
        let shared = json!({ "isShareable": true, "capifProvDoms": ["b", "c"] });
        assert_eq!(outward(&api(shared.clone()), "CCFA", "d"), None);
        let told = outward(&api(shared), "CCFA", "b").unwrap();
        assert_eq!(
            serde_json::to_value(told).unwrap(),
            json!({
                "apiName": "things", "description": "for people", "ccfId": "CCFA", "pubApiPath": { "ccfIds": ["CCFA"] },
                "shareableInfo": { "isShareable": true, "capifProvDoms": ["b"] },
                "aefProfiles": [{ "aefId": "AEF1", "versions": [{ "apiVersion": "v1" }], "domainName": "a.example" }],
            })
        );
    }
}
