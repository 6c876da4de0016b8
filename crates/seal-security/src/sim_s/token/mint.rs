//! The claims of tokens (TS 33.434 A.2; RFC 9068, 8705, 9449) and the answer that carries them.

use api_types::Secret;
use api_types::ids::{ClientId, ValServiceId};
use api_types::oauth::TokenResponse;
use authorization::claims::{AccessClaims, Actor, Audience, Cnf, MAX_ROLES, NumericDate, SubType};
use authorization::{Reason, ScopeSet};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::dpop::DpopChecked;
use jose::{Signer, jwt, sha256};
use serde::Serialize;
use service_http::peer::PeerCertificate;
use store::users::Profile;

use super::narrow::Target;
use crate::sim_s::config::{BEARER_MAX_S, SimConfig};
use crate::sim_s::directory::{Directory, scope_text};
use crate::sim_s::error::{ErrorCode, OAuthError};

/// `issued_token_type` of an exchange (RFC 8693 3).
pub const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// How a token is bound to whoever asked for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Binding {
    /// `cnf`, absent for a bearer token.
    pub cnf: Option<Cnf>,
}

impl Binding {
    /// The DPoP key, else the certificate, else nothing for a client that may have that.
    ///
    /// # Errors
    /// `invalid_dpop_proof` for a client that must bind its tokens and has shown nothing to bind them to.
    pub fn of(
        proof: Option<&DpopChecked>,
        certificate: Option<&PeerCertificate>,
        bearer_allowed: bool,
    ) -> Result<Self, OAuthError> {
        let cnf = match (proof, certificate) {
            (Some(proof), _) => Some(Cnf { jkt: Some(proof.jkt.clone()), x5t_s256: None }),
            (None, Some(certificate)) => {
                Some(Cnf { jkt: None, x5t_s256: Some(certificate.x5t_s256.clone()) })
            }
            (None, None) if bearer_allowed => None,
            (None, None) => return Err(OAuthError::new(ErrorCode::InvalidDpopProof, Reason::DpopInvalid)),
        };
        Ok(Self { cnf })
    }

    /// `token_type` of the answer.
    #[must_use]
    pub fn token_type(&self) -> &'static str {
        if self.cnf.as_ref().is_some_and(|cnf| cnf.jkt.is_some()) { "DPoP" } else { "Bearer" }
    }

    /// Life of a token so bound, in seconds.
    #[must_use]
    pub fn life_s(&self, config: &SimConfig) -> i64 {
        if self.cnf.is_some() { config.access_token_s } else { config.access_token_s.min(BEARER_MAX_S) }
    }
}

/// Who stands behind a token.
#[derive(Clone)]
pub enum Subject<'a> {
    /// A user: `sub`, and what the account says.
    User(&'a str, &'a Profile),
    /// The client itself.
    Client,
}

/// How and when the user logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// When, in seconds since 1970.
    pub auth_time_s: i64,
    /// How.
    pub acr: String,
}

impl Login {
    /// The login, if the target is for operators: nobody else is told of it, nor of the roles of the account.
    #[must_use]
    pub fn for_operators(
        target: &Target,
        directory: &Directory,
        auth_time_s: i64,
        acr: &str,
    ) -> Option<Self> {
        let role = directory.role_at(&target.audience)?;
        let operators = matches!(role, api_types::Function::Admin | api_types::Function::Console);
        operators.then(|| Self { auth_time_s, acr: acr.to_owned() })
    }
}

/// Everything that becomes claims.
#[derive(Clone)]
pub struct Mint<'a> {
    /// Settings.
    pub config: &'a SimConfig,
    /// Who gets the token.
    pub client_id: &'a ClientId,
    /// Who stands behind it.
    pub subject: Subject<'a>,
    /// UE of the user.
    pub val_ue_id: Option<&'a api_types::ids::ValUeId>,
    /// VAL services.
    pub val_services: Vec<ValServiceId>,
    /// Server and scopes.
    pub target: &'a Target,
    /// Binding.
    pub binding: &'a Binding,
    /// Who acts for the subject.
    pub act: Option<Actor>,
    /// The login that it comes from, for servers that ask how fresh it is.
    pub login: Option<Login>,
    /// Random identifier.
    pub jti: &'a str,
    /// Revocation epoch.
    pub rev: u64,
    /// Now, in seconds since 1970.
    pub now_s: i64,
    /// The token ends no later than this.
    pub not_after_s: i64,
}

impl Mint<'_> {
    /// The claims of the access token.
    ///
    /// # Errors
    /// The scopes cannot stand in a token.
    pub fn access(self) -> Result<AccessClaims, OAuthError> {
        let failed = |_| OAuthError::new(ErrorCode::ServerError, Reason::ScopeUnknown);
        let exp_s = self.now_s.saturating_add(self.binding.life_s(self.config)).min(self.not_after_s);
        let (sub, sub_type, profile) = match self.subject {
            Subject::User(sub, profile) => (sub.to_owned(), SubType::User, Some(profile)),
            Subject::Client => (self.client_id.as_str().to_owned(), SubType::Client, None),
        };
        Ok(AccessClaims {
            iss: self.config.issuer.clone(),
            sub,
            aud: Audience::One(self.target.audience.clone()),
            exp: NumericDate(exp_s),
            iat: NumericDate(self.now_s),
            nbf: None,
            jti: self.jti.to_owned(),
            client_id: self.client_id.clone(),
            scope: ScopeSet::parse(&scope_text(&self.target.scopes)).map_err(failed)?,
            cnf: self.binding.cnf.clone(),
            sub_type,
            val_user_id: profile.map(|profile| profile.val_user_id.clone()),
            val_ue_id: self.val_ue_id.cloned(),
            val_service_id: self.val_services,
            gpsi: profile.and_then(|profile| profile.gpsi.clone()),
            ext_id: profile.and_then(|profile| profile.external_id.clone()),
            authorization_details: Vec::new(),
            act: self.act,
            by_client: None,
            auth_time: self.login.as_ref().map(|login| NumericDate(login.auth_time_s)),
            roles: match (&self.login, profile) {
                (Some(_), Some(profile)) => profile.roles.iter().take(MAX_ROLES).cloned().collect(),
                _ => Vec::new(),
            },
            acr: self.login.map(|login| login.acr),
            rev: self.rev,
            digital_profile: None,
            s_key_prov: None,
            res_owner_id: None,
        })
    }
}

/// The claims of an ID token (OpenID Connect Core 2; TS 33.434 A.2.1).
#[derive(Clone, Serialize)]
pub struct IdClaims {
    /// Issuer.
    pub iss: String,
    /// Subject, as this client sees it.
    pub sub: String,
    /// The client.
    pub aud: String,
    /// When it ends.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// Nonce of the authentication request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// When the user logged in.
    pub auth_time: i64,
    /// How.
    pub acr: String,
    /// By what (RFC 8176).
    pub amr: Vec<&'static str>,
    /// Half a hash of the access token beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// VAL user; not for clients that see pseudonyms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_user_id: Option<String>,
    /// VAL services (TS 33.434 A.4.2.5).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub val_service_id: Vec<ValServiceId>,
}

/// What was granted, before it is signed.
#[derive(Clone)]
pub struct Issued {
    /// Claims of the access token.
    pub access: AccessClaims,
    /// Claims of the ID token.
    pub id: Option<IdClaims>,
    /// Refresh token.
    pub refresh: Option<Secret>,
    /// `token_type`.
    pub token_type: &'static str,
    /// `issued_token_type` of an exchange.
    pub issued_token_type: Option<&'static str>,
}

/// Signs what was granted.
///
/// # Errors
/// The key cannot be used.
pub fn sign(issued: Issued, signer: &dyn Signer) -> Result<TokenResponse, OAuthError> {
    let failed = |_| OAuthError::new(ErrorCode::TemporarilyUnavailable, Reason::KeyUnavailable);
    let access_token = jwt::sign(signer, "at+jwt", &issued.access).map_err(failed)?;
    let id_token = match issued.id {
        Some(mut claims) => {
            claims.at_hash = Some(URL_SAFE_NO_PAD.encode(&sha256(access_token.as_bytes())[..16]));
            Some(jwt::sign(signer, "JWT", &claims).map_err(failed)?)
        }
        None => None,
    };
    Ok(TokenResponse {
        access_token: Secret::new(access_token),
        token_type: issued.token_type.to_owned(),
        expires_in: issued.access.exp.0.saturating_sub(issued.access.iat.0),
        scope: Some(issued.access.scope.iter().collect::<Vec<_>>().join(" ")),
        refresh_token: issued.refresh,
        id_token: id_token.map(Secret::new),
        issued_token_type: issued.issued_token_type.map(str::to_owned),
        authorization_details: None,
    })
}
