//! Whose authorization has ended is told, and the function before it (sheet 2.7; decision 0080).

use std::time::Duration;

use serde_json::{Value, json};
use service_http::feed::RevocationLog;

use crate::harness::{Ccf, Holder, Provider, ccf_telling};
use crate::publish::{path, profile, published};
use crate::receiver::Receiver;
use crate::security::{context, entry};

/// Where functions are told.
const AEF: &str = "/aef-security/v1/revoke-authorization";

/// A provider whose function listens at the receiver, with two service APIs, and the paths of these.
async fn campus(ccf: &Ccf, receiver: &Receiver) -> (Provider, Vec<String>) {
    let provider = ccf.provider(1, &[]).await;
    let port: u16 = receiver.url("").rsplit(':').next().unwrap().parse().unwrap();
    let mut at = profile(&provider.aefs[0]);
    at["interfaceDescriptions"] = json!([{ "ipv4Addr": "127.0.0.1", "port": port }]);
    let mut apis = Vec::new();
    for name in ["things", "others"] {
        apis.push(published(ccf, &provider, &json!({ "apiName": name, "aefProfiles": [at] })).await);
    }
    (provider, apis)
}

async fn negotiated(ccf: &Ccf, provider: &Provider, to: &str) -> Holder {
    let invoker = ccf.invoker(&[]).await;
    let body = json!({ "securityInfo": [entry(&provider.aefs[0])], "notificationDestination": to });
    ccf.put(&context(&invoker), Some(&invoker), &body).await.expect(201);
    invoker
}

/// What came to a path once there is one, while time goes on.
async fn told(ccf: &Ccf, receiver: &Receiver, path: &str) -> Vec<Value> {
    for _ in 0..400 {
        if !receiver.got(path).is_empty() {
            return receiver.got(path);
        }
        ccf.clock.advance(Duration::from_millis(300));
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing at {path}");
}

#[tokio::test]
async fn each_end_of_an_authorization_is_told_to_whom_it_concerns() {
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("the API invoker leaves",         "OTHER_REASON",        2, true),
        ("a service API is unpublished",   "OTHER_REASON",        1, true),
        ("it is no longer at the function", "OTHER_REASON",       1, true),
        ("the operator revokes it",        "AUTHORIZATION_ISSUE", 2, true),
        ("the function withdraws all",     "AUTHORIZATION_ISSUE", 2, false),
        ("the function withdraws one",     "OVERLIMIT_USAGE",     1, false),
    ];
    for (index, (what, cause, apis, function_is_told)) in rows.into_iter().enumerate() {
        let receiver = Receiver::start().await;
        let ccf = ccf_telling(receiver.egress()).await;
        let (provider, paths) = campus(&ccf, &receiver).await;
        let invoker = negotiated(&ccf, &provider, &receiver.url("/told")).await;
        let bystander = negotiated(&ccf, &provider, &receiver.url("/bystander")).await;
        let first = paths[0].rsplit('/').next().unwrap();
        let aef = &provider.aefs[0];
        let status = match index {
            0 => {
                let at = format!("/api-invoker-management/v1/onboardedInvokers/{}", invoker.id);
                ccf.delete(&at, Some(&invoker)).await.status
            }
            1 => {
                // Of the bystander too: it keeps its other service API.
                ccf.delete(&paths[0], Some(&provider.apf)).await.status
            }
            2 => {
                let mut api = ccf.get(&paths[0], Some(&provider.apf)).await.expect(200);
                api["apiStatus"] = json!({ "aefIds": [] });
                ccf.put(&paths[0], Some(&provider.apf), &api).await.status
            }
            3 => {
                let request = json!({ "kind": "client", "value": invoker.id });
                ccf.server.revoke(&serde_json::from_value(request).unwrap()).await.unwrap();
                200
            }
            4 => ccf.delete(&context(&invoker), Some(aef)).await.status,
            _ => {
                let body = json!({ "apiInvokerId": invoker.id, "apiIds": [first], "cause": cause });
                ccf.post(&format!("{}/delete", context(&invoker)), Some(aef), &body).await.status
            }
        };
        assert!((200..300).contains(&status), "{what}: {status}");

        let heard = told(&ccf, &receiver, "/told").await;
        assert_eq!(heard.len(), 1, "{what}: once");
        let named = heard[0]["apiIds"].as_array().unwrap();
        assert_eq!((heard[0]["cause"].as_str(), named.len()), (Some(cause), apis), "{what}");
        assert_eq!(heard[0]["apiInvokerId"], invoker.id, "{what}");
        assert_eq!(heard[0]["aefId"], aef.id, "{what}");
        let of_function: Vec<Value> = receiver.got(AEF);
        let mine = of_function.iter().filter(|told| told["revokeInfo"]["apiInvokerId"] == invoker.id);
        let mine: Vec<&Value> = mine.collect();
        assert_eq!(mine.len(), usize::from(function_is_told), "{what}: before the API invoker");
        for told in mine {
            assert_eq!((&told["revokeInfo"], &told["supportedFeatures"]), (&heard[0], &json!("0")), "{what}");
        }
        if matches!(index, 0 | 3..) {
            assert_eq!(receiver.got("/bystander"), [Value::Null; 0], "{what}");
            assert_eq!(ccf.get(&context(&bystander), Some(aef)).await.status, 200, "{what}");
        }
    }
}

#[tokio::test]
async fn a_function_that_does_not_answer_keeps_nobody_from_being_told() {
    let receiver = Receiver::start().await;
    let ccf = ccf_telling(receiver.egress()).await;
    let provider = ccf.provider(1, &[]).await;
    // Nothing listens there.
    let mut at = profile(&provider.aefs[0]);
    at["interfaceDescriptions"] = json!([{ "ipv4Addr": "127.0.0.1", "port": 9 }]);
    let api = published(&ccf, &provider, &json!({ "apiName": "things", "aefProfiles": [at] })).await;
    assert!(api.starts_with(&path(&provider)));
    let invoker = negotiated(&ccf, &provider, &receiver.url("/told")).await;
    let nowhere = negotiated(&ccf, &provider, "http://127.0.0.1:1/cleartext").await;
    for leaving in [&invoker, &nowhere] {
        let at = format!("/api-invoker-management/v1/onboardedInvokers/{}", leaving.id);
        assert_eq!(ccf.delete(&at, Some(leaving)).await.status, 204);
    }
    let heard = told(&ccf, &receiver, "/told").await;
    assert_eq!(heard.len(), 1);
    assert!(receiver.got(AEF).is_empty() && receiver.got("/cleartext").is_empty());
}

async fn epoch(ccf: &Ccf) -> u64 {
    ccf.write(|tx| Box::pin(RevocationLog::epoch(tx))).await
}

#[tokio::test]
async fn what_is_changed_of_a_policy_is_told_by_the_feed() {
    let receiver = Receiver::start().await;
    let ccf = ccf_telling(receiver.egress()).await;
    let (provider, paths) = campus(&ccf, &receiver).await;
    let api = paths[0].rsplit('/').next().unwrap();
    let before = epoch(&ccf).await;
    let policy = json!({ "apiInvokerId": "default", "allowedTotalInvocations": 1 });
    let (api, aef) = (api.try_into().unwrap(), provider.aefs[0].id.as_str().try_into().unwrap());
    let made = ccf.server.put_access_control(&api, &aef, serde_json::from_value(policy).unwrap()).await;
    assert!(made.unwrap());
    assert_eq!(epoch(&ccf).await, before + 1);
    assert!(ccf.server.delete_access_control(&api, &aef, &"default".try_into().unwrap()).await.unwrap());
    assert_eq!(epoch(&ccf).await, before + 2);
}
