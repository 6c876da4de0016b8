//! A user logs in by a passkey instead of a password.

use std::net::IpAddr;

use authorization::Reason;
use service_http::call::Ctx;
use store::passkeys;
use store::users::{self, UserRecord};

use super::ceremony::{self, Asserted, Expected, Known};
use super::{PasskeyError, challenge, read, relying_party};
use crate::sim_s::SimServer;
use crate::sim_s::error::{ErrorCode, OAuthError};

/// The account of a passkey that was used in the form `interaction`; `None`: it proves nobody.
///
/// # Errors
/// Braked; the store failed.
pub(crate) async fn authenticate(
    sim: &SimServer,
    ctx: &Ctx,
    source: IpAddr,
    interaction: &str,
    sent: &str,
) -> Result<Option<UserRecord>, OAuthError> {
    let refused =
        |error: PasskeyError| ctx.fail("credentials", "a passkey of this server", error.to_string());
    let Ok(sent) = read::<Asserted>(sent).inspect_err(|error| refused(*error)) else { return Ok(None) };
    let Ok(credential_id) = sent.credential_id().inspect_err(|error| refused(*error)) else {
        return Ok(None);
    };
    // There is nothing to guess; the source is braked all the same, by its logins.
    let braked =
        |wait_s| OAuthError::new(ErrorCode::AccessDenied, Reason::LoginThrottled).retry_after(wait_s);
    sim.throttle().admit(PASSKEYS, source, sim.kit().ambient.monotonic()).map_err(braked)?;
    let (config, now_s) = (sim.config(), sim.now_s());
    let origin = config.issuer.clone();
    let (relying_party, challenge) = (relying_party(&origin).unwrap_or_default(), challenge(interaction));
    let found: Result<UserRecord, PasskeyError> = sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let expected =
                    Expected { challenge: &challenge, origin: &origin, relying_party: &relying_party };
                let Some(row) = passkeys::find(tx, &credential_id).await? else {
                    return Ok(Err(PasskeyError::UserWrong));
                };
                let known = Known {
                    public_key: row.public_key,
                    user_handle: row.user_handle,
                    sign_count: row.sign_count,
                };
                let count = match ceremony::asserted(&expected, &sent, &known) {
                    Ok(count) => count,
                    Err(error) => return Ok(Err(error)),
                };
                passkeys::used(tx, &credential_id, count, now_s).await?;
                Ok::<_, OAuthError>(users::find(tx, &row.user_id).await?.ok_or(PasskeyError::UserWrong))
            })
        })
        .await?;
    Ok(found.inspect_err(|error| refused(*error)).ok())
}

/// What passkeys are braked as: no account has this name.
const PASSKEYS: &str = " passkeys";
