//! The claims (sheet 2.5; TS 33.122 C.2.2; design, section 3).

use authorization::capif::details::{Details, Element};
use authorization::capif::scope::CapifScope;
use authorization::claims::{Audience, Cnf, NumericDate, SubType};
use authorization::{AccessClaims, Reason};
use service_http::oauth::error::{ErrorCode, OAuthError};

use crate::ccf::CcfServer;
use crate::ccf::party::Party;

/// Everything that becomes claims.
pub(super) struct Mint<'a> {
    pub(super) ccf: &'a CcfServer,
    pub(super) invoker: &'a Party,
    pub(super) aef: &'a str,
    pub(super) scope: &'a CapifScope,
    pub(super) details: &'a Details,
    pub(super) jti: &'a str,
    pub(super) rev: u64,
    /// The onboarding ends.
    pub(super) until_s: Option<i64>,
    pub(super) now_s: i64,
}

impl Mint<'_> {
    /// The claims; the token ends no later than the onboarding.
    pub(super) fn claims(&self) -> Result<AccessClaims, OAuthError> {
        let failed = |_| OAuthError::new(ErrorCode::ServerError, Reason::ScopeUnknown);
        let client_id = self.invoker.id.as_str().try_into();
        let life = self.now_s.saturating_add(self.ccf.config().access_token_s);
        Ok(AccessClaims {
            iss: self.ccf.config().issuer.clone(),
            sub: self.invoker.id.clone(),
            aud: Audience::One(self.aef.to_owned()),
            exp: NumericDate(self.until_s.map_or(life, |until| until.min(life))),
            iat: NumericDate(self.now_s),
            nbf: None,
            jti: self.jti.to_owned(),
            client_id: client_id.map_err(|_| OAuthError::new(ErrorCode::ServerError, Reason::StoreFailed))?,
            scope: self.scope.plain().to_scope_set().map_err(failed)?,
            cnf: Some(Cnf { jkt: None, x5t_s256: Some(self.invoker.x5t.clone()) }),
            sub_type: SubType::Client,
            val_user_id: None,
            val_ue_id: None,
            val_service_id: Vec::new(),
            gpsi: None,
            ext_id: None,
            authorization_details: self.details.to_claim(),
            act: None,
            auth_time: None,
            acr: None,
            roles: Vec::new(),
            rev: self.rev,
            digital_profile: None,
            s_key_prov: None,
            by_client: None,
            res_owner_id: None,
        })
    }
}

/// The resource that an element names, by which its token is found when the owner changes his mind.
pub(super) fn resource(element: &Element) -> Option<String> {
    Some(element.spatial()?.level.instance()?.to_string())
}
