//! What the check of a token of the core function costs a server: the same list, read with a token of either issuer.

use anyhow::{Result, ensure};
use serde_json::json;

use super::super::cases;
use super::super::load::{self, Target, request};
use super::super::report::{Report, Row};
use super::super::samples::Samples;
use super::Site;
use super::party::Invoker;
use super::tokens::an_anchor;

/// # Errors
/// A read is refused.
pub(super) async fn measure(site: &Site<'_>, report: &mut Report) -> Result<()> {
    site.progress.begin(&format!("reads with tokens of either issuer, {}", site.on));
    let invoker = Invoker::onboard(&site.program).await?;
    let token = cases::token(&site.program, "3gpp:seal:san").await?;
    let target = site.program.target("san")?;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let (status, answer) =
        load::once(&target, &request("POST", cases::LISTS, &headers, &cases::list())).await?;
    ensure!(status == 201, "no list was created: {answer}");
    let plain = read(site, &target, &cases::location(&answer)?, &token).await?;
    report.push(Row::of("capif", "list read by a token of the SIM-S", &plain).on(site.on));

    let named = an_anchor(site, &invoker).await?;
    let path = format!("{}/{}", cases::LISTS, named.split('/').next().unwrap_or_default());
    let target = invoker.target(&site.program, "san")?;
    let scope = format!("3gpp#{}:ssan-sanm", invoker.san);
    let coarse = read(site, &target, &path, &invoker.token(&scope, None).await?).await?;
    let what = "list read by a token of the core function";
    report.push(Row::of("capif", what, &coarse).on(site.on).beside(&plain));
    // Level SERVICE: what a token names beside it is looked at as well.
    let details =
        json!([{ "type": "3gpp_spatial_anchor", "level": "SERVICE", "actions": ["read", "create"] }]);
    let detailed = read(site, &target, &path, &invoker.token(&scope, Some(&details)).await?).await?;
    report.push(Row::of("capif", format!("{what}, with details"), &detailed).on(site.on).beside(&plain));
    Ok(())
}

async fn read(site: &Site<'_>, target: &Target, path: &str, token: &str) -> Result<Samples> {
    let get = request("GET", path, &[("authorization", &format!("Bearer {token}"))], "");
    let (process, ambient) = (&site.program.process, &site.options.ambient);
    load::run(target, process, ambient, cases::shape(site.options), 200, move |_| get.clone()).await
}
