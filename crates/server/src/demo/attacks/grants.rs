//! Attacks on the token endpoint and its neighbours (001 6.1.2-1, steps 1 and 2; A20 to A22, A28, A32, A33, A51).

use anyhow::{Context, Result};
use authorization::Reason;
use sdk::{HttpsClient, Request};
use serde_json::Value;

use super::holder::{Prover, at};
use super::sim_c::{Pairs, SimC, pairs, set, without};
use super::{Arena, Case};

const BUNDLE: &str = "N-AUTHZ";
const ROWS: &[&str] = &["S1-P1", "S1-A1", "FFS-03"];
const TOKEN: &str = "sim-token";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let sim_c = SimC::new(arena.sample, "ue-1")?;
    codes(arena, &sim_c).await?;
    forms(arena, &sim_c).await?;
    refreshes(arena, &sim_c).await?;
    machines(arena).await
}

fn case(member: &str, reason: Reason) -> Case<'_> {
    Case::new(BUNDLE, member, TOKEN, ROWS, reason)
}

type Spoil = fn(&mut Pairs);

/// A good code under bad circumstances; none of them uses it up.
async fn codes(arena: &mut Arena<'_>, sim_c: &SimC<'_>) -> Result<()> {
    use Reason::{GrantWrong, PkceWrong, RedirectWrong, RequestMalformed, TargetWrong};
    let code = sim_c.code("alice").await?;
    let good = sim_c.redemption(&code)?;
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, Reason); 9] = [
        ("code-forged", |p| set(p, "code", "Zm9yZ2VkLWNvZGUtb2Ytbm9ib2R5"), GrantWrong),
        ("no-code", |p| without(p, "code"), RequestMalformed),
        ("pkce-verifier-wrong", |p| set(p, "code_verifier", &"v".repeat(43)), PkceWrong),
        ("pkce-verifier-short", |p| set(p, "code_verifier", "short"), PkceWrong),
        ("pkce-verifier-missing", |p| without(p, "code_verifier"), PkceWrong),
        ("redirect-other", |p| set(p, "redirect_uri", "http://127.0.0.1:1/cb"), RedirectWrong),
        ("two-resources", |p| p.push(("resource".into(), "https://sm.other.example".into())), TargetWrong),
        ("unknown-resource", |p| set(p, "resource", "https://san.other.example"), TargetWrong),
        ("password-grant", |p| { set(p, "grant_type", "password"); set(p, "username", "alice"); set(p, "password", "x"); }, GrantWrong),
    ];
    for (member, spoil, reason) in rows {
        let mut form = good.clone();
        spoil(&mut form);
        let outcome = sim_c.post("/token", &form).await?;
        arena.judge(case(member, reason), outcome).await?;
    }
    let thief = SimC::new(arena.sample, "ue-bearer")?;
    let outcome = thief.post("/token", &good).await?;
    arena
        .judge(Case::new("N-BIND", "code-of-another-client", TOKEN, ROWS, Reason::GrantWrong), outcome)
        .await?;
    let request = sim_c.bare("/token", &good)?;
    let request = request.header("authorization", &SimC::basic("ue-1", sim_c.secret()?));
    let outcome = sim_c.https.send(request).await;
    arena.judge(Case::new("N-BIND", "no-proof", TOKEN, ROWS, Reason::DpopInvalid), outcome).await?;
    // After all of this the code is still good: nobody could use it up.
    let served = sim_c.post("/token", &good).await??;
    anyhow::ensure!(served.status == 200, "the code was used up by a refused request");
    Ok(())
}

/// Requests that are no forms, or say two things at once (A28, A51).
async fn forms(arena: &mut Arena<'_>, sim_c: &SimC<'_>) -> Result<()> {
    let url = at(arena.sample, "sim", "/token")?;
    let basic = SimC::basic("ue-1", sim_c.secret()?);
    let form = pairs(&[("grant_type", "refresh_token"), ("refresh_token", "x")]);
    let mut twice = form.clone();
    twice.push(("grant_type".into(), "client_credentials".into()));
    let mut two_methods = form.clone();
    two_methods.push(("client_secret".into(), sim_c.secret()?.into()));
    let json = Request::post(url).json(&serde_json::json!({ "grant_type": "client_credentials" }));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("parameter-twice", sim_c.bare("/token", &twice)?, Reason::RequestMalformed),
        ("two-client-methods", sim_c.bare("/token", &two_methods)?, Reason::RequestMalformed),
        ("json-body", json, Reason::RequestMalformed),
        ("no-grant-type", sim_c.bare("/token", &pairs(&[("code", "x")]))?, Reason::RequestMalformed),
    ];
    for (member, request, reason) in rows {
        let outcome = sim_c.https.send(request.header("authorization", &basic)).await;
        arena.judge(Case::new("N-INP", member, TOKEN, &["S1-A1", "IMP-21"], reason), outcome).await?;
    }
    let form = pairs(&[("token", "x")]);
    let outcome = sim_c.https.send(sim_c.bare("/introspect", &form)?).await;
    arena.judge(Case::new(BUNDLE, "stranger", "sim-introspect", ROWS, Reason::ClientAuthWrong), outcome).await
}

/// Refresh tokens in other hands or for more (A20, A32).
async fn refreshes(arena: &mut Arena<'_>, sim_c: &SimC<'_>) -> Result<()> {
    let code = sim_c.code("alice").await?;
    let answer = sim_c.post("/token", &sim_c.redemption(&code)?).await??;
    let body: Value = serde_json::from_slice(&answer.body)?;
    let refresh = body["refresh_token"].as_str().context("no refresh token")?;
    let form = pairs(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
        ("resource", arena.sample.url("san")?),
    ]);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("refresh-wider-scope", "3gpp:seal:san.write", Reason::ScopeUnknown),
        ("refresh-unknown-scope", "3gpp:seal:weather.read", Reason::ScopeUnknown),
        ("refresh-wildcard-scope", "*", Reason::ScopeUnknown),
        ("refresh-scopes-of-two-servers", "3gpp:seal:san.read 3gpp:seal:sm.read", Reason::TargetWrong),
        ("refresh-scope-of-another-server", "3gpp:seal:sm.read", Reason::TargetWrong),
    ];
    for (member, scope, reason) in rows {
        let mut spoiled = form.clone();
        set(&mut spoiled, "scope", scope);
        let outcome = sim_c.post("/token", &spoiled).await?;
        arena.judge(case(member, reason), outcome).await?;
    }
    let thief = SimC::new(arena.sample, "ue-bearer")?;
    let outcome = thief.post("/token", &form).await?;
    arena
        .judge(Case::new("N-BIND", "refresh-of-another-client", TOKEN, ROWS, Reason::GrantWrong), outcome)
        .await?;
    let other_key = SimC { prover: Prover::new(&arena.sample.ambient)?, ..SimC::new(arena.sample, "ue-1")? };
    let outcome = other_key.post("/token", &form).await?;
    arena
        .judge(Case::new("N-BIND", "refresh-with-another-key", TOKEN, ROWS, Reason::HolderWrong), outcome)
        .await
}

/// VAL servers at the listener with mutual TLS.
async fn machines(arena: &mut Arena<'_>) -> Result<()> {
    let sample = arena.sample;
    let (san, sm) = (sample.url("san")?, sample.url("sm")?);
    let url = at(sample, "sim_mtls", "/token")?;
    let https: HttpsClient = sample.https("vs-1", None)?;
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, [&str; 3], Reason); 5] = [
        ("machine-unknown-scope", ["vs-1", "3gpp:seal:weather.read", san], Reason::ScopeUnknown),
        ("machine-scope-not-registered", ["vs-1", "3gpp:seal:skm.provision", san], Reason::ScopeUnknown),
        ("machine-two-servers", ["vs-1", "3gpp:seal:san.read 3gpp:seal:sm.read", san], Reason::TargetWrong),
        ("machine-scope-at-another-server", ["vs-1", "3gpp:seal:san.read", sm], Reason::TargetWrong),
        ("machine-in-another-name", ["vs-2", "3gpp:seal:san.read", san], Reason::ClientAuthWrong),
    ];
    for (member, [client, scope, resource], reason) in rows {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("scope", scope),
            ("resource", resource),
        ];
        let outcome = https.send(Request::post(url.clone()).form(form)).await;
        arena.judge(Case::new(BUNDLE, member, "sim_mtls-token", ROWS, reason), outcome).await?;
    }
    Ok(())
}
