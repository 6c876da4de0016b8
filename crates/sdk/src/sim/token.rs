//! The token endpoint and its neighbours (RFC 6749, 7009, 7662, 8693, 8707, 9449).

use api_types::Secret;
use api_types::oauth::{IntrospectionResponse, TokenResponse, UserInfo};
use url::Url;

use super::{Code, RENEW_BEFORE_S, SimClient, id_token};
use crate::authorized::{Authorized, Credential};
use crate::error::SdkError;
use crate::request::{Answer, Request};

/// Type of an access token in an exchange (RFC 8693 3).
pub const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A token exchange (RFC 8693 2.1).
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The token to exchange.
    pub subject_token: Secret,
    /// Its type.
    pub subject_token_type: String,
    /// Where the new token is used.
    pub resource: String,
    /// What it may do.
    pub scope: String,
}

impl SimClient {
    /// Sends a form with the authentication of the client and, where tokens are bound, a proof. Asked for another nonce
    /// (RFC 9449 8), it sends once more.
    pub(super) async fn post(
        &self,
        url: Url,
        pairs: Vec<(&'static str, String)>,
    ) -> Result<Answer, SdkError> {
        let mut answer = self.post_once(&url, pairs.clone()).await?;
        let nonce = answer.header("dpop-nonce");
        let fresh = self.dpop.as_ref().is_some_and(|session| session.remember(&url, nonce));
        let asked = matches!(answer.refusal(), SdkError::OAuth { error, .. } if error == "use_dpop_nonce");
        if fresh && asked {
            answer = self.post_once(&url, pairs).await?;
            if let Some(session) = &self.dpop {
                session.remember(&url, answer.header("dpop-nonce"));
            }
        }
        Ok(answer)
    }

    async fn post_once(&self, url: &Url, pairs: Vec<(&'static str, String)>) -> Result<Answer, SdkError> {
        let request = self.auth.request(url.clone(), pairs, &self.metadata.issuer, &self.ambient)?;
        let proof = self.dpop.as_ref().map(|session| session.proof("POST", url, None)).transpose()?;
        self.https.send(request.opt_header("dpop", proof.as_deref())).await
    }

    /// The answer of the token endpoint.
    pub(super) async fn ask_for_token(&self, pairs: Vec<(&'static str, String)>) -> Result<Answer, SdkError> {
        let aliases = self.metadata.mtls_endpoint_aliases.as_ref();
        let mutual = aliases.and_then(|a| a.token_endpoint.as_ref());
        self.post(self.endpoint(Some(&self.metadata.token_endpoint), mutual)?, pairs).await
    }

    pub(super) async fn token(&self, pairs: Vec<(&'static str, String)>) -> Result<TokenResponse, SdkError> {
        let token: TokenResponse = self.ask_for_token(pairs).await?.expect(&[200])?.json()?;
        // RFC 9449 5: whoever asked for a bound token does not take an unbound one.
        let expected = if self.dpop.is_some() { "dpop" } else { "bearer" };
        if !token.token_type.eq_ignore_ascii_case(expected) || token.access_token.expose().is_empty() {
            return Err(SdkError::Malformed("token type"));
        }
        Ok(token)
    }

    /// Redeems an authorization code for a token of one resource server; without `resource`, for userinfo only.
    ///
    /// # Errors
    /// The refusal of the server, or a token or ID token that is not the one asked for.
    pub async fn redeem(
        &self,
        code: &Code,
        resource: Option<&str>,
        scope: Option<&str>,
    ) -> Result<TokenResponse, SdkError> {
        let mut pairs = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.code.expose().to_owned()),
            ("redirect_uri", code.redirect_uri.clone()),
            ("code_verifier", code.verifier.expose().to_owned()),
        ];
        narrowing(&mut pairs, resource, scope);
        let token = self.token(pairs).await?;
        self.check_id_token(&token, Some(&code.nonce))?;
        Ok(token)
    }

    /// Gets another token of the same login; the refresh token is replaced by the one in the answer.
    ///
    /// # Errors
    /// The refusal of the server, or a token that is not the one asked for.
    pub async fn refresh(
        &self,
        refresh_token: &Secret,
        resource: Option<&str>,
        scope: Option<&str>,
    ) -> Result<TokenResponse, SdkError> {
        let mut pairs = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", refresh_token.expose().to_owned()),
        ];
        narrowing(&mut pairs, resource, scope);
        let token = self.token(pairs).await?;
        // OpenID Connect Core 12.2: a refreshed ID token need not have a nonce.
        self.check_id_token(&token, None)?;
        Ok(token)
    }

    /// Gets a token for the client itself.
    ///
    /// # Errors
    /// The refusal of the server, or a token that is not the one asked for.
    pub async fn client_credentials(&self, resource: &str, scope: &str) -> Result<TokenResponse, SdkError> {
        let mut pairs = vec![("grant_type", "client_credentials".to_owned())];
        narrowing(&mut pairs, Some(resource), Some(scope));
        self.token(pairs).await
    }

    /// The credential of the client itself for a resource server, kept until shortly before its expiry.
    ///
    /// # Errors
    /// As [`SimClient::client_credentials`].
    pub async fn client_credential(&self, resource: &str, scope: &str) -> Result<Credential, SdkError> {
        // Held across the request, so that many callers ask once.
        let mut kept = self.kept.lock().await;
        let key = (resource.to_owned(), scope.to_owned());
        let now_s = self.ambient.now_s();
        if let Some((token, until_s)) = kept.get(&key)
            && now_s < *until_s
        {
            return self.credential(token);
        }
        let token = self.client_credentials(resource, scope).await?;
        let credential = self.credential(&token)?;
        kept.retain(|_, (_, until_s)| now_s < *until_s);
        kept.insert(key, (token.clone(), usable_until(now_s, token.expires_in)));
        Ok(credential)
    }

    /// Forgets every kept token, as after a refusal.
    pub async fn forget(&self) {
        self.kept.lock().await.clear();
    }

    /// Exchanges a token (RFC 8693).
    ///
    /// # Errors
    /// The refusal of the server, or a token that is not the one asked for.
    pub async fn exchange(&self, exchange: &Exchange) -> Result<TokenResponse, SdkError> {
        let mut pairs = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange".to_owned()),
            ("subject_token", exchange.subject_token.expose().to_owned()),
            ("subject_token_type", exchange.subject_token_type.clone()),
        ];
        narrowing(&mut pairs, Some(&exchange.resource), Some(&exchange.scope));
        self.token(pairs).await
    }

    /// Asks about a token (RFC 7662).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn introspect(&self, token: &Secret) -> Result<IntrospectionResponse, SdkError> {
        let aliases = self.metadata.mtls_endpoint_aliases.as_ref();
        let mutual = aliases.and_then(|a| a.introspection_endpoint.as_ref());
        let url = self.endpoint(self.metadata.introspection_endpoint.as_ref(), mutual)?;
        self.post(url, vec![("token", token.expose().to_owned())]).await?.expect(&[200])?.json()
    }

    /// Revokes a token of this client (RFC 7009). An unknown token is no error.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn revoke(&self, token: &Secret) -> Result<(), SdkError> {
        let aliases = self.metadata.mtls_endpoint_aliases.as_ref();
        let mutual = aliases.and_then(|a| a.revocation_endpoint.as_ref());
        let url = self.endpoint(self.metadata.revocation_endpoint.as_ref(), mutual)?;
        self.post(url, vec![("token", token.expose().to_owned())]).await?.expect(&[200]).map(|_| ())
    }

    /// Reads the claims about the user (OpenID Connect Core 5.3).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn userinfo(&self, token: &TokenResponse) -> Result<UserInfo, SdkError> {
        let aliases = self.metadata.mtls_endpoint_aliases.as_ref();
        let mutual = aliases.and_then(|a| a.userinfo_endpoint.as_ref());
        let url = self.endpoint(self.metadata.userinfo_endpoint.as_ref(), mutual)?;
        let authorized = Authorized::new(self.https.clone(), self.credential(token)?);
        authorized.send(Request::get(url)).await?.expect(&[200])?.json()
    }

    fn check_id_token(&self, token: &TokenResponse, nonce: Option<&str>) -> Result<(), SdkError> {
        let Some(id_token) = &token.id_token else { return Ok(()) };
        id_token::check(
            id_token.expose(),
            &self.metadata.issuer,
            self.client_id(),
            nonce,
            self.ambient.now_s(),
        )
    }
}

fn narrowing(pairs: &mut Vec<(&'static str, String)>, resource: Option<&str>, scope: Option<&str>) {
    pairs.extend(resource.map(|resource| ("resource", resource.to_owned())));
    pairs.extend(scope.filter(|scope| !scope.is_empty()).map(|scope| ("scope", scope.to_owned())));
}

/// Until when a token that came now is used: not in its last seconds, and never longer than it says.
pub(super) fn usable_until(now_s: i64, expires_in: i64) -> i64 {
    now_s.saturating_add(expires_in.saturating_sub(RENEW_BEFORE_S).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_it_expires() {
        for (expires_in, until_s) in [(300, 1270), (30, 1000), (10, 1000), (0, 1000), (-5, 1000)] {
            assert_eq!(usable_until(1000, expires_in), until_s, "{expires_in}");
        }
        assert_eq!(usable_until(1000, i64::MAX), i64::MAX);
    }
}
