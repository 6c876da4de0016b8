//! POST `/revocations` of `admin`, for the issuer that the core function is: after the answer nothing is granted.

use api_types::admin::{RevocationRequest, Revoked};
use api_types::capif::security::RevocationCause;
use api_types::problem::{Cause, InvalidParam};
use api_types::validate::{Validate, cause_of};
use authorization::revocation::Kind;
use service_http::feed::NewEntry;
use service_http::refusal::Refusal;
use store::capif::{certificates, contexts};

use crate::ccf::CcfServer;
use crate::ccf::security::notice::{self, By};

impl CcfServer {
    /// Revokes. A certificate is withdrawn here too, so that no token is issued for it; when the signing key is revoked, the
    /// next one signs at once. An API invoker (`client`) loses its tokens and stays onboarded.
    ///
    /// # Errors
    /// Members at fault, a kind that a core function does not issue, another issuer.
    pub async fn revoke(&self, request: &RevocationRequest) -> Result<Revoked, Refusal> {
        request.validate("").map_err(|faults| Refusal::input(cause_of(&faults), faults))?;
        let issuer = request.issuer.as_deref().map(|url| url.strip_suffix('/').unwrap_or(url));
        if issuer.is_some_and(|issuer| issuer != self.config().issuer) {
            return Err(wrong("/issuer", "is not an issuer of this process"));
        }
        if !matches!(request.kind, Kind::Token | Kind::Client | Kind::Certificate | Kind::Key) {
            return Err(wrong("/kind", "is not revoked at this issuer"));
        }
        if request.kind == Kind::Key && self.signing().revoke(&request.value).await? {
            // The next key is known everywhere before this one is refused.
            self.revocations().keys_changed().await?;
        }
        let (this, kind, value) = (self.clone(), request.kind, request.value.clone());
        let epoch: u64 = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if kind == Kind::Certificate {
                        certificates::revoke(tx, &value, this.now_s()).await?;
                    }
                    if kind == Kind::Client {
                        let had = contexts::entries(tx, &value).await?;
                        notice::queue_of(
                            tx,
                            &this,
                            &value,
                            had,
                            &RevocationCause::AuthorizationIssue,
                            By::Core,
                        )
                        .await?;
                    }
                    let entry = NewEntry { kind, value, expires_s: None };
                    this.revocations().append(tx, &[entry]).await.map_err(Refusal::from)
                })
            })
            .await?;
        Ok(self.revocations().acknowledge(epoch).await?)
    }
}

fn wrong(at: &str, reason: &'static str) -> Refusal {
    Refusal::input(Cause::MandatoryIeIncorrect, vec![InvalidParam::new(at, reason)])
}
