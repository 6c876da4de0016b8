//! N-TOK: tokens that are none, at both servers.

use std::time::Duration;

use anyhow::{Result, ensure};
use authorization::Reason;
use sdk::Request;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use super::forge::{Forge, Forged};
use super::holder::{Ue, at};
use super::{Arena, Case};

const BUNDLE: &str = "N-TOK";
const ROWS: &[&str] = &["NB-1", "NB-4", "S1-B2", "S1-B3b", "T1", "T2"];

/// Where the tokens are shown.
struct Place {
    name: &'static str,
    url: Url,
    /// The other server.
    other: String,
}

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let sample = arena.sample;
    let ue = Ue::login(sample, "alice").await?;
    let map = sample.maps.get("vs-1").copied().unwrap_or_default();
    let places = [
        (
            Place {
                name: "ssan-disc",
                url: at(sample, "san", "/ssan-disc/v1/spatial-anchors?limit=1")?,
                other: sample.url("sm")?.to_owned(),
            },
            ue.san.access_token.expose(),
        ),
        (
            Place {
                name: "ssm-smm",
                url: at(sample, "sm", &format!("/ssm-smm/v1/spatial-maps/{map}"))?,
                other: sample.url("san")?.to_owned(),
            },
            ue.sm.access_token.expose(),
        ),
    ];
    for (place, genuine) in places {
        let forge = Forge::new(sample, genuine)?;
        // A forgery with nothing spoiled is served: what follows is refused for the one thing that is.
        let control = ue.get(&place.url, &forge.claims(|_| {})?).await??;
        ensure!(control.status == 200, "an unspoiled token is refused at {}", place.name);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        for forged in forge.envelopes(&listener.local_addr()?.to_string())? {
            one(arena, &ue, &place, forged, &listener).await?;
        }
        for forged in forge.statements(&place.other, ("resOwnerId", json!("bob")))? {
            one(arena, &ue, &place, forged, &listener).await?;
        }
        others(arena, &ue, &place, genuine).await?;
        revoked(arena, &place).await?;
    }
    Ok(())
}

async fn one(
    arena: &mut Arena<'_>,
    ue: &Ue,
    place: &Place,
    (member, token, reason): Forged,
    listener: &TcpListener,
) -> Result<()> {
    let outcome = ue.get(&place.url, &token).await?;
    // Addresses in a token are never followed (A06).
    let fetches = member == "header-jku" || member == "header-x5u";
    let came = fetches && tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_ok();
    let case = Case::new(BUNDLE, member, place.name, ROWS, reason);
    arena.judge_with(case, outcome, came.then_some("ADDRESS_FETCHED")).await
}

/// Other kinds of token, and tokens in the wrong place.
async fn others(arena: &mut Arena<'_>, ue: &Ue, place: &Place, genuine: &str) -> Result<()> {
    let case = |member, reason| Case::new(BUNDLE, member, place.name, ROWS, reason);
    let proof = ue.prover.proof("GET", &place.url, Some(genuine))?;
    let id_token = ue.san.id_token.as_ref().map(|token| token.expose().to_owned()).unwrap_or_default();
    let refresh = ue.san.refresh_token.as_ref().map(|token| token.expose().to_owned()).unwrap_or_default();
    let assertion = {
        let claims = json!({ "iss": "ue-1", "sub": "ue-1", "aud": arena.sample.url("sim")?, "jti": "j", "exp": arena.sample.ambient.now_s() + 60 });
        jose::jwt::sign(&*ue.prover.key, "JWT", &claims)?
    };
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("id-token", id_token, Reason::TypRefused),
        ("refresh-token", refresh, Reason::TokenMalformed),
        ("dpop-proof", proof.clone(), Reason::TokenMalformed),
        ("client-assertion", assertion, Reason::TypRefused),
    ];
    for (member, token, reason) in rows {
        let outcome = ue.get(&place.url, &token).await?;
        arena.judge(case(member, reason), outcome).await?;
    }
    let get = || Request::get(place.url.clone());
    let outcome = ue.https.send(get()).await;
    arena.judge(case("no-token", Reason::TokenMissing), outcome).await?;
    let outcome = ue.https.send(get().header("authorization", "Basic dWUtMTpzZWNyZXQ=")).await;
    arena.judge(case("another-scheme", Reason::TokenMissing), outcome).await?;
    let mut in_query = place.url.clone();
    in_query.query_pairs_mut().append_pair("access_token", genuine);
    let outcome = ue.https.send(Request::get(in_query)).await;
    arena.judge(case("token-in-query", Reason::TokenInQuery), outcome).await?;
    let authorization = format!("DPoP {genuine}");
    let twice = get().header("authorization", &authorization).header("authorization", &authorization);
    let outcome = ue.https.send(twice.header("dpop", &proof)).await;
    arena.judge(case("two-authorization-headers", Reason::InputRefused), outcome).await
}

/// Tokens that were good until somebody took them back.
async fn revoked(arena: &mut Arena<'_>, place: &Place) -> Result<()> {
    #[rustfmt::skip] // a table stays a table
    let rows = [("revoked-token", "judy", "token", Reason::RevokedToken), ("revoked-subject", "karl", "subject", Reason::RevokedSubject)];
    for (member, user, kind, reason) in rows {
        let ue = Ue::login(arena.sample, user).await?;
        let token = if place.name == "ssan-disc" { &ue.san } else { &ue.sm };
        let token = token.access_token.expose();
        let served = ue.get(&place.url, token).await??;
        ensure!(served.status == 200, "{user} is not served before the revocation");
        let parsed = jose::compact::parse(token, &jose::HeaderPolicy::access_token())?;
        let claim = if kind == "token" { "jti" } else { "sub" };
        let body = json!({ "kind": kind, "value": parsed.unverified_claims()[claim], "issuer": arena.sample.url("sim")? });
        arena.observer.admin().revoke(&serde_json::from_value(body)?).await?;
        let outcome = ue.get(&place.url, token).await?;
        arena.judge(Case::new(BUNDLE, member, place.name, ROWS, reason), outcome).await?;
    }
    Ok(())
}
