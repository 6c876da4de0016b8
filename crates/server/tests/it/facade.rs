//! E2E-04: the facade first off, then on (TR 33.721, solution #Y; CON-01).

use api_types::ids::SpatialMapId;
use sdk::admin::RecordFilter;
use sdk::{Answer, Request, UserSession};
use serde_json::{Value, json};

use crate::harness::{
    Program, Site, json_of, parsed, text_of, val_server_list, val_server_map, whole_of, with_bearer,
};

const UE: &str = "3gpp:seal:san.read 3gpp:seal:san.discover 3gpp:seal:sm.read";

/// A token of a login at the facade, and its proof of possession with each request.
async fn session(site: &Site, user: &str) -> UserSession {
    let sim = site.sim_c("ue-1").await;
    let mut request = site.request(user, UE);
    request.resources = ["lm", "san", "sm"].map(|role| site.at(role).to_owned()).to_vec();
    UserSession::login(sim, request, user, site.password(user), site.at("lm"), UE).await.expect("logged in")
}

/// The same request at the facade and at the server behind it.
async fn both(site: &Site, session: &UserSession, role: &str, path: &str) -> (Answer, Answer) {
    let ask = async |at: &str, scope: &str| {
        let credential = session.credential(site.at(at), scope).await.expect("a token");
        let link = sdk::Authorized::new(site.link("ue-1"), credential);
        link.send(Request::get(site.path(at, path))).await.expect("an answer")
    };
    let direct =
        if role == "san" { "3gpp:seal:san.read 3gpp:seal:san.discover" } else { "3gpp:seal:sm.read" };
    (ask("lm", UE).await, ask(role, direct).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_facade_is_off_unless_it_is_named() {
    let program = Program::demo();
    let site = Site::of(&program);
    assert!(program.ready["urls"].get("lm").is_none());
    let sim = site.sim_c("ue-1").await;
    let mut request = site.request("alice", UE);
    request.resources = vec!["https://localhost:8459".to_owned()];
    let refused =
        UserSession::login(sim, request, "alice", site.password("alice"), "https://localhost:8459", UE);
    let refused = refused.await.expect_err("no such server");
    assert!(refused.to_string().contains("invalid_target"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_facade_gives_what_the_servers_give_and_nothing_more() {
    let program = Program::demo_with_facade();
    let site = Site::of(&program);
    let alice = session(&site, "alice").await;
    let list = site.lists["vs-1"][0].clone();
    let map = site.maps["vs-1"];
    let paths = [
        ("san", format!("/ssan-sanm/v1/anchors-lists/{list}?supp-feats=1")),
        ("san", "/ssan-disc/v1/spatial-anchors?limit=1000".to_owned()),
        ("sm", format!("/ssm-smm/v1/spatial-maps/{map}?supp-feats=1")),
        ("sm", "/ssm-disc/v1/spatial-maps".to_owned()),
        ("sm", format!("/ssm-smm/v1/spatial-maps/{map}/content")),
        ("san", "/ssan-sanm/v1/anchors-lists/no-such-list".to_owned()),
        ("sm", "/ssm-smm/v1/spatial-maps/1999999999".to_owned()),
        ("san", "/ssan-disc/v1/spatial-anchors?limit=x".to_owned()),
    ];
    for (role, path) in &paths {
        let (facade, direct) = both(&site, &alice, role, path).await;
        assert_eq!((facade.status, facade.body.len()), (direct.status, direct.body.len()), "{path}");
        assert_eq!(facade.body, direct.body, "the same bytes: {path}");
        for name in
            ["content-type", "etag", "repr-digest", "content-length", "accept-ranges", "cache-control"]
        {
            assert_eq!(facade.header(name), direct.header(name), "{name} of {path}");
        }
    }
    // What is hidden from eve behind is hidden here: the SIM-S gives her nothing for either.
    let sim = site.sim_c("ue-1").await;
    let mut request = site.request("eve", UE);
    request.resources = vec![site.at("lm").to_owned()];
    assert!(UserSession::login(sim, request, "eve", site.password("eve"), site.at("lm"), UE).await.is_err());

    // SY-B2, IMP-03: both have decided, and the user pays, not the facade.
    let path = format!("/ssan-sanm/v1/anchors-lists/{list}");
    let (facade, _) = both(&site, &alice, "san", &path).await;
    let trace = facade.trace().expect("a trace");
    let operator = site.operator();
    let filter = RecordFilter { trace: Some(trace.clone()), ..RecordFilter::default() };
    let audit = operator.audit(&filter).await.expect("the audit");
    let functions: Vec<&str> = audit.items.iter().map(|item| item.function.as_str()).collect();
    assert_eq!(functions.iter().filter(|one| **one == "lm").count(), 1, "{functions:?}");
    assert_eq!(functions.iter().filter(|one| **one == "san").count(), 1, "{functions:?}");
    let bills = RecordFilter { consumer: Some("alice@campus.example".into()), ..RecordFilter::default() };
    let charged = operator.charging(&bills).await.expect("charging");
    let of_trace: Vec<_> = charged.items.iter().filter(|item| item.trace.as_str() == trace).collect();
    assert_eq!(of_trace.len(), 1, "once");
    assert_eq!((of_trace[0].client.as_str(), of_trace[0].function.as_str()), ("lm", "san"));
    let steps = operator.trace(&trace).await.expect("steps");
    assert!(steps.iter().any(|step| step.procedure == "TR33.721-SY" && step.step == "3"), "{steps:?}");

    // A token of the facade opens nothing behind it, and the other way round.
    let own = text_of(&alice.credential(site.at("lm"), UE).await.expect("a token"));
    for (at, path) in [("san", &paths[1].1), ("sm", &paths[3].1)] {
        let answer = site.link("ue-1").send(with_bearer(Request::get(site.path(at, path)), &own)).await;
        assert_eq!(answer.expect("an answer").status, 401, "{at}");
    }
}

/// Identifiers of the anchors inside of a map, as an answer shows them.
fn embedded(answer: &Answer) -> Vec<String> {
    let shown = json_of(answer)["augLyrInf"]["augLyrDet"].clone();
    shown.as_array().into_iter().flatten().map(|id| id.as_str().expect("text").to_owned()).collect()
}

/// FFS-20: FFS-13 by way of the facade. A UE finds in a map the anchors that its user may discover, and no others: the facade, the
/// map server and the anchor server each decide for that user.
#[tokio::test(flavor = "multi_thread")]
async fn ffs_20_a_ue_finds_its_own_anchors_in_a_map_behind_the_facade() {
    let program = Program::demo_with_facade();
    let site = Site::of(&program);
    let mut list = val_server_list("museum-guide", "hall");
    let anchor = list["anchors"]["own"].clone();
    let rules = |kind: &str, id: &str| json!({ "allowedEntities": [{ "type": kind, "identifier": id }] });
    let restricted = |rules: Value| json!({ "visibility": "RESTRICTED", "rules": rules });
    let placed = [
        ("open", json!({ "visibility": "UNIVERSAL" })),
        ("of alice", restricted(rules("VAL_CLIENT", "alice@campus.example"))),
        ("of bob", restricted(rules("VAL_CLIENT", "bob@campus.example"))),
        ("of vs-2", restricted(rules("VAL_SERVER", "vs-2"))),
        ("own", json!({ "visibility": "PRIVATE" })),
    ];
    list["anchors"] = json!({});
    for (label, more) in &placed {
        let mut anchor = anchor.clone();
        anchor.as_object_mut().expect("an anchor").extend(more.as_object().expect("members").clone());
        list["anchors"][*label] = anchor;
    }
    let owner = site.san("vs-1", "3gpp:seal:san").await;
    let list = owner.create_list(&parsed(list)).await.expect("a list");
    let anchors = serde_json::to_value(&list.value).expect("JSON")["anchors"].take();
    let id = |label: &str| anchors[label]["anchorId"].to_string();

    let mut request = val_server_map("museum-guide", "hall");
    request["mapInf"]["augLyrInf"] = json!([{ "augWith": "SPATIAL_ANCHORS" }]);
    request["mapInf"]["visibility"] = json!("UNIVERSAL");
    let maps = site.sm("vs-1", "3gpp:seal:sm").await;
    let map = maps.create_map(&parsed(request)).await.expect("a map").id();
    let wanted: String =
        url::form_urlencoded::byte_serialize(br#"{"augLyrs":["SPATIAL_ANCHORS"]}"#).collect();
    let paths = [
        format!("/ssm-smm/v1/spatial-maps/{map}"),
        format!("/ssm-smm/v1/spatial-maps?svc-id=museum-guide&map-id={map}&aug-with={wanted}"),
    ];
    let readers = [("alice", ["open", "of alice"]), ("bob", ["open", "of bob"])];
    for (user, sees) in readers {
        let session = session(&site, user).await;
        for path in &paths {
            let (facade, direct) = both(&site, &session, "sm", path).await;
            assert_eq!((facade.status, &facade.body), (200, &direct.body), "{user}: {path}");
            let shown = embedded(&facade);
            for (label, _) in &placed {
                assert_eq!(shown.contains(&id(label)), sees.contains(label), "{user}, {label}: {shown:?}");
            }
        }
    }
    // What its owner takes back is gone from the map as well, without a word to the map server.
    let alice = session(&site, "alice").await;
    let patch = json!({ "suppFeat": "1", "anchors": { "of alice": null } });
    owner.patch_list(&list.id, &patch, None).await.expect("changed");
    let (facade, direct) = both(&site, &alice, "sm", &paths[0]).await;
    assert_eq!((embedded(&facade).contains(&id("of alice")), &facade.body), (false, &direct.body));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_val_server_works_through_the_facade_and_loses_it_with_its_token() {
    let program = Program::demo_with_facade();
    let site = Site::of(&program);
    let token = text_of(&site.server_token("vs-1", "lm", &whole_of("lm")).await);
    let link = site.link("vs-1");
    let send = async |request: Request| link.send(with_bearer(request, &token)).await.expect("an answer");
    let lists = "/ssan-sanm/v1/anchors-lists";
    let created =
        send(Request::post(site.path("lm", lists)).json(&val_server_list("museum-guide", "by facade"))).await;
    assert_eq!(created.status, 201);
    let id = created.created_id().expect("an id");
    let owner = site.san("vs-1", "3gpp:seal:san").await;
    let list = owner.list(&id.as_str().try_into().expect("an id"), true).await.expect("it is its owner's");
    assert_eq!(list.etag.as_deref(), created.header("etag"));

    let bytes = bytes::Bytes::from(vec![7_u8; 700_000]);
    let content = site.path("lm", &format!("/ssm-smm/v1/spatial-maps/{}/content", site.maps["vs-1"]));
    let put = send(Request::put(content).bytes("model/gltf-binary", bytes.clone())).await;
    assert!([200, 201, 204].contains(&put.status), "{}: {}", put.status, json_of(&put));
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let head = sm.head_content(SpatialMapId(site.maps["vs-1"])).await.expect("a payload");
    assert_eq!(head.length, Some(bytes.len() as u64));

    let path = format!("{lists}/{id}");
    assert_eq!(send(Request::get(site.path("lm", &path))).await.status, 200);
    let revocation = json!({ "kind": "client", "value": "vs-1" });
    site.operator().revoke(&parsed(revocation)).await.expect("revoked");
    let refused = send(Request::get(site.path("lm", &path))).await;
    assert_eq!(refused.status, 401);
    assert_eq!(site.reason(refused.trace()).await, "REVOKED_CLIENT");
}
