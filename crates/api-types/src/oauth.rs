//! Messages of the OAuth 2 and OpenID Connect endpoints.

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// Answer of the token endpoint (RFC 6749 5.1; `issued_token_type` RFC 8693 2.2.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// `Bearer` or `DPoP`; compared without regard to case.
    pub token_type: String,
    /// Seconds that the token lives.
    pub expires_in: i64,
    /// The scope granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
    /// The ID token (OpenID Connect Core 3.1.3.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<Secret>,
    /// Type of what `access_token` holds after a token exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<String>,
    /// What was granted in detail (RFC 9396 7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Vec<AuthorizationDetail>>,
}

/// Refusal of an OAuth endpoint (RFC 6749 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenErrorBody {
    /// Registered error code.
    pub error: String,
    /// Constant per error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// With `authorization_pending`: the question that somebody has to answer, as in CIBA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_req_id: Option<String>,
    /// With `authorization_pending`: seconds until it is worth asking again (RFC 8628 3.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u32>,
}

/// Answer of the PAR endpoint (RFC 9126 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ParResponse {
    /// The reference to name at the authorization endpoint.
    pub request_uri: String,
    /// Seconds that it lives.
    pub expires_in: i64,
}

/// Aliases of endpoints under mutual TLS (RFC 8705 5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MtlsEndpointAliases {
    /// Token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// PAR endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
    /// Introspection endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    /// Revocation endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// Userinfo endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_endpoint: Option<String>,
}

/// Metadata of the authorization server (RFC 8414 2 and OpenID Connect Discovery 3 in one document).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ServerMetadata {
    /// The issuer, byte for byte as `iss`.
    pub issuer: String,
    /// Authorization endpoint; absent where no grant uses it (RFC 8414 2).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub authorization_endpoint: String,
    /// Token endpoint.
    pub token_endpoint: String,
    /// Key set (RFC 7517).
    pub jwks_uri: String,
    /// PAR endpoint (RFC 9126 5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
    /// Introspection endpoint (RFC 7662).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    /// Revocation endpoint (RFC 7009).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// Userinfo endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_endpoint: Option<String>,
    /// Endpoints under mutual TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls_endpoint_aliases: Option<MtlsEndpointAliases>,
    /// Scopes.
    pub scopes_supported: Vec<String>,
    /// `code`.
    pub response_types_supported: Vec<String>,
    /// `query`.
    pub response_modes_supported: Vec<String>,
    /// Grants.
    pub grant_types_supported: Vec<String>,
    /// `public`, `pairwise`.
    pub subject_types_supported: Vec<String>,
    /// Signatures of ID tokens.
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// Claims.
    pub claims_supported: Vec<String>,
    /// Authentication contexts, `3gpp:acr:password` at least (TS 33.434 A.4).
    pub acr_values_supported: Vec<String>,
    /// `S256`.
    pub code_challenge_methods_supported: Vec<String>,
    /// Client authentication at the token endpoint.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// Signatures of client assertions.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// Client authentication at the introspection endpoint.
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    /// Client authentication at the revocation endpoint.
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    /// Types of `authorization_details` (RFC 9396 10).
    pub authorization_details_types_supported: Vec<String>,
    /// Signatures of DPoP proofs (RFC 9449 5.1).
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// RFC 8705 3.3.
    pub tls_client_certificate_bound_access_tokens: bool,
    /// RFC 9207 3.
    pub authorization_response_iss_parameter_supported: bool,
    /// RFC 9126 5.
    pub require_pushed_authorization_requests: bool,
    /// OpenID Connect Discovery 3.
    pub request_parameter_supported: bool,
    /// OpenID Connect Discovery 3; absent means true there, so it is always written.
    pub request_uri_parameter_supported: bool,
    /// OpenID Connect Discovery 3.
    pub claims_parameter_supported: bool,
    /// Documentation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_documentation: Option<String>,
}

/// Metadata of a resource server (RFC 9728 2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ProtectedResourceMetadata {
    /// The resource, which is the audience of its tokens.
    pub resource: String,
    /// Issuers whose tokens it takes.
    pub authorization_servers: Vec<String>,
    /// Scopes that it knows.
    pub scopes_supported: Vec<String>,
    /// `header`.
    pub bearer_methods_supported: Vec<String>,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// RFC 8705.
    pub tls_client_certificate_bound_access_tokens: bool,
    /// RFC 9396.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types_supported: Vec<String>,
    /// RFC 9449.
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// Whether only DPoP-bound tokens are taken.
    pub dpop_bound_access_tokens_required: bool,
}

/// How a token is bound to its holder (RFC 7800; RFC 9449 6, RFC 8705 3.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Confirmation {
    /// Thumbprint of the DPoP key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// SHA-256 of the client certificate.
    #[serde(rename = "x5t#S256", default, skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
}

/// Answer of the introspection endpoint (RFC 7662 2.2). A stranger gets `active: false` and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct IntrospectionResponse {
    /// Whether the token is good now.
    pub active: bool,
    /// Scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// `Bearer` or `DPoP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// Expiry, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// Issued, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Not before, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// Issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Identifier of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Binding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// What was granted in detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Vec<AuthorizationDetail>>,
}

open_enum! {
    /// Level of access to a spatial resource (TR 33.721 6.2: service, instance, part of a service).
    AccessLevel {
        /// Any resource of the service.
        Service = "SERVICE",
        /// One resource.
        Instance = "INSTANCE",
        /// Named service information of a resource.
        ServiceInfo = "SERVICE_INFO",
    }
}

/// One element of `authorization_details` (RFC 9396 2), with the members of all our types.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationDetail {
    /// `3gpp_spatial_anchor`, `3gpp_spatial_map`, `3gpp_digital_asset` or `3gpp_avatar`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Level of access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<AccessLevel>,
    /// What may be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<String>>,
    /// Where (RFC 9396 2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locations: Option<Vec<String>>,
    /// The one resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Kinds of data (RFC 9396 2.2): `service-info` at level `SERVICE_INFO`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datatypes: Option<Vec<String>>,
    /// `ALL`: every part of it, instead of `servInfoIds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serv_info_scope: Option<String>,
    /// Parts of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serv_info_ids: Option<Vec<String>>,
    /// Application, for avatars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Instance of the digital asset container, for avatars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dac_instance_id: Option<String>,
    /// Session, for avatars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Answer of the userinfo endpoint (OpenID Connect Core 5.3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UserInfo {
    /// Subject, as in the ID token.
    pub sub: String,
    /// VAL user (TS 33.434 A.4.2.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_user_id: Option<String>,
    /// VAL services of the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub val_service_id: Vec<String>,
}
