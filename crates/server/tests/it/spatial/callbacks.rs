//! Maps that are built in the background, and the callback that tells so (TS 29.437 202 and `notifUri`).

use std::time::Duration;

use api_types::ids::SpatialMapId;
use sdk::{Request, SmClient};
use serde_json::json;
use service_http::peer::CertRole;

use super::receiver::{Receiver, ReceiverCertificate};
use super::{Deployment, create, map, until};
use crate::harness::{Site, port_base, text_of, with_bearer};

/// Within this time a second copy of a callback would have come: the driver looks every second. Own value.
const SECOND_COPY: Duration = Duration::from_millis(2_500);

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_is_ready_is_told_once_to_who_asked() {
    let certificate = ReceiverCertificate::new();
    let mut deployment = Deployment::new(|dir| {
        let root = certificate.root_in(dir.path());
        vec![
            ("METASEAL_EGRESS_ALLOW_PRIVATE", "true".into()),
            ("METASEAL_EGRESS_TRUSTED_ROOTS", format!("[{root:?}]")),
        ]
    })
    .await;
    let site = &deployment.site;
    register_hosts(site).await;
    let roots = deployment.program.ready["roots"]["sbi"].as_str().expect("a root").to_owned();
    let sbi = std::fs::read_to_string(roots).expect("the SBI root");
    let port = port_base(&site.time);
    let address =
        |host: &str, port: u16, path: &str| json!({ "notifUri": format!("https://{host}:{port}{path}") });
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;

    // The receiver is there.
    let up = certificate.receive(port, &sbi).await;
    let mut expected = Vec::new();
    for (host, path) in [("localhost", "/name"), ("127.0.0.1", "/literal")] {
        expected.push((path, create(&sm, address(host, port, path)).await));
    }
    for (path, _) in &expected {
        until("a callback", || async { !up.got(path).is_empty() }).await;
    }
    refused_addresses(site, &sm, port).await;

    // It is down when the map is ready, and comes up later.
    let late = create(&sm, address("localhost", port + 1, "/late")).await;
    ready(&sm, late).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let down = certificate.receive(port + 1, &sbi).await;
    until("a callback to who was down", || async { !down.got("/late").is_empty() }).await;

    // The program is killed between ready and delivery, and between the request and ready.
    let killed = create(&sm, address("localhost", port + 2, "/killed")).await;
    ready(&sm, killed).await;
    let early = create(&sm, address("localhost", port + 2, "/early")).await;
    let launch = deployment.launch.clone();
    deployment.restarted(&launch, || {});
    let after = certificate.receive(port + 2, &sbi).await;
    until("two callbacks after a crash", || async { after.count() >= 2 }).await;

    tokio::time::sleep(SECOND_COPY).await;
    for (path, id) in expected {
        told_once(&up, path, id);
    }
    told_once(&down, "/late", late);
    told_once(&after, "/killed", killed);
    told_once(&after, "/early", early);
    assert_eq!((up.count(), down.count(), after.count()), (2, 1, 2), "nothing else came");
    opens_no_route(&deployment.site).await;
    for receiver in [up, down, after] {
        receiver.end().await;
    }
}

fn told_once(receiver: &Receiver, path: &str, id: SpatialMapId) {
    let body =
        json!({ "subId": id.to_string(), "reports": [{ "mapIds": [id.0], "event": "SPATIAL_MAP_READY" }] });
    let got = receiver.got(path);
    assert_eq!(got.len(), 1, "{path}: {got:?}");
    assert_eq!(got[0].body, body, "{path}");
    let from = got[0].from.as_ref().map(|(role, name)| (*role, name.as_str()));
    assert_eq!(from, Some((CertRole::Notifier, "metaseal")), "{path}");
}

async fn ready(sm: &SmClient, id: SpatialMapId) {
    until("a map that is ready", || async { sm.map(id, false).await.is_ok() }).await;
}

async fn register_hosts(site: &Site) {
    let mut client = site.operator().client("vs-1").await.expect("a client").value;
    client.callback_hosts = vec!["localhost".into(), "127.0.0.1".into()];
    site.operator().put_client("vs-1", &client).await.expect("registered");
}

/// What is no https address of a registered host is refused, and nothing is built.
async fn refused_addresses(site: &Site, sm: &SmClient, port: u16) {
    let good = format!("https://localhost:{port}/x");
    let instead = |host: &str| good.replace("localhost", host);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("another host",           instead("receiver.example"),           "ADDRESS_REFUSED"),
        ("a name that ends alike", instead("evil-localhost"),             "ADDRESS_REFUSED"),
        ("a name below",           instead("localhost.example"),          "ADDRESS_REFUSED"),
        ("another address",        instead("127.0.0.2"),                  "ADDRESS_REFUSED"),
        ("user information",       instead("localhost@receiver.example"), "ADDRESS_REFUSED"),
        ("no TLS",                 good.replace("https", "http"),         "ADDRESS_REFUSED"),
        ("no url",                 "localhost".to_owned(),                "INPUT_REFUSED"),
    ];
    let maps = maps(sm).await;
    for (what, address, refusal) in rows {
        let body = map(json!({ "notifUri": address }));
        let url = site.path("sm", "/ssm-smm/v1/spatial-maps");
        let answer = sm.send(Request::post(url).json(&body)).await.expect("an answer");
        let told: serde_json::Value = serde_json::from_slice(&answer.body).expect("problem details");
        let reason = site.reason(answer.trace()).await;
        assert_eq!((answer.status, &told["invalidParams"][0]["param"]), (400, &json!("/notifUri")), "{what}");
        assert_eq!(reason, refusal, "{what}");
        assert!(!told.to_string().contains(&address), "{what}: the address is echoed");
    }
    assert_eq!(self::maps(sm).await, maps, "nothing was built");
    // Another client has registered none.
    let other = site.sm("vs-2", "3gpp:seal:sm").await;
    let body = map(json!({ "notifUri": good }));
    let url = site.path("sm", "/ssm-smm/v1/spatial-maps");
    let answer = other.send(Request::post(url).json(&body)).await.expect("an answer");
    let reason = site.reason(answer.trace()).await;
    assert_eq!((answer.status, reason.as_str()), (400, "ADDRESS_REFUSED"));
}

async fn maps(sm: &SmClient) -> usize {
    let found = sm.discover_all(&sdk::MapQuery::default()).await.expect("found");
    found.maps_disc.map_or(0, |maps| maps.len())
}

/// The certificate of the notifier is a receiver's business alone: none of our listeners lets it do anything.
async fn opens_no_route(site: &Site) {
    let notifier = site.identity("sbi", "notifier", "metaseal");
    let link = site.link_as(Some(&notifier));
    let token = |role: &'static str| async move {
        text_of(&site.server_token("vs-1", role, &format!("3gpp:seal:{role}.read")).await)
    };
    let get = |name: &str, path: &str| Request::get(site.path(name, path));
    let grant = Request::post(site.path("sim_mtls", "/token"));
    let grant = grant.form([
        ("grant_type", "client_credentials"),
        ("client_id", "vs-1"),
        ("scope", "3gpp:seal:sm.read"),
    ]);
    let san = with_bearer(get("san", "/ssan-sanm/v1/anchors-lists/x"), &token("san").await);
    let sm = with_bearer(get("sm", "/ssm-disc/v1/spatial-maps"), &token("sm").await);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("san", san, Some((403, "PEER_REFUSED"))),
        ("sm", sm, Some((403, "PEER_REFUSED"))),
        ("sim_mtls, a token", grant, Some((401, "CLIENT_AUTH_WRONG"))),
        ("sim_mtls, revocations", get("sim_mtls", "/revocations?after=0&wait_s=0"), Some((403, "PEER_REFUSED"))),
        ("admin", get("admin", "/v1/users"), None),
    ];
    for (what, request, refusal) in rows {
        match (link.send(request).await, refusal) {
            (Ok(answer), Some((status, reason))) => {
                let got = site.reason(answer.trace()).await;
                assert_eq!((answer.status, got.as_str()), (status, reason), "{what}");
            }
            (Ok(answer), None) => panic!("{what}: {} instead of no connection", answer.status),
            (Err(error), Some(_)) => panic!("{what}: {error}"),
            (Err(_), None) => {}
        }
    }
}
