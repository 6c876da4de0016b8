//! The verifier of access tokens: which issuer, which key, what was read before, what is revoked.
//!
//! A token's signature may be remembered; its expiry, audience, holder, scope and revocation are decided on every use
//! (attack A42), and a key that the issuer no longer publishes verifies nothing any more (A43).

mod cache;
mod issuer;
mod keys;

use std::fmt;
use std::sync::Arc;

use authorization::token::{self, Expected};
use authorization::{AccessClaims, Check, IssuerRow, Reason, Verdict, revocation};
use jose::{HeaderPolicy, compact};

use crate::ambient::Ambient;

pub use issuer::{Following, IssuerState};
pub use keys::{FetchedKeys, KeyError, KeySource};

use cache::{Cache, Cached};

/// Verifies the access tokens of one audience.
pub struct Verifier {
    audience: Arc<str>,
    ambient: Ambient,
    issuers: Vec<Arc<IssuerState>>,
    cache: Cache,
}

/// A token whose signature and claims hold. Holder, revocation and scope are still to be decided.
#[derive(Clone)]
pub struct VerifiedToken {
    cached: Arc<Cached>,
    issuer: Arc<IssuerState>,
}

impl Verifier {
    /// A verifier for `audience`, the configured url of the function without a trailing slash.
    pub fn new(audience: impl Into<Arc<str>>, ambient: Ambient, issuers: Vec<Arc<IssuerState>>) -> Self {
        Self { audience: audience.into(), ambient, issuers, cache: Cache::default() }
    }

    /// The audience.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The issuers that are trusted.
    pub fn issuers(&self) -> &[Arc<IssuerState>] {
        &self.issuers
    }

    /// The issuer of that name.
    ///
    /// # Errors
    /// [`Reason::IssuerWrong`].
    pub fn issuer(&self, issuer: &str) -> Result<&Arc<IssuerState>, Reason> {
        self.issuers.iter().find(|state| state.row().issuer == issuer).ok_or(Reason::IssuerWrong)
    }

    /// Decides whether rights that were granted on a token, and outlive it, still stand: nothing of token, holder or key
    /// may be revoked. Its expiry does not count.
    ///
    /// # Errors
    /// The reason; [`Reason::LeaseExpired`] when the issuer has not been heard of in time.
    pub fn check_standing(&self, claims: &AccessClaims, kid: &str, x5t: Option<&str>) -> Result<(), Reason> {
        let issuer = self.issuer(&claims.iss)?;
        issuer.check_lease(self.ambient.monotonic())?;
        issuer.with_view(|view| revocation::check(view, claims, kid, x5t))
    }

    /// Whether every issuer was heard of, so that requests can be decided.
    pub fn is_ready(&self) -> bool {
        self.issuers.iter().all(|issuer| issuer.is_ready())
    }

    /// Decides the stage `token`. Each check made is told to `checks`.
    ///
    /// # Errors
    /// The first check that fails: form, algorithm, type, issuer, key, signature, claims. An unverified claim can only
    /// refuse.
    pub async fn verify(&self, token: &str, mut checks: impl FnMut(Check)) -> Result<VerifiedToken, Reason> {
        let digest = jose::sha256(token.as_bytes());
        let verified = match self.cached(&digest) {
            Some(verified) => {
                checks(held("token signature", "a published key of the issuer", "verified before"));
                verified
            }
            None => {
                let verified = self.read(token, &mut checks).await?;
                self.cache.insert(digest, Arc::clone(&verified.cached));
                verified
            }
        };
        self.check_claims(&verified, &mut checks)?;
        Ok(verified)
    }

    /// What was read before, if its key is still published.
    fn cached(&self, digest: &[u8; 32]) -> Option<VerifiedToken> {
        let cached = self.cache.find(digest)?;
        let issuer = self.issuer(&cached.claims.iss).ok()?;
        issuer
            .publishes(&cached.kid, &cached.thumbprint)
            .then(|| VerifiedToken { cached, issuer: Arc::clone(issuer) })
    }

    async fn read(&self, token: &str, checks: &mut impl FnMut(Check)) -> Result<VerifiedToken, Reason> {
        let refused = |reason: Reason, checks: &mut dyn FnMut(Check), expected: &'static str| {
            checks(Check::fail("token", expected, reason.as_str()));
            reason
        };
        let parsed = compact::parse(token, &HeaderPolicy::access_token()).map_err(|error| {
            refused(error.into(), checks, "a compact JWS, alg and typ of an access token")
        })?;
        let unverified = parsed.unverified_issuer().unwrap_or_default();
        let issuer = self
            .issuer(unverified)
            .map_err(|reason| refused(reason, checks, "an issuer of the issuer table"))?;
        let kid = parsed.header.kid.clone().unwrap_or_default();
        let key = issuer
            .key(&kid, &self.ambient)
            .await
            .map_err(|reason| refused(reason, checks, "a kid that the issuer publishes"))?;
        let verified = parsed.verify(&key.key).map_err(|error| {
            refused(error.into(), checks, "a signature by the key of this kid, under its algorithm")
        })?;
        checks(held("token signature", "a published key of the issuer", "verified"));
        let claims: AccessClaims = verified
            .claims()
            .map_err(|error| refused(error.into(), checks, "every mandatory claim, each of its type"))?;
        let cached = Cached { claims, kid, thumbprint: key.thumbprint.clone() };
        Ok(VerifiedToken { cached: Arc::new(cached), issuer: Arc::clone(issuer) })
    }

    fn check_claims(&self, verified: &VerifiedToken, checks: &mut impl FnMut(Check)) -> Result<(), Reason> {
        let now_s = self.ambient.now_s();
        let claims = verified.claims();
        let expected = Expected { issuer: verified.issuer.row(), audience: &self.audience, now_s };
        let decided = token::check(claims, &expected).and_then(|()| verified.check_lapse(&self.ambient));
        match decided {
            Ok(()) => {
                checks(held("token claims", format!("aud {}, in force", self.audience), "held"));
                Ok(())
            }
            Err(reason) => {
                let expected = match reason {
                    Reason::AudienceWrong => format!("aud {}", self.audience),
                    Reason::Expired => format!("exp later than now - {} s", token::LEEWAY_S),
                    Reason::NotYetValid => format!("nbf and iat not later than now + {} s", token::LEEWAY_S),
                    _ => "claims that this issuer may make".to_owned(),
                };
                checks(Check::fail("token claims", expected, reason.as_str()));
                Err(reason)
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn cached_tokens(&self) -> usize {
        self.cache.len()
    }
}

impl VerifiedToken {
    /// The claims.
    pub fn claims(&self) -> &AccessClaims {
        &self.cached.claims
    }

    /// The key that signed it.
    pub fn kid(&self) -> &str {
        &self.cached.kid
    }

    /// The row of its issuer.
    pub fn issuer(&self) -> &IssuerRow {
        self.issuer.row()
    }

    /// Decides the stage `revoked`: lease first, then key, certificate, token, client, subject.
    ///
    /// # Errors
    /// The reason.
    pub fn check_revoked(&self, ambient: &Ambient, peer_x5t: Option<&str>) -> Result<(), Reason> {
        self.issuer.check_lease(ambient.monotonic())?;
        self.issuer.with_view(|view| revocation::check(view, self.claims(), self.kid(), peer_x5t))
    }

    /// Decides everything again that may change while a request is served.
    ///
    /// # Errors
    /// The reason.
    pub fn recheck(&self, ambient: &Ambient, peer_x5t: Option<&str>) -> Result<(), Reason> {
        token::check_time(self.claims(), ambient.now_s())?;
        self.check_lapse(ambient)?;
        if !self.issuer.publishes(&self.cached.kid, &self.cached.thumbprint) {
            return Err(Reason::KeyUnknown);
        }
        self.check_revoked(ambient, peer_x5t)
    }

    /// A clock that is set back revives no token.
    fn check_lapse(&self, ambient: &Ambient) -> Result<(), Reason> {
        let claims = self.claims();
        let end = claims.exp.0.saturating_add(token::LEEWAY_S);
        if ambient.clock.has_lapsed(claims.iat.0, end) { Err(Reason::Expired) } else { Ok(()) }
    }
}

fn held(
    check: &'static str,
    expected: impl Into<std::borrow::Cow<'static, str>>,
    seen: impl Into<std::borrow::Cow<'static, str>>,
) -> Check {
    Check { check: check.into(), verdict: Verdict::Pass, expected: expected.into(), seen: seen.into() }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken").field("kid", &self.kid()).finish_non_exhaustive()
    }
}
