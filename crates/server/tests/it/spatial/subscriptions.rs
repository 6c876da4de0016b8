//! Subscriptions over the real program: notifications that survive a crash, and end with the rights of the subscriber.

use std::time::Duration;

use api_types::admin::RevocationRequest;
use sdk::Request;
use serde_json::{Value, json};

use super::receiver::ReceiverCertificate;
use super::{Deployment, until};
use crate::harness::{parsed, port_base, text_of, val_server_list, with_bearer};

#[tokio::test(flavor = "multi_thread")]
async fn notifications_survive_a_crash_and_end_with_the_subscribers_rights() {
    let certificate = ReceiverCertificate::new();
    let mut deployment = Deployment::new(|dir| {
        let root = certificate.root_in(dir.path());
        vec![
            ("METASEAL_EGRESS_ALLOW_PRIVATE", "true".into()),
            ("METASEAL_EGRESS_TRUSTED_ROOTS", format!("[{root:?}]")),
        ]
    })
    .await;
    let roots = deployment.program.ready["roots"]["sbi"].as_str().expect("a root").to_owned();
    let sbi = std::fs::read_to_string(roots).expect("the SBI root");
    let port = port_base(&deployment.site.time);
    let mut client = deployment.site.operator().client("vs-2").await.expect("a client").value;
    client.callback_hosts = vec!["localhost".into()];
    deployment.site.operator().put_client("vs-2", &client).await.expect("registered");

    let san = deployment.site.san("vs-2", "3gpp:seal:san").await;
    let body = json!({
        "eventSubs": [{ "event": "ANCHOR_DISCOVERY", "evntFltr": {} }], "notifUri": format!("https://localhost:{port}/cb"),
    });
    let made = san.subscriptions().create(&parsed(body)).await.expect("subscribed");
    assert_eq!(san.subscriptions().get(&made.id).await.expect("read").value, made.value);
    let owner = deployment.site.san("vs-1", "3gpp:seal:san").await;

    // The receiver is down; the program is killed with the notification on its way.
    owner.create_list(&parsed(val_server_list("museum-guide", "first"))).await.expect("created");
    let launch = deployment.launch.clone();
    deployment.restarted(&launch, || {});
    let receiver = certificate.receive(port, &sbi).await;
    until("a notification after a crash", || async { !receiver.got("/cb").is_empty() }).await;
    let notice = receiver.got("/cb").remove(0).body;
    assert_eq!(notice["subId"].as_str(), Some(made.id.as_str()));
    let told = notice["reports"][0]["achrList"].as_array().map_or(0, Vec::len);
    assert_eq!(told, 1, "of a private anchor nothing: {notice}");
    assert!(notice["reports"][0]["achrList"][0]["anchInfo"].get("rules").is_none());

    // Revoked: what happens from then on is not told.
    let before = receiver.count();
    let revocation: RevocationRequest = parsed(json!({ "kind": "client", "value": "vs-2" }));
    deployment.site.operator().revoke(&revocation).await.expect("revoked");
    let owner = deployment.site.san("vs-1", "3gpp:seal:san").await;
    owner.create_list(&parsed(val_server_list("museum-guide", "second"))).await.expect("created");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(receiver.count(), before, "nothing after the revocation");
    let token = text_of(&deployment.site.server_token("vs-2", "san", "3gpp:seal:san").await);
    let url = deployment.site.path("san", &format!("/ssan-sanm/v1/subscriptions/{}", made.id));
    let gone =
        deployment.site.link("vs-2").send(with_bearer(Request::get(url), &token)).await.expect("an answer");
    let told: Value = serde_json::from_slice(&gone.body).expect("problem details");
    assert_eq!((gone.status, &told["cause"]), (404, &json!("SUBSCRIPTION_NOT_FOUND")));
    receiver.end().await;
}
