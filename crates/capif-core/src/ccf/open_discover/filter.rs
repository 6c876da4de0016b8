//! What a service API has to be to fit an open discovery (TS 29.222 8.11.2.2.3.1).

use api_types::capif::open_discover::OpenDiscoverFilter;
use api_types::capif::publish::ServiceAPIDescription;

use crate::ccf::discover::{Criteria, supports};

/// Whether a service API fits as far as its profiles do not decide it.
pub(super) fn fits(filter: &OpenDiscoverFilter, api: &ServiceAPIDescription) -> bool {
    let among = |list: &Option<Vec<String>>, own: &Option<String>| {
        list.as_ref().is_none_or(|list| own.as_ref().is_some_and(|own| list.contains(own)))
    };
    let features = filter.api_supported_features.as_ref().and_then(|map| map.get(api.api_name.as_str()));
    filter.api_names.as_ref().is_none_or(|names| names.contains(&api.api_name))
        && filter.api_ids.as_ref().is_none_or(|ids| api.api_id.as_ref().is_some_and(|id| ids.contains(id)))
        && among(&filter.api_cats, &api.service_api_category)
        && among(&filter.api_prov_names, &api.api_prov_name)
        && features.is_none_or(|asked| supports(api.api_supp_feats.as_ref(), asked))
}

/// What is asked of the profiles of `api`.
pub(super) fn criteria<'f>(
    filter: &'f OpenDiscoverFilter,
    api: &ServiceAPIDescription,
    now_s: i64,
) -> Criteria<'f> {
    let versions = filter.api_versions.as_ref().and_then(|map| map.get(api.api_name.as_str()));
    Criteria {
        versions: versions.map(Vec::as_slice),
        comm_type: filter.comm_type.as_ref(),
        protocols: filter.protocols.as_deref(),
        data_format: filter.data_format.as_ref(),
        kpis: filter.service_kpis.as_ref(),
        res_ops: filter.res_ops.as_deref(),
        wish: filter.preferred_aef_loc.as_ref(),
        now_s,
        ..Criteria::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api_types::query::Query;
    use serde_json::json;

    fn api() -> ServiceAPIDescription {
        serde_json::from_value(json!({
            "apiName": "things", "apiId": "API1", "serviceAPICategory": "spatial", "apiProvName": "Example", "apiSuppFeats": "5",
            "aefProfiles": [
                { "aefId": "AEF1", "protocol": "HTTP_2", "dataFormat": "JSON", "domainName": "a.example",
                  "serviceKpis": { "conBand": 10 }, "versions": [
                    { "apiVersion": "v1", "resources": [
                        { "resourceName": "a", "commType": "REQUEST_RESPONSE", "uri": "/a", "operations": ["GET"] }] },
                    { "apiVersion": "v2" }] },
                { "aefId": "AEF2", "protocol": "MQTT", "domainName": "b.example", "versions": [{ "apiVersion": "v2" }] },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn each_filter_has_a_hit_and_a_miss() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("", "AEF1 AEF2"),
            ("api-names=other,things", "AEF1 AEF2"), ("api-names=other", ""),
            ("api-ids=API1", "AEF1 AEF2"), ("api-ids=API2", ""),
            ("api-cats=spatial,other", "AEF1 AEF2"), ("api-cats=other", ""),
            ("api-prov-names=Example", "AEF1 AEF2"), ("api-prov-names=Other", ""),
            (r#"api-names=things&api-supported-features={"things":"4"}"#, "AEF1 AEF2"),
            (r#"api-names=things&api-supported-features={"things":"2"}"#, ""),
            (r#"api-names=things&api-supported-features={"other":"2"}"#, "AEF1 AEF2"),
            (r#"api-versions={"things":["v1","v3"]}"#, "AEF1"), (r#"api-versions={"things":["v3"]}"#, ""),
            (r#"api-versions={"other":["v3"]}"#, "AEF1 AEF2"),
            ("comm-type=REQUEST_RESPONSE", "AEF1"), ("comm-type=SUBSCRIBE_NOTIFY", ""),
            ("protocols=MQTT,HTTP_1_1", "AEF2"), ("protocols=HTTP_1_1", ""),
            ("data-format=JSON", "AEF1"), ("data-format=XML", ""),
            (r#"service-kpis={"conBand":10}"#, "AEF1"), (r#"service-kpis={"conBand":11}"#, ""),
            (r#"api-names=things&res-ops=[{"resource":"/a"}]"#, "AEF1"), (r#"api-names=things&res-ops=[{"resource":"/b"}]"#, ""),
        ];
        for (query, expected) in rows {
            let read = Query::parse(&query.replace('"', "%22")).unwrap();
            let filter = OpenDiscoverFilter::parse(&read).unwrap();
            let api = api();
            let left = fits(&filter, &api).then(|| criteria(&filter, &api, 0).narrow(&api)).flatten();
            let left: Vec<_> = left.iter().flat_map(|left| left.aef_profiles.iter().flatten()).collect();
            let left: Vec<_> = left.iter().map(|profile| profile.aef_id.as_str()).collect();
            assert_eq!(left.join(" "), expected, "{query}");
        }
    }
}
