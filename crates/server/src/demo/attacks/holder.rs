//! A VAL UE of the demo: its key, its tokens, and proofs as the attacker wants them.

use std::sync::Arc;

use anyhow::Result;
use api_types::oauth::TokenResponse;
use jose::EcKey;
use jose::dpop::{self, ProofFor};
use sdk::{Ambient, Answer, DpopSession, HttpsClient, Request, SdkError, UserSession};
use url::Url;

use crate::demo::Sample;
use crate::demo::sample::UE_SCOPES;

/// A key that makes DPoP proofs.
#[derive(Clone)]
pub(super) struct Prover {
    pub(super) key: Arc<EcKey>,
    ambient: Ambient,
}

impl Prover {
    pub(super) fn new(ambient: &Ambient) -> Result<Self> {
        let key = EcKey::generate_with(|bytes| {
            ambient.fill(bytes);
            Ok(())
        })?;
        Ok(Self { key: Arc::new(key), ambient: ambient.clone() })
    }

    pub(super) fn session(&self) -> DpopSession {
        DpopSession::with_key(self.key.clone(), self.ambient.clone())
    }

    /// A good proof.
    pub(super) fn proof(&self, method: &str, url: &Url, token: Option<&str>) -> Result<String> {
        self.spoiled(method, url.as_str(), token, 0)
    }

    /// A proof that was made `age_s` ago.
    pub(super) fn spoiled(&self, method: &str, htu: &str, token: Option<&str>, age_s: i64) -> Result<String> {
        let jti = self.ambient.unguessable();
        let iat = self.ambient.now_s() - age_s;
        let proof = ProofFor { jti: &jti, htm: method, htu, iat, access_token: token, nonce: None };
        Ok(dpop::sign(&*self.key, &proof)?)
    }
}

/// A user with a UE, logged in.
pub(super) struct Ue {
    pub(super) https: HttpsClient,
    pub(super) prover: Prover,
    /// For the anchor service; with the ID token and the refresh token of the login.
    pub(super) san: TokenResponse,
    /// For the map service.
    pub(super) sm: TokenResponse,
}

impl Ue {
    pub(super) async fn login(sample: &Sample, user: &str) -> Result<Self> {
        let prover = Prover::new(&sample.ambient)?;
        let sim = sample.sim_c("ue-1", None).await?.with_dpop(prover.session());
        let (san, scope) = (sample.url("san")?, "3gpp:seal:san.read 3gpp:seal:san.discover");
        let request = sample.request(user, UE_SCOPES)?;
        let session = UserSession::login(sim, request, user, sample.password(user)?, san, scope).await?;
        let sm = session.token(sample.url("sm")?, "3gpp:seal:sm.read 3gpp:seal:sm.localize").await?;
        let san = session.token(san, scope).await?;
        Ok(Self { https: sample.https("ue-1", None)?, prover, san, sm })
    }

    /// A GET with a token and a proof for it.
    pub(super) async fn get(&self, url: &Url, token: &str) -> Result<Result<Answer, SdkError>> {
        self.send(Request::get(url.clone()), "GET", url, token).await
    }

    /// Sends a request with a token and a proof for it.
    pub(super) async fn send(
        &self,
        request: Request,
        method: &str,
        url: &Url,
        token: &str,
    ) -> Result<Result<Answer, SdkError>> {
        let proof = self.prover.proof(method, url, Some(token))?;
        Ok(self
            .https
            .send(request.header("authorization", &format!("DPoP {token}")).header("dpop", &proof))
            .await)
    }
}

/// The address of a path at a listener.
pub(super) fn at(sample: &Sample, listener: &str, path: &str) -> Result<Url> {
    Ok(Url::parse(&format!("{}{path}", sample.url(listener)?))?)
}
