//! `GET /trustedInvokers/{apiInvokerId}`: an API exposing function asks how an API invoker was to come, after that one has
//! called `check-authentication` (TS 29.222 8.5.2.4). It sees the entries about itself.

use api_types::capif::invoker::APIInvokerEnrolmentDetails;
use api_types::capif::profile::SecurityMethod;
use api_types::capif::publish::ServiceAPIDescription;
use api_types::capif::security::{SecurityInformation, SecurityTarget, ServiceSecurity, TrustedInvokerQuery};
use api_types::query::Query;
use api_types::validate::cause_of;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::contexts::{self, ContextEntry};
use store::capif::{certificates, invokers};
use store::{Sql, StoreError};

use super::negotiate::is_same;
use super::{info, read};
use crate::ccf::events::destination;
use crate::ccf::party::party;
use crate::ccf::{CcfServer, published};

/// `GET /capif-security/v1/trustedInvokers/{apiInvokerId}?authenticationInfo&authorizationInfo`
pub(crate) async fn obtain(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(invoker): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<ServiceSecurity>, Refusal> {
    let bad = |faults: Vec<_>| Refusal::input(cause_of(&faults), faults);
    let query = Query::parse(query.as_deref().unwrap_or_default()).map_err(|fault| bad(vec![fault]))?;
    let wanted = TrustedInvokerQuery::parse(&query).map_err(bad)?;
    let server = ccf.clone();
    ccf.kit()
        .store
        .write(move |tx| Box::pin(async move { seen(&server, tx, &ctx, &invoker, wanted).await.map(Json) }))
        .await
}

async fn seen(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    ctx: &Ctx,
    invoker: &str,
    wanted: TrustedInvokerQuery,
) -> Result<ServiceSecurity, Refusal> {
    let aef = party(tx, ctx, &[CertRole::Aef]).await?.id;
    const EXPECTED: &str = "one with an entry of this function";
    let absent = || {
        ctx.fail("security context", EXPECTED, "none");
        Refusal::hidden(Reason::NotFound)
    };
    // A context without an entry of this function is as if it were not there.
    let entries = contexts::entries_at(tx, invoker, &aef).await?;
    let row = contexts::find(tx, invoker).await?;
    let row = row.filter(|_| !entries.is_empty()).ok_or_else(absent)?;
    ctx.pass("security context", EXPECTED, "held");
    let mut body = read(&row)?;
    let apis = published::of_aef(tx, &aef).await?;
    let thumbprints = certificates::live_of(tx, invoker, ccf.now_s()).await?;
    let hosts = callback_hosts(tx, invoker).await?;
    let mut shown = Vec::new();
    for mut entry in std::mem::take(&mut body.security_info) {
        let here: Vec<_> = entries.iter().filter(|known| is_of(known, &entry, &apis)).collect();
        // Without an entry, only what names this function itself is told of, so that it learns that nothing fits.
        let named = matches!(entry.target(), Some(SecurityTarget::Aef(named)) if named.as_str() == aef);
        if here.is_empty() && !named {
            continue;
        }
        let method = entry.sel_security_method.as_ref().map(SecurityMethod::as_str).unwrap_or_default();
        if wanted.authentication_info && !here.is_empty() {
            entry.authentication_info = Some(info::authentication(ccf, method, &thumbprints));
        }
        if wanted.authorization_info && !here.is_empty() {
            let names: Vec<_> =
                here.iter().map(|known| (known.api_name.as_str(), known.api_id.as_str())).collect();
            entry.authorization_info = Some(info::authorization(&aef, &names, &hosts));
        }
        shown.push(entry);
    }
    body.security_info = shown;
    let permit = Permit::new("ccf.security.obtain").object(format!("contexts/{invoker}")).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok(body)
}

/// The host at which an API invoker was onboarded to be notified.
async fn callback_hosts(tx: &mut dyn Sql, invoker: &str) -> Result<Vec<String>, StoreError> {
    let Some(row) = invokers::find(tx, invoker).await? else { return Ok(Vec::new()) };
    let onboarded: APIInvokerEnrolmentDetails =
        serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("an API invoker"))?;
    Ok(destination::hosts(&onboarded.notification_destination).unwrap_or_default())
}

/// Whether what was negotiated belongs to this entry of the context: by its API, and by the function or an interface of it.
fn is_of(known: &ContextEntry, entry: &SecurityInformation, apis: &[ServiceAPIDescription]) -> bool {
    if entry.api_id.as_ref().is_some_and(|api| api.as_str() != known.api_id) {
        return false;
    }
    match entry.target() {
        Some(SecurityTarget::Aef(named)) => named.as_str() == known.aef_id,
        Some(SecurityTarget::Interface(interface)) => {
            let mut profiles = apis.iter().flat_map(|api| api.aef_profiles.iter().flatten());
            profiles.any(|profile| {
                let mut own = profile.interface_descriptions.iter().flatten();
                profile.aef_id.as_str() == known.aef_id && own.any(|own| is_same(interface, own))
            })
        }
        None => false,
    }
}
