//! Access tokens of the core function (TS 29.222 8.5.4.2.6, TS 33.122 C.2).

use api_types::capif::{AefId, ApiInvokerId, ApiName};
use api_types::oauth::{AuthorizationDetail, TokenErrorBody, TokenResponse};

use super::CapifClient;
use crate::authorized::Credential;
use crate::error::SdkError;
use crate::request::{Answer, Request};

/// What a token is asked for.
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    /// `3gpp#aefId:apiName,…` of one API exposing function; see [`scope`].
    pub scope: String,
    /// What the token is to be narrowed to (RFC 9396); none: the scope alone.
    pub authorization_details: Vec<AuthorizationDetail>,
}

/// The scope of some APIs at one API exposing function (TS 29.222 8.5.4.2.6).
#[must_use]
pub fn scope(aef: &AefId, apis: &[ApiName]) -> String {
    let names: Vec<_> = apis.iter().map(ApiName::as_str).collect();
    format!("3gpp#{aef}:{}", names.join(","))
}

/// What becomes of a request that can wait.
#[derive(Debug)]
pub enum TokenOrPending {
    /// The token.
    Token(TokenResponse),
    /// The owner of a resource has been asked.
    Pending {
        /// The question.
        ask: String,
        /// Seconds until it is worth asking again.
        interval_s: u32,
    },
}

/// RFC 8628 3.5.
const PENDING: &str = "authorization_pending";

fn checked(token: TokenResponse) -> Result<TokenResponse, SdkError> {
    let is_bearer = token.token_type.eq_ignore_ascii_case("bearer");
    if is_bearer && !token.access_token.expose().is_empty() {
        Ok(token)
    } else {
        Err(SdkError::Malformed("token type"))
    }
}

impl CapifClient {
    /// Obtains an access token by client credentials; it is bound to the certificate of this connection.
    ///
    /// # Errors
    /// The refusal of the core function, or an answer that is no bearer token.
    pub async fn token(
        &self,
        invoker: &ApiInvokerId,
        request: &TokenRequest,
    ) -> Result<TokenResponse, SdkError> {
        let answer = self.asked(invoker, request, false).await?;
        let token: TokenResponse = answer.expect(&[200])?.json()?;
        checked(token)
    }

    /// Likewise, by somebody who can wait for the owner of a resource: who has been asked and has not answered yet is no
    /// refusal. To be asked again after `interval_s`.
    ///
    /// # Errors
    /// As [`CapifClient::token`].
    pub async fn token_or_pending(
        &self,
        invoker: &ApiInvokerId,
        request: &TokenRequest,
    ) -> Result<TokenOrPending, SdkError> {
        let answer = self.asked(invoker, request, true).await?;
        if answer.status == 400 {
            let pending = answer.json::<TokenErrorBody>().ok().filter(|body| body.error == PENDING);
            if let Some(TokenErrorBody { auth_req_id: Some(ask), interval, .. }) = pending {
                return Ok(TokenOrPending::Pending { ask, interval_s: interval.unwrap_or(5) });
            }
        }
        checked(answer.expect(&[200])?.json()?).map(TokenOrPending::Token)
    }

    async fn asked(
        &self,
        invoker: &ApiInvokerId,
        request: &TokenRequest,
        waits: bool,
    ) -> Result<Answer, SdkError> {
        let url = self.url(&["capif-security", "v1", "securities", invoker.as_str(), "token"])?;
        let details = match request.authorization_details.as_slice() {
            [] => None,
            some => {
                Some(serde_json::to_string(some).map_err(|_| SdkError::Unusable("authorization_details"))?)
            }
        };
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", invoker.as_str()),
            ("scope", request.scope.as_str()),
        ];
        form.extend(details.as_deref().map(|details| ("authorization_details", details)));
        form.extend(waits.then_some(("ask_mode", "poll")));
        self.send(Request::post(url).form(form)).await
    }

    /// Likewise, as what requests to the API exposing function carry.
    ///
    /// # Errors
    /// As [`CapifClient::token`].
    pub async fn credential(
        &self,
        invoker: &ApiInvokerId,
        request: &TokenRequest,
    ) -> Result<Credential, SdkError> {
        Ok(Credential::Bearer(self.token(invoker, request).await?.access_token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_names_its_function_and_apis() {
        let aef: AefId = "AEF1".try_into().expect("an identifier");
        let names = ["ssan-sanm", "ssan-disc"].map(|name| ApiName::try_from(name).expect("a name"));
        assert_eq!(scope(&aef, &names), "3gpp#AEF1:ssan-sanm,ssan-disc");
    }
}
