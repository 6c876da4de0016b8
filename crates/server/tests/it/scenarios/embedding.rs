//! E2E-13: a map with the anchors of three owners, and a third party with a right to the map only.

use std::collections::BTreeMap;

use sdk::Request;
use serde_json::{Value, json};

use crate::harness::{Program, Site, json_of, parsed, val_server_list};

#[tokio::test(flavor = "multi_thread")]
async fn a_map_shows_each_reader_its_own_anchors() {
    let program = Program::demo();
    let mut site = Site::of(&program);
    site.register_val_server("tp", "third-party").await;
    // Anchors of three owners at a place of their own, for nobody else.
    let mut anchors = BTreeMap::new();
    for (owner, service) in
        [("vs-1", "museum-guide"), ("vs-2", "campus-navigation"), ("vs-3", "asset-tracking")]
    {
        let mut body = val_server_list(service, owner);
        body["anchors"].as_object_mut().expect("anchors").remove("open");
        body["anchors"]["own"]["posInfo"]["pos"]["localOrigin"]["point"] =
            json!({ "lon": 10.005, "lat": 50.005 });
        let created =
            site.san(owner, "3gpp:seal:san").await.create_list(&parsed(body)).await.expect("created");
        let id = created.value.anchors["own"].anchor_id.expect("an id").0;
        anchors.insert(owner, (created.id, id));
    }
    let corner = |lon: f64, lat: f64| json!({ "lon": lon, "lat": lat });
    let area = json!({ "geoServAr": { "geoArs": [{ "shape": "POLYGON", "pointList": [corner(10.0, 50.0), corner(10.01, 50.0), corner(10.01, 50.01), corner(10.0, 50.01)] }] } });
    let owner = site.sm("vs-1", "3gpp:seal:sm").await;
    let map = owner.create_map(&parsed(json!({
        "svcId": "museum-guide", "areaInt": area, "suppFeat": "1",
        "mapInf": { "lyrInf": [{ "area": area, "mapAsc": "m" }], "visibility": "PRIVATE", "augLyrInf": [{ "augWith": "SPATIAL_ANCHORS" }] },
    }))).await.expect("created").id();

    // Of the map and of its anchors, as a reader is shown them.
    let reader = site.sm("tp", "3gpp:seal:sm").await;
    let url = site.path("sm", &format!("/ssm-smm/v1/spatial-maps/{map}"));
    let shown = async || {
        let answer = reader.send(Request::get(url.clone())).await.expect("an answer");
        (answer.status, answer.header("etag").map(str::to_owned), json_of(&answer))
    };
    let embedded = |map: &Value| -> Vec<String> {
        // One layer stands there as itself (TS 29.437 `SpatialMap`).
        let ids = map["augLyrInf"]["augLyrDet"].as_array().cloned().unwrap_or_default();
        ids.iter().map(|id| id.as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(shown().await.0, 404, "without a grant");
    let grant = json!({ "suppFeat": "1", "smProf": { "visibility": "RESTRICTED", "allwEnt": { "allowedEntities": [
        { "type": "VAL_SERVER", "identifier": "tp" }, { "type": "VAL_CLIENT", "identifier": site.users["alice"]["valUserId"] },
    ] } } });
    owner.patch_map(map, &grant, None).await.expect("granted");
    let (status, tag, before) = shown().await;
    assert_eq!(
        (status, embedded(&before)),
        (200, vec![]),
        "a right to the map is none to its anchors: {before}"
    );

    // What others do with anchors that the reader may not see changes nothing for it.
    let third = site.san("vs-3", "3gpp:seal:san").await;
    let patch = json!({ "suppFeat": "1", "anchors": { "own": { "name": "moved" }, "more": third.list(&anchors["vs-3"].0, true).await.expect("its own").value.anchors["own"].pos_info.clone() } });
    let _ = third.patch_list(&anchors["vs-3"].0, &patch, None).await;
    let (_, same_tag, same) = shown().await;
    assert_eq!((same_tag, same), (tag.clone(), before), "nothing tells of hidden anchors");

    // O2 permits: its anchor is shown, and no other.
    let second = site.san("vs-2", "3gpp:seal:san").await;
    let permit = |who: Value| json!({ "suppFeat": "1", "anchors": { "own": { "visibility": "RESTRICTED", "rules": { "allowedEntities": [who] } } } });
    second
        .patch_list(&anchors["vs-2"].0, &permit(json!({ "type": "VAL_SERVER", "identifier": "tp" })), None)
        .await
        .expect("permitted");
    let (_, tag_now, now) = shown().await;
    assert_eq!(embedded(&now), [anchors["vs-2"].1.to_string()], "{now}");
    assert_ne!(tag_now, tag);

    // A UE by way of the SIM-S sees what its user may: the owner of the map does not decide that.
    let session = site.session("alice", "ue-1").await.expect("alice");
    let credential = session.credential(site.at("sm"), "3gpp:seal:sm.read").await.expect("a token");
    let ue = sdk::SmClient::new(site.link("ue-1"), site.at("sm"), credential).expect("a client");
    let of_alice = async || embedded(&json!(ue.map(map, true).await.expect("the map").value));
    assert_eq!(of_alice().await, Vec::<String>::new());
    let first = site.san("vs-1", "3gpp:seal:san").await;
    let user = json!({ "type": "VAL_CLIENT", "identifier": site.users["alice"]["valUserId"] });
    first.patch_list(&anchors["vs-1"].0, &permit(user), None).await.expect("permitted");
    assert_eq!(of_alice().await, [anchors["vs-1"].1.to_string()]);
    assert_eq!(embedded(&shown().await.2), [anchors["vs-2"].1.to_string()], "the third party as before");
    let (_, owners) = (
        owner.map(map, true).await.expect("the map"),
        embedded(&json!(owner.map(map, true).await.expect("the map").value)),
    );
    assert_eq!(owners, [anchors["vs-1"].1.to_string()], "nor does the owner of the map see others' anchors");
}
