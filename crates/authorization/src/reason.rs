//! Why a request was refused: the closed, fine catalogue of audit, trace and `why`.
//!
//! The coarse causes on the wire are `api_types::Cause`; only `service-http` translates.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Stage;

/// A text that is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown reason")]
pub struct UnknownReason;

macro_rules! reasons {
    ($($stage:ident { $($(#[$doc:meta])+ $name:ident $text:literal $remedy:literal)+ })+) => {
        /// Why a request was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($($(#[$doc])+ $name,)+)+
        }

        impl Reason {
            /// Every reason, in the order of the stages.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)+)+];

            /// The name in audit and trace.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$name => $text,)+)+ }
            }

            /// What the caller or the operator can do, in one sentence.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $($(Self::$name => $remedy,)+)+ }
            }

            /// The stage that refuses so.
            #[must_use]
            pub const fn stage(self) -> Stage {
                match self { $($(Self::$name)|+ => Stage::$stage,)+ }
            }
        }

        impl FromStr for Reason {
            type Err = UnknownReason;

            fn from_str(text: &str) -> Result<Self, UnknownReason> {
                match text {
                    $($($text => Ok(Self::$name),)+)+
                    _ => Err(UnknownReason),
                }
            }
        }
    };
}

reasons! {
    Admission {
        /// A member or parameter has an unacceptable value.
        InputRefused "INPUT_REFUSED" "Correct the members that invalidParams names and send the request again."
        /// The body is not what its media type says.
        BodyMalformed "BODY_MALFORMED" "Send strict JSON without duplicate members or trailing bytes, or the form that the operation defines."
        /// A mandatory member is absent.
        MemberMissing "MEMBER_MISSING" "Add the mandatory members that invalidParams names."
        /// A query parameter is unacceptable.
        QueryWrong "QUERY_WRONG" "Correct the query parameters that invalidParams names; a cursor is good only for its own caller and query."
        /// The body has a media type that the route does not read.
        MediaTypeWrong "MEDIA_TYPE_WRONG" "Send the body with a media type that the operation accepts."
        /// No such path.
        RouteUnknown "ROUTE_UNKNOWN" "Look the path up in the API description of this function."
        /// The path has no such method.
        MethodWrong "METHOD_WRONG" "Use one of the methods that the Allow header names."
        /// The role does not run in this process.
        RoleNotHere "ROLE_NOT_HERE" "Ask the process that runs this role, or start it with --roles."
        /// Body, header, list or area over a limit.
        TooLarge "TOO_LARGE" "Send less at once, or ask the operator to raise the named limit."
        /// An ordinary consumer asks for too large an area.
        AreaTooLarge "AREA_TOO_LARGE" "Ask for at most 10,000 square kilometres at once and page through the rest."
        /// Too many requests of this source or client.
        RateLimited "RATE_LIMITED" "Wait as long as Retry-After says and send fewer requests per second."
        /// The function sheds load.
        Overloaded "OVERLOADED" "Wait as long as Retry-After says; the operator can add a node or raise the limits."
        /// A token request or authorization request is malformed.
        RequestMalformed "REQUEST_MALFORMED" "Send each OAuth parameter once, with the mandatory ones state, acr_values and an S256 code_challenge."
        /// A token in the query.
        TokenInQuery "TOKEN_IN_QUERY" "Send the token in the Authorization header only."
        /// A form from another site.
        CrossSite "CROSS_SITE" "Start the login again from the application and use the form that it shows."
        /// Too many wrong passwords.
        LoginThrottled "LOGIN_THROTTLED" "Wait as long as Retry-After says before the next attempt to log in."
        /// An address for callbacks or fetching that is not allowed.
        AddressRefused "ADDRESS_REFUSED" "Use an https address whose host is registered for this client."
    }
    Transport {
        /// The peer has no certificate, or not of the root and role that the route accepts.
        PeerRefused "PEER_REFUSED" "Connect with a client certificate of the root and role that this route accepts."
    }
    Token {
        /// No token.
        TokenMissing "TOKEN_MISSING" "Send an access token in the Authorization header."
        /// Not a token, or a header member that is not allowed.
        TokenMalformed "TOKEN_MALFORMED" "Send the token exactly as the issuer gave it; crit, b64, jku, jwk and x5u are never accepted."
        /// An algorithm that is not accepted for the key.
        AlgRefused "ALG_REFUSED" "Get a token from a configured issuer; only ES256, Ed25519 and PS256 are accepted, each with its own keys."
        /// Another kind of token.
        TypRefused "TYP_REFUSED" "Send an access token (typ at+jwt), not an ID token, a proof or an assertion."
        /// No key for the token's `kid`.
        KeyUnknown "KEY_UNKNOWN" "Get a new token; the issuer no longer publishes the key of this one."
        /// The signature does not verify.
        SignatureWrong "SIGNATURE_WRONG" "Get a new token; this one was changed or signed with another key."
        /// An issuer that is not configured here.
        IssuerWrong "ISSUER_WRONG" "Get the token from an issuer that this function trusts; the operator lists them in the configuration."
        /// The issuer's keys cannot be had.
        IssuerUnreachable "ISSUER_UNREACHABLE" "Try again later; the operator should check that this function reaches the issuer."
        /// A token for another server.
        AudienceWrong "AUDIENCE_WRONG" "Ask the issuer for a token with the url of this server as its one resource."
        /// A claim that this issuer may not make.
        ClaimNotItsIssuers "CLAIM_NOT_ITS_ISSUERS" "Get the claim from the issuer that may assert it; the issuer table of the configuration says which."
        /// The token has expired.
        Expired "EXPIRED" "Get a new token with the refresh token or by a new login, and check the clock."
        /// The token is from the future.
        NotYetValid "NOT_YET_VALID" "Check the clocks of issuer and server; they differ by more than is forgiven."
        /// An unknown client.
        ClientUnknown "CLIENT_UNKNOWN" "Register the client with the operator and use its clientId."
        /// The client did not prove who it is.
        ClientAuthWrong "CLIENT_AUTH_WRONG" "Authenticate with the one method that is registered for this client."
        /// Not a registered redirect URI.
        RedirectWrong "REDIRECT_WRONG" "Use a redirect_uri exactly as it is registered for this client."
        /// The code, refresh token or grant type is not good.
        GrantWrong "GRANT_WRONG" "Start the login again; codes and refresh tokens are good once, for one client and a short time."
        /// User name or password wrong.
        CredentialsWrong "CREDENTIALS_WRONG" "Check user name and password."
        /// A browser without a session at the console, or with one that has ended.
        SessionUnknown "SESSION_UNKNOWN" "Log in at the console again; this browser has no session there, or it has ended."
        /// The act asks for a fresher login (RFC 9470).
        LoginStale "LOGIN_STALE" "Log in again; this act asks for a login of the last few minutes."
        /// The act asks for another kind of login (RFC 9470).
        LoginWeak "LOGIN_WEAK" "Log in again with a passkey; this act asks for more than a password, and /passkeys of the SIM-S adds one."
    }
    Holder {
        /// The token is bound to another key, or not bound where it must be.
        HolderWrong "HOLDER_WRONG" "Use the token over the certificate or with the DPoP key to which it was issued, under its own scheme."
        /// No good DPoP proof.
        DpopInvalid "DPOP_INVALID" "Send a fresh DPoP proof for this method, URI and token, signed with the bound key."
        /// A DPoP proof without the server's nonce.
        DpopNonceWanted "DPOP_NONCE_WANTED" "Repeat the request with the nonce of the DPoP-Nonce header in the proof."
        /// A code, proof or assertion that was used before.
        Replayed "REPLAYED" "Make a new proof, assertion or request; each is good once."
        /// The code verifier does not open the challenge.
        PkceWrong "PKCE_WRONG" "Send the code_verifier whose S256 challenge started this login."
    }
    Revoked {
        /// The revocation lease of the issuer has run out.
        LeaseExpired "LEASE_EXPIRED" "Try again in a second; the operator should check that this function reaches the issuer."
        /// The token is revoked.
        RevokedToken "REVOKED_TOKEN" "Log in again; this token was revoked."
        /// The subject is revoked.
        RevokedSubject "REVOKED_SUBJECT" "Log in again if the account is still in use; its earlier tokens were revoked."
        /// The client is revoked.
        RevokedClient "REVOKED_CLIENT" "Ask the operator about this client; its tokens were revoked."
        /// The signing key or the certificate is revoked.
        RevokedKey "REVOKED_KEY" "Get a new token, or a new certificate from the operator; a key behind this request was revoked."
        /// The consent is revoked.
        RevokedConsent "REVOKED_CONSENT" "Ask the user for consent again."
    }
    Subject {
        /// A user or UE of the request is not the token's.
        SubjectWrong "SUBJECT_WRONG" "Name only the user and the UE to which the token was issued, or leave the identifier out."
    }
    Operation {
        /// The scope does not open the operation.
        ScopeNarrow "SCOPE_NARROW" "Ask the issuer for a token with the scope that WWW-Authenticate names."
        /// The authorization details do not open the operation.
        DetailsNarrow "DETAILS_NARROW" "Ask for authorization_details that name this action and resource."
        /// The operator has none of the roles that the act needs.
        RoleMissing "ROLE_MISSING" "Ask an administrator for one of the roles that this act needs."
        /// An unknown scope is asked for.
        ScopeUnknown "SCOPE_UNKNOWN" "Ask only for scopes that the issuer's metadata lists and that the client may have."
        /// `authorization_details` that cannot be read.
        DetailsUnknown "DETAILS_UNKNOWN" "Send authorization_details as a JSON array of known types, levels and actions, with the exact identifier of each object."
        /// The API takes another security method than those that the invoker offers.
        MethodNotNegotiated "METHOD_NOT_NEGOTIATED" "Offer a security method in prefSecurityMethods that the interface of the API publishes; APIs of spatial services take OAUTH only."
        /// The invoker has used up the invocations that it may make.
        InvocationLimit "INVOCATION_LIMIT" "Ask the provider of the API for more invocations, for all that this invoker may make are used up."
        /// Outside the time ranges in which the invoker may call the API.
        OutsideAllowedTime "OUTSIDE_ALLOWED_TIME" "Call the API within the time ranges that its provider allows this invoker."
        /// Scopes of two servers, or not exactly one resource.
        TargetWrong "TARGET_WRONG" "Ask for one resource per token, with scopes of that one server."
    }
    Resource {
        /// There is no such object.
        NotFound "NOT_FOUND" "Check the identifier; deleted identifiers are never used again."
        /// The object is private.
        NotVisible "NOT_VISIBLE" "Ask the owner to make the object visible to you."
        /// Only the owner may do that.
        NotOwner "NOT_OWNER" "Let the owner of the object make this change."
        /// The rules of the object do not name the caller.
        NotAllowedEntity "NOT_ALLOWED_ENTITY" "Ask the owner to add you or your VAL service to the allowed entities."
        /// The policy of the owner denies it.
        OwnerDenied "OWNER_DENIED" "Ask the owner of the object, whose policy denies this."
        /// What the owner allows has not reached everybody who decides about it.
        NotSynchronised "NOT_SYNCHRONISED" "Try again later; the object stays private until its server and the CAPIF core function agree about it."
        /// An older version of a policy than the one that is known.
        StalePolicy "STALE_POLICY" "Read the policy again and repeat the change with a higher policyVersion."
        /// The owner of a resource that is told of is no API invoker.
        OwnerUnknown "OWNER_UNKNOWN" "Name an API invoker that is onboarded now as owner; without its owner the object stays private."
        /// The owner is asked and has not answered.
        AuthorizationAsked "AUTHORIZATION_ASKED" "Ask again later; the owner of the object has been asked and has not answered yet."
        /// A question to an owner that can be answered no more.
        AskOver "ASK_OVER" "Let the requester ask again; a question can be answered for five minutes."
        /// A question to an owner that has been answered.
        AskAnswered "ASK_ANSWERED" "Change the policies of the resource instead; a question is answered once."
        /// An answer that does not hold the nonce of its question.
        NonceWrong "NONCE_WRONG" "Answer with the nonce that came with the question."
        /// The resource owner has to authorize.
        OwnerRequired "OWNER_REQUIRED" "Get the permission of the resource owner."
        /// The object has another version.
        StaleVersion "STALE_VERSION" "Read the object again and repeat the change with its current ETag."
        /// The identifier is in use.
        IdTaken "ID_TAKEN" "Choose another identifier."
        /// Something that the decision needs did not answer.
        DependencyDown "DEPENDENCY_DOWN" "Try again later; the operator should look at the dependency that the trace names."
        /// The store failed.
        StoreFailed "STORE_FAILED" "Try again later; the operator should look at the log under this trace."
        /// The signing or encryption key cannot be used.
        KeyUnavailable "KEY_UNAVAILABLE" "Try again later; the operator should check the key store."
    }
    Parts {
        /// Part of the object belongs to another provider.
        PartOfOtherProvider "PART_OF_OTHER_PROVIDER" "Change only your own service information and leave that of others as it is."
    }
    PlaceTime {
        /// Outside the service area.
        OutsideArea "OUTSIDE_AREA" "Use the object inside its service area."
        /// Outside the period of the object.
        OutsidePeriod "OUTSIDE_PERIOD" "Use the object inside its time period, or ask the owner to extend it."
    }
    Operator {
        /// No local rule lets the subject use the service.
        NotEntitled "NOT_ENTITLED" "Ask the operator to entitle this user or client to the service."
        /// A rule of the operator.
        OperatorRule "OPERATOR_RULE" "Ask the operator about the rule that the audit record names."
        /// A regulatory rule.
        RegulatoryRule "REGULATORY_RULE" "This is not allowed here and now by regulation; the audit record names the rule."
    }
    Consent {
        /// The subscriber has not consented, by the UDM.
        ConsentUdm "CONSENT_UDM" "Ask the subscriber to consent to this purpose at the operator."
        /// The resource owner has not consented.
        ConsentOwner "CONSENT_OWNER" "Ask the resource owner to permit this purpose."
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Reason {}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A token refused by `jose` has one reason each.
impl From<jose::JoseError> for Reason {
    fn from(error: jose::JoseError) -> Self {
        use jose::JoseError;
        match error {
            JoseError::Malformed => Self::TokenMalformed,
            JoseError::AlgRefused => Self::AlgRefused,
            JoseError::TypRefused => Self::TypRefused,
            JoseError::KeyUnknown => Self::KeyUnknown,
            JoseError::SignatureWrong => Self::SignatureWrong,
            JoseError::KeyUnavailable => Self::KeyUnavailable,
        }
    }
}

/// A proof refused by `jose` is invalid, another key than the bound one is a wrong holder, and a nonce can be had.
impl From<jose::dpop::DpopError> for Reason {
    fn from(error: jose::dpop::DpopError) -> Self {
        match error {
            error if error.wants_nonce() => Self::DpopNonceWanted,
            jose::dpop::DpopError::KeyWrong => Self::HolderWrong,
            _ => Self::DpopInvalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_reads_back_and_helps() {
        for reason in Reason::ALL.iter().copied() {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
            assert_eq!(serde_json::from_value::<Reason>(reason.as_str().into()).unwrap(), reason);
            assert!(reason.as_str().bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{reason}");
            let remedy = reason.remedy();
            assert!(
                remedy.len() > 15 && remedy.ends_with('.') && !remedy.contains(". "),
                "{reason}: one sentence"
            );
        }
        let names: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        assert_eq!("token_missing".parse::<Reason>(), Err(UnknownReason));
    }

    #[test]
    fn reasons_stand_in_the_order_of_their_stages() {
        assert!(Reason::ALL.is_sorted_by_key(|reason| reason.stage()));
        assert!(Reason::ALL.is_sorted());
    }

    #[test]
    fn the_first_set_of_the_contract_is_there() {
        let first = "TOKEN_MISSING TOKEN_MALFORMED ALG_REFUSED TYP_REFUSED KEY_UNKNOWN SIGNATURE_WRONG ISSUER_WRONG \
                     AUDIENCE_WRONG CLAIM_NOT_ITS_ISSUERS EXPIRED NOT_YET_VALID HOLDER_WRONG DPOP_INVALID REPLAYED \
                     REVOKED_TOKEN REVOKED_SUBJECT REVOKED_CLIENT REVOKED_KEY REVOKED_CONSENT LEASE_EXPIRED \
                     SUBJECT_WRONG SCOPE_NARROW DETAILS_NARROW NOT_FOUND NOT_VISIBLE NOT_OWNER NOT_ALLOWED_ENTITY \
                     PART_OF_OTHER_PROVIDER OUTSIDE_AREA OUTSIDE_PERIOD OPERATOR_RULE REGULATORY_RULE CONSENT_UDM \
                     CONSENT_OWNER OWNER_REQUIRED DEPENDENCY_DOWN";
        for name in first.split_ascii_whitespace() {
            assert!(name.parse::<Reason>().is_ok(), "{name}");
        }
    }
}
