//! Anchors inside of maps (FFS-13): who may read a map sees in it the anchors that it may discover, and no trace of others.

use api_types::admin::{Policy, User};
use sdk::SmClient;
use serde_json::{Value, json};

use super::{Deployment, Seen, create, get};
use crate::harness::{Site, parsed, val_server_list};

const BOB: &str = "bob@campus.example";
const ALICE: &str = "alice@campus.example";

/// A map as each reader reads it, and the same map by query with the augmentation asked for.
async fn read(site: &Site, sm: &SmClient, id: u32) -> [(Seen, String); 2] {
    let wanted: String =
        url::form_urlencoded::byte_serialize(br#"{"augLyrs":["SPATIAL_ANCHORS"]}"#).collect();
    let query = format!("/ssm-smm/v1/spatial-maps?svc-id=museum-guide&map-id={id}&aug-with={wanted}");
    let map = get(site, sm, &format!("/ssm-smm/v1/spatial-maps/{id}")).await;
    [map, get(site, sm, &query).await]
}

/// The anchors in an answer; nothing, when the answer has no such list.
fn anchors(seen: &Seen) -> Vec<String> {
    assert_eq!(seen.status, 200, "{}", seen.body);
    let det = &seen.body["augLyrInf"]["augLyrDet"];
    let mut ids: Vec<String> =
        det.as_array().into_iter().flatten().map(|id| id.as_str().expect("text").to_owned()).collect();
    ids.sort();
    ids
}

/// An answer without its anchors, and without what is made of them.
fn rest(seen: &Seen) -> Value {
    let mut body = seen.body.clone();
    if let Some(info) = body["augLyrInf"].as_object_mut() {
        info.remove("augLyrDet");
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reader_of_a_map_sees_its_own_anchors() {
    let mut deployment = Deployment::new(|_| Vec::new()).await;
    add_bob(&mut deployment.site).await;
    let site = &deployment.site;
    let rules = |kind: &str, id: &str| json!({ "allowedEntities": [{ "type": kind, "identifier": id }] });
    let restricted = |rules: Value| json!({ "visibility": "RESTRICTED", "rules": rules });
    let placed = place(
        site,
        &[
            ("open", json!({ "visibility": "UNIVERSAL" })),
            ("of vs-2", restricted(rules("VAL_SERVER", "vs-2"))),
            ("of alice", restricted(rules("VAL_CLIENT", ALICE))),
            ("own", json!({ "visibility": "PRIVATE" })),
        ],
    )
    .await;
    let ids = |labels: &[&str]| {
        let mut ids: Vec<String> =
            labels.iter().map(|label| placed[*label]["anchorId"].to_string()).collect();
        ids.sort();
        ids
    };
    let owner = site.sm("vs-1", "3gpp:seal:sm").await;
    let id = create(&owner, json!({ "mapInf": { "augLyrInf": [{ "augWith": "SPATIAL_ANCHORS" }] } })).await.0;
    let (alice, bob) = (deployment.reader("alice").await, deployment.reader("bob").await);
    let vs2 = site.sm("vs-2", "3gpp:seal:sm").await;
    let readers = [
        ("vs-1", &owner, ids(&["open", "of vs-2", "of alice", "own"])),
        ("vs-2", &vs2, ids(&["open", "of vs-2"])),
        ("alice", &alice, ids(&["open", "of alice"])),
        ("bob", &bob, ids(&["open"])),
    ];
    for (who, sm, expected) in &readers {
        for (seen, _) in read(site, sm, id).await {
            assert_eq!(&anchors(&seen), expected, "{who}: {}", seen.body);
        }
    }

    // More anchors that a reader may not discover change nothing for it: neither bytes, nor length, nor tag.
    let [before, asked] = read(site, &bob, id).await;
    place(
        site,
        &[("more", json!({ "visibility": "PRIVATE" })), ("of vs-2", restricted(rules("VAL_SERVER", "vs-2")))],
    )
    .await;
    assert_eq!(read(site, &bob, id).await, [before.clone(), asked]);
    assert_eq!(anchors(&read(site, &vs2, id).await[0].0).len(), 3, "while another reader has one more");
    let [of_alice, _] = read(site, &alice, id).await;
    assert_eq!(rest(&of_alice.0), rest(&before.0), "coverage and layers are the same for both");

    without_entitlement(site, &alice, &bob, id, &before.0).await;
    without_anchor_server(&mut deployment, id).await;
}

/// Who may read maps and use no anchors at all reads the map without.
async fn without_entitlement(site: &Site, alice: &SmClient, bob: &SmClient, id: u32, of_bob: &Seen) {
    let deny = json!({ "class": "local", "effect": "DENY", "services": ["spatial-anchor-mgmt"], "subjects": [ALICE] });
    site.operator().put_policy("no-anchors", &parsed::<Policy>(deny)).await.expect("a rule");
    for (seen, _) in read(site, alice, id).await {
        assert!(anchors(&seen).is_empty(), "{}", seen.body);
    }
    assert_eq!(&read(site, bob, id).await[0].0, of_bob, "another reader is not concerned");
    site.operator().delete_policy("no-anchors").await.expect("deleted");
    assert_eq!(anchors(&read(site, alice, id).await[0].0).len(), 2);

    // A rule of the operator about the server in whose name the map server asks.
    let deny =
        json!({ "class": "operator", "effect": "DENY", "actions": ["discover"], "subjects": ["vs-2"] });
    site.operator().put_policy("no-discovery", &parsed::<Policy>(deny)).await.expect("a rule");
    let vs2 = site.sm("vs-2", "3gpp:seal:sm.read").await;
    let map = get(site, &vs2, &format!("/ssm-smm/v1/spatial-maps/{id}")).await.0;
    assert!(anchors(&map).is_empty(), "{}", map.body);
    site.operator().delete_policy("no-discovery").await.expect("deleted");
}

/// The anchor server is down: the plain map is served, and who asks for anchors is told.
async fn without_anchor_server(deployment: &mut Deployment, id: u32) {
    let san = deployment.site.at("san").to_owned();
    let launch = deployment.launch.clone().arg("--roles").arg("sim,sm").env("METASEAL_PEERS_SAN", &san);
    deployment.restarted(&launch, || {});
    let site = &deployment.site;
    for (who, sm) in
        [("alice", deployment.reader("alice").await), ("vs-1", site.sm("vs-1", "3gpp:seal:sm").await)]
    {
        let [map, asked] = read(site, &sm, id).await;
        assert_eq!((map.0.status, map.0.body.get("augLyrInf")), (200, None), "{who}");
        assert!(map.0.body["smProf"].is_object(), "{who}: {}", map.0.body);
        assert_eq!((asked.0.status, asked.1.as_str()), (503, "DEPENDENCY_DOWN"), "{who}");
        assert_eq!(asked.0.body["cause"], "DECISION_UNAVAILABLE", "{who}");
    }
}

/// Places anchors of vs-1 in the area of the map; the list as it was answered, by label.
async fn place(site: &Site, anchors: &[(&str, Value)]) -> Value {
    let template = val_server_list("museum-guide", "hall");
    let mut list = template.clone();
    list["anchors"] = json!({});
    for (label, more) in anchors {
        let mut anchor = template["anchors"]["own"].clone();
        anchor.as_object_mut().expect("an anchor").extend(more.as_object().expect("members").clone());
        list["anchors"][*label] = anchor;
    }
    let san = site.san("vs-1", "3gpp:seal:san").await;
    let created = san.create_list(&parsed(list)).await.expect("a list");
    serde_json::to_value(created.value).expect("JSON")["anchors"].take()
}

async fn add_bob(site: &mut Site) {
    let password = site.time.ambient().unguessable();
    let mut body = json!({
        "password": password, "valUserId": BOB, "valUeIds": ["ue-bob"], "gpsi": "msisdn-88210000009",
        "valServices": ["museum-guide", "campus-navigation"],
    });
    site.operator()
        .put_user("bob", &parsed::<User>(body.clone()), Some(&password))
        .await
        .expect("registered");
    body["valUeId"] = json!("ue-bob");
    site.users.insert("bob".into(), body);
}
