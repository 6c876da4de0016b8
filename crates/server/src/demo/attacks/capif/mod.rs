//! N-CAPIF: attacks on P3, at the core function and at the servers behind it (TR 33.721 6.2).

mod enrolment;
mod forged;
mod levels;
mod limits;
pub(super) mod request;
mod revoked;

use anyhow::{Context, Result};
use authorization::Reason;
use sdk::Request;

use super::{Arena, Case};

pub(super) const BUNDLE: &str = "N-CAPIF";

/// Plays them.
pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    enrolment::play(arena).await.context("enrolment")?;
    request::play(arena).await.context("token request")?;
    forged::play(arena).await.context("forged tokens")?;
    levels::play(arena).await.context("levels")?;
    limits::play(arena).await.context("limits")?;
    revoked::play(arena).await.context("revocation")
}

fn case<'m>(member: &'m str, at: &'m str, rows: &'static [&'static str], reason: Reason) -> Case<'m> {
    Case::new(BUNDLE, member, at, rows, reason)
}

/// A request with a token that stands for itself.
fn bearing(request: Request, token: &str) -> Request {
    request.header("authorization", &format!("Bearer {token}"))
}
