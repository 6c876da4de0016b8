//! A user of one operator gets a token of another one's SIM-S (TS 24.547 6.2.3; identity sheet 1.8; A40, IMP-40).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderName;
use jose::EcKey;
use seal_security::sim_s::{Partner, PartnerKeys, SimServer};
use serde_json::{Value, json};
use service_http::testkit;
use service_http::verifier::{FetchedKeys, KeyError, KeySource};

use crate::harness::{Answer, ISSUER, NOW, Params, SAN, SM, Sim, claims, header, sim_at, sim_with, text};

const HOME: &str = "https://home.example";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What, key and name of the client, form; error and reason.
type Row<'a> = (&'a str, &'a EcKey, &'a str, Params, &'a str, &'a str);

/// The keys of a running SIM-S, which can be cut off.
struct KeysOf {
    sim: SimServer,
    down: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
}

#[async_trait]
impl KeySource for KeysOf {
    async fn fetch(&self) -> Result<FetchedKeys, KeyError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(KeyError::Unreachable);
        }
        let jwks = self.sim.ring().jwks(NOW).to_string();
        let jwks = jose::Jwks::parse(jwks.as_bytes()).map_err(|_| KeyError::Refused)?;
        Ok(FetchedKeys { jwks, max_age: Duration::from_secs(60) })
    }
}

struct Pair {
    home: Sim,
    away: Sim,
    down: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
}

fn partner(name: &str, issuer: &str, keys: impl KeySource) -> Partner {
    let val_services = vec!["vs-a".try_into().unwrap()];
    Partner {
        name: name.into(),
        issuer: issuer.into(),
        val_services,
        keys: Arc::new(PartnerKeys::new(Arc::new(keys))),
    }
}

struct NoKeys;

#[async_trait]
impl KeySource for NoKeys {
    async fn fetch(&self) -> Result<FetchedKeys, KeyError> {
        Err(KeyError::Unreachable)
    }
}

/// Two operators; each trusts the other, and the one away lets the users of the other discover anchors.
async fn pair() -> Pair {
    let home = sim_at(HOME, |config| config.partners = vec![partner("op-b", ISSUER, NoKeys)]).await;
    let (down, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let keys = KeysOf { sim: home.server.clone(), down: down.clone(), asked: asked.clone() };
    let away = sim_with(|config| config.partners = vec![partner("op-a", HOME, keys)]).await;
    let rule = json!({ "class": "local", "effect": "PERMIT", "subjects": ["op-a"], "services": ["spatial-anchor-mgmt"] });
    away.put_policy("guests", rule).await;
    Pair { home, away, down, asked }
}

impl Pair {
    /// An access token of alice at her own operator.
    async fn at_home(&self) -> String {
        let code = self.home.code("alice", &crate::harness::asks()).await;
        let answer = at(&self.home, HOME, &self.home.key, "ue-1", &crate::harness::redeems(&code)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        text(&answer.json()["access_token"]).to_owned()
    }

    async fn security_token(&self, token: &str) -> Answer {
        at(&self.home, HOME, &self.home.key, "ue-1", &exchanges(token)).await
    }

    /// The token away, with the key of the client at home.
    async fn redeem(&self, assertion: &str) -> Answer {
        at(&self.away, ISSUER, &self.home.key, "ue-1", &redeems(assertion)).await
    }
}

/// `POST /token` with the secret of a client and a proof of a key.
async fn at(sim: &Sim, issuer: &str, key: &EcKey, client: &str, form: &Params) -> Answer {
    let proof = sim.proof(key, &format!("{issuer}/token"));
    sim.post("/token", &[sim.basic(client), (HeaderName::from_static("dpop"), proof)], form).await
}

fn exchanges(token: &str) -> Params {
    Params::of(&[
        ("grant_type", EXCHANGE),
        ("subject_token", token),
        ("subject_token_type", ACCESS),
        ("requested_token_type", JWT),
        ("resource", ISSUER),
    ])
}

fn redeems(assertion: &str) -> Params {
    Params::of(&[
        ("grant_type", JWT_BEARER),
        ("assertion", assertion),
        ("scope", "3gpp:seal:san.read 3gpp:seal:san.discover"),
        ("resource", SAN),
    ])
}

#[tokio::test]
async fn a_user_of_a_partner_gets_a_token_here() {
    let pair = pair().await;
    let exchanged = pair.security_token(&pair.at_home().await).await;
    assert_eq!(exchanged.status, 200, "{}", exchanged.body);
    let answer = exchanged.json();
    assert_eq!((text(&answer["token_type"]), text(&answer["issued_token_type"])), ("N_A", JWT));
    assert!(answer["expires_in"].as_i64().unwrap() <= 60 && answer.get("refresh_token").is_none());
    let security = claims(&answer["access_token"]);
    assert_eq!((&security["iss"], &security["aud"]), (&json!(HOME), &json!(["ue-1", ISSUER])));
    assert!(!security.to_string().contains("alice"), "a partner learns a pseudonym: {security}");
    assert_eq!(header(&answer["access_token"])["typ"], "JWT");

    let redeemed = pair.redeem(text(&answer["access_token"])).await;
    assert_eq!(redeemed.status, 200, "{}", redeemed.body);
    let token = claims(&redeemed.json()["access_token"]);
    let name = format!("{}@op-a", text(&security["sub"]));
    assert_eq!((&token["iss"], &token["sub"], &token["aud"]), (&json!(ISSUER), &json!(name), &json!(SAN)));
    assert_eq!((&token["val_service_id"], &token["cnf"]), (&json!(["vs-a"]), &security["cnf"]));
    assert!(redeemed.json().get("refresh_token").is_none(), "the next one is asked for at home");
    assert!(pair.away.is_active("ue-1", text(&redeemed.json()["access_token"])).await);

    // Once, on whichever node.
    let again = pair.redeem(text(&answer["access_token"])).await;
    assert_eq!((again.status, again.error().as_str()), (400, "invalid_grant"));
    assert_eq!(pair.away.last_reason().await, "REPLAYED");
    // Another day, the same user is the same user.
    let next = pair.security_token(&pair.at_home().await).await.json();
    assert_eq!(claims(&next["access_token"])["sub"], security["sub"]);
    // A rule that goes takes the tokens along.
    pair.away.delete_policy("guests").await;
    assert!(!pair.away.is_active("ue-1", text(&redeemed.json()["access_token"])).await);
    let refused = pair.redeem(text(&next["access_token"])).await;
    assert_eq!(refused.error(), "access_denied");
}

/// A40: what must not be exchanged.
#[tokio::test]
async fn a40_only_the_own_bound_token_of_a_user_is_exchanged() {
    let pair = pair().await;
    let token = pair.at_home().await;
    let other = testkit::key(&pair.home.ambient);
    let bearer = {
        let code = pair.home.code("alice", &crate::harness::asks().with("client_id", "ue-bearer")).await;
        let answer = pair.home.bearer_token_of("ue-bearer", &crate::harness::redeems(&code)).await.json();
        text(&answer["access_token"]).to_owned()
    };
    let good = exchanges(&token);
    let key = &pair.home.key;
    let twice = good.clone().and("audience", ISSUER);
    #[rustfmt::skip] // a table stays a table
    let rows: [Row<'_>; 12] = [
        ("another key",               &other, "ue-1",      good.clone(),                                   "invalid_request", "HOLDER_WRONG"),
        ("another client",            key,    "ue-2",      good.clone(),                                   "invalid_request", "HOLDER_WRONG"),
        ("a token bound to nothing",  key,    "ue-bearer", exchanges(&bearer),                             "invalid_request", "HOLDER_WRONG"),
        ("no partner",                key,    "ue-1",      good.clone().with("resource", "https://x.example"), "invalid_target", "TARGET_WRONG"),
        ("a server of ours",          key,    "ue-1",      good.clone().with("resource", SM),              "invalid_target",  "TARGET_WRONG"),
        ("no target",                 key,    "ue-1",      good.clone().without("resource"),               "invalid_target",  "TARGET_WRONG"),
        ("two targets",               key,    "ue-1",      twice,                                          "invalid_target",  "TARGET_WRONG"),
        ("another type",              key,    "ue-1",      good.clone().with("subject_token_type", JWT),   "invalid_request", "REQUEST_MALFORMED"),
        ("another type wanted",       key,    "ue-1",      good.clone().with("requested_token_type", ACCESS), "invalid_request", "REQUEST_MALFORMED"),
        ("scopes",                    key,    "ue-1",      good.clone().with("scope", "3gpp:seal:san.read"), "invalid_request", "REQUEST_MALFORMED"),
        ("an actor",                  key,    "ue-1",      good.clone().with("actor_token", &token),       "invalid_request", "REQUEST_MALFORMED"),
        ("garbage",                   key,    "ue-1",      exchanges("a.b.c"),                             "invalid_request", "TOKEN_MALFORMED"),
    ];
    for (what, key, client, form, error, reason) in rows {
        let answer = at(&pair.home, HOME, key, client, &form).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{what}");
        assert_eq!(pair.home.last_reason().await, reason, "{what}");
    }
    let end = Params::of(&[("token", &token)]);
    assert_eq!(pair.home.post("/revoke", &[pair.home.basic("ue-1")], &end).await.status, 200);
    assert_eq!(pair.security_token(&token).await.error(), "invalid_request");
    assert_eq!(pair.home.last_reason().await, "REVOKED_TOKEN");
    // A security token is no access token, at home or away.
    let security = pair.security_token(&pair.at_home().await).await.json();
    assert_eq!(pair.security_token(text(&security["access_token"])).await.error(), "invalid_request");
}

#[tokio::test]
async fn what_a_partner_did_not_say_so_is_refused() {
    let pair = pair().await;
    let made = pair.security_token(&pair.at_home().await).await.json();
    let good = claims(&made["access_token"]);
    let home = pair.home.server.ring().signer(NOW).expect("a key");
    let stranger = testkit::key(&pair.home.ambient);
    let signed = |key: &EcKey, change: fn(&mut Value)| {
        let mut claims = good.clone();
        claims["jti"] = json!(pair.home.ambient.random_id());
        change(&mut claims);
        jose::jwt::sign(key, "JWT", &claims).unwrap()
    };
    let id_token = {
        let code = pair.home.code("alice", &crate::harness::asks()).await;
        let answer =
            at(&pair.home, HOME, &pair.home.key, "ue-1", &crate::harness::redeems(&code)).await.json();
        text(&answer["id_token"]).to_owned()
    };
    let form = |assertion: String| redeems(&assertion);
    let fine = || signed(&home, |_| {});
    let other = testkit::key(&pair.away.ambient);
    let key = &pair.home.key;
    #[rustfmt::skip] // a table stays a table
    let rows: [Row<'_>; 17] = [
        ("a stranger",            key, "ue-1", form(signed(&stranger, |_| {})),                         "invalid_grant", "KEY_UNKNOWN"),
        ("no partner",            key, "ue-1", form(signed(&home, |c| c["iss"] = json!("https://x.example"))), "invalid_grant", "ISSUER_WRONG"),
        ("ourselves",             key, "ue-1", form(signed(&home, |c| c["iss"] = json!(ISSUER))),       "invalid_grant", "ISSUER_WRONG"),
        ("for another partner",   key, "ue-1", form(signed(&home, |c| c["aud"][1] = json!("https://x.example"))), "invalid_grant", "AUDIENCE_WRONG"),
        ("for another client",    key, "ue-2", form(fine()),                                            "invalid_grant", "AUDIENCE_WRONG"),
        ("an ID token",           key, "ue-1", form(id_token),                                          "invalid_grant", "TOKEN_MALFORMED"),
        ("expired",               key, "ue-1", form(signed(&home, |c| { c["iat"] = json!(NOW - 90); c["exp"] = json!(NOW - 30); })), "invalid_grant", "EXPIRED"),
        ("of the future",         key, "ue-1", form(signed(&home, |c| { c["iat"] = json!(NOW + 31); c["exp"] = json!(NOW + 60); })), "invalid_grant", "NOT_YET_VALID"),
        ("for an hour",           key, "ue-1", form(signed(&home, |c| c["exp"] = json!(NOW + 3_600))),  "invalid_grant", "GRANT_WRONG"),
        ("a name of ours",        key, "ue-1", form(signed(&home, |c| c["sub"] = json!("alice@op-c"))), "invalid_grant", "GRANT_WRONG"),
        ("a right of its own",    key, "ue-1", form(signed(&home, |c| c["Digital_profile"] = json!("x"))), "invalid_grant", "TOKEN_MALFORMED"),
        ("another key",           &other, "ue-1", form(fine()),                                         "invalid_grant", "HOLDER_WRONG"),
        ("bound to nothing",      key, "ue-1", form(signed(&home, |c| c["cnf"] = json!({}))),           "invalid_grant", "HOLDER_WRONG"),
        ("no assertion",          key, "ue-1", form(fine()).without("assertion"),                       "invalid_request", "REQUEST_MALFORMED"),
        ("a service not permitted", key, "ue-1", form(fine()).with("scope", "3gpp:seal:sm.read").with("resource", SM), "access_denied", "NOT_ENTITLED"),
        ("a scope of nobody",     key, "ue-1", form(fine()).with("scope", "x"),                         "invalid_scope", "SCOPE_UNKNOWN"),
        ("a login",               key, "ue-1", form(fine()).with("scope", "openid 3gpp:seal:san.read"), "invalid_scope", "SCOPE_UNKNOWN"),
    ];
    for (what, key, client, form, error, reason) in rows {
        let answer = at(&pair.away, ISSUER, key, client, &form).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{what}: {}", answer.body);
        assert_eq!(pair.away.last_reason().await, reason, "{what}");
    }
    assert_eq!(
        at(&pair.away, ISSUER, key, "ue-1", &form(fine())).await.status,
        200,
        "and as it was, it is good"
    );
    assert_eq!(pair.asked.load(Ordering::SeqCst), 1, "a flood of unknown keys is no flood of questions");
}

#[tokio::test]
async fn a_partner_that_cannot_be_asked_is_told_apart() {
    let pair = pair().await;
    let made = pair.security_token(&pair.at_home().await).await.json();
    pair.down.store(true, Ordering::SeqCst);
    let refused = pair.redeem(text(&made["access_token"])).await;
    assert_eq!((refused.status, refused.error().as_str()), (503, "temporarily_unavailable"));
    pair.down.store(false, Ordering::SeqCst);
    pair.away.clock.advance(Duration::from_secs(10));
    assert_eq!(pair.redeem(text(&made["access_token"])).await.status, 200, "nothing was used up");
    // Without partners the grants are not there.
    let alone = crate::harness::sim().await;
    let answer = at(&alone, ISSUER, &alone.key, "ue-1", &redeems(text(&made["access_token"]))).await;
    assert_eq!(
        (answer.error().as_str(), alone.last_reason().await.as_str()),
        ("unsupported_grant_type", "GRANT_WRONG")
    );
}
