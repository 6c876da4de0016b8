//! `POST /owners/{ownerId}/asks/{askId}/decision`: the owner of a resource answers, by its certificate and with the nonce of
//! the question; once, and in time.

use api_types::admin::PolicyEffect;
use api_types::capif::resource_auth::AskDecision;
use authorization::Reason;
use aws_lc_rs::constant_time;
use axum::extract::{Path, State};
use http::StatusCode;
use jose::sha256;
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::asks::{self, AskRow, AskState};
use store::capif::resources;

use super::keep::fault;
use super::record::invoker;
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// `POST /capif-resource-auth/v1/owners/{ownerId}/asks/{askId}/decision`
pub(crate) async fn decide(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((owner, ask)): Path<(String, String)>,
    JsonBody(body): JsonBody<AskDecision>,
) -> Result<StatusCode, Refusal> {
    let server = ccf.clone();
    let _: () = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { answer(tx, &server, &ctx, (&owner, &ask), &body).await }))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn answer(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: &Ctx,
    (owner, ask): (&str, &str),
    body: &AskDecision,
) -> Result<(), Refusal> {
    let party = party(tx, ctx, &[CertRole::Invoker]).await?;
    own(ctx, &party, owner, "ownerId")?;
    const EXPECTED: &str = "one about a resource of the caller";
    let none = |reason| {
        ctx.fail("question", EXPECTED, "none");
        Refusal::hidden(reason)
    };
    let row = asks::find(tx, ask).await?.ok_or_else(|| none(Reason::NotFound))?;
    let resource = resources::find(tx, &row.aef_id, &row.resource_id).await?;
    let resource = resource.ok_or_else(|| none(Reason::NotFound))?;
    if resource.owner != invoker(&party.id) {
        return Err(none(Reason::NotOwner));
    }
    ctx.pass("question", EXPECTED, "held");
    let shown = sha256(body.nonce.as_bytes());
    constant_time::verify_slices_are_equal(&shown, &row.nonce_sha256).map_err(|_| {
        ctx.fail("nonce", "that of the question", "another one");
        Refusal::open(Reason::NonceWrong)
    })?;
    let now_s = ccf.now_s();
    check_state(&row, now_s).map_err(|reason| {
        ctx.fail("question", "open", row.state.as_str());
        Refusal::open(reason)
    })?;
    let until_s = body.exp_time.as_ref().map(|end| end.unix());
    if until_s.is_some_and(|until| until <= now_s) {
        return Err(fault("/expTime", "is over"));
    }
    let permitted = body.effect == PolicyEffect::Permit;
    if !asks::decide(tx, ask, &shown, (permitted, until_s), now_s).await? {
        return Err(Refusal::open(Reason::AskAnswered));
    }
    let permit =
        Permit::new("ccf.resource_auth.decide").object(format!("asks/{ask}/{}", body.effect.as_str()));
    let permit = permit.owner(party.id.as_str()).status(204).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await
}

/// Whether a question can be answered.
fn check_state(row: &AskRow, now_s: i64) -> Result<(), Reason> {
    match row.state {
        AskState::Open if row.expires_s > now_s => Ok(()),
        AskState::Open | AskState::Expired => Err(Reason::AskOver),
        AskState::Permitted | AskState::Denied | AskState::Used => Err(Reason::AskAnswered),
    }
}
