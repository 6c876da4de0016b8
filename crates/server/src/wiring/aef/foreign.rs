//! Core functions of other domains whose tokens our servers take, given their configuration alone (`capif.trusted_issuers`).

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use api_types::function::Function;
use service_http::tls::{self, ClientRoot, RootKind};

use super::{Aef, CcfAt, Common, description, register};
use crate::config::TrustedIssuerSection;

/// A core function of another domain, as one of our servers knows it.
pub(in crate::wiring) struct Abroad {
    /// What its API invokers are called after here.
    pub(in crate::wiring) name: String,
    /// What stands in its tokens as `iss`.
    pub(in crate::wiring) issuer: String,
    /// Where its keys are.
    pub(in crate::wiring) jwks: String,
    /// What stands in its tokens as `aud`.
    pub(in crate::wiring) aef_id: String,
    /// Its roots, PEM.
    pub(in crate::wiring) roots: String,
    /// The certificate by which its feed of revocations is followed; `None`: it has none.
    pub(in crate::wiring) follows: Option<sdk::Identity>,
}

/// All that `function` takes tokens of beside `home`. Where it has registered before, one that does not answer holds up
/// nothing.
///
/// # Errors
/// A first registration is refused or not answered; a file of roots cannot be used.
pub(in crate::wiring) async fn abroad(
    common: &Common<'_>,
    function: Function,
    origin: &str,
    home: Option<&Aef>,
) -> Result<Vec<Abroad>> {
    let mut all = Vec::new();
    for section in &common.config.capif.trusted_issuers {
        let registered = match section.enrolment(function) {
            Some(_) => Some(registered(common, function, origin, section).await?),
            None => None,
        };
        let (aef_id, follows) = match (registered, home) {
            (Some(there), _) => (there.id, section.revocations.then_some(there.identity)),
            // Interconnected: it knows our server by the name that the own core function has given it.
            (None, Some(home)) if !section.revocations => (home.id.clone(), None),
            (None, _) => continue,
        };
        all.push(Abroad {
            name: section.name.clone(),
            issuer: section.issuer.clone(),
            jwks: section.jwks.clone().unwrap_or_else(|| format!("{}/jwks", section.issuer)),
            aef_id,
            roots: roots_of(section)?,
            follows,
        });
    }
    Ok(all)
}

/// Registers, or takes up the registration of before.
async fn registered(
    common: &Common<'_>,
    function: Function,
    origin: &str,
    section: &TrustedIssuerSection,
) -> Result<Aef> {
    let ccf = CcfAt { url: &section.issuer, here: None, foreign: Some(section) };
    let error = match register(common, function, origin, &ccf).await {
        Ok(aef) => return Ok(aef),
        Err(error) => error,
    };
    let files = ccf.files(common, function);
    let Some(kept) = files.registration()? else { return Err(error) };
    tracing::warn!(
        issuer = section.issuer,
        error = format!("{error:#}"),
        "the core function of another domain is not reached: what is published there stays as it was"
    );
    Ok(Aef {
        issuer: section.issuer.clone(),
        identity: files.keys()?.identity("aef", &kept.aef)?,
        apis: description::names(function).into_iter().map(str::to_owned).collect(),
        api_ids: BTreeMap::new(),
        id: kept.aef.id,
    })
}

/// Whose API invokers the listeners of our servers take.
///
/// # Errors
/// A file of roots cannot be used.
pub(in crate::wiring) fn invokers_abroad(common: &Common<'_>) -> Result<Vec<ClientRoot>> {
    let one = |section: &TrustedIssuerSection| {
        Ok(ClientRoot::new(tls::certificates_from_pem(&roots_of(section)?)?, RootKind::ForeignInvokers))
    };
    common.config.capif.trusted_issuers.iter().map(one).collect()
}

pub(super) fn roots_of(section: &TrustedIssuerSection) -> Result<String> {
    let doing = || format!("capif.trusted_issuers: roots of {}: {}", section.issuer, section.roots);
    let pem = std::fs::read_to_string(&section.roots).with_context(doing)?;
    tls::certificates_from_pem(&pem).with_context(doing)?;
    Ok(pem)
}
