//! Attacks on the login and the authentication request (001 6.1.2-1, step 0; A22 to A25, A35, A37, A39).

use std::time::Duration;

use anyhow::{Context, Result};
use authorization::Reason;
use tokio::net::TcpListener;

use super::sim_c::{Pairs, SimC, set, without};
use super::{Arena, Case};

const BUNDLE: &str = "N-AUTHZ";
const ROWS: &[&str] = &["S1-P1", "S1-A1", "E2E-03"];
const LOGIN_ROWS: &[&str] = &["S1-A0", "KI4-N1"];
const PAR: &str = "sim-par";
const AUTHORIZE: &str = "sim-authorize";

type Spoil = fn(&mut Pairs);

/// Names the first server only, and leaves the scopes of both.
fn first_resource_alone(pairs: &mut Pairs) {
    let mut resources = 0;
    pairs.retain(|(name, _)| {
        resources += usize::from(name == "resource");
        name != "resource" || resources == 1
    });
}

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let sim_c = SimC::new(arena.sample, "ue-1")?;
    parameters(arena, &sim_c).await?;
    references(arena, &sim_c).await?;
    credentials(arena, &sim_c).await?;
    clients(arena, &sim_c).await
}

/// One spoiled parameter at a time, pushed and plain.
async fn parameters(arena: &mut Arena<'_>, sim_c: &SimC<'_>) -> Result<()> {
    use Reason::{PkceWrong, RedirectWrong, RequestMalformed, ScopeUnknown, TargetWrong};
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, Reason); 20] = [
        ("no-state", |p| without(p, "state"), RequestMalformed),
        ("no-acr", |p| without(p, "acr_values"), RequestMalformed),
        ("no-pkce", |p| without(p, "code_challenge"), PkceWrong),
        ("pkce-plain", |p| set(p, "code_challenge_method", "plain"), PkceWrong),
        ("pkce-no-method", |p| without(p, "code_challenge_method"), PkceWrong),
        ("implicit", |p| set(p, "response_type", "token"), RequestMalformed),
        ("hybrid", |p| set(p, "response_type", "code id_token"), RequestMalformed),
        ("fragment", |p| set(p, "response_mode", "fragment"), RequestMalformed),
        ("request-object", |p| set(p, "request", "e30.e30."), RequestMalformed),
        ("parameter-twice", |p| p.push(("state".into(), "OTHER".into())), RequestMalformed),
        ("no-scope", |p| without(p, "scope"), ScopeUnknown),
        ("unknown-scope", |p| set(p, "scope", "openid 3gpp:seal:weather.read"), ScopeUnknown),
        ("wildcard-scope", |p| set(p, "scope", "openid *"), ScopeUnknown),
        ("scope-not-registered", |p| set(p, "scope", "openid 3gpp:seal:san.write"), ScopeUnknown),
        ("unknown-resource", |p| set(p, "resource", "https://san.other.example"), TargetWrong),
        ("scopes-of-two-servers", first_resource_alone, TargetWrong),
        ("redirect-other-host", |p| set(p, "redirect_uri", "https://evil.example/cb"), RedirectWrong),
        ("redirect-userinfo", |p| set(p, "redirect_uri", "http://127.0.0.1@evil.example/cb"), RedirectWrong),
        ("redirect-fragment", |p| set(p, "redirect_uri", "http://127.0.0.1/cb#x"), RedirectWrong),
        ("redirect-script", |p| set(p, "redirect_uri", "javascript:alert(1)"), RedirectWrong),
    ];
    for (member, spoil, reason) in rows {
        let mut pairs = sim_c.request("alice")?;
        spoil(&mut pairs);
        let pushed = sim_c.post("/par", &pairs).await?;
        arena.judge(Case::new(BUNDLE, member, PAR, ROWS, reason), pushed).await?;
        let plain = sim_c.authorize(&pairs).await?;
        arena.judge(Case::new(BUNDLE, member, AUTHORIZE, ROWS, reason), plain).await?;
    }
    Ok(())
}

/// References to requests that nobody pushed, or somebody else (A39).
async fn references(arena: &mut Arena<'_>, sim_c: &SimC<'_>) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let outside = format!("https://{}/request", listener.local_addr()?);
    let pushed = sim_c.post("/par", &sim_c.request("alice")?).await??;
    let body: serde_json::Value = serde_json::from_slice(&pushed.body)?;
    let foreign = body["request_uri"].as_str().context("no request_uri")?.to_owned();
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("request-uri-outside", "ue-1", outside),
        ("request-uri-unknown", "ue-1", "urn:ietf:params:oauth:request_uri:none".to_owned()),
        ("request-uri-of-another-client", "ue-bearer", foreign),
    ];
    for (member, client, uri) in rows {
        let pairs = super::sim_c::pairs(&[("client_id", client), ("request_uri", &uri)]);
        let outcome = sim_c.authorize(&pairs).await?;
        let came = tokio::time::timeout(Duration::from_millis(20), listener.accept()).await.is_ok();
        let case = Case::new(BUNDLE, member, AUTHORIZE, ROWS, Reason::GrantWrong);
        arena.judge_with(case, outcome, came.then_some("ADDRESS_FETCHED")).await?;
    }
    Ok(())
}

/// Who logs in, and from where.
async fn credentials(arena: &mut Arena<'_>, sim_c: &SimC<'_>) -> Result<()> {
    let sample = arena.sample;
    let case = |member, reason| Case::new(BUNDLE, member, AUTHORIZE, LOGIN_ROWS, reason);
    let sim = sample.url("sim")?;
    let request = sim_c.request("sybil")?;
    let wrong = sim_c.login(&request, "sybil", "not the password").await?;
    let unknown = sim_c.login(&request, "nobody", "not the password").await?;
    // The two must not differ but for the reference of the form (A35).
    let alike = match (&wrong, &unknown) {
        (Ok(wrong), Ok(unknown)) => wrong.status == unknown.status && wrong.body.len() == unknown.body.len(),
        _ => false,
    };
    arena.judge(case("wrong-password", Reason::CredentialsWrong), wrong).await?;
    let fault = (!alike).then_some("ANSWERS_DIFFER");
    arena.judge_with(case("unknown-user", Reason::CredentialsWrong), unknown, fault).await?;

    let eve = sim_c.login(&sim_c.request("eve")?, "eve", sample.password("eve")?).await?;
    arena
        .judge(Case::new(BUNDLE, "not-entitled", AUTHORIZE, &["S1-A2a", "KI1-R1"], Reason::NotEntitled), eve)
        .await?;
    let other = sim_c.login(&sim_c.request("bob")?, "alice", sample.password("alice")?).await?;
    arena
        .judge(Case::new(BUNDLE, "ue-of-another-user", AUTHORIZE, &["S1-A1"], Reason::SubjectWrong), other)
        .await?;

    let page = sim_c.authorize(&sim_c.request("alice")?).await??;
    let password = sample.password("alice")?;
    let cross = sim_c.log_in(&page, "alice", password, "https://evil.example").await?;
    arena.judge(case("form-of-another-site", Reason::CrossSite), cross).await?;
    let served = sim_c.log_in(&page, "alice", password, sim).await??;
    anyhow::ensure!(super::redirected(&served, "code").is_some(), "a good login is refused");
    let again = sim_c.log_in(&page, "alice", password, sim).await?;
    arena
        .judge(Case::new("N-REPLAY", "login-form", AUTHORIZE, LOGIN_ROWS, Reason::GrantWrong), again)
        .await?;

    let mut silent = sim_c.request("alice")?;
    set(&mut silent, "prompt", "none");
    let outcome = sim_c.authorize(&silent).await?;
    arena.judge(case("silent-without-login", Reason::CredentialsWrong), outcome).await
}

/// Clients that are not who they say.
async fn clients(arena: &mut Arena<'_>, sim_c: &SimC<'_>) -> Result<()> {
    let pairs = sim_c.request("alice")?;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("wrong-secret", Some(SimC::basic("ue-1", "wrong")), Reason::ClientAuthWrong),
        ("unknown-client", Some(SimC::basic("ue-99", "wrong")), Reason::ClientUnknown),
        ("no-client-authentication", None, Reason::ClientAuthWrong),
        ("secret-of-another-client", Some(SimC::basic("ue-bearer", sim_c.secret()?)), Reason::ClientAuthWrong),
    ];
    for (member, authorization, reason) in rows {
        let mut pairs = pairs.clone();
        if member != "no-client-authentication" {
            without(&mut pairs, "client_id");
        }
        let request = sim_c.bare("/par", &pairs)?.opt_header("authorization", authorization.as_deref());
        let outcome = sim_c.https.send(request).await;
        arena.judge(Case::new(BUNDLE, member, PAR, ROWS, reason), outcome).await?;
    }
    Ok(())
}
