//! POST `/revocations`, for the issuer that the SIM-S is: after the answer nothing is granted.

use api_types::admin::{RevocationRequest, Revoked};
use authorization::revocation::Kind;
use service_http::feed::NewEntry;
use service_http::refusal::Refusal;
use store::grants::{families, tokens};
use store::{Sql, sessions, users};

use super::{valid, wrong};
use crate::sim_s::SimServer;

impl SimServer {
    /// Revokes. A subject or client loses its grants and sessions too, so that a refresh brings nothing back; when the
    /// signing key is revoked, the next one signs at once.
    ///
    /// # Errors
    /// Members at fault, a kind that the SIM-S does not issue, another issuer.
    pub async fn revoke(&self, request: &RevocationRequest) -> Result<Revoked, Refusal> {
        valid(request)?;
        let issuer = request.issuer.as_deref().map(|url| url.strip_suffix('/').unwrap_or(url));
        if issuer.is_some_and(|issuer| issuer != self.config().issuer) {
            return Err(wrong("/issuer", "is not an issuer of this process"));
        }
        if !matches!(request.kind, Kind::Token | Kind::Subject | Kind::Client | Kind::Certificate | Kind::Key)
        {
            return Err(wrong("/kind", "is not revoked at this issuer"));
        }
        if request.kind == Kind::Key && self.signing().revoke(&request.value).await? {
            // The next key is known everywhere before this one is refused.
            self.revocations().keys_changed().await?;
        }
        let (kind, value) = (request.kind, request.value.clone());
        let (this, now_s) = (self.clone(), self.now_s());
        let epoch: u64 = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut entries = vec![NewEntry { kind, value: value.clone(), expires_s: None }];
                    match kind {
                        Kind::Subject => entries.extend(end_subject(tx, &value, now_s).await?),
                        Kind::Client => families::revoke_client(tx, &value, now_s).await?,
                        Kind::Token => end_grant_of(tx, &value, now_s).await?,
                        _ => {}
                    }
                    Ok::<_, Refusal>(this.note(tx, entries).await?)
                })
            })
            .await?;
        Ok(self.revocations().acknowledge(epoch).await?)
    }
}

/// Ends what a subject has. `sub` is the account; a VAL user id names the same person.
async fn end_subject(tx: &mut dyn Sql, value: &str, now_s: i64) -> Result<Option<NewEntry>, Refusal> {
    let by_val_user = users::find_val_user(tx, value).await?;
    let account = by_val_user.map(|user| user.user_id.as_str().to_owned()).filter(|account| account != value);
    for name in [Some(value), account.as_deref()].into_iter().flatten() {
        families::revoke_subject(tx, name, now_s).await?;
        sessions::close_all_of(tx, name).await?;
    }
    Ok(account.map(|value| NewEntry { kind: Kind::Subject, value, expires_s: None }))
}

/// A token that is taken away is not to be fetched again by its refresh token.
async fn end_grant_of(tx: &mut dyn Sql, jti: &str, now_s: i64) -> Result<(), Refusal> {
    let family = tokens::find(tx, jti).await?.and_then(|token| token.family);
    if let Some(family) = family {
        families::revoke(tx, &family, now_s).await?;
    }
    Ok(())
}
