//! What our servers publish, from their route tables (TS 29.222 8.2.4.2.2).

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context, Result};
use api_types::capif::ApiName;
use api_types::capif::profile::{
    AefProfile, CommunicationType, DataFormat, InterfaceDescription, OAuthGrantType, Operation, Protocol,
    Resource, SecurityMethod, Version,
};
use api_types::capif::publish::{ServiceAPIDescription, ShareableInformation};
use api_types::capif::vendor::VendorSpecific;
use api_types::function::Function;
use http::Method;
use service_http::interfaces::{Interfaces, Mode, api_of};
use service_http::routes::{RouteAuth, RouteSpec};
use url::Url;

/// Version of every API of TS 29.437 and TS 24.550 that is served.
pub(super) const VERSION: &str = "v1";

/// Every API that is published, and what it is for. The faces of other interfaces (ARF 005, OSCP) are no APIs of 3GPP.
pub(super) const PUBLISHED: [(&str, Function, &str); 10] = [
    ("ssan-sanm", Function::San, "Spatial anchors: management and subscriptions"),
    ("ssan-disc", Function::San, "Spatial anchors: discovery"),
    ("ssan-usg", Function::San, "Spatial anchors: usage"),
    ("ssan-grpm", Function::San, "Spatial anchors: groups"),
    ("ssm-smm", Function::Sm, "Spatial maps: management and subscriptions"),
    ("ssm-disc", Function::Sm, "Spatial maps: discovery"),
    ("ssm-loc", Function::Sm, "Spatial maps: localization"),
    ("ssm-dsdisc", Function::Sm, "Spatial maps: discovery of data sources"),
    ("ssm-smasr", Function::Sm, "Spatial maps: registration of servers"),
    ("sm_smds", Function::Sm, "Spatial maps: registration of data sources"),
];

/// Names of the APIs of a server.
pub(super) fn names(function: Function) -> Vec<&'static str> {
    PUBLISHED.iter().filter(|(_, of, _)| *of == function).map(|(name, _, _)| *name).collect()
}

/// The APIs of a server that tokens of the core function open, as they are published; it listens at `origin`, which is
/// bound to the address `bind`.
///
/// # Errors
/// The origin cannot be read.
pub(super) fn descriptions(
    function: Function,
    aef: &str,
    (origin, bind): (&str, &str),
    modes: &Interfaces,
    shared_with: &[String],
) -> Result<Vec<ServiceAPIDescription>> {
    let routes = match function {
        Function::San => spatial_localization::san::ROUTES,
        _ => spatial_localization::sm::ROUTES,
    };
    let open = |name: &str| modes.named.get(name).copied().unwrap_or(modes.otherwise) != Mode::Sim;
    let interface = interface(origin, bind)?;
    let mut apis = Vec::new();
    for (name, of, about) in PUBLISHED.iter().filter(|(name, of, _)| *of == function && open(name)) {
        debug_assert_eq!(*of, function);
        let profile = AefProfile {
            aef_id: aef.try_into()?,
            versions: vec![Version {
                api_version: VERSION.to_owned(),
                expiry: None,
                resources: Some(resources(name, routes)),
                cust_operations: None,
            }],
            protocol: Some(Protocol::Http2),
            data_format: Some(DataFormat::Json),
            security_methods: Some(vec![SecurityMethod::Oauth]),
            grant_types: Some(vec![OAuthGrantType::ClientCredentials]),
            domain_name: None,
            interface_descriptions: Some(vec![interface.clone()]),
            aef_location: None,
            service_kpis: None,
            ue_ip_range: None,
            vendor_specific: VendorSpecific::default(),
        };
        apis.push(ServiceAPIDescription {
            api_name: ApiName::try_from(*name)?,
            api_id: None,
            api_status: None,
            aef_profiles: Some(vec![profile]),
            description: Some((*about).to_owned()),
            supported_features: None,
            shareable_info: (!shared_with.is_empty()).then(|| ShareableInformation {
                is_shareable: true,
                capif_prov_doms: Some(shared_with.to_vec()),
            }),
            service_api_category: None,
            api_supp_feats: None,
            pub_api_path: None,
            ccf_id: None,
            api_prov_name: None,
            net_slice_info: None,
            vendor_specific: VendorSpecific::default(),
        });
    }
    Ok(apis)
}

/// Where it listens. A host name without a dot is no FQDN of TS 29.571: the address stands there instead.
fn interface(origin: &str, bind: &str) -> Result<InterfaceDescription> {
    let url = Url::parse(origin).context("the origin of the listener")?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let address: Option<IpAddr> = match host.parse() {
        Ok(address) => Some(address),
        Err(_) if host.contains('.') => None,
        Err(_) => bind.parse().ok(),
    };
    let text = |address: &IpAddr| address.to_string();
    Ok(InterfaceDescription {
        ipv4_addr: address.as_ref().filter(|address| address.is_ipv4()).map(text),
        ipv6_addr: address.as_ref().filter(|address| address.is_ipv6()).map(text),
        fqdn: address.is_none().then_some(host),
        port: url.port_or_known_default(),
        ..InterfaceDescription::default()
    })
}

/// The resources of an API with their operations, in the order of the table.
fn resources(name: &str, routes: &[RouteSpec]) -> Vec<Resource> {
    let prefix = format!("/{name}/{VERSION}");
    let mut order: Vec<&str> = Vec::new();
    let mut operations: BTreeMap<&str, Vec<Operation>> = BTreeMap::new();
    for route in routes.iter().filter(|route| route.auth == RouteAuth::Token && api_of(route.path) == name) {
        let Some(uri) = route.path.strip_prefix(&prefix) else { continue };
        if !order.contains(&uri) {
            order.push(uri);
        }
        // HEAD goes with GET and is none of the operations that TS 29.222 can name.
        if route.method != Method::HEAD {
            operations.entry(uri).or_default().push(Operation::from(route.method.as_str()));
        }
    }
    let resource = |uri: &str| Resource {
        resource_name: uri.trim_start_matches('/').to_owned(),
        comm_type: match uri.contains("subscriptions") {
            true => CommunicationType::SubscribeNotify,
            false => CommunicationType::RequestResponse,
        },
        uri: uri.to_owned(),
        cust_op_name: None,
        cust_operations: None,
        operations: operations.get(uri).cloned(),
        description: None,
    };
    order.into_iter().map(resource).collect()
}

#[cfg(test)]
mod tests {
    use api_types::validate::Validate as _;

    use super::*;

    const AT: (&str, &str) = ("https://localhost:8446", "127.0.0.1");

    #[test]
    fn every_route_of_an_api_is_published() {
        for function in [Function::San, Function::Sm] {
            let apis = descriptions(function, "AEF1", AT, &Interfaces::default(), &[]).expect("described");
            let named: Vec<_> = apis.iter().map(|api| api.api_name.as_str()).collect();
            assert_eq!(named, names(function));
            for api in &apis {
                assert_eq!(api.validate(""), Ok(()), "{}", api.api_name);
                let resources =
                    api.aef_profiles.as_ref().and_then(|all| all[0].versions[0].resources.as_ref());
                assert!(resources.is_some_and(|all| !all.is_empty()), "{}", api.api_name);
            }
        }
        let lists = resources("ssan-sanm", spatial_localization::san::ROUTES);
        let one = lists.iter().find(|found| found.uri == "/anchors-lists/{anchorsListId}").expect("a list");
        let operations: Vec<_> = one.operations.iter().flatten().map(Operation::as_str).collect();
        assert_eq!(operations, ["GET", "PUT", "PATCH", "DELETE"]);
    }

    #[test]
    fn what_only_the_sim_s_opens_is_not_published() {
        let modes =
            Interfaces { named: [("ssan-usg".to_owned(), Mode::Sim)].into(), ..Interfaces::default() };
        let apis = descriptions(Function::San, "AEF1", AT, &modes, &["op-b".to_owned()]).expect("described");
        let named: Vec<_> = apis.iter().map(|api| api.api_name.as_str()).collect();
        assert_eq!(named, ["ssan-sanm", "ssan-disc", "ssan-grpm"]);
        let shared = apis
            .iter()
            .filter_map(|api| api.shareable_info.as_ref())
            .all(|info| info.is_shareable && info.capif_prov_doms.as_deref() == Some(&["op-b".to_owned()]));
        assert!(shared, "with the domains that are configured and no other");
    }

    #[test]
    fn the_address_is_one_that_can_be_published() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("https://localhost:8446",    "127.0.0.1", Some("127.0.0.1"), None,        None,                8446),
            ("https://san.example:8446",  "0.0.0.0",   None,              None,        Some("san.example"), 8446),
            ("https://san.example",       "0.0.0.0",   None,              None,        Some("san.example"), 443),
            ("https://192.0.2.1:1",       "0.0.0.0",   Some("192.0.2.1"), None,        None,                1),
            ("https://[2001:db8::1]:1",   "::",        None,              Some("2001:db8::1"), None,        1),
        ];
        for (origin, bind, v4, v6, fqdn, port) in rows {
            let found = interface(origin, bind).expect("described");
            let got = (found.ipv4_addr.as_deref(), found.ipv6_addr.as_deref(), found.fqdn.as_deref());
            assert_eq!((got, found.port), ((v4, v6, fqdn), Some(port)), "{origin}");
            assert_eq!(found.validate(""), Ok(()), "{origin}");
        }
    }
}
