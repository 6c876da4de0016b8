//! A spatial service that is added while the program runs (GEN-7, E2E-03): data, no new program.

use api_types::admin::{Client, Service};
use sdk::{AnchorQuery, MapQuery, SanClient, SdkError, SmClient};
use serde_json::{Value, json};

use crate::harness::{Program, Site, parsed, val_server_list, val_server_map};

const TOUR: &str = "3gpp:tour.anchors";
const WALK: &str = "3gpp:tour.maps";
const VAL_SERVICE: &str = "museum-guide";

async fn put_service(site: &Site, id: &str, body: Value) -> Result<(), SdkError> {
    site.operator().put_service(id, &parsed::<Service>(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_service_works_without_a_new_program() {
    let program = Program::demo();
    let site = Site::of(&program);
    let admin = site.operator();
    // Before: nobody knows its scope.
    let mut ue: Client = admin.client("ue-1").await.expect("ue-1").value;
    ue.client_id = None;
    ue.scopes.extend([TOUR.to_owned(), WALK.to_owned()]);
    admin.put_client("ue-1", &ue).await.expect("registered for it");
    let refused = login(&site, "alice", TOUR, "san").await.expect_err("no such service");
    assert!(matches!(&refused, SdkError::OAuth { error, .. } if error == "invalid_scope"), "{refused:?}");

    put_service(&site, "tours", json!({ "role": "san", "scopes": [TOUR], "valServiceId": VAL_SERVICE }))
        .await
        .expect("added");
    put_service(&site, "walks", json!({ "role": "sm", "scopes": [WALK], "valServiceId": VAL_SERVICE }))
        .await
        .expect("added");
    let metadata = sdk::sim::metadata(&site.link_as(None), site.at("sim")).await.expect("metadata");
    let known = serde_json::to_value(&metadata).expect("JSON")["scopes_supported"].to_string();
    assert!(known.contains(TOUR) && known.contains(WALK), "{known}");

    // Anchors: only those of its VAL service, reading only.
    let token = login(&site, "alice", TOUR, "san").await.expect("a token");
    let san = SanClient::new(site.link("ue-1"), site.at("san"), token).expect("a client");
    let found = san
        .discover_all(&AnchorQuery { limit: Some(500), ..Default::default() })
        .await
        .expect("it opens discovery");
    let full =
        login(&site, "alice", "3gpp:seal:san.discover 3gpp:seal:san.read", "san").await.expect("a token");
    let full = SanClient::new(site.link("ue-1"), site.at("san"), full).expect("a client");
    let all =
        full.discover_all(&AnchorQuery { limit: Some(500), ..Default::default() }).await.expect("found");
    let of = |profile: &api_types::san::SpatialAnchorProfile| {
        profile.val_svc_inf.service_id.as_str() == VAL_SERVICE
    };
    assert!(!found.results.is_empty() && found.results.iter().all(of), "{} anchors", found.results.len());
    assert_eq!(
        found.results.len(),
        all.results.iter().filter(|profile| of(profile)).count(),
        "all of its service"
    );
    assert!(found.results.len() < all.results.len(), "and of no other");

    let own = site.san("vs-1", "3gpp:seal:san").await;
    let mine = own.create_list(&parsed(val_server_list(VAL_SERVICE, "tour"))).await.expect("created").id;
    let theirs = site.san("vs-2", "3gpp:seal:san").await;
    let theirs =
        theirs.create_list(&parsed(val_server_list("campus-navigation", "other"))).await.expect("created").id;
    assert!(san.list(&mine, true).await.is_ok(), "it opens reading");
    assert!(full.list(&theirs, true).await.is_ok());
    let hidden = san.list(&theirs, true).await.expect_err("another service");
    let absent = san.list(&"no-such-list".try_into().expect("an id"), true).await.expect_err("absent");
    assert_eq!((hidden.status(), hidden.cause()), (absent.status(), absent.cause()));
    assert_eq!(hidden.status(), Some(404));
    let narrow = san
        .create_list(&parsed(val_server_list(VAL_SERVICE, "x")))
        .await
        .expect_err("it does not open writing");
    assert_eq!(
        (narrow.status(), narrow.cause().map(|cause| cause.as_str())),
        (Some(403), Some("INSUFFICIENT_SCOPE"))
    );
    assert_eq!(san.delete_list(&mine, None).await.expect_err("nor deleting").status(), Some(403));

    // Maps, likewise.
    let token = login(&site, "alice", WALK, "sm").await.expect("a token");
    let sm = SmClient::new(site.link("ue-1"), site.at("sm"), token).expect("a client");
    let maps = sm
        .discover_all(&MapQuery::default())
        .await
        .expect("it opens discovery")
        .maps_disc
        .unwrap_or_default();
    assert_eq!(maps.len(), 1, "{maps:?}");
    let own = api_types::ids::SpatialMapId(site.maps["vs-1"]);
    assert!(sm.map(own, true).await.is_ok());
    assert!(sm.get_content(own, 10_000_000).await.is_ok());
    let other = site
        .sm("vs-2", "3gpp:seal:sm")
        .await
        .create_map(&parsed(open_map("campus-navigation")))
        .await
        .expect("created")
        .id();
    assert_eq!(sm.map(other, true).await.expect_err("another service").status(), Some(404));
    let full = login(&site, "alice", "3gpp:seal:sm.read", "sm").await.expect("a token");
    let full = SmClient::new(site.link("ue-1"), site.at("sm"), full).expect("a client");
    assert!(full.map(other, true).await.is_ok());

    // A scope that the program itself has cannot be taken, nor one of the other server.
    for (what, body) in [
        ("of another server", json!({ "role": "sm", "scopes": [TOUR] })),
        ("built in", json!({ "role": "sm", "scopes": ["3gpp:seal:san.read"] })),
    ] {
        let refused = put_service(&site, "thief", body).await.expect_err(what);
        assert_eq!(
            (refused.status(), refused.cause().map(|cause| cause.as_str())),
            (Some(409), Some("ID_TAKEN")),
            "{what}"
        );
    }
    // Gone with its row: what was granted for it, and what could be (S1-C1).
    admin.delete_service("tours").await.expect("deleted");
    let refused = san.discover(&AnchorQuery::default()).await.expect_err("its tokens are void");
    assert_eq!(refused.status(), Some(401));
    assert!(login(&site, "alice", TOUR, "san").await.is_err(), "no new ones");
    assert!(sm.map(own, true).await.is_ok(), "the other service stays");
}

/// B8: a token is for one server and no more than it was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn services_and_verbs_are_not_crossed() {
    let program = Program::demo();
    let site = Site::of(&program);
    // A token for one service at the other server, and the wrong verb at the right one.
    let anchors = login(&site, "alice", "3gpp:seal:san.discover", "san").await.expect("a token");
    let maps = login(&site, "alice", "3gpp:seal:sm.read", "sm").await.expect("a token");
    let san = |token: &sdk::Credential| {
        SanClient::new(site.link("ue-1"), site.at("san"), token.clone()).expect("a client")
    };
    let sm = |token: &sdk::Credential| {
        SmClient::new(site.link("ue-1"), site.at("sm"), token.clone()).expect("a client")
    };
    assert!(san(&anchors).discover(&AnchorQuery::default()).await.is_ok());
    assert!(sm(&maps).discover(&MapQuery::default()).await.is_ok());
    let crossed = san(&maps).discover(&AnchorQuery::default()).await.expect_err("a map token");
    assert_eq!(crossed.status(), Some(401));
    assert_eq!(site.reason(crossed.trace().map(str::to_owned)).await, "AUDIENCE_WRONG");
    let crossed = sm(&anchors).discover(&MapQuery::default()).await.expect_err("an anchor token");
    assert_eq!(site.reason(crossed.trace().map(str::to_owned)).await, "AUDIENCE_WRONG");
    let list = site.lists["vs-1"][0].as_str().try_into().expect("an id");
    let verb = san(&anchors).list(&list, true).await.expect_err("discovery is not reading");
    assert_eq!(
        (verb.status(), verb.cause().map(|cause| cause.as_str())),
        (Some(403), Some("INSUFFICIENT_SCOPE"))
    );

    for (what, scope) in [
        ("a wildcard", "*"),
        ("a wildcard of SEAL", "3gpp:seal:*"),
        ("an unknown service", "3gpp:seal:weather"),
    ] {
        let refused = login(&site, "alice", scope, "san").await.expect_err(what);
        assert!(
            matches!(&refused, SdkError::OAuth { error, .. } if error == "invalid_scope"),
            "{what}: {refused:?}"
        );
    }
    // In another UE's name, and of another user's identifier in the request.
    let sim = site.sim_c("ue-1").await;
    let mut request = site.request("alice", "openid 3gpp:seal:san.discover");
    request.val_ue_id = site.users["bob"]["valUeId"].as_str().map(str::to_owned);
    let pending = sim.begin(request);
    assert!(sim.login(&pending, "alice", site.password("alice")).await.is_err(), "another UE's name");
    let query =
        AnchorQuery { ue_id: site.users["bob"]["gpsi"].as_str().map(str::to_owned), ..Default::default() };
    let named = san(&anchors).discover(&query).await.expect_err("another user");
    assert_eq!(
        (named.status(), named.cause().map(|cause| cause.as_str())),
        (Some(403), Some("GPSI_MISMATCH"))
    );
    let query =
        AnchorQuery { ue_id: site.users["alice"]["gpsi"].as_str().map(str::to_owned), ..Default::default() };
    assert!(san(&anchors).discover(&query).await.is_ok(), "its own user");
}

/// A user's token for one scope.
async fn login(site: &Site, user: &str, scope: &str, role: &str) -> Result<sdk::Credential, SdkError> {
    let sim = site.sim_c("ue-1").await;
    let mut request = site.request(user, &format!("openid {scope}"));
    request.resources = vec![site.at(role).to_owned()];
    let pending = sim.begin(request);
    let code = sim.login(&pending, user, site.password(user)).await?;
    let token = sim.redeem(&code, Some(site.at(role)), Some(scope)).await?;
    sim.credential(&token)
}

/// A map that every user of the campus may have.
fn open_map(service: &str) -> Value {
    let mut map = val_server_map(service, "open");
    map["mapInf"]["allwEnt"]["valServiceList"] =
        json!(["museum-guide", "campus-navigation", "asset-tracking"]);
    map
}
