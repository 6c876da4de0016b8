//! Tokens that come back to their issuer: read by the own keys, and by the own revocations.

use authorization::claims::AccessClaims;
use authorization::{Reason, token};
use jose::{HeaderPolicy, compact};
use store::{Sql, StoreError, revocations};

use super::SimServer;

/// A token of ours.
#[derive(Debug, Clone)]
pub(crate) struct OwnToken {
    /// Its claims.
    pub(crate) claims: AccessClaims,
    /// The key that signed it.
    pub(crate) kid: String,
}

/// Reads an access token: form, key, signature, issuer, time. Audience and revocation are still to be decided.
///
/// # Errors
/// The first check that fails.
pub(crate) fn read(sim: &SimServer, text: &str, now_s: i64) -> Result<OwnToken, Reason> {
    let parsed = compact::parse(text, &HeaderPolicy::access_token())?;
    let kid = parsed.header.kid.clone().ok_or(Reason::KeyUnknown)?;
    let key = sim.ring().verifying_key(&kid, now_s).ok_or(Reason::KeyUnknown)?;
    let claims: AccessClaims = parsed.verify(&key)?.claims()?;
    if claims.iss != sim.config().issuer {
        return Err(Reason::IssuerWrong);
    }
    token::check_time(&claims, now_s)?;
    let life_s = claims.exp.0.saturating_sub(claims.iat.0);
    if sim.is_over(claims.exp.0.saturating_add(token::LEEWAY_S), life_s.saturating_add(token::LEEWAY_S)) {
        return Err(Reason::Expired);
    }
    Ok(OwnToken { claims, kid })
}

/// Whether token, client, subject, key or certificate was revoked since.
///
/// # Errors
/// When the store fails; the inner error is the revocation.
pub(crate) async fn check_revoked(
    tx: &mut dyn Sql,
    claims: &AccessClaims,
    kid: &str,
) -> Result<Result<(), Reason>, StoreError> {
    let certificate = claims.cnf.as_ref().and_then(|cnf| cnf.x5t_s256.as_deref());
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("key", Some(kid), true, Reason::RevokedKey),
        ("certificate", certificate, true, Reason::RevokedKey),
        ("token", Some(claims.jti.as_str()), true, Reason::RevokedToken),
        ("client", Some(claims.client_id.as_str()), false, Reason::RevokedClient),
        ("client", claims.by_client.as_ref().map(|client| client.as_str()), false, Reason::RevokedClient),
        ("subject", Some(claims.sub.as_str()), false, Reason::RevokedSubject),
    ];
    for (kind, value, for_good, reason) in rows {
        let Some(value) = value else { continue };
        if let Some(epoch) = revocations::newest(tx, kind, value, &claims.iss).await?
            && (for_good || claims.rev < epoch)
        {
            return Ok(Err(reason));
        }
    }
    Ok(Ok(()))
}
