//! Users of one operator at another one (TS 24.547 6.2.3): a security token of the SIM-S at home (RFC 8693), redeemed at
//! the SIM-S of the partner (RFC 7523 2.1).

use api_types::Secret;
use api_types::oauth::TokenResponse;

use super::{ACCESS_TOKEN_TYPE, SimClient};
use crate::error::SdkError;

/// Type of a security token (RFC 8693 3).
const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";

impl SimClient {
    /// At home: a security token for the SIM-S `partner`, bound to the key of this client. It is used once, at once.
    ///
    /// # Errors
    /// The refusal of the server, or an answer that is no security token.
    pub async fn security_token(&self, access_token: &Secret, partner: &str) -> Result<Secret, SdkError> {
        let pairs = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange".to_owned()),
            ("subject_token", access_token.expose().to_owned()),
            ("subject_token_type", ACCESS_TOKEN_TYPE.to_owned()),
            ("requested_token_type", JWT_TYPE.to_owned()),
            ("resource", partner.to_owned()),
        ];
        let answer: TokenResponse = self.ask_for_token(pairs).await?.expect(&[200])?.json()?;
        // RFC 8693 2.2.1: what is no access token says so.
        if answer.token_type != "N_A" || answer.access_token.expose().is_empty() {
            return Err(SdkError::Malformed("token type"));
        }
        Ok(answer.access_token)
    }

    /// At the partner: a token of it for a security token from home. This client goes by the same name and has the same
    /// key as the one at home ([`SimClient::with_dpop`]).
    ///
    /// # Errors
    /// The refusal of the server, or a token that is not the one asked for.
    pub async fn redeem_security_token(
        &self,
        security_token: &Secret,
        resource: &str,
        scope: &str,
    ) -> Result<TokenResponse, SdkError> {
        self.token(vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
            ("assertion", security_token.expose().to_owned()),
            ("resource", resource.to_owned()),
            ("scope", scope.to_owned()),
        ])
        .await
    }
}
