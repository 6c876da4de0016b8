//! Signatures, token checks and decisions, on one thread without a network: what the rest is made of.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use api_types::san::SpatialAnchor;
use authorization::access_rules::may_discover;
use authorization::capif::invocation::Grants;
use authorization::{AccessClaims, Caller, IssuerRow, Item, Principal};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use jose::EcKey;
use serde_json::json;
use service_http::testkit::TestIssuer;
use service_http::verifier::{Following, Verifier};

use super::Options;
use super::fill;
use super::process::thread_cpu;
use super::program::CLIENT;
use super::report::{Report, Row};
use super::samples::Samples;
use crate::ambient::key_entropy;

const AUDIENCE: &str = "https://san.example";

/// # Errors
/// The cryptographic library failed.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let random: SystemRandom = key_entropy();
    let message = [7_u8; 300];
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        .map_err(|_| anyhow!("no key"))?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref())
        .map_err(|_| anyhow!("no key"))?;
    let signature = key.sign(&random, &message).map_err(|_| anyhow!("no signature"))?;
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref().to_vec());
    let sign = repeat(options, |_| key.sign(&random, &message).is_ok())?;
    report.push(Row::of("signature", "raw ECDSA P-256, sign", &sign));
    let verify = repeat(options, |_| public.verify(&message, signature.as_ref()).is_ok())?;
    report.push(Row::of("signature", "raw ECDSA P-256, verify", &verify));

    // The issuer's clock stands still with the lease: this is about the check, not about time.
    let (ambient, _) = service_http::ambient::Ambient::for_test(1_800_000_000, 1);
    let issuer = TestIssuer::sim(&ambient);
    let verifier = Verifier::new(AUDIENCE, ambient.clone(), vec![Arc::clone(&issuer.state)]);
    let mut claims = issuer.claims_of_server(AUDIENCE, CLIENT, "3gpp:seal:san");
    claims["cnf"] = json!({ "x5t#S256": "bench" });
    let own: EcKey = EcKey::generate(&random).map_err(|_| anyhow!("no key"))?;
    let signed = repeat(options, |_| jose::jwt::sign(&own, "at+jwt", &claims).is_ok())?;
    report.push(Row::of("check", "token, signed", &signed).beside(&sign));

    // As many tokens as a first measurement needs, none of them seen before.
    let count = (options.seconds * 20_000.0) as usize;
    let tokens: Vec<String> = (0..count)
        .map(|n| {
            claims["jti"] = json!(format!("t-{n}"));
            issuer.token(&claims)
        })
        .collect();
    let uncached = each(options, &tokens, &verifier).await?;
    report.push(Row::of("check", "token check, signature verified", &uncached).beside(&verify));
    let one = [tokens.first().context("a token")?.clone()];
    let warm = Verifier::new(AUDIENCE, ambient, vec![Arc::clone(&issuer.state)]);
    let cached = each(options, &one, &warm).await?;
    report.push(Row::of("check", "token check, signature remembered", &cached).beside(&verify));

    of_core_function(options, report, &verify).await?;
    let caller = Caller::from_claims(&serde_json::from_value(claims)?, "kid", None);
    let items = (0..10)
        .map(|n| {
            let typed: SpatialAnchor = serde_json::from_value(fill::document(n, CLIENT))?;
            let owner = Principal::new("https://sim.example".to_owned(), "owner".to_owned());
            Ok(Item::new(owner, typed.visibility, typed.rules.as_ref()))
        })
        .collect::<Result<Vec<_>>>()?;
    let decided = repeat(options, |n| {
        // Some are permitted and most are not; either is a decision.
        let _ = std::hint::black_box(may_discover(&caller, &items[n % items.len()]));
        true
    })?;
    report.push(Row::of("check", "decision on one anchor", &decided).beside(&verify));
    Ok(())
}

/// Tokens of a CAPIF core function: the same check, and what their details leave.
async fn of_core_function(options: &Options, report: &mut Report, verify: &Samples) -> Result<()> {
    const AEF: &str = "AEFbench";
    const CCF: &str = "https://ccf.example";
    let (ambient, _) = service_http::ambient::Ambient::for_test(1_800_000_000, 1);
    let row = IssuerRow::ccf(CCF, format!("{CCF}/jwks"), AEF);
    let issuer = TestIssuer::new(row, Following::Feed, &ambient);
    let verifier = Verifier::new(AUDIENCE, ambient, vec![Arc::clone(&issuer.state)]);
    let mut claims = issuer.claims_of_server(AEF, "INVbench", &format!("3gpp#{AEF}:ssan-sanm,ssan-disc"));
    claims["cnf"] = json!({ "x5t#S256": "bench" });
    claims["authorization_details"] = json!([
        { "type": "3gpp_spatial_anchor", "level": "SERVICE", "actions": ["create", "discover"] },
        { "type": "3gpp_spatial_anchor", "level": "INSTANCE", "identifier": "list/1", "actions": ["read", "update"] },
        {
            "type": "3gpp_spatial_anchor", "level": "SERVICE_INFO", "identifier": "list/2",
            "datatypes": ["service-info"], "servInfoIds": ["offers"], "actions": ["update"],
        },
    ]);
    let count = (options.seconds * 20_000.0) as usize;
    let tokens: Vec<String> = (0..count)
        .map(|n| {
            claims["jti"] = json!(format!("t-{n}"));
            issuer.token(&claims)
        })
        .collect();
    let checked = each(options, &tokens, &verifier).await?;
    report.push(Row::of("check", "token check, core function, signature verified", &checked).beside(verify));
    let claims: AccessClaims = serde_json::from_value(claims)?;
    let read = repeat(options, |_| std::hint::black_box(Grants::of_token(&claims, AEF)).is_ok())?;
    report.push(Row::of("check", "scope and details of a token read", &read).beside(verify));
    Ok(())
}

/// Runs `work` over and over for the time of a measurement.
fn repeat(options: &Options, work: impl Fn(usize) -> bool) -> Result<Samples> {
    /// Between two looks at the clock.
    const CHUNK: usize = 32;
    let mut samples = Samples::default();
    let (cpu, wall) = (thread_cpu(), options.ambient.monotonic());
    let until = wall + Duration::from_secs_f64(options.seconds / 2.0);
    let mut n = 0;
    loop {
        let start = options.ambient.monotonic();
        if start >= until {
            break;
        }
        for _ in 0..CHUNK {
            if !work(n) {
                return Err(anyhow!("a piece of work failed"));
            }
            n += 1;
        }
        let each = options.ambient.monotonic().saturating_sub(start) / CHUNK as u32;
        for _ in 0..CHUNK {
            samples.push(each);
        }
    }
    samples.cpu = thread_cpu().saturating_sub(cpu);
    samples.wall = options.ambient.monotonic().saturating_sub(wall);
    Ok(samples)
}

/// Checks the tokens one after the other, each once, or one over and over.
async fn each(options: &Options, tokens: &[String], verifier: &Verifier) -> Result<Samples> {
    let mut samples = Samples::default();
    let (cpu, wall) = (thread_cpu(), options.ambient.monotonic());
    let until = wall + Duration::from_secs_f64(options.seconds / 2.0);
    for n in 0.. {
        let start = options.ambient.monotonic();
        let token = if tokens.len() == 1 { tokens.first() } else { tokens.get(n) };
        let Some(token) = token.filter(|_| start < until) else { break };
        verifier.verify(token, |_| {}).await.map_err(|reason| anyhow!("{reason:?}"))?;
        samples.push(options.ambient.monotonic().saturating_sub(start));
    }
    samples.cpu = thread_cpu().saturating_sub(cpu);
    samples.wall = options.ambient.monotonic().saturating_sub(wall);
    Ok(samples)
}
