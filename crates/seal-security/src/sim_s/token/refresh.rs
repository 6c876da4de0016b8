//! A refresh token is used (RFC 6749 6, RFC 9700 4.14).
//!
//! One that is bound to a key or to a certificate stays the same; any other is replaced by each use. A replaced one that
//! comes again ends the whole family, but for a short while in which a client whose answer got lost may repeat itself
//! and gets the same successor: it is computed from the old token, so that nobody but its holder can compute it.

use api_types::Secret;
use authorization::Reason;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::sha256;
use store::Sql;
use store::grants::families::{self, Family, RefreshToken};

use super::user::{self, Narrowing};
use super::{Decided, TokenRequest, reused};
use crate::sim_s::authorize::grant::Permission;
use crate::sim_s::error::{ErrorCode, OAuthError};

/// How long a replaced token may be repeated, in seconds (identity sheet 5.2, B7 and F7).
const RETRY_S: i64 = 10;

pub(crate) async fn refresh(tx: &mut dyn Sql, request: &TokenRequest) -> Result<Decided, OAuthError> {
    let now_s = request.now_s;
    let client = request.client.record()?;
    let text = request.form.one("refresh_token").ok_or(OAuthError::malformed())?;
    let token = families::find_refresh(tx, &sha256(text.as_bytes())).await?.ok_or(OAuthError::grant())?;
    let family = families::find(tx, &token.family).await?.ok_or(OAuthError::grant())?;
    if family.client_id != client.client_id.as_str() {
        return Err(OAuthError::grant());
    }
    let config = request.sim.config();
    let over = request.sim.is_over(family.ends_s, config.refresh_max_s)
        || request.sim.is_over(family.idle_ends_s, config.refresh_idle_s);
    if over || !family.is_live(now_s) {
        return Err(OAuthError::grant());
    }
    let permission: Permission = serde_json::from_str(&family.permission).map_err(|_| OAuthError::grant())?;
    let jkt = request.proof.as_ref().map(|proof| proof.jkt.as_str());
    if permission.jkt.is_some() && permission.jkt.as_deref() != jkt {
        return Err(OAuthError::new(ErrorCode::InvalidGrant, Reason::HolderWrong));
    }
    let bound = permission.jkt.is_some() || client.registration.auth == "tls_client_auth";
    let next = if bound {
        text.to_owned()
    } else {
        match successor(tx, request, &token, &family, text).await? {
            Some(next) => next,
            None => return reused(tx, request, &family.family).await,
        }
    };
    let mut issued = user::issue(tx, request, &family, &permission, Narrowing::ScopeAndResource).await?;
    let idle_ends_s = now_s.saturating_add(config.refresh_idle_s).min(family.ends_s);
    families::touch(tx, &family.family, &family.permission, idle_ends_s).await?;
    issued.refresh = Some(Secret::new(next));
    request.ctx.pass("refresh token", "live, of this client and key", "held");
    Ok(Decided::Issued(Box::new(issued)))
}

/// The token that replaces this one; `None` when this one was replaced before and comes too late.
async fn successor(
    tx: &mut dyn Sql,
    request: &TokenRequest,
    token: &RefreshToken,
    family: &Family,
    text: &str,
) -> Result<Option<String>, OAuthError> {
    let Some(rotated_s) = token.rotated_s else {
        let next = derive(text, request.fresh.as_bytes());
        if !families::rotate(tx, &token.token_hash, request.fresh.as_bytes(), request.now_s).await? {
            return Err(OAuthError::grant());
        }
        families::insert_refresh(tx, &sha256(next.as_bytes()), &family.family).await?;
        return Ok(Some(next));
    };
    let Some(salt) = &token.salt else { return Ok(None) };
    let next = derive(text, salt);
    let known = families::find_refresh(tx, &sha256(next.as_bytes())).await?;
    let unused = known.is_some_and(|known| known.rotated_s.is_none());
    let in_time = (0..=RETRY_S).contains(&request.now_s.saturating_sub(rotated_s));
    Ok((unused && in_time).then_some(next))
}

fn derive(old: &str, salt: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, old.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, salt).as_ref())
}
