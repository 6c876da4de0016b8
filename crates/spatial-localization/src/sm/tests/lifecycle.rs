//! Create, read, retrieve, replace, modify and delete.

use authorization::Reason;
use serde_json::{Value, json};

use super::bench::*;

#[tokio::test]
async fn a_map_lives_through_its_operations() {
    let bench = Bench::new().await;
    let made = bench.create(VS1, json!({ "lyrInf": [{ "mapAsc": "ground" }], "name": "hall" })).await;
    assert_eq!(made.status, 201);
    let id = located(&made);
    let body = made.json();
    assert_eq!(body["smProf"]["mapId"], id);
    assert_eq!(body["smProf"]["mapCov"], square(2.35, 48.85));
    assert_eq!(body["smProf"]["mapLyrList"]["lyrList"][0]["mapLyrId"], "layer-1");
    assert_eq!((&body["suppFeat"], &body["smProf"]["name"]), (&json!("1"), &json!("hall")));

    let path = format!("{}?supp-feats=1", bench.at(id));
    let read = bench.send(ask(VS1, "GET", &path)).await;
    assert_eq!((read.status, read.json()), (200, made.json()));
    assert_eq!(read.etag(), made.etag());
    assert_eq!(bench.send(ask(VS1, "GET", &path).with("if-none-match", read.etag())).await.status, 304);

    let mut whole = read.json();
    whole["smProf"]["objList"] = json!([{ "objId": "o1", "objType": "statue" }]);
    let put = bench.send(ask(VS1, "PUT", bench.at(id)).json(&whole).with("if-match", read.etag())).await;
    assert_eq!((put.status, &put.json()["smProf"]["objList"]), (200, &whole["smProf"]["objList"]));
    assert_ne!(put.etag(), read.etag());

    for (media_type, name) in [("application/json", "yard"), ("application/merge-patch+json", "garden")] {
        let patch = json!({ "suppFeat": "1", "smProf": { "name": name } });
        let answer = bench.send(ask(VS1, "PATCH", bench.at(id)).typed(media_type, patch.to_string())).await;
        assert_eq!((answer.status, &answer.json()["smProf"]["name"]), (200, &json!(name)));
    }
    let one = bench
        .send(ask(VS1, "GET", format!("{MAPS}?svc-id=val-service-1&map-id={id}&supp-feats=%221%22")))
        .await;
    assert_eq!((one.status, &one.json()["mapInf"]["name"]), (200, &json!("garden")));

    assert_eq!(bench.send(ask(VS1, "DELETE", bench.at(id))).await.status, 204);
    assert_eq!(bench.send(ask(VS1, "GET", &path)).await.refused(), absent());
    assert_eq!(bench.send(ask(VS1, "DELETE", bench.at(id))).await.refused(), absent());
}

fn absent() -> (u16, Option<Reason>, String) {
    (404, Some(Reason::NotFound), "RESOURCE_NOT_FOUND".to_owned())
}

#[tokio::test]
async fn each_served_operation_is_audited_and_charged_once_and_no_other() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, json!({ "allwEnt": allow(&[], &["alice"]) })).await;
    let path = bench.at(id);
    assert_eq!(bench.send(ask(ALICE, "GET", &path)).await.status, 200);
    assert_eq!(bench.send(ask(EVE, "GET", &path)).await.status, 404);
    assert_eq!(bench.send(ask(ALICE, "DELETE", &path)).await.status, 403);
    let tag = bench.send(ask(ALICE, "GET", &path)).await.etag();
    assert_eq!(bench.send(ask(ALICE, "GET", &path).with("if-none-match", tag)).await.status, 304);

    let charged = bench.charged().await;
    let operations: Vec<_> =
        charged.iter().map(|row| (row.operation.as_str(), row.outcome.as_str())).collect();
    let served = "SERVED";
    assert_eq!(operations, [("sm.map.create", served), ("sm.map.read", served), ("sm.map.read", served)]);
    assert_eq!((charged[0].consumer.as_str(), charged[0].client.as_str()), ("vs-1", "vs-1"));
    assert_eq!((charged[1].client.as_str(), charged[1].owner.as_deref()), ("ue-1", Some("vs-1")));
    assert!(!charged[1].consumer.contains("alice"), "a user is a pseudonym");
    assert_eq!(charged[1].resource.as_deref(), Some(format!("spatial-maps/{id}").as_str()));
    assert_eq!(charged[1].service.as_deref(), Some("val-service-1"));

    let reasons: Vec<_> = bench.audit().await.into_iter().filter_map(|record| record.row.reason).collect();
    assert_eq!(reasons, ["NOT_ALLOWED_ENTITY", "NOT_OWNER"]);
}

#[tokio::test]
async fn a_change_happens_only_to_what_its_sender_read() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, Value::Null).await;
    let read = bench.send(ask(VS1, "GET", bench.at(id))).await;
    let plain = bench.send(ask(VS1, "GET", format!("{}?supp-feats=1", bench.at(id)))).await;
    let name = |name: &str| json!({ "suppFeat": "1", "smProf": { "name": name } });
    let patch = |tag: String, to: &str| ask(VS1, "PATCH", bench.at(id)).json(&name(to)).with("if-match", tag);
    assert_eq!(bench.send(patch(read.etag(), "one")).await.status, 200);
    for (what, tag) in
        [("as it was", read.etag()), ("with features", plain.etag()), ("another", "\"x\"".to_owned())]
    {
        let answer = bench.send(patch(tag.clone(), "two")).await;
        assert_eq!(
            answer.refused(),
            (412, Some(Reason::StaleVersion), "PRECONDITION_FAILED".into()),
            "PATCH {what}"
        );
        let answer = bench.send(ask(VS1, "DELETE", bench.at(id)).with("if-match", tag)).await;
        assert_eq!(answer.refused().1, Some(Reason::StaleVersion), "DELETE {what}");
    }
    let now = bench.send(ask(VS1, "GET", format!("{}?supp-feats=1", bench.at(id)))).await;
    assert_eq!(now.json()["smProf"]["name"], "one");
    assert_eq!(bench.send(patch("*".into(), "three")).await.status, 200);
    // Changed and changed back is not what was read.
    assert_eq!(bench.send(patch("*".into(), "one")).await.status, 200);
    assert_eq!(bench.send(patch(now.etag(), "two")).await.refused().1, Some(Reason::StaleVersion));
}

#[tokio::test]
async fn a_peer_of_rel_19_does_not_open_a_map_by_replacing_it() {
    let bench = Bench::new().await;
    let inf = json!({ "allwEnt": allow(&["vs-2"], &[]), "visibility": "PRIVATE", "premises": "second door" });
    let id = bench.map(VS1, inf).await;
    let plain = bench.send(ask(VS1, "GET", bench.at(id))).await.json();
    for own in ["visibility", "premises"] {
        assert_eq!(plain["smProf"].get(own), None, "{own}");
    }
    assert_eq!(bench.send(ask(VS1, "PUT", bench.at(id)).json(&plain)).await.status, 200);
    let patch = json!({ "smProf": { "visibility": "UNIVERSAL" } });
    assert_eq!(bench.send(ask(VS1, "PATCH", bench.at(id)).json(&patch)).await.status, 200);
    assert_eq!(bench.send(ask(VS2, "GET", bench.at(id))).await.refused().1, Some(Reason::NotVisible));
    let own = bench.send(ask(VS1, "GET", format!("{}?supp-feats=1", bench.at(id)))).await.json();
    assert_eq!(
        (&own["smProf"]["visibility"], &own["smProf"]["premises"]),
        (&json!("PRIVATE"), &json!("second door"))
    );
}

#[tokio::test]
async fn a_deleted_number_opens_nothing_again() {
    let bench = Bench::new().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let id = bench.map(VS1, Value::Null).await;
        assert!(seen.insert(id), "given twice");
        assert!(id < 1 << 31);
        assert_eq!(bench.send(ask(VS1, "DELETE", bench.at(id))).await.status, 204);
    }
    for id in seen {
        assert_eq!(bench.send(ask(VS1, "GET", bench.at(id))).await.status, 404);
    }
}

#[tokio::test]
async fn layers_are_picked_by_the_query() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, json!({ "lyrInf": [{ "mapAsc": "a" }, { "mapAsc": "b" }] })).await;
    let get = |layers: Value| {
        let layers: String = url::form_urlencoded::byte_serialize(layers.to_string().as_bytes()).collect();
        ask(VS1, "GET", format!("{MAPS}?svc-id=val-service-1&map-id={id}&map-layer-list={layers}"))
    };
    let some =
        bench.send(get(json!({ "lyrList": [{ "mapLyrId": "layer-2" }, { "mapLyrId": "layer-9" }] }))).await;
    let layers = some.json()["mapInf"]["mapLyrList"]["lyrList"].clone();
    assert_eq!((layers.as_array().unwrap().len(), &layers[0]["mapLyrId"]), (1, &json!("layer-2")));
    let none = bench.send(get(json!({ "lyrList": [{ "mapLyrId": "layer-9" }] }))).await;
    assert_eq!(none.status, 404);
    let other = ask(VS1, "GET", format!("{MAPS}?svc-id=another&map-id={id}"));
    assert_eq!(bench.send(other).await.status, 404, "a map of another service");
}

#[tokio::test]
async fn the_steps_of_the_procedure_are_on_record() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, json!({ "visibility": "UNIVERSAL" })).await;
    let answer = bench.send(ask(ALICE, "GET", bench.at(id))).await;
    let trace = answer.header("traceparent").unwrap().split('-').nth(1).unwrap().to_owned();
    bench.kit.flush().await;
    let steps = bench.kit.traces.steps(&trace).await.unwrap();
    let steps: Vec<_> = steps
        .iter()
        .map(|s| (s.procedure.as_str(), s.step.as_str(), s.from.as_str(), s.to.as_str()))
        .collect();
    let procedure = "TR33.721-S1";
    assert_eq!(
        steps,
        [
            (procedure, "1", "SM-C", "SM-S"),
            (procedure, "2", "SM-S", "SM-S"),
            (procedure, "3", "SM-S", "SM-C")
        ]
    );
}
