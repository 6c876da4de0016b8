//! P1: a VAL user logs in, the SIM-C gets a token for one spatial localization service and then for another
//! (TR 33.721 figure 6.1.2-1, steps 0 to 2).

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use api_types::oauth::TokenResponse;
use authorization::AccessClaims;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jose::{HeaderPolicy, Jwks, compact};
use sdk::{Answer, HttpsClient, Request, SimClient};

use super::Sample;
use super::play::{Found, Score, all};
use super::sample::UE_SCOPES;

const USER: &str = "alice";
const CLIENT: &str = "ue-1";
const ANCHORS: &str = "3gpp:seal:san.read 3gpp:seal:san.discover";
const MAPS: &str = "3gpp:seal:sm.read 3gpp:seal:sm.localize";

/// Plays it.
pub(super) async fn play(sample: &Sample, score: &mut Score<'_>) -> Result<()> {
    let sim = sample.sim_c(CLIENT, Some(&score.trace)).await?;
    let (san, sm) = (sample.url("san")?.to_owned(), sample.url("sm")?.to_owned());

    // step 0: the user is authenticated.
    let pending = sim.begin(sample.request(USER, UE_SCOPES)?);
    let code = sim.login(&pending, USER, sample.password(USER)?).await.context("login")?;
    // steps 1 and 2: a token for the anchor service.
    let first = sim.redeem(&code, Some(&san), Some(ANCHORS)).await.context("first token")?;
    score.take_over().await?;
    let verified = verify(sample, &sim, &first, (&san, ANCHORS)).await?;
    score.client("2", ("SIM-C", "SIM-C"), "check the token for the anchor service", verified);

    // Steps 1 and 2 again, for another service of the same login.
    let refresh = first.refresh_token.as_ref().context("no refresh token came along")?.expose();
    let https = sample.https(CLIENT, Some(&score.trace))?;
    let answer = renew(sample, &https, &sim, refresh, (&sm, MAPS)).await?;
    let second: TokenResponse = answer.clone().expect(&[200])?.json()?;
    score.take_over().await?;
    let verified = verify(sample, &sim, &second, (&sm, MAPS)).await?;
    score.client("2", ("SIM-C", "SIM-C"), "check the token for the map service", verified);
    let kept = all(&[
        (
            "Cache-Control: no-store",
            answer.header("cache-control").is_some_and(|value| value.contains("no-store")),
        ),
        ("no token in an address", answer.header("location").is_none()),
    ]);
    score.client("2", ("SIM-C", "SIM-C"), "check how the token came", kept);
    score.require(&[("0", "SIM-C", "SIM-S"), ("1", "SIM-C", "SIM-S"), ("2", "SIM-S", "SIM-C")]);
    Ok(())
}

/// A refresh whose answer is seen whole.
async fn renew(
    sample: &Sample,
    https: &HttpsClient,
    sim: &SimClient,
    refresh: &str,
    (resource, scope): (&str, &str),
) -> Result<Answer> {
    let url: url::Url = sim.metadata().token_endpoint.parse()?;
    let secret = sample.client(CLIENT)?.secret.as_deref().context("no secret")?;
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = STANDARD.encode(format!("{}:{}", encode(CLIENT), encode(secret)));
    let proof = sim.dpop().context("no DPoP key")?.proof("POST", &url, None)?;
    let pairs = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
        ("resource", resource),
        ("scope", scope),
    ];
    let request = Request::post(url).form(pairs).header("authorization", &format!("Basic {basic}"));
    Ok(https.send(request.header("dpop", &proof)).await?)
}

/// Verifies a token as a stranger would: by the published keys, claim by claim.
async fn verify(
    sample: &Sample,
    sim: &SimClient,
    answer: &TokenResponse,
    (audience, scope): (&str, &str),
) -> Result<Found> {
    let jwks = Jwks::from_value(&sim.jwks().await?)?;
    let token = answer.access_token.expose();
    let Ok(parsed) = compact::parse(token, &HeaderPolicy::access_token()) else {
        return Ok(Err("no compact JWS of type at+jwt".into()));
    };
    let kid = parsed.header.kid.clone().unwrap_or_default();
    let Some(key) = jwks.key(&kid) else { return Ok(Err("kid is not published".into())) };
    let Ok(verified) = parsed.verify(key) else { return Ok(Err("signature does not verify".into())) };
    let Ok(claims) = verified.claims::<AccessClaims>() else { return Ok(Err("a claim is missing".into())) };
    let (now_s, user) = (sample.ambient.now_s(), sample.users.get(USER).context("no such user")?);
    let jkt = claims.cnf.as_ref().and_then(|cnf| cnf.jkt.as_deref());
    // `openid` stands for the login itself.
    let granted: BTreeSet<&str> = claims.scope.iter().filter(|scope| *scope != "openid").collect();
    Ok(all(&[
        ("signature by a published key", true),
        ("iss", claims.iss == sim.metadata().issuer),
        ("sub", !claims.sub.is_empty()),
        ("VAL user", claims.val_user_id.as_ref().map(|id| id.as_str()) == user["valUserId"].as_str()),
        ("VAL UE", claims.val_ue_id.as_ref().map(|id| id.as_str()) == user["valUeIds"][0].as_str()),
        ("one aud", claims.aud.one() == Some(audience)),
        ("scope", granted == scope.split(' ').collect()),
        ("exp", (now_s + 1..=now_s + 3600).contains(&claims.exp.0)),
        ("iat", (now_s - 30..=now_s + 1).contains(&claims.iat.0)),
        ("jti", claims.jti.len() >= 16),
        ("client_id", claims.client_id.as_str() == CLIENT),
        ("cnf.jkt", jkt.is_some() && jkt == sim.dpop().map(sdk::DpopSession::jkt)),
        ("token_type DPoP", answer.token_type == "DPoP"),
        ("expires_in", (claims.exp.0 - claims.iat.0) == answer.expires_in),
    ]))
}
