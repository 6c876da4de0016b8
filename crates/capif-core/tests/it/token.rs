//! Access tokens (sheet 2.3 to 2.7 and 4.2): who gets which, and when they end.

use api_types::capif::ids::ApiInvokerId;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use capif_core::ccf::UnknownResources;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::harness::{Answer, Ccf, Holder, ISSUER, NOW, Provider, ccf, ccf_with, text};
use crate::security::{asking, campus, context, entry};

fn path(id: &str) -> String {
    format!("/capif-security/v1/securities/{id}/token")
}

pub(crate) async fn ask(ccf: &Ccf, at: &str, by: Option<&Holder>, form: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = Request::builder()
        .method(Method::POST)
        .uri(path(at))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap();
    ccf.send(request, by).await
}

pub(crate) fn claims(answer: &Answer) -> Value {
    let token = text(&answer.expect(200)["access_token"]);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn scope(provider: &Provider) -> String {
    format!("3gpp#{}:ssan-sanm,ssan-disc", provider.aefs[0].id)
}

#[tokio::test]
async fn a_plain_client_gets_a_coarse_token_and_a_plain_answer() {
    let ccf = ccf().await;
    let (provider, invoker, _) = campus(&ccf).await;
    let scope = scope(&provider);
    let form = [("grant_type", "client_credentials"), ("client_id", &invoker.id), ("scope", &scope)];
    let answer = ask(&ccf, &invoker.id, Some(&invoker), &form).await;
    let mut members: Vec<_> = answer.expect(200).as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(
        members,
        ["access_token", "expires_in", "scope", "token_type"],
        "TS 29.222 and nothing of ours"
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
    let claims = claims(&answer);
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!((text(&claims["sub"]), text(&claims["client_id"])), (invoker.id.clone(), invoker.id.clone()));
    assert_eq!(claims["aud"], provider.aefs[0].id.as_str());
    assert_eq!(claims["cnf"], json!({ "x5t#S256": invoker.certificate.x5t_s256 }));
    assert_eq!(claims["exp"], NOW + 300);
    assert_eq!(claims.get("authorization_details"), None);
}

#[tokio::test]
async fn one_spoiled_thing_gets_no_token_for_its_own_reason() {
    let ccf = ccf().await;
    let (provider, invoker, _) = campus(&ccf).await;
    let (other, bounded) = (ccf.invoker(&[]).await, ccf.invoker(&["ssm-smm"]).await);
    let body = asking(&json!([entry(&provider.aefs[0]), entry(&provider.aefs[1])]));
    ccf.put(&context(&bounded), Some(&bounded), &body).await.expect(201);
    let (aef, sm) = (&provider.aefs[0].id, &provider.aefs[1].id);
    let good = scope(&provider);
    let (two, unknown) = (format!("3gpp#{aef}:ssan-sanm;{sm}:ssm-smm"), format!("3gpp#{aef}:ssan-usg"));
    let (crossed, nowhere) = (format!("3gpp#{aef}:ssm-smm"), "3gpp#AEF0:ssan-sanm".to_owned());
    let owner = r#"{"gpsi":"msisdn-491700000001"}"#;
    let (cc, id) = (("grant_type", "client_credentials"), ("client_id", invoker.id.as_str()));
    type Row<'a> = (&'a str, &'a Holder, &'a str, Vec<(&'a str, &'a str)>, u16, &'a str, &'a str);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Row<'_>> = vec![
        ("another client_id", &invoker, &invoker.id, vec![cc, ("client_id", &other.id), ("scope", &good)], 401, "invalid_client", "CLIENT_AUTH_WRONG"),
        ("another securityId", &invoker, &other.id, vec![cc, id, ("scope", &good)], 401, "invalid_client", "CLIENT_AUTH_WRONG"),
        ("another certificate", &other, &invoker.id, vec![cc, id, ("scope", &good)], 401, "invalid_client", "CLIENT_AUTH_WRONG"),
        ("another secret", &invoker, &invoker.id, vec![cc, id, ("scope", &good), ("client_secret", "string")], 401, "invalid_client", "CLIENT_AUTH_WRONG"),
        ("no grant", &invoker, &invoker.id, vec![id, ("scope", &good)], 400, "invalid_request", "REQUEST_MALFORMED"),
        ("another grant", &invoker, &invoker.id, vec![("grant_type", "password"), id, ("scope", &good)], 400, "unsupported_grant_type", "GRANT_WRONG"),
        ("an owner left for later", &invoker, &invoker.id, vec![cc, id, ("scope", &good), ("resOwnerId", owner)], 400, "unauthorized_client", "OWNER_REQUIRED"),
        ("a member twice", &invoker, &invoker.id, vec![cc, cc, id, ("scope", &good)], 400, "invalid_request", "REQUEST_MALFORMED"),
        ("no scope is not all", &invoker, &invoker.id, vec![cc, id], 400, "invalid_scope", "SCOPE_UNKNOWN"),
        ("scope of the SIM-S", &invoker, &invoker.id, vec![cc, id, ("scope", "3gpp:seal:san.read")], 400, "invalid_scope", "SCOPE_UNKNOWN"),
        ("malformed scope", &invoker, &invoker.id, vec![cc, id, ("scope", "3gpp#:ssan-sanm")], 400, "invalid_scope", "SCOPE_UNKNOWN"),
        ("two functions", &invoker, &invoker.id, vec![cc, id, ("scope", &two)], 400, "invalid_scope", "TARGET_WRONG"),
        ("an API that is not there", &invoker, &invoker.id, vec![cc, id, ("scope", &unknown)], 400, "invalid_scope", "METHOD_NOT_NEGOTIATED"),
        ("an API of another function", &invoker, &invoker.id, vec![cc, id, ("scope", &crossed)], 400, "invalid_scope", "METHOD_NOT_NEGOTIATED"),
        ("an unknown function", &invoker, &invoker.id, vec![cc, id, ("scope", &nowhere)], 400, "invalid_scope", "METHOD_NOT_NEGOTIATED"),
        ("no context", &other, &other.id, vec![cc, ("client_id", &other.id), ("scope", &good)], 400, "invalid_scope", "METHOD_NOT_NEGOTIATED"),
        ("beyond the enrolment", &bounded, &bounded.id, vec![cc, ("client_id", &bounded.id), ("scope", &good)], 400, "invalid_scope", "METHOD_NOT_NEGOTIATED"),
        ("details that are no JSON", &invoker, &invoker.id, vec![cc, id, ("scope", &good), ("authorization_details", "x")], 400, "invalid_request", "REQUEST_MALFORMED"),
        ("details of another type", &invoker, &invoker.id, vec![cc, id, ("scope", &good), ("authorization_details", r#"[{"type":"payment"}]"#)], 400, "invalid_authorization_details", "DETAILS_UNKNOWN"),
        ("a wildcard", &invoker, &invoker.id, vec![cc, id, ("scope", &good), ("authorization_details", r#"[{"type":"3gpp_spatial_anchor","level":"INSTANCE","identifier":"*","actions":["read"]}]"#)], 400, "invalid_authorization_details", "DETAILS_UNKNOWN"),
        ("details elsewhere", &invoker, &invoker.id, vec![cc, id, ("scope", &good), ("authorization_details", r#"[{"type":"3gpp_spatial_anchor","level":"SERVICE","locations":["AEF0"],"actions":["read"]}]"#)], 400, "invalid_authorization_details", "DETAILS_UNKNOWN"),
        ("details beyond the scope", &invoker, &invoker.id, vec![cc, id, ("scope", &good), ("authorization_details", r#"[{"type":"3gpp_spatial_map","level":"SERVICE","actions":["read"]}]"#)], 400, "invalid_authorization_details", "NOT_ENTITLED"),
    ];
    for (what, by, at, form, status, error, reason) in rows {
        let answer = ask(&ccf, at, Some(by), &form).await;
        assert_eq!(
            (answer.status, text(&answer.json()["error"])),
            (status, error.to_owned()),
            "{what}: {}",
            answer.body
        );
        assert_eq!(ccf.last_reason().await, reason, "{what}");
    }
    let form = [cc, id, ("scope", &good)];
    assert_eq!(ask(&ccf, &invoker.id, Some(&invoker), &form).await.status, 200);
    for by in [None, Some(&provider.aefs[0]), Some(&provider.amf)] {
        assert_eq!(ask(&ccf, &invoker.id, by, &form).await.status, 403, "not an API invoker");
    }
}

#[tokio::test]
async fn details_come_back_as_they_were_granted() {
    // Local policy alone; what owners say is tested with resources.
    let ccf = ccf_with(|config| config.unknown_resources = UnknownResources::LocalPolicy).await;
    let (provider, invoker, _) = campus(&ccf).await;
    let scope = scope(&provider);
    let asked = json!([
        { "type": "3gpp_spatial_anchor", "level": "INSTANCE", "identifier": "list/7", "actions": ["read", "update"] },
        { "type": "3gpp_spatial_map", "level": "SERVICE", "actions": ["read"] },
    ]);
    let details = asked.to_string();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", invoker.id.as_str()),
        ("scope", &scope),
        ("authorization_details", &details),
    ];
    let answer = ask(&ccf, &invoker.id, Some(&invoker), &form).await;
    let granted = json!([asked[0]]);
    assert_eq!(answer.expect(200)["authorization_details"], granted, "the map is not within the scope");
    assert_eq!(claims(&answer)["authorization_details"], granted);

    // A rule of the operator takes an action away, then everything.
    let deny = |actions: Value| {
        json!({ "class": "local", "effect": "DENY", "subjects": [invoker.id], "services": ["spatial-anchor-mgmt"],
            "actions": actions, "resources": [] })
        .to_string()
    };
    for (actions, left) in [(json!(["update"]), Some(json!(["read"]))), (json!([]), None)] {
        let rule = deny(actions);
        ccf.write(move |tx| Box::pin(async move { store::policies::put(tx, "p", &rule, NOW * 1_000).await }))
            .await;
        let answer = ask(&ccf, &invoker.id, Some(&invoker), &form).await;
        match left {
            Some(actions) => assert_eq!(answer.expect(200)["authorization_details"][0]["actions"], actions),
            None => assert_eq!((answer.status, ccf.last_reason().await), (400, "NOT_ENTITLED".to_owned())),
        }
    }
}

#[tokio::test]
async fn tokens_end_with_what_they_rest_on() {
    let ccf = ccf().await;
    let (provider, invoker, apis) = campus(&ccf).await;
    let scopes = [scope(&provider), format!("3gpp#{}:ssm-smm", provider.aefs[1].id)];
    let mut tokens = Vec::new();
    for scope in &scopes {
        let form =
            [("grant_type", "client_credentials"), ("client_id", invoker.id.as_str()), ("scope", scope)];
        tokens.push(text(&claims(&ask(&ccf, &invoker.id, Some(&invoker), &form).await)["jti"]));
    }
    let is_revoked = async |jti: &str| {
        let jti = jti.to_owned();
        let newest = ccf.kit.store.read(move |tx| {
            Box::pin(async move { store::revocations::newest(tx, "token", &jti, ISSUER).await })
        });
        newest.await.unwrap().is_some()
    };
    let revoke = format!("{}/delete", context(&invoker));
    let notice = json!({ "apiInvokerId": invoker.id, "apiIds": [apis[1]], "cause": "AUTHORIZATION_ISSUE" });
    assert_eq!(ccf.post(&revoke, Some(&provider.aefs[0]), &notice).await.status, 204);
    assert!(is_revoked(&tokens[0]).await, "it named the API");
    assert!(!is_revoked(&tokens[1]).await, "another function's token stays");
    // The context names less: so do its tokens.
    let body = asking(&json!([entry(&provider.aefs[0])]));
    ccf.put(&context(&invoker), Some(&invoker), &body).await.expect(201);
    assert!(is_revoked(&tokens[1]).await);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", invoker.id.as_str()),
        ("scope", scopes[1].as_str()),
    ];
    assert_eq!(ask(&ccf, &invoker.id, Some(&invoker), &form).await.status, 400, "and no new one");

    let id: ApiInvokerId = invoker.id.as_str().try_into().unwrap();
    assert_eq!(
        ccf.delete(&format!("/api-invoker-management/v1/onboardedInvokers/{}", id.as_str()), Some(&invoker))
            .await
            .status,
        204
    );
    let client = invoker.id.clone();
    let ended = ccf.kit.store.read(move |tx| {
        Box::pin(async move { store::revocations::newest(tx, "client", &client, ISSUER).await })
    });
    assert!(ended.await.unwrap().is_some(), "offboarding ends every token");
}
