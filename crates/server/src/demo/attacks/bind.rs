//! N-BIND: good tokens in the wrong hands.

use anyhow::{Context, Result};
use api_types::ids::ClientId;
use authorization::Reason;
use sdk::{AuthorizationRequest, Credential, HttpsClient, Request, UserSession};
use url::Url;

use super::forge::Forge;
use super::holder::{Prover, Ue, at};
use super::{Arena, Case};

const BUNDLE: &str = "N-BIND";
const ROWS: &[&str] = &["S1-B2", "NB-4", "T4a"];
const AT: &str = "ssan-disc";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let url = at(arena.sample, "san", "/ssan-disc/v1/spatial-anchors?limit=1")?;
    proofs(arena, &url).await?;
    certificates(arena, &url).await?;
    identities(arena, &url).await
}

fn case(member: &str, reason: Reason) -> Case<'_> {
    Case::new(BUNDLE, member, AT, ROWS, reason)
}

/// A30 and A31.
async fn proofs(arena: &mut Arena<'_>, url: &Url) -> Result<()> {
    let ue = Ue::login(arena.sample, "alice").await?;
    let token = ue.san.access_token.expose();
    let other = Prover::new(&arena.sample.ambient)?;
    let (mine, theirs) = (&ue.prover, url.as_str());
    let elsewhere = format!("{}/ssan-disc/v1/spatial-anchors", arena.sample.url("sm")?);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("other-dpop-key", Some(other.proof("GET", url, Some(token))?), Reason::HolderWrong),
        ("no-proof", None, Reason::DpopInvalid),
        ("proof-of-another-method", Some(mine.proof("POST", url, Some(token))?), Reason::DpopInvalid),
        ("proof-of-another-server", Some(mine.spoiled("GET", &elsewhere, Some(token), 0)?), Reason::DpopInvalid),
        ("proof-of-another-token", Some(mine.proof("GET", url, Some(ue.sm.access_token.expose()))?), Reason::DpopInvalid),
        ("proof-without-token", Some(mine.proof("GET", url, None)?), Reason::DpopInvalid),
        ("proof-stale", Some(mine.spoiled("GET", theirs, Some(token), 120)?), Reason::DpopInvalid),
        ("proof-from-the-future", Some(mine.spoiled("GET", theirs, Some(token), -60)?), Reason::DpopInvalid),
        ("proof-garbage", Some("a.b.c".to_owned()), Reason::DpopInvalid),
    ];
    let dressed = |scheme: &str, proof: Option<&str>| {
        let request = Request::get(url.clone()).header("authorization", &format!("{scheme} {token}"));
        request.opt_header("dpop", proof)
    };
    for (member, proof, reason) in rows {
        let outcome = ue.https.send(dressed("DPoP", proof.as_deref())).await;
        arena.judge(case(member, reason), outcome).await?;
    }
    let proof = mine.proof("GET", url, Some(token))?;
    let outcome = ue.https.send(dressed("Bearer", Some(&proof))).await;
    arena.judge(case("dpop-token-as-bearer", Reason::HolderWrong), outcome).await?;
    let served = ue.https.send(dressed("DPoP", Some(&proof))).await?;
    anyhow::ensure!(served.status == 200, "a good proof is refused");
    let outcome = ue.https.send(dressed("DPoP", Some(&proof))).await;
    arena.judge(case("proof-replayed", Reason::Replayed), outcome).await
}

/// A29.
async fn certificates(arena: &mut Arena<'_>, url: &Url) -> Result<()> {
    let sample = arena.sample;
    let credential = sample.val_server("vs-1", "san", "3gpp:seal:san.discover").await?;
    let Credential::Bearer(token) = credential else { anyhow::bail!("no certificate-bound token") };
    let bound = || Request::get(url.clone()).header("authorization", &format!("Bearer {}", token.expose()));
    let outcome = sample.https("vs-2", None)?.send(bound()).await;
    arena.judge(case("other-certificate", Reason::HolderWrong), outcome).await?;
    let outcome = HttpsClient::new(&sample.ca, None)?.send(bound()).await;
    arena.judge(case("no-certificate", Reason::HolderWrong), outcome).await?;
    let prover = Prover::new(&sample.ambient)?;
    let proof = prover.proof("GET", url, Some(token.expose()))?;
    let dpop = Request::get(url.clone()).header("authorization", &format!("DPoP {}", token.expose()));
    let outcome = sample.https("vs-1", None)?.send(dpop.header("dpop", &proof)).await;
    arena.judge(case("certificate-token-as-dpop", Reason::HolderWrong), outcome).await?;

    // An unbound token is for its client alone wherever that can be told, and lives shortly.
    let sim = sample.sim_c("ue-bearer", None).await?;
    let scope = "openid 3gpp:seal:san.discover";
    let request = AuthorizationRequest { push: false, ..sample.request("alice", scope)? };
    let san = sample.url("san")?;
    let password = sample.password("alice")?;
    let session = UserSession::login(sim, request, "alice", password, san, "3gpp:seal:san.discover").await?;
    let bearer = session.token(san, "3gpp:seal:san.discover").await?;
    let bearer = bearer.access_token.expose();
    let unbound = |token: &str| Request::get(url.clone()).header("authorization", &format!("Bearer {token}"));
    let served = sample.https("ue-bearer", None)?.send(unbound(bearer)).await?;
    anyhow::ensure!(served.status == 200, "an unbound token is refused");
    let outcome = sample.https("vs-1", None)?.send(unbound(bearer)).await;
    arena.judge(case("bearer-token-over-another-certificate", Reason::HolderWrong), outcome).await?;
    let long = Forge::new(sample, bearer)?.claims(|claims| {
        let iat = claims["iat"].as_i64().unwrap_or_default();
        claims.insert("exp".into(), (iat + 301).into());
    })?;
    let outcome = sample.https("ue-bearer", None)?.send(unbound(&long)).await;
    arena.judge(case("bearer-token-that-lives-long", Reason::HolderWrong), outcome).await
}

/// Somebody else's name beside one's own token.
async fn identities(arena: &mut Arena<'_>, url: &Url) -> Result<()> {
    let sample = arena.sample;
    let ue = Ue::login(sample, "alice").await?;
    let token = ue.san.access_token.expose();
    let bob = sample.users.get("bob").context("no bob")?;
    for (member, name) in [("ue-id-gpsi", "gpsi"), ("ue-id-external", "externalId")] {
        let request = Request::get(url.clone()).header("ue-id", bob[name].as_str().unwrap_or_default());
        let outcome = ue.send(request, "GET", url, token).await?;
        arena.judge(case(member, Reason::SubjectWrong), outcome).await?;
    }
    let asserted = Request::get(url.clone()).header("x-3gpp-asserted-identity", "sip:bob@op-a.example");
    let outcome = ue.send(asserted, "GET", url, token).await?;
    arena.judge(case("asserted-identity", Reason::PeerRefused), outcome).await?;

    // The client of a token cannot be renamed, not even with the issuer's key, over a certificate.
    let vs_2: ClientId = "vs-2".parse()?;
    let Credential::Bearer(genuine) = sample.val_server("vs-1", "san", "3gpp:seal:san.discover").await?
    else {
        anyhow::bail!("no certificate-bound token")
    };
    let forged = Forge::new(sample, genuine.expose())?
        .claims(|claims| drop(claims.insert("client_id".into(), vs_2.as_str().into())))?;
    let request = Request::get(url.clone()).header("authorization", &format!("Bearer {forged}"));
    let outcome = sample.https("vs-1", None)?.send(request).await;
    arena.judge(case("client-of-another-certificate", Reason::HolderWrong), outcome).await
}
