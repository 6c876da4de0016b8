//! What an operation takes beside its body: path, query and headers.

use serde_json::{Value, json};

/// A parameter of the query that is text.
type Named = (&'static str, &'static str);

const PAGE: &[Named] = &[
    ("limit", "Items of a page: 1 to 1,000, 100 when absent"),
    ("cursor", "Where the page goes on, as the last answer said; of this caller and this question only"),
];
const SUPP_FEATS: Named = ("supp-feats", "Features in hexadecimal; bit 1 asks for members of our own");
const AFTER: Named = ("after", "Only what came after this number");
const FUNCTION: Named = ("function", "Only this function");

/// Whose view; without a client it is the operator's.
const VIEW: &[Named] = &[
    ("client", "As this client sees it, for itself or for the user"),
    ("user", "As this user sees it, by way of the client"),
    ("ue", "The UE that the user is at"),
];

/// What the published documents of TS 29.222 make mandatory.
const REQUIRED: [(&str, &str); 4] = [
    ("DiscoverServiceApis", "api-invoker-id"),
    ("DiscoverServiceApisByProse", "api-invoker-id"),
    ("ListAccessControlPolicies", "aef-id"),
    ("ObtainRoutingInfo", "aef-id"),
];
const SUPPORTED_FEATURES: Named = ("supported-features", "Features in hexadecimal");

const IF_MATCH: Named = ("If-Match", "The change is made only to what has this entity tag");
const IF_NONE_MATCH: Named = ("If-None-Match", "304 for who has what this entity tag names");
const UE_ID: Named =
    ("Ue-Id", "GPSI, external identifier or pseudonym; must be the token's user, which is meant when absent");

/// The parameters of `operation`, which has `path`.
pub(super) fn of(interface: &str, operation: &str, path: &str) -> Vec<Value> {
    let mut all: Vec<Value> = path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .map(|name| name.trim_start_matches('*'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let named = |place: &'static str| {
        move |(name, what): Named| {
            let required = operation == "GetSpatialMap" && matches!(name, "svc-id" | "map-id")
                || operation == "LocalizeInSpatialMap" && name == "map-id"
                || interface == "ccf" && REQUIRED.contains(&(operation, name));
            json!({
                "name": name, "in": place, "required": required, "description": what, "schema": { "type": "string" },
            })
        }
    };
    all.extend(query(interface, operation).into_iter().map(named("query")));
    all.extend(headers(interface, operation).iter().copied().map(named("header")));
    if interface == "console"
        && !matches!(operation, "ConsolePage" | "ConsoleAsset" | "ConsoleLogin" | "ConsoleCallback")
    {
        let csrf = json!({
            "name": "X-CSRF-Token", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "As the session said; needed by whatever changes something",
        });
        all.push(csrf);
    }
    all
}

fn query(interface: &str, operation: &str) -> Vec<Named> {
    let with = |first: &[Named], more: &[Named]| [first, more].concat();
    match (interface, operation) {
        ("admin", "ListAudit") => with(
            &[
                FUNCTION,
                ("trace", "Only this trace"),
                ("actor", "Only what this user, client or operator did"),
                ("object", "Only what was done to this object"),
                AFTER,
            ],
            PAGE,
        ),
        ("admin", "ListCharging") => with(&[FUNCTION, ("consumer", "Only this consumer"), AFTER], PAGE),
        ("admin", "GetTrace") => vec![("caused", "true: also what the requests of the trace have set off")],
        ("admin", "ListTraces") => {
            vec![FUNCTION, ("procedure", "Only with steps of this procedure, as TR33.721-S3"), PAGE[0]]
        }
        ("admin", "ViewAnchors" | "ViewMaps") => with(VIEW, PAGE),
        ("admin", "ViewMapContent") => VIEW.to_vec(),
        ("console", "ConsoleLogin") => vec![
            ("next", "Where in the pages to go on, as #/keys"),
            ("acr", "phr: by passkey, for an act that asks for one"),
        ],
        ("console", "ConsoleCallback") => {
            vec![("code", "Authorization code"), ("state", "Of the request"), ("iss", "The SIM-S")]
        }
        ("admin", "ListDisclosures") => vec![("user", "Whose disclosures")],
        ("udm", "GetUcData") => vec![("uc-purpose", "Only what is said about this purpose")],
        ("admin", "ListSubscribers" | "ListPurposes") => PAGE.to_vec(),
        ("admin", "ListUsers" | "ListClients" | "ListServices" | "ListPolicies") => PAGE.to_vec(),
        (
            "admin",
            "ListEnrolments" | "ListCapifInvokers" | "ListCapifProviders" | "ListCapifApis"
            | "ListCapifApiUsers" | "ListCapifContexts",
        ) => PAGE.to_vec(),
        ("admin", "ListCapifRefusals") => vec![PAGE[0]],
        ("admin", "ListCapifAsks") => with(&[("open", "true: only what can be answered now")], PAGE),
        ("admin", "ListCapifResources") => {
            with(&[("aef", "Only at this function"), ("owner", "Only of the owner with this name")], PAGE)
        }
        ("admin", "ListCapifAccessControl") => with(
            &[
                ("api", "Only of this service API"),
                ("invoker", "Only of this API invoker; default: those of all that have none"),
            ],
            PAGE,
        ),
        (
            "admin",
            "GetCapifAccessControl"
            | "PutCapifAccessControl"
            | "DeleteCapifAccessControl"
            | "GetCapifRouting"
            | "PutCapifRouting"
            | "DeleteCapifRouting",
        ) => vec![("aef", "The function that is meant; needed where several expose the service API")],
        ("admin", "ExportAnchors") => PAGE.to_vec(),
        ("admin", "PostAnchorLines") => vec![
            ("first", "Number of the first line in the file, from 1; mandatory"),
            ("last", "true: no line comes after these"),
            ("skip-bad", "true: bad lines are left out; else one of them refuses the request"),
        ],
        ("sim", "Authorize") => vec![
            ("client_id", "Who asks; alone with request_uri after a pushed request"),
            ("request_uri", "Reference to a pushed request"),
            ("response_type", "code"),
            ("redirect_uri", "One of the client's"),
            ("scope", "openid and what is asked for"),
            ("state", "Echoed; mandatory"),
            ("nonce", "Goes into the ID token"),
            ("acr_values", "3gpp:acr:password or phr; mandatory"),
            ("code_challenge", "PKCE; mandatory"),
            ("code_challenge_method", "S256"),
            ("resource", "A server that tokens may be for; may stand several times"),
            ("val_ue_id", "The UE that the user is at"),
            ("dpop_jkt", "Key that the code is bound to"),
            ("prompt", "none shows no page"),
            ("max_age", "Oldest login that will do, in seconds"),
        ],
        ("sim_mtls" | "ccf", "Revocations") => vec![
            ("after", "Epoch that the verifier has applied"),
            ("wait_s", "Longest wait for news, in seconds"),
            ("node", "Tells the processes of one verifier apart"),
        ],
        ("san", "DiscSpatialAnchorsProfiles" | "GetSpatialAnchorsOfGroup") => with(
            &[
                ("area-int", "ServiceArea as JSON, of at most 10,000 square kilometres"),
                ("anchor-ids", "Identifiers, separated by commas"),
                ("svc-id", "VAL service"),
                ("anch-inf", "Base64 of the specific information"),
                SUPP_FEATS,
            ],
            PAGE,
        ),
        ("sm", "DiscSpatialMapsSmas") => with(
            &[
                ("app-svc-id", "VAL service"),
                ("map-disc-fltr", "SpatialMapsDiscFilter as JSON"),
                ("loc-info", "LocationInfo as JSON, of at most 10,000 square kilometres"),
                ("pose", "Pose as JSON"),
                SUPP_FEATS,
            ],
            PAGE,
        ),
        ("sim_mtls", "RetrieveValServiceConf") => vec![
            ("val-server-id", "VAL server, the one that asks"),
            ("config-ids", "Identifiers of configurations, separated by commas"),
        ],
        ("sim_mtls", "RetrieveValUserProfile") => vec![
            ("val-service-id", "VAL service, one of the VAL server that asks"),
            ("val-tgt-ue", "ValTargetUe as JSON"),
        ],
        ("san", "ListWorldAnchors") => with(&[("UUID", "Only these, up to 100, separated by commas")], PAGE),
        ("sm", "ListOwnServiceRecords" | "ListTrackables" | "ListWorldLinks") => PAGE.to_vec(),
        ("sm", "ListServiceRecords") => {
            with(&[("h3Index", "Cell of H3, of at most 10,000 square kilometres; mandatory")], PAGE)
        }
        ("sm", "GetSpatialMap") => vec![
            ("svc-id", "VAL service"),
            ("map-id", "Identifier of the map"),
            ("map-layer-list", "SpatialMapLayers as JSON: only these layers"),
            ("aug-with", "AugmentLayerList as JSON: with anchors"),
            SUPP_FEATS,
        ],
        ("sm", "LocalizeInSpatialMap") => vec![
            ("map-id", "Identifier of the map"),
            ("area-int", "ServiceArea as JSON: only what is in it"),
            ("target-id", "ValTargetUe as JSON"),
            ("target-ids", "ValTargetUe as JSON, several in an array"),
            SUPP_FEATS,
        ],
        ("sm", "DiscDataSourceProfiles") => vec![
            ("area-int", "ServiceArea as JSON, of at most 10,000 square kilometres"),
            ("end-point", "EndPoint as JSON: where the sources that are found shall send their data"),
            ("ds-disc-fltr", "SMDataSourceDiscFilter as JSON"),
            SUPP_FEATS,
        ],
        ("ccf", operation) => of_ccf(operation),
        ("san", name) if name.contains("AnchorGroup") => vec![SUPP_FEATS],
        ("san", "GetIndSpatialAnchorsList") | ("sm", "GetIndSpatialMap") => vec![SUPP_FEATS],
        _ => Vec::new(),
    }
}

/// The query of an operation of the CAPIF core function (TS 29.222).
fn of_ccf(operation: &str) -> Vec<Named> {
    match operation {
        "DiscoverServiceApis" | "DiscoverServiceApisByProse" => vec![
            ("api-invoker-id", "The API invoker, the one that asks"),
            ("api-name", "Name of the service API"),
            ("api-version", "Version, as v1"),
            ("comm-type", "REQUEST_RESPONSE or SUBSCRIBE_NOTIFY"),
            ("protocol", "Protocol"),
            ("aef-id", "The function that exposes it"),
            ("data-format", "Data format"),
            ("api-cat", "Category"),
            ("preferred-aef-loc", "AefLocation as JSON: what is there comes first"),
            ("req-api-prov-name", "Name of the API provider"),
            ("api-supported-features", "Features of the service API; with its name"),
            ("ue-ip-addr", "IpAddrInfo as JSON: a UE that is served"),
            ("service-kpis", "ServiceKpis as JSON: at least as good"),
            ("net-slice-info", "Array of NetSliceId as JSON"),
            ("grant-types", "Grant types, separated by commas"),
            ("api-ids", "Identifiers, separated by commas; alone"),
            ("res-ops", "Array of ResOperInfo as JSON"),
            SUPPORTED_FEATURES,
        ],
        "OpenDiscoverServiceApis" => vec![
            ("api-names", "Names, separated by commas"),
            ("api-versions", "Versions by name, as JSON"),
            ("comm-type", "REQUEST_RESPONSE or SUBSCRIBE_NOTIFY"),
            ("protocols", "Protocols, separated by commas"),
            ("data-format", "Data format"),
            ("api-cats", "Categories, separated by commas"),
            ("preferred-aef-loc", "AefLocation as JSON: what is there comes first"),
            ("api-prov-names", "Names of API providers, separated by commas"),
            ("api-supported-features", "Features by name, as JSON; with names"),
            ("service-kpis", "ServiceKpis as JSON: at least as good"),
            ("api-ids", "Identifiers, separated by commas"),
            ("res-ops", "Array of ResOperInfo as JSON; with names"),
            SUPPORTED_FEATURES,
        ],
        "ObtainSecurityContext" => vec![
            ("authenticationInfo", "true: with what authenticates the API invoker"),
            ("authorizationInfo", "true: with what it is authorized for"),
        ],
        "ListAccessControlPolicies" => vec![
            ("aef-id", "The function, the one that asks"),
            ("api-invoker-id", "Only of this API invoker"),
            SUPPORTED_FEATURES,
        ],
        "AuditInvocationLogs" => vec![
            ("aef-id", "Only at this function"),
            ("api-invoker-id", "Only by this API invoker"),
            ("time-range-start", "Only from then"),
            ("time-range-end", "Only until then"),
            ("api-id", "Only of this service API"),
            ("api-name", "Likewise by its name"),
            ("api-version", "Only of this version"),
            ("protocol", "Only over this protocol"),
            ("operation", "Only this method"),
            ("result", "Only with this result"),
            ("resource-name", "Only of this resource"),
            ("src-interface", "InterfaceDescription as JSON: only from there"),
            ("dest-interface", "InterfaceDescription as JSON: only to there"),
            ("net-slice-info", "Array of NetSliceId as JSON"),
            PAGE[0],
            PAGE[1],
            SUPPORTED_FEATURES,
        ],
        "ObtainRoutingInfo" => {
            vec![("aef-id", "The function, the one that asks"), ("supp-feat", "Features in hexadecimal")]
        }
        "ListResources" => vec![
            ("owner", "ResourceOwner as JSON: only of this owner"),
            ("type", "Only of this type"),
            PAGE[0],
            PAGE[1],
        ],
        "ListOwnedResources" => vec![PAGE[0], PAGE[1]],
        _ => Vec::new(),
    }
}

fn headers(interface: &str, operation: &str) -> &'static [Named] {
    match (interface, operation) {
        ("san", "DiscSpatialAnchorsProfiles" | "GetSpatialAnchorsOfGroup")
        | ("sm", "DiscSpatialMapsSmas") => &[UE_ID],
        ("san", "GetIndSpatialAnchorsList") | ("sm", "GetIndSpatialMap") => &[IF_NONE_MATCH],
        ("ccf", "PutResource" | "ModifyResource" | "RemoveResource") => &[IF_MATCH],
        ("san" | "sm", _)
            if ["Update", "Modify", "Delete"].iter().any(|verb| operation.starts_with(verb)) =>
        {
            &[IF_MATCH]
        }
        ("sm", "PutSpatialMapContent") => {
            &[IF_MATCH, ("Repr-Digest", "SHA-256 of the payload (RFC 9530), checked")]
        }
        ("sm", "GetSpatialMapContent" | "HeadSpatialMapContent") => {
            &[IF_NONE_MATCH, ("Range", "One range of bytes"), ("If-Range", "The range is of this entity tag")]
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_says_what_it_takes() {
        let names = |interface: &str, operation: &str, path: &str| -> Vec<String> {
            let all = of(interface, operation, path);
            all.iter()
                .map(|one| {
                    format!("{} {}", one["in"].as_str().unwrap_or("?"), one["name"].as_str().unwrap_or("?"))
                })
                .collect()
        };
        assert_eq!(names("admin", "GetUser", "/v1/users/{userId}"), ["path userId"]);
        assert_eq!(names("admin", "ListUsers", "/v1/users"), ["query limit", "query cursor"]);
        assert_eq!(
            names("sm", "UpdateIndSpatialMap", "/m/{spatialMapId}"),
            ["path spatialMapId", "header If-Match"]
        );
        let discovery = names("san", "DiscSpatialAnchorsProfiles", "/spatial-anchors");
        assert!(
            discovery.contains(&"header Ue-Id".to_owned())
                && discovery.contains(&"query area-int".to_owned())
        );
    }

    /// A name that no route has would be left out in silence.
    #[test]
    fn every_operation_that_takes_something_is_a_route() {
        let source = include_str!("parameters.rs");
        let table = source.split("#[cfg(test)]").next().unwrap_or_default();
        let routes: Vec<&str> =
            crate::openapi::interfaces().iter().flat_map(|i| i.routes.clone()).map(|r| r.operation).collect();
        for name in table.split('"').skip(1).step_by(2) {
            let is_operation =
                ["List", "Get", "Head", "Put", "Disc", "View", "Console", "Authorize", "Revocations"]
                    .iter()
                    .any(|v| name.starts_with(v));
            assert!(!is_operation || name.contains(' ') || routes.contains(&name), "{name}");
        }
    }
}
