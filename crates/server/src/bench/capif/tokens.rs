//! Tokens of the core function, coarse and with details, beside those that the SIM-S gives to a VAL server.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::super::cases;
use super::super::load::{self, request};
use super::super::report::{Report, Row};
use super::super::samples::Samples;
use super::Site;
use super::party::Invoker;

/// How long the core function may take to hear of an object. Own value.
const HEARD: Duration = Duration::from_secs(20);

/// # Errors
/// A token is not given.
pub(super) async fn measure(site: &Site<'_>, report: &mut Report) -> Result<()> {
    let invoker = Invoker::onboard(&site.program).await?;
    let named = an_anchor(site, &invoker).await?;
    site.progress.begin(&format!("tokens of SIM-S and core function, {}", site.on));
    let plain = request(
        "POST",
        "/token",
        &[("content-type", "application/x-www-form-urlencoded")],
        &cases::token_form(&site.program, "3gpp:seal:san.read")?,
    );
    let plain = run(site, &site.program.target("sim_mtls")?, plain).await?;
    report.push(row(site, "token of the SIM-S, beside CAPIF", &plain));
    let ccf = invoker.target(&site.program, "ccf")?;
    let scope = format!("3gpp#{}:ssan-sanm", invoker.san);
    let details = json!([
        { "type": "3gpp_spatial_anchor", "level": "SERVICE", "actions": ["create", "discover"] },
        { "type": "3gpp_spatial_anchor", "level": "INSTANCE", "identifier": named, "actions": ["read", "update"] },
    ]);
    heard(site, &invoker, &scope, &details).await?;
    let coarse = run(site, &ccf, invoker.token_request(&scope, None)).await?;
    report.push(row(site, "token of the core function", &coarse).beside(&plain));
    let detailed = run(site, &ccf, invoker.token_request(&scope, Some(&details))).await?;
    report.push(row(site, "token of the core function, with details", &detailed).beside(&plain));
    Ok(())
}

/// An anchor of the invoker, by its identifier in details.
pub(super) async fn an_anchor(site: &Site<'_>, invoker: &Invoker) -> Result<String> {
    let token = invoker.token(&format!("3gpp#{}:ssan-sanm", invoker.san), None).await?;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let post = request("POST", cases::LISTS, &headers, &cases::list());
    let (status, answer) = load::once(&invoker.target(&site.program, "san")?, &post).await?;
    ensure!(status == 201, "no list was created: {answer}");
    let path = cases::location(&answer)?;
    let list = path.rsplit('/').next().unwrap_or_default();
    let body: Value = serde_json::from_str(cases::body(&answer))?;
    Ok(format!("{list}/{}", body["anchors"]["a"]["anchorId"]))
}

/// Waits until the core function gives a token for the object, of which it hears a little after it was made.
async fn heard(site: &Site<'_>, invoker: &Invoker, scope: &str, details: &Value) -> Result<()> {
    let ambient = &site.options.ambient;
    let until = ambient.monotonic() + HEARD;
    loop {
        // An element that is not granted is left out, and the others are.
        let details: Vec<_> = serde_json::from_value(details.clone())?;
        let request = sdk::capif::TokenRequest { scope: scope.to_owned(), authorization_details: details };
        let told = invoker.ccf.token(&invoker.id, &request).await?.authorization_details;
        if told.is_some_and(|told| told.len() == request.authorization_details.len()) {
            return Ok(());
        }
        ensure!(ambient.monotonic() < until, "the core function was not told of an anchor");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn run(site: &Site<'_>, target: &load::Target, ask: Vec<u8>) -> Result<Samples> {
    let (process, ambient) = (&site.program.process, &site.options.ambient);
    load::run(target, process, ambient, cases::shape(site.options), 200, move |_| ask.clone()).await
}

fn row(site: &Site<'_>, what: &str, samples: &Samples) -> Row {
    Row::of("capif", what, samples).on(site.on).rss(site.program.process.rss_mib())
}
