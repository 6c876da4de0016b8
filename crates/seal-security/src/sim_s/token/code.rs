//! A code is redeemed (RFC 6749 4.1.3, RFC 7636 4.6, RFC 9449 10).

use api_types::Secret;
use authorization::Reason;
use jose::{pkce, sha256};
use store::Sql;
use store::grants::{codes, families};

use super::user::{self, Narrowing};
use super::{Decided, TokenRequest, reused};
use crate::sim_s::authorize::grant::{CodeBinding, Permission};
use crate::sim_s::error::{ErrorCode, OAuthError};

pub(crate) async fn redeem(tx: &mut dyn Sql, request: &TokenRequest) -> Result<Decided, OAuthError> {
    let (form, now_s) = (&request.form, request.now_s);
    let client = request.client.record()?;
    let text = form.one("code").ok_or(OAuthError::malformed())?;
    let redirect_uri = form.one("redirect_uri").ok_or(OAuthError::malformed())?;
    let verifier = form.one("code_verifier").ok_or(pkce_wrong(ErrorCode::InvalidRequest))?;
    if !pkce::is_verifier(verifier) {
        return Err(pkce_wrong(ErrorCode::InvalidRequest));
    }
    let hash = sha256(text.as_bytes());
    let code = codes::find(tx, &hash).await?.ok_or(OAuthError::grant())?;
    // A stranger learns nothing of a code and cannot use it up.
    if code.client_id != client.client_id.as_str() {
        return Err(OAuthError::grant());
    }
    if code.used_s.is_some() {
        return reused(tx, request, &code.family).await;
    }
    if request.sim.is_over(code.expires_s, request.sim.config().code_s) {
        return Err(OAuthError::grant());
    }
    let binding: CodeBinding = serde_json::from_str(&code.binding).map_err(|_| OAuthError::grant())?;
    if binding.redirect_uri != redirect_uri {
        return Err(OAuthError::new(ErrorCode::InvalidGrant, Reason::RedirectWrong));
    }
    if !pkce::opens(verifier, &binding.code_challenge) {
        return Err(pkce_wrong(ErrorCode::InvalidGrant));
    }
    let jkt = request.proof.as_ref().map(|proof| proof.jkt.as_str());
    if binding.dpop_jkt.is_some() && binding.dpop_jkt.as_deref() != jkt {
        return Err(OAuthError::new(ErrorCode::InvalidGrant, Reason::HolderWrong));
    }
    let family = families::find(tx, &code.family).await?.ok_or(OAuthError::grant())?;
    if !family.is_live(now_s) {
        return Err(OAuthError::grant());
    }
    if !codes::consume(tx, &hash, now_s).await? {
        // Another node was faster by a moment: it is the second use all the same.
        return reused(tx, request, &code.family).await;
    }
    let mut permission: Permission =
        serde_json::from_str(&family.permission).map_err(|_| OAuthError::grant())?;
    let mut issued = user::issue(tx, request, &family, &permission, Narrowing::Resource).await?;
    permission.jkt = jkt.map(str::to_owned);
    let kept = serde_json::to_string(&permission).map_err(|_| OAuthError::grant())?;
    families::touch(tx, &family.family, &kept, family.idle_ends_s).await?;
    families::insert_refresh(tx, &sha256(request.fresh.as_bytes()), &family.family).await?;
    issued.refresh = Some(Secret::new(request.fresh.as_str()));
    request.ctx.pass("code", "of this client, redirect URI and verifier", "held");
    Ok(Decided::Issued(Box::new(issued)))
}

const fn pkce_wrong(code: ErrorCode) -> OAuthError {
    OAuthError::new(code, Reason::PkceWrong)
}
