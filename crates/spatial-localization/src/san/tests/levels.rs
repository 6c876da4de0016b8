//! The three levels of solution #2 in the tokens of a CAPIF core function (S2-L1 to S2-L3; NA-9).

use http::Method;

use super::*;

const APIS: &str = "ssan-sanm,ssan-disc";
const OWNER: Who<'static> = Who::Invoker("INV1", APIS, "");
const NARROW: (u16, &str, &str) = (403, "INSUFFICIENT_SCOPE", "DETAILS_NARROW");

fn universal(label: &str) -> Value {
    at(
        2.0,
        48.0,
        json!({ "visibility": "UNIVERSAL", "name": label, "servInfos": [{ "servInfoId": "one", "info": "x" }] }),
    )
}

/// A list of three anchors that everybody may discover: its path, its identifier, the numbers of its anchors.
async fn campus(world: &World) -> (String, String, Vec<u64>) {
    let body = list(json!({ "a": universal("a"), "b": universal("b"), "c": universal("c") }));
    let path = world.post(OWNER, &body).await.location();
    let read = world.get(OWNER, &path).await.json();
    let ids = ["a", "b", "c"].map(|label| read["anchors"][label]["anchorId"].as_u64().unwrap());
    let list_id = path.rsplit('/').next().unwrap().to_owned();
    (path, list_id, ids.to_vec())
}

fn instance(list: &str, anchor: u64, actions: &[&str]) -> String {
    json!([{ "type": "3gpp_spatial_anchor", "locations": [AEF], "level": "INSTANCE",
        "identifier": format!("{list}/{anchor}"), "actions": actions }])
    .to_string()
}

#[tokio::test]
async fn a_token_with_instances_reads_them_and_no_other() {
    let world = World::new().await;
    let (path, list_id, ids) = campus(&world).await;
    let one = instance(&list_id, ids[0], &["read", "discover"]);
    let reader = Who::Invoker("INV2", APIS, &one);
    assert_eq!(world.get(Who::Invoker("INV2", APIS, ""), &path).await.labels(), ["a", "b", "c"], "coarse");
    assert_eq!(world.get(reader, &path).await.labels(), ["a"], "what the token names");
    let everywhere = area(circle(2.0, 48.0, 100.0));
    assert_eq!(world.get(reader, &everywhere).await.found(), [ids[0]]);
    assert_eq!(world.get(OWNER, &everywhere).await.found().len(), 3);

    let gone = instance(&list_id, 4_242, &["read"]);
    let elsewhere = instance("another-list", ids[0], &["read"]);
    let discover = instance(&list_id, ids[0], &["discover"]);
    let services = json!([{ "type": "3gpp_spatial_anchor", "level": "SERVICE_INFO", "identifier": format!("{list_id}/{}", ids[0]),
        "datatypes": ["service-info"], "servInfoIds": ["one"], "actions": ["read"] }])
    .to_string();
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("an anchor that is not there", gone.as_str(), (404, "RESOURCE_NOT_FOUND", "NOT_VISIBLE")),
        ("an anchor of another list", elsewhere.as_str(), NARROW),
        ("another action", discover.as_str(), NARROW),
        ("service information alone", services.as_str(), (404, "RESOURCE_NOT_FOUND", "NOT_VISIBLE")),
    ];
    for (what, details, refusal) in rows {
        let answer = world.get(Who::Invoker("INV2", APIS, details), &path).await;
        let (status, cause, reason) = answer.refusal();
        assert_eq!((status, cause.as_str(), reason), refusal, "{what}");
    }
    // Whether the list exists makes no difference to a token that does not name it.
    let absent = world.get(Who::Invoker("INV2", APIS, &elsewhere), &format!("{LISTS}/nothing")).await;
    assert_eq!(absent.refusal(), world.get(Who::Invoker("INV2", APIS, &elsewhere), &path).await.refusal());
}

#[tokio::test]
async fn a_change_needs_a_grant_for_each_part() {
    let world = World::new().await;
    let (path, list_id, ids) = campus(&world).await;
    let first = instance(&list_id, ids[0], &["update"]);
    let removal = instance(&list_id, ids[1], &["delete"]);
    let info = json!([{ "type": "3gpp_spatial_anchor", "level": "SERVICE_INFO", "identifier": format!("{list_id}/{}", ids[0]),
        "datatypes": ["service-info"], "servInfoIds": ["one"], "actions": ["update"] }])
    .to_string();
    let service =
        json!([{ "type": "3gpp_spatial_anchor", "level": "SERVICE", "actions": ["update"] }]).to_string();
    let name = |label: &str| json!({ "suppFeat": "1", "anchors": { label: { "name": "gate" } } });
    let entry = |id: &str| json!({ "suppFeat": "1", "anchors": { "a": { "servInfos": [{ "servInfoId": id, "info": "y" }] } } });
    let both = json!({ "suppFeat": "1", "anchors": { "a": { "name": "door" }, "b": { "name": "door" } } });
    let more = json!({ "suppFeat": "1", "anchors": { "d": universal("d") } });
    let gone = json!({ "anchors": { "b": null } });
    let before = world.get(OWNER, &format!("{path}?supp-feats=1")).await.json();
    #[rustfmt::skip] // a table stays a table
    let refused = [
        ("another instance", first.as_str(), name("b")),
        ("one that is granted and one that is not", first.as_str(), both.clone()),
        ("a new anchor", first.as_str(), more.clone()),
        ("removal by update", first.as_str(), gone.clone()),
        ("an update by removal", removal.as_str(), name("b")),
        ("the body by service information", info.as_str(), name("a")),
        ("other service information", info.as_str(), entry("two")),
        ("a new anchor by update of the service", service.as_str(), more),
    ];
    for (what, details, body) in refused {
        let answer = world.patch(Who::Invoker("INV1", APIS, details), &path, &body).await;
        let (status, cause, reason) = answer.refusal();
        assert_eq!((status, cause.as_str(), reason), NARROW, "{what}: {}", answer.json());
        assert_eq!(world.get(OWNER, &format!("{path}?supp-feats=1")).await.json(), before, "{what}");
    }
    let by_another = world.patch(Who::Invoker("INV2", APIS, &first), &path, &name("a")).await;
    assert_eq!(by_another.refusal().2, "NOT_OWNER", "a token does not make an owner");
    let deleted = world.send(Who::Invoker("INV1", APIS, &removal), Method::DELETE, &path, None).await;
    assert_eq!(deleted.refusal().2, "DETAILS_NARROW", "the other anchors go too");

    #[rustfmt::skip] // a table stays a table
    let granted = [
        ("the instance", first.as_str(), name("a")),
        ("service information of the instance", first.as_str(), entry("one")),
        ("service information", info.as_str(), json!({ "suppFeat": "1", "anchors": { "a": { "servInfos": [{ "servInfoId": "one", "info": "z" }] } } })),
        ("the service", service.as_str(), both),
        ("removal", removal.as_str(), gone),
    ];
    for (what, details, body) in granted {
        let answer = world.patch(Who::Invoker("INV1", APIS, details), &path, &body).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.json());
    }
}

#[tokio::test]
async fn neither_issuer_passes_for_the_other() {
    let world = World::new().await;
    let (path, ..) = campus(&world).await;
    let with = |certificate: Option<PeerCertificate>, claims: &Value, issuer: &TestIssuer| {
        let mut request = testkit::request(Method::GET, &path, testkit::peer(certificate));
        testkit::bearer(&mut request, &issuer.token(claims));
        request
    };
    let invoker = testkit::certificate(CertRole::Invoker, "INV1");
    let client = testkit::certificate(CertRole::Client, "INV1");
    let bound = |issuer: &TestIssuer, aud: &str, scope: &str, to: &PeerCertificate| {
        let mut claims = issuer.claims_of_server(aud, "INV1", scope);
        testkit::bind_certificate(&mut claims, to);
        claims
    };
    let (capif, sim) = (format!("3gpp#{AEF}:ssan-sanm"), "3gpp:seal:san.read");
    let good = bound(&world.ccf, AEF, &capif, &invoker);
    assert_eq!(world.answer(with(Some(invoker.clone()), &good, &world.ccf)).await.status, 200);
    let other = testkit::certificate(CertRole::Invoker, "INV2");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no certificate", None, good.clone(), &world.ccf, "HOLDER_WRONG"),
        ("certificate of another invoker", Some(other), good.clone(), &world.ccf, "HOLDER_WRONG"),
        ("bound to nothing", Some(invoker.clone()), world.ccf.claims_of_server(AEF, "INV1", &capif), &world.ccf, "HOLDER_WRONG"),
        ("certificate of the other root", Some(client.clone()), bound(&world.ccf, AEF, &capif, &client), &world.ccf, "HOLDER_WRONG"),
        ("a token of the SIM-S with it", Some(invoker.clone()), bound(&world.sim, SAN, sim, &invoker), &world.sim, "HOLDER_WRONG"),
        ("audience of the SIM-S", Some(invoker.clone()), bound(&world.ccf, SAN, &capif, &invoker), &world.ccf, "AUDIENCE_WRONG"),
        ("audience of another function", Some(invoker.clone()), bound(&world.ccf, "AEF2", &capif, &invoker), &world.ccf, "AUDIENCE_WRONG"),
        ("scope of the SIM-S", Some(invoker.clone()), bound(&world.ccf, AEF, sim, &invoker), &world.ccf, "SCOPE_NARROW"),
        ("scope of another API", Some(invoker.clone()), bound(&world.ccf, AEF, "3gpp#AEF1:ssan-disc", &invoker), &world.ccf, "SCOPE_NARROW"),
        ("scope of another function", Some(invoker.clone()), bound(&world.ccf, AEF, "3gpp#AEF2:ssan-sanm", &invoker), &world.ccf, "SCOPE_NARROW"),
        ("scope of CAPIF from the SIM-S", Some(client.clone()), bound(&world.sim, SAN, &capif, &client), &world.sim, "SCOPE_NARROW"),
        ("audience of CAPIF from the SIM-S", Some(client.clone()), bound(&world.sim, AEF, sim, &client), &world.sim, "AUDIENCE_WRONG"),
        ("claims of the one signed by the other", Some(invoker), good, &world.sim, "KEY_UNKNOWN"),
    ];
    for (what, certificate, claims, issuer, reason) in rows {
        let answer = world.answer(with(certificate, &claims, issuer)).await;
        assert_eq!(answer.refusal().2, reason, "{what}: {}", answer.json());
    }
}
