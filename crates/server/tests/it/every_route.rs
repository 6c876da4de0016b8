//! Every route of every interface, with every credential that must not open it (N-TOK, N-BIND, N-AUTHZ, N-TLS).
//!
//! The routes are read from the tables that the routers are made of: one without a row here fails the test by its name.

mod aef;
pub(crate) mod capif;
mod mutual;
mod public;
mod token;

use http::Method;
use sdk::{HttpsClient, MapQuery, Request};
use serde_json::{Value, json};
use server::openapi::{Interface, interfaces};
use service_http::peer::CertRole;
use service_http::routes::{RouteAuth, RouteSpec};

use self::capif::World;
use self::mutual::{mutual_route, root_of};
use self::public::{Opens, PUBLIC, identity_token, public_route};
use self::token::token_route;
use crate::harness::{
    Program, Site, parsed, text_of, val_server_list, val_server_map, whole_of, with_bearer,
};

/// What a refusal must look like.
#[derive(Clone, Copy)]
struct Refused {
    status: u16,
    cause: &'static str,
    reason: &'static str,
}

const fn refused(status: u16, cause: &'static str, reason: &'static str) -> Refused {
    Refused { status, cause, reason }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_opens_for_a_wrong_credential() {
    let program = Program::demo_with_facade();
    let site = Site::of(&program);
    let mut walked = 0;
    let mut failures = Vec::new();
    let world = World::new(&site).await;
    let before = [state(&site).await, world.state(&site).await].concat();
    for interface in interfaces().into_iter().filter(is_open) {
        for spec in interface.routes {
            let route = format!("{} {} {}", interface.name, spec.method, spec.path);
            let faults = match spec.auth {
                RouteAuth::Token => {
                    let of_ccf = world.at_server(&site, interface.listener, spec).await;
                    [token_route(&site, interface.listener, spec).await, of_ccf].concat()
                }
                RouteAuth::Mtls(roles) if interface.listener == "ccf" => {
                    world.spoiled(&site, spec, roles).await
                }
                RouteAuth::Mtls(roles) if interface.listener != "ccf" && aef::is_one(spec.path) => {
                    aef::route(&site, interface.listener, spec, roles).await
                }
                RouteAuth::Mtls(roles) => mutual_route(&site, interface.listener, spec, roles).await,
                RouteAuth::Public => public_route(&site, interface.listener, spec).await,
            };
            failures.extend(faults.into_iter().map(|fault| format!("{route}: {fault}")));
            walked += 1;
        }
    }
    let after = [state(&site).await, world.state(&site).await].concat();
    for (what, before) in &before {
        let after = after.iter().find(|(name, _)| name == what).map(|(_, value)| value);
        if after != Some(before) {
            failures.push(format!("{what} was changed by requests that were refused"));
        }
    }
    assert!(failures.is_empty(), "{} of {walked} routes:\n{}", failures.len(), failures.join("\n"));

    let mut client = site.operator().client("vs-1").await.expect("a client").value;
    client.callback_hosts = vec!["localhost".into()];
    site.operator().put_client("vs-1", &client).await.expect("registered");
    // Not refused because nothing works: each route opens for whom it is there.
    let mut shut = Vec::new();
    for interface in interfaces().into_iter().filter(is_open) {
        let mut routes = interface.routes;
        let order = [Method::PATCH, Method::PUT, Method::POST, Method::GET, Method::HEAD, Method::DELETE];
        routes.sort_by_key(|spec| order.iter().position(|method| *method == spec.method));
        for spec in routes {
            // Whom they open to, and for what: `capif/limits.rs`; that what owners keep arrives, the attacks on P4 show.
            if interface.listener != "ccf" && aef::is_one(spec.path) {
                continue;
            }
            let status = match spec.auth {
                RouteAuth::Mtls(roles) if interface.listener == "ccf" => {
                    Some(world.rightful(&site, spec, roles).await)
                }
                _ => rightful(&site, interface.listener, spec).await,
            };
            if !status.is_some_and(|status| (200..400).contains(&status) || status == 404 && may_miss(spec)) {
                shut.push(format!("{} {} {}: {status:?}", interface.name, spec.method, spec.path));
            }
        }
    }
    assert!(shut.is_empty(), "closed to its rightful callers:\n{}", shut.join("\n"));
}

/// Whether the program of this test has the listener. That for OpenCAPIF clients is off unless it is asked for; its routes are
/// walked, each with every wrong certificate, in `crates/capif-core/tests/it/opencapif.rs`.
fn is_open(interface: &Interface) -> bool {
    interface.listener != "ccf_compat"
}

/// Routes whose object does not exist, or whose function no process runs yet.
fn may_miss(spec: &RouteSpec) -> bool {
    let not_built = ["PutEntitlement", "ListDisclosures"];
    let nothing = [
        "GetWorldAnchor",
        "ReplaceWorldAnchor",
        "GetTrackable",
        "ReplaceTrackable",
        "GetWorldLink",
        "ReplaceWorldLink",
        // Of nobody: what becomes of somebody's is tested with the console.
        "RemovePasskeys",
        // Nobody has asked: what becomes of a question is tested with the core function.
        "DecideAsk",
        // No interface provisions rules yet.
        "ObtainRoutingInfo",
        // Its ends are those of nothing.
        "CreateWorldLink",
    ];
    not_built.contains(&spec.operation)
        || nothing.contains(&spec.operation)
        || ["GetTrace", "ExplainTrace", "ViewMapContent"].contains(&spec.operation)
        // One thing of the core function, of a name that is nothing's: what there is of it is tested with `admin::capif`.
        || spec.path.starts_with("/v1/capif/") && spec.path.contains('{')
        // Of nobody: what becomes of a subscriber's consent is tested with the UDM.
        || ["/v1/subscribers/", "/v1/purposes/", "/nudm-sdm/"].iter().any(|path| spec.path.starts_with(path))
        || ["WithdrawEnrolment", "ExplainCapifResource"].contains(&spec.operation)
}

/// What refused requests could have changed.
async fn state(site: &Site) -> Vec<(String, Value)> {
    let admin = site.operator();
    let mut state = Vec::new();
    for family in ["users", "clients", "services", "policies", "keys"] {
        let url = admin.url(&[family]).expect("a url");
        let answer = admin.send(Request::get(url)).await.expect("an answer");
        state.push((family.to_owned(), serde_json::from_slice(&answer.body).expect("JSON")));
    }
    let san = site.san("vs-1", "3gpp:seal:san").await;
    for list in &site.lists["vs-1"] {
        let id = list.as_str().try_into().expect("an id");
        let list = san.list(&id, true).await.expect("the owner reads its list");
        state.push((format!("list {id}"), json!([list.etag, list.value])));
    }
    let found = san.discover_all(&sdk::AnchorQuery { limit: Some(1_000), ..Default::default() }).await;
    state.push(("number of anchors".into(), json!(found.expect("found").results.len())));
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let map =
        sm.map(api_types::ids::SpatialMapId(site.maps["vs-1"]), true).await.expect("the owner reads its map");
    state.push(("map".into(), json!([map.etag, map.value])));
    let content = sm.head_content(api_types::ids::SpatialMapId(site.maps["vs-1"])).await.expect("a payload");
    state.push(("payload".into(), json!([content.etag, content.digest])));
    let maps = sm.discover_all(&MapQuery::default()).await.expect("found");
    state.push(("number of maps".into(), json!(maps.maps_disc.map_or(0, |maps| maps.len()))));
    state
}

/// A request that would be served if its credential were good; `victim` is what a DELETE names.
fn request(site: &Site, interface: &str, spec: &RouteSpec, victim: &str) -> Request {
    let list = site.lists["vs-1"][0].as_str();
    let map = site.maps["vs-1"].to_string();
    let path = spec
        .path
        .replace("{anchorsListId}", list)
        .replace("{spatialMapId}", &map)
        .replace("{role}", "sim")
        .replace("{mapId}", &map)
        .replace("{trace}", &"0".repeat(32))
        .replace("{country}", "fr")
        .replace("{ssrId}", &map)
        // That of no anchor: what becomes of one is tested with the routes themselves.
        .replace("{worldAnchorUUID}", NO_ANCHOR)
        .replace("{trackableUUID}", NO_ANCHOR)
        .replace("{worldLinkUUID}", NO_ANCHOR)
        .replace("{purpose}", "METAVERSE_LOCATION")
        .replace("{valUeId}", "ue-alice");
    let path = if spec.operation == "CallbackHosts" { path.replace("{clientId}", "vs-1") } else { path };
    // What is left are identifiers of the admin API.
    // Those of CAPIF have no hyphen.
    let plain = victim.replace('-', "");
    let victim =
        if path.starts_with("/v1/capif/") || path.starts_with("/v1/enrolments/") { &plain } else { victim };
    let path: Vec<&str> =
        path.split('/').map(|part| if part.starts_with('{') { victim } else { part }).collect();
    let mut url = site.path(interface, &path.join("/"));
    if spec.operation == "RetrieveValUserProfile" {
        url.query_pairs_mut().append_pair("val-tgt-ue", "{\"valUserId\":\"nobody@x.example\"}");
    }
    if spec.operation == "LocalizeInSpatialMap" {
        url.query_pairs_mut().append_pair("map-id", &map);
    }
    match spec.operation {
        "PostAnchorLines" => url.set_query(Some("first=1")),
        "ListServiceRecords" => url.set_query(Some("h3Index=881fb46625fffff")),
        _ => {}
    }
    if spec.operation == "GetSpatialMap" {
        url.query_pairs_mut().append_pair("svc-id", "museum-guide").append_pair("map-id", &map);
    }
    if spec.path.starts_with("/ssan-grpm/") {
        url.query_pairs_mut().append_pair("supp-feats", "1");
    }
    let request = Request::new(spec.method.clone(), url);
    match spec.operation {
        "CreateSpatialAnchorsList" | "UpdateIndSpatialAnchorsList" => {
            request.json(&val_server_list("museum-guide", "intruder"))
        }
        "ModifyIndSpatialAnchorsList" => {
            // At the facade the list has other anchors by then: a patch that fits any list.
            let anchors =
                if interface == "lm" { json!({}) } else { json!({ "a000": { "name": "intruder" } }) };
            let patch = json!({ "suppFeat": "1", "anchors": anchors });
            request.json_as("application/merge-patch+json", &patch)
        }
        "CreateSpatialMap" => request.json(&val_server_map("museum-guide", "intruder")),
        "UpdateIndSpatialMap" | "ModifyIndSpatialMap" => {
            request.json_as("application/merge-patch+json", &json!({ "suppFeat": "1" }))
        }
        "CreateValServiceConf" | "UpdateIndValServicesConf" => request.json(&val_config()),
        "ModifyIndValServicesConf" => request.json_as("application/merge-patch+json", &val_config()),
        "PutSpatialMapContent" => request.bytes("model/gltf-binary", bytes_of("intruder")),
        "CreateWorldAnchor" => request.json(&world_anchor(None)),
        "ReplaceWorldAnchor" => request.json(&world_anchor(Some(NO_ANCHOR))),
        "CreateTrackable" => request.json(&trackable(None, site.maps["vs-1"])),
        "ReplaceTrackable" => request.json(&trackable(Some(NO_ANCHOR), site.maps["vs-1"])),
        "CreateWorldLink" => request.json(&world_link(None, NO_ANCHOR)),
        "ReplaceWorldLink" => request.json(&world_link(Some(NO_ANCHOR), NO_ANCHOR)),
        "CreateServiceRecord" | "ReplaceServiceRecord" => request.json(&service_record()),
        "PutAnchorImport" => request.json(&json!({})),
        "PostAnchorLines" => request.bytes("application/x-ndjson", bytes_of("\n")),
        "PutUser" => request.json(
            &json!({ "password": "a password of its own", "valUserId": format!("{victim}@x.example") }),
        ),
        "PutClient" => request.json(&json!({
            "kind": "val_server", "auth": "client_secret_basic", "scopes": ["3gpp:seal:san"],
        })),
        "PutService" => request.json(&json!({ "role": "san", "scopes": ["3gpp:seal:san.read"] })),
        "PutPolicy" => request.json(&json!({ "class": "local", "effect": "PERMIT" })),
        "ExplainPolicies" => request.json(&json!({ "subjects": ["ue-1"] })),
        "PutOpenApis" => request.json(&json!({ "names": [victim] })),
        "PutCapifAccessControl" => request.json(&json!({ "allowedTotalInvocations": 1 })),
        "PutCapifRouting" => request.json(&json!({ "routingRules": [{
            "ipv4AddrRanges": [{ "start": "198.51.100.1", "end": "198.51.100.9" }],
            "aefProfile": { "aefId": "AEF1", "versions": [{ "apiVersion": "v1" }], "domainName": "a.example" },
        }] })),
        "ExplainCapifResource" => request.json(&json!({
            "aefId": victim, "resourceId": "l/1", "apiInvokerId": victim, "action": "read",
        })),
        "CreateEnrolment" => request.json(&json!({ "kind": "api_invoker", "name": victim })),
        "Revoke" => request.json(&json!({ "kind": "token", "value": victim })),
        "RotateKey" => request.json(&json!({ "emergency": false })),
        "PutSubscriber" => request.json(&json!({ "supi": format!("imsi-{victim}") })),
        "PutConsent" => request.json(&json!({ "consent": "CONSENT_GIVEN" })),
        "PutPurpose" => request.json(&json!({ "categories": ["location"] })),
        "PutPrivacy" => request.json(&json!({ "hide": ["identity"] })),
        "Subscribe" => request.json(&json!({
            "nfInstanceId": NO_ANCHOR, "callbackReference": "https://localhost:9443/cb",
            "monitoredResourceUris": [format!("/nudm-sdm/v2/{victim}/uc-data")],
        })),
        "PutPosition" => request.json(&json!({ "lon": 2.35, "lat": 48.85 })),
        "PutTestClock" => request.json(&json!({ "offsetS": 0 })),
        operation => match more_of(site, operation) {
            Some(body) if spec.method == Method::PATCH => {
                request.json_as("application/merge-patch+json", &body)
            }
            Some(body) => request.json(&body),
            None => request,
        },
    }
}

/// What is subscribed to, registered and reported by `vs-1`, by the operation.
fn more_of(site: &Site, operation: &str) -> Option<Value> {
    let (to, map) = ("https://localhost:9443/cb", site.maps["vs-1"]);
    let area =
        json!({ "geoServAr": { "geoArs": [{ "shape": "POINT", "point": { "lon": 2.35, "lat": 48.85 } }] } });
    Some(match operation {
        "CreateSpatialAnchorsSub" | "UpdateIndSpatialAnchorsSub" => {
            json!({ "eventSubs": [{ "event": "ANCHOR_DISCOVERY", "evntFltr": {} }], "notifUri": to })
        }
        "CreateSpatialAnchorsUsageSub" | "UpdateIndSpatialAnchorsUsageSub" => {
            let filter = json!({ "anchAnlFltr": { "appId": "museum-guide" } });
            let event = json!({ "event": "SPATIAL_ANCHOR_USAGE_INFORMATION", "evntFltr": filter });
            json!({ "eventSubs": [event], "notifUri": to, "sampInt": 3_600 })
        }
        "ReportSpatialAnchorsUsage" => json!({ "anchUsg": [{ "anchId": site.anchors[0], "access": 1 }] }),
        "CreateSpatialMapsSub" | "UpdateIndSpatialMapsSub" => {
            let event = json!({ "event": "LAYERS_MODIFICATION", "mapId": { "mapIds": [map] } });
            json!({ "eventSubs": [event], "svcId": "museum-guide", "notifUri": to })
        }
        "CreateDataSourceReg" | "UpdateIndDataSourceReg" => {
            let information = json!({ "smDataIdentifier": "v", "smDataType": "image", "smDataArea": area });
            let profile = json!({ "dsId": "camera-1", "smInformation": information });
            json!({ "requestorId": "vs-1", "notificationDestination": to, "dsProfile": profile })
        }
        "CreateSmasReg" | "UpdateIndSmasReg" => {
            let info = json!({ "endpoint": { "uri": "https://smas.example" } });
            let maps = json!([{ "mapId": map, "covArea": area }]);
            json!({ "profile": { "smasInfo": info, "spatMapInfoList": maps } })
        }
        "CreateSpatialAnchorGroup" | "UpdateIndSpatialAnchorGroup" => {
            json!({ "anchorIds": [site.anchors[0]] })
        }
        "ModifyIndSpatialAnchorGroup"
        | "ModifyIndSpatialAnchorsSub"
        | "ModifyIndSpatialAnchorsUsageSub"
        | "ModifyIndSpatialMapsSub"
        | "ModifyIndDataSourceReg"
        | "ModifyIndSmasReg"
        | "Modify" => json!({}),
        _ => return None,
    })
}

/// What `vs-1` may say of its VAL service.
fn val_config() -> Value {
    json!({ "valSvcConf": [{ "valServiceId": "museum-guide", "idList": [{ "valUserId": "nobody@x.example" }] }] })
}

/// A UUID that is none of an anchor.
const NO_ANCHOR: &str = "7fffffff-0000-8000-8000-000000000000";

/// A world anchor of ETSI GS ARF 005.
fn world_anchor(uuid: Option<&str>) -> Value {
    json!({
        "UUID": uuid, "name": "intruder", "unit": "M", "keyvalueTags": { "3gpp.mapId": ["9"] },
        "localCRS": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    })
}

/// A trackable of ETSI GS ARF 005.
fn trackable(uuid: Option<&str>, map: u32) -> Value {
    json!({
        "UUID": uuid, "name": "intruder", "trackableType": "IMAGE_MARKER", "unit": "M",
        "trackableEncodingInformation": { "dataFormat": "ARCORE", "version": "1.0" },
        "localCRS": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
        "keyvalueTags": { "3gpp.mapId": [map.to_string()] },
    })
}

/// A world link of ETSI GS ARF 005, from a trackable to nothing.
fn world_link(uuid: Option<&str>, from: &str) -> Value {
    json!({
        "UUID": uuid, "UUIDFrom": from, "typeFrom": "TRACKABLE", "UUIDTo": NO_ANCHOR.replace('7', "6"),
        "typeTo": "TRACKABLE", "unit": "M", "transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    })
}

/// A spatial service record of OSCP.
fn service_record() -> Value {
    json!({
        "type": "ssr", "geometry": { "type": "Polygon",
            "coordinates": [[[2.35, 48.85], [2.36, 48.85], [2.36, 48.86], [2.35, 48.85]]] },
        "services": [{ "id": "museum-guide", "type": "geopose", "title": "intruder", "url": "https://val.example" }],
    })
}

fn bytes_of(text: &str) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(text.as_bytes())
}

/// Sends and compares; the fault, if there is one.
async fn expect(
    site: &Site,
    what: &str,
    link: &HttpsClient,
    request: Request,
    want: Refused,
) -> Option<String> {
    let head = is_head(&request);
    let answer = match link.send(request).await {
        Ok(answer) => answer,
        Err(error) => return Some(format!("{what}: {error}")),
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let reason = site.reason(answer.trace()).await;
    let cause = body["cause"].as_str().or(body["error"].as_str()).unwrap_or_default();
    // The answer to HEAD has no body (RFC 9110 9.3.2).
    let cause = if head { want.cause } else { cause };
    let challenged = want.status != 401 || answer.header("www-authenticate").is_some();
    let got = (answer.status, cause, reason.as_str());
    if got == (want.status, want.cause, want.reason) && challenged {
        return None;
    }
    Some(format!(
        "{what}: {got:?}, challenge {challenged}; wanted {} {} {}",
        want.status, want.cause, want.reason
    ))
}

fn is_head(request: &Request) -> bool {
    // The request hides its method; its description does not.
    format!("{request:?}").contains("method: HEAD")
}

/// The path of an object of its own, which nobody will miss.
async fn fresh(site: &Site, path: &str) -> String {
    if path.contains("{anchorsListId}") {
        let san = site.san("vs-1", "3gpp:seal:san").await;
        let list = san.create_list(&parsed(val_server_list("museum-guide", "short-lived"))).await;
        return path.replace("{anchorsListId}", list.expect("created").id.as_str());
    }
    if let Some(made) = subscribed(site, path).await {
        return made;
    }
    if path.contains("{worldAnchorUUID}") {
        let token = text_of(&site.server_token("vs-1", "san", "3gpp:seal:san").await);
        let made = Request::post(site.path("san", "/arf005/v1/worldAnchors")).json(&world_anchor(None));
        let made = site.link("vs-1").send(with_bearer(made, &token)).await.expect("an answer");
        return path.replace("{worldAnchorUUID}", std::str::from_utf8(&made.body).expect("a UUID"));
    }
    if path.contains("{trackableUUID}") || path.contains("{worldLinkUUID}") {
        let token = text_of(&site.server_token("vs-1", "sm", "3gpp:seal:sm").await);
        let make = async |at: &str, body: Value| {
            let made = Request::post(site.path("sm", at)).json(&body);
            let made = site.link("vs-1").send(with_bearer(made, &token)).await.expect("an answer");
            assert_eq!(made.status, 200, "{at}");
            String::from_utf8(made.body.to_vec()).expect("a UUID")
        };
        let map = site.maps["vs-1"];
        let one = make("/arf005/v1/trackables", trackable(None, map)).await;
        if path.contains("{trackableUUID}") {
            return path.replace("{trackableUUID}", &one);
        }
        let mut link = world_link(None, &one);
        link["UUIDTo"] = json!(make("/arf005/v1/trackables", trackable(None, map)).await);
        return path.replace("{worldLinkUUID}", &make("/arf005/v1/worldLinks", link).await);
    }
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let map = sm.create_map(&parsed(val_server_map("museum-guide", "short-lived"))).await.expect("created");
    let id = map.id().0.to_string();
    path.replace("{spatialMapId}", &id).replace("{ssrId}", &id).replace("{country}", "fr")
}

/// An anchor of `vs-1` that nothing was done to.
async fn own_anchor(site: &Site) -> u32 {
    let san = site.san("vs-1", "3gpp:seal:san").await;
    let list = san.create_list(&parsed(val_server_list("museum-guide", "own"))).await.expect("created");
    list.value.anchors.values().find_map(|anchor| anchor.anchor_id).expect("an identifier").0
}

/// The path of a subscription or registration that was made for it.
async fn subscribed(site: &Site, path: &str) -> Option<String> {
    let path_of = path.strip_suffix("/spatial-anchors").unwrap_or(path);
    let (collection, name) = path_of.rsplit_once('/')?;
    let (role, operation) = match collection {
        "/ssan-sanm/v1/subscriptions" => ("san", "CreateSpatialAnchorsSub"),
        "/ssan-usg/v1/subscriptions" => ("san", "CreateSpatialAnchorsUsageSub"),
        "/ssan-grpm/v1/groups" => {
            // Of an anchor that is there, whatever was replaced meanwhile.
            let group = json!({ "anchorIds": [own_anchor(site).await], "suppFeat": "1" });
            let token = text_of(&site.server_token("vs-1", "san", "3gpp:seal:san").await);
            let request = Request::post(site.path("san", collection)).json(&group);
            let made = site.link("vs-1").send(with_bearer(request, &token)).await.expect("an answer");
            return Some(path.replace(name, &made.created_id().expect("a group")));
        }
        "/ssm-smm/v1/subscriptions" => ("sm", "CreateSpatialMapsSub"),
        "/sm_smds/v1/datasources-reg-lists" => ("sm", "CreateDataSourceReg"),
        "/ssm-smasr/v1/registrations" => ("sm", "CreateSmasReg"),
        _ => return None,
    };
    let token = text_of(&site.server_token("vs-1", role, &format!("3gpp:seal:{role}")).await);
    let request = Request::post(site.path(role, collection)).json(&more_of(site, operation)?);
    let made = site.link("vs-1").send(with_bearer(request, &token)).await.expect("an answer");
    let id = made.created_id().unwrap_or_else(|_| panic!("{operation}: {:?}", made.body));
    Some(path.replace(name, &id))
}

/// The status that somebody gets who may.
async fn rightful(site: &Site, interface: &str, spec: &RouteSpec) -> Option<u16> {
    // A name of its own in each family: no name is a user's and a client's.
    let family = spec.path.split('/').nth(2).unwrap_or_default();
    let mut asked = request(site, interface, spec, &format!("own-{family}"));
    let link = match spec.auth {
        // Who is no registered VAL server is refused behind the gate.
        RouteAuth::Mtls([CertRole::Client]) => {
            if spec.path.contains("{confId}") {
                let made =
                    Request::post(site.path(interface, "/ss-ipp/v1/configurations")).json(&val_config());
                let made = site.link("vs-1").send(made).await.ok()?.created_id().ok()?;
                asked = request(site, interface, spec, &made);
            }
            site.link("vs-1")
        }
        RouteAuth::Mtls(roles) => {
            let (root, _) = root_of(interface);
            site.link_as(Some(&site.identity(root, roles[0].as_str(), "someone")))
        }
        RouteAuth::Token => {
            let token = text_of(&site.server_token("vs-1", interface, &whole_of(interface)).await);
            if spec.operation == "UpdateIndSpatialMap" {
                let sm = site.sm("vs-1", "3gpp:seal:sm").await;
                let map = sm.map(api_types::ids::SpatialMapId(site.maps["vs-1"]), true).await.ok()?;
                asked =
                    Request::put(site.path(
                        interface,
                        &spec.path.replace("{spatialMapId}", &site.maps["vs-1"].to_string()),
                    ));
                asked = asked.json(&map.value);
            }
            if spec.operation == "ReportSpatialAnchorsUsage" {
                // The sample's own anchors may have been replaced by then.
                let used = json!({ "anchUsg": [{ "anchId": own_anchor(site).await, "access": 1 }] });
                asked = Request::post(site.path(interface, spec.path)).json(&used);
            }
            if let Some(path) = subscribed(site, spec.path).await {
                // What it was made for goes by its own name.
                let name = path.strip_suffix("/spatial-anchors").unwrap_or(&path).rsplit('/').next()?;
                asked = request(site, interface, spec, name);
            } else if spec.method == Method::DELETE {
                asked = Request::delete(site.path(interface, &fresh(site, spec.path).await));
            }
            if ["CreateSpatialAnchorGroup", "UpdateIndSpatialAnchorGroup"].contains(&spec.operation) {
                let path = subscribed(site, spec.path).await.unwrap_or_else(|| spec.path.to_owned());
                let mut url = site.path(interface, &path);
                url.query_pairs_mut().append_pair("supp-feats", "1");
                let group = json!({ "anchorIds": [own_anchor(site).await] });
                asked = Request::new(spec.method.clone(), url).json(&group);
            }
            asked = with_bearer(asked, &token);
            site.link("vs-1")
        }
        // Those are opened by the other tests of the SIM-S; here only what needs nothing.
        RouteAuth::Public => match PUBLIC.iter().find(|(operation, _)| *operation == spec.operation)? {
            (_, Opens::Users) => {
                asked = with_bearer(asked, &identity_token(site).await);
                if interface == "sim_mtls" { site.link("vs-1") } else { site.link_as(None) }
            }
            // Who is enrolled is let in by the test of the secrets.
            (_, Opens::Clients | Opens::Session | Opens::Enrolled) => return Some(200),
            (name, Opens::Anybody(_)) if name.starts_with("Authorize") || *name == "PasskeysPost" => {
                return Some(200);
            }
            (name, Opens::Anybody(_)) if ["ConsoleAsset", "ConsoleCallback"].contains(name) => {
                return Some(200);
            }
            (_, Opens::Anybody(_)) => {
                if interface == "sim_mtls" {
                    site.link("vs-1")
                } else {
                    site.link_as(None)
                }
            }
        },
    };
    link.send(asked).await.ok().map(|answer| answer.status)
}
