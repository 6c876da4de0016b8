//! What a service API has to be, as a whole, to fit a discovery (TS 29.222 8.1.2.2.3.1).

use api_types::capif::discover::{DiscoverFilter, VEND_SPEC_QUERY_PARAMS};
use api_types::capif::network::{NetSliceId, Snssai};
use api_types::capif::publish::ServiceAPIDescription;
use api_types::common_data::SupportedFeatures;

use super::criteria::{Criteria, address, has_member};

/// Whether a service API fits as far as its profiles do not decide it.
pub(crate) fn fits(filter: &DiscoverFilter, api: &ServiceAPIDescription) -> bool {
    filter.api_name.as_ref().is_none_or(|name| api.api_name == *name)
        && filter.api_ids.as_ref().is_none_or(|ids| api.api_id.as_ref().is_some_and(|id| ids.contains(id)))
        && filter.api_cat.as_ref().is_none_or(|category| api.service_api_category.as_ref() == Some(category))
        && filter.req_api_prov_name.as_ref().is_none_or(|name| api.api_prov_name.as_ref() == Some(name))
        && filter
            .api_supported_features
            .as_ref()
            .is_none_or(|asked| supports(api.api_supp_feats.as_ref(), asked))
        && filter.net_slice_info.as_ref().is_none_or(|asked| in_slices(api.net_slice_info.as_deref(), asked))
}

/// What is asked of the profiles of `api`.
pub(crate) fn criteria<'f>(
    filter: &'f DiscoverFilter,
    api: &ServiceAPIDescription,
    now_s: i64,
) -> Criteria<'f> {
    // Without the feature these are unknown parameters, and those are ignored. A member of the service API itself needs
    // not stand in its profiles.
    let negotiated =
        filter.supported_features.as_ref().is_some_and(|theirs| theirs.has(VEND_SPEC_QUERY_PARAMS));
    let vendor = filter.vendor_specific.iter().filter(|_| negotiated);
    let vendor = vendor.map(|(name, value)| (name.as_str(), value.as_str()));
    Criteria {
        aef: filter.aef_id.as_ref(),
        versions: filter.api_version.as_ref().map(std::slice::from_ref),
        comm_type: filter.comm_type.as_ref(),
        protocols: filter.protocol.as_ref().map(std::slice::from_ref),
        data_format: filter.data_format.as_ref(),
        ue: filter.ue_ip_addr.as_ref().and_then(address),
        kpis: filter.service_kpis.as_ref(),
        grants: filter.grant_types.as_deref(),
        res_ops: filter.res_ops.as_deref(),
        vendor: vendor.filter(|(name, value)| !has_member(&api.vendor_specific, name, value)).collect(),
        wish: filter.preferred_aef_loc.as_ref(),
        now_s,
    }
}

/// Whether all features that are asked for are there.
pub(crate) fn supports(published: Option<&SupportedFeatures>, asked: &SupportedFeatures) -> bool {
    let none = SupportedFeatures::of(&[]);
    let asked = asked.intersection(asked);
    published.unwrap_or(&none).intersection(&asked) == asked
}

/// Whether a service API is available in all of these slices; one that names none is bound to none.
fn in_slices(published: Option<&[NetSliceId]>, asked: &[NetSliceId]) -> bool {
    published.is_none_or(|published| {
        asked.iter().all(|asked| published.iter().any(|known| is_slice(known, asked)))
    })
}

fn is_slice(one: &NetSliceId, other: &NetSliceId) -> bool {
    let snssai = match (&one.snssai, &other.snssai) {
        (Some(one), Some(other)) => is_snssai(one, other),
        (None, None) => true,
        _ => false,
    };
    snssai && one.nsi_id == other.nsi_id && one.ensi == other.ensi
}

/// Hex digits of a slice differentiator are the same in either case (TS 29.571).
fn is_snssai(one: &Snssai, other: &Snssai) -> bool {
    let lower = |snssai: &Snssai| snssai.sd.as_ref().map(|sd| sd.to_ascii_lowercase());
    one.sst == other.sst && lower(one) == lower(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api_types::query::Query;
    use serde_json::json;

    fn api() -> ServiceAPIDescription {
        serde_json::from_value(json!({
            "apiName": "ssan-sanm", "apiId": "API1", "serviceAPICategory": "spatial", "apiProvName": "Example",
            "apiSuppFeats": "05", "netSliceInfo": [{ "snssai": { "sst": 1, "sd": "00000A" } }, { "ensi": "museum" }],
            "vendorSpecific-urn:x": "blue",
            "aefProfiles": [
                { "aefId": "AEF1", "versions": [{ "apiVersion": "v1" }], "domainName": "a.example", "vendorSpecific-urn:y": 7 },
                { "aefId": "AEF2", "versions": [{ "apiVersion": "v1" }], "domainName": "b.example" },
            ],
        }))
        .unwrap()
    }

    /// How many profiles are left.
    fn left(query: &str, api: &ServiceAPIDescription) -> usize {
        let query = Query::parse(&format!("api-invoker-id=INV1&{query}")).unwrap();
        let filter = DiscoverFilter::parse(&query).unwrap();
        if !fits(&filter, api) {
            return 0;
        }
        criteria(&filter, api, 0).narrow(api).map_or(0, |left| left.aef_profiles.iter().flatten().count())
    }

    #[test]
    fn each_filter_of_the_whole_has_a_hit_and_a_miss() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("", 2),
            ("api-name=ssan-sanm", 2), ("api-name=ssan-disc", 0), ("api-name=ssan", 0),
            ("api-ids=API2,API1", 2), ("api-ids=API2", 0),
            ("api-cat=spatial", 2), ("api-cat=Spatial", 0),
            ("req-api-prov-name=Example", 2), ("req-api-prov-name=Other", 0),
            ("api-name=ssan-sanm&api-supported-features=4", 2), ("api-name=ssan-sanm&api-supported-features=00005", 2),
            ("api-name=ssan-sanm&api-supported-features=0", 2), ("api-name=ssan-sanm&api-supported-features=2", 0),
            ("api-name=ssan-sanm&api-supported-features=15", 0),
            (r#"net-slice-info=[{"snssai":{"sst":1,"sd":"00000a"}}]"#, 2),
            (r#"net-slice-info=[{"ensi":"museum"},{"snssai":{"sst":1,"sd":"00000a"}}]"#, 2),
            (r#"net-slice-info=[{"ensi":"museum"},{"snssai":{"sst":1}}]"#, 0),
            (r#"net-slice-info=[{"nsiId":"museum"}]"#, 0),
            ("aef-id=AEF2", 1), ("api-version=v1", 2), ("api-version=v2", 0),
            ("supported-features=2&vendorSpecific-urn:x=blue", 2), ("supported-features=2&vendorSpecific-urn:x=red", 0),
            ("supported-features=2&vendorSpecific-urn:y=7", 1), ("supported-features=2&vendorSpecific-urn:y=8", 0),
            ("vendorSpecific-urn:x=red", 2), ("supported-features=1&vendorSpecific-urn:x=red", 2),
        ];
        for (query, profiles) in rows {
            assert_eq!(left(&query.replace('"', "%22"), &api()), profiles, "{query}");
        }
    }

    #[test]
    fn silence_about_slices_is_all_of_them_and_about_features_none() {
        let silent = ServiceAPIDescription { net_slice_info: None, api_supp_feats: None, ..api() };
        assert_eq!(left("net-slice-info=[{%22ensi%22:%22museum%22}]", &silent), 2);
        assert_eq!(left("api-name=ssan-sanm&api-supported-features=1", &silent), 0);
        assert_eq!(left("api-name=ssan-sanm&api-supported-features=0", &silent), 2);
    }
}
