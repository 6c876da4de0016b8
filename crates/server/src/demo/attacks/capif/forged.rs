//! Tokens in the core function's name with one thing spoiled (S2-6a, S2-6d), and good ones in the wrong hands (S2-6b).

use anyhow::{Result, ensure};
use api_types::oauth::TokenResponse;
use authorization::Reason;
use sdk::{Credential, HttpsClient, Request};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::super::Arena;
use super::super::forge::Forge;
use super::super::holder::at;
use super::{bearing, case};
use crate::demo::invoker::{Invoker, aef};

const ROWS: &[&str] = &["S2-2c", "S2-5", "S2-6a", "S2-6d", "CON-38"];
const HOLDER: &[&str] = &["S2-6b", "S2-4", "NA-9", "CON-38"];
const MODE: &[&str] = &["NA-9", "S2-6a", "S2-6d"];

/// Where the tokens are shown.
struct Place {
    name: &'static str,
    role: &'static str,
    other: &'static str,
    url: Url,
    scope_of_sim: &'static str,
}

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let one = Invoker::of(arena.sample, 0, None)?;
    let url = |role: &str, path: &str| at(arena.sample, role, path);
    #[rustfmt::skip] // a table stays a table
    let places = [
        Place { name: "ssan-disc", role: "san", other: "sm", url: url("san", "/ssan-disc/v1/spatial-anchors?limit=1")?, scope_of_sim: "3gpp:seal:san" },
        Place { name: "ssm-disc", role: "sm", other: "san", url: url("sm", "/ssm-disc/v1/spatial-maps?limit=1")?, scope_of_sim: "3gpp:seal:sm" },
    ];
    for place in places {
        let genuine = one.token(place.role, place.name, Value::Null).await?;
        let forge = Forge::new(arena.sample, genuine.access_token.expose())?;
        let control =
            one.https.send(bearing(Request::get(place.url.clone()), &forge.claims(|_| {})?)).await?;
        ensure!(control.status == 200, "an unspoiled token is refused at {}", place.name);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut forged = forge.envelopes(&listener.local_addr()?.to_string())?;
        let other = aef(arena.sample, place.other)?;
        forged.extend(forge.statements(other, ("roles", json!(["admin"])))?);
        for (member, token, reason) in forged {
            let outcome = one.https.send(bearing(Request::get(place.url.clone()), &token)).await;
            arena.judge(case(member, place.name, ROWS, reason), outcome).await?;
        }
        identities(arena, &place, &one, &forge).await?;
        hands(arena, &place, &one, &genuine).await?;
    }
    Ok(())
}

/// What a public implementation puts in, and what CON-38 forbids.
async fn identities(arena: &mut Arena<'_>, place: &Place, one: &Invoker<'_>, forge: &Forge) -> Result<()> {
    let two = Invoker::of(arena.sample, 1, None)?;
    let (own, others) = (one.id.as_str(), two.id.as_str());
    let set = |name: &'static str, value: Value| {
        forge.claims(move |claims| drop(claims.insert(name.into(), value)))
    };
    let server = arena.sample.url(place.role)?;
    let both = forge.claims(|claims| {
        claims.insert("sub".into(), others.into());
        claims.insert("client_id".into(), others.into());
    })?;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("iss-is-the-invoker", set("iss", own.into())?, Reason::IssuerWrong),
        ("iss-is-the-sim-s", set("iss", arena.sample.url("sim")?.into())?, Reason::KeyUnknown),
        ("sub-is-another", set("sub", others.into())?, Reason::HolderWrong),
        ("client_id-is-another", set("client_id", others.into())?, Reason::HolderWrong),
        ("sub-and-client_id-of-another", both, Reason::HolderWrong),
        ("aud-is-the-url", set("aud", server.into())?, Reason::AudienceWrong),
        ("scope-of-another-aef", set("scope", format!("3gpp#{}:{}", aef(arena.sample, place.other)?, place.name).into())?, Reason::ScopeNarrow),
        ("scope-of-the-sim-s", set("scope", place.scope_of_sim.into())?, Reason::ScopeNarrow),
        ("details-unreadable", set("authorization_details", json!([{ "type": "3gpp_spatial_anchor", "level": "ALL" }]))?, Reason::DetailsNarrow),
    ];
    for (member, token, reason) in rows {
        let outcome = one.https.send(bearing(Request::get(place.url.clone()), &token)).await;
        arena.judge(case(member, place.name, HOLDER, reason), outcome).await?;
    }
    let unbound = forge.claims(|claims| drop(claims.remove("cnf")))?;
    let outcome = two.https.send(bearing(Request::get(place.url.clone()), &unbound)).await;
    arena.judge(case("unbound-by-another", place.name, HOLDER, Reason::HolderWrong), outcome).await
}

/// Genuine tokens with other certificates, at the other server, and of the other issuer.
async fn hands(
    arena: &mut Arena<'_>,
    place: &Place,
    one: &Invoker<'_>,
    genuine: &TokenResponse,
) -> Result<()> {
    use Reason::{AudienceWrong, HolderWrong};
    let sample = arena.sample;
    let two = Invoker::of(sample, 1, None)?;
    let nobody = HttpsClient::new(&sample.ca, None)?;
    let val_server = sample.https("vs-1", None)?;
    let token = genuine.access_token.expose();
    let elsewhere = if place.role == "san" { "ssm-disc" } else { "ssan-disc" };
    let of_the_other = one.token(place.other, elsewhere, Value::Null).await?;
    let Credential::Bearer(of_sim) = sample.val_server("vs-1", place.role, place.scope_of_sim).await? else {
        anyhow::bail!("no certificate-bound token")
    };
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no-certificate", &nobody, token, HOLDER, HolderWrong),
        ("certificate-of-another-invoker", &two.https, token, HOLDER, HolderWrong),
        ("certificate-of-a-val-server", &val_server, token, HOLDER, HolderWrong),
        ("token-of-another-aef", &one.https, of_the_other.access_token.expose(), MODE, AudienceWrong),
        ("sim-s-token-on-an-invoker-certificate", &one.https, of_sim.expose(), MODE, HolderWrong),
    ];
    for (member, https, token, rows, reason) in rows {
        let outcome = https.send(bearing(Request::get(place.url.clone()), token)).await;
        arena.judge(case(member, place.name, rows, reason), outcome).await?;
    }
    Ok(())
}
