//! Who calls, as later stages see it: made of verified claims, once per request.

use api_types::ids::{ClientId, ExternalId, Gpsi, ValServiceId, ValUeId, ValUserId};

use crate::claims::SubType;
use crate::{AccessClaims, ScopeSet};

/// Issuer and subject. One without the other names nobody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
}

impl Principal {
    /// The principal of an issuer and a subject.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), subject: subject.into() }
    }
}

impl std::fmt::Debug for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Principal").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// What kind of consumer calls (TS 23.437 8.3: VAL server or SAn client in a UE).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// A VAL server, for itself.
    ValServer,
    /// A VAL client of a user.
    ValClient,
    /// Another function, for itself.
    Function,
}

/// Who calls. `Debug` shows no person.
#[derive(Clone, PartialEq)]
pub struct Caller {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// The client that the token was issued to.
    pub client_id: ClientId,
    /// What kind of consumer.
    pub kind: CallerKind,
    /// VAL user.
    pub user: Option<ValUserId>,
    /// VAL UE.
    pub ue: Option<ValUeId>,
    /// Subscriber.
    pub gpsi: Option<Gpsi>,
    /// External identifier.
    pub ext_id: Option<ExternalId>,
    /// VAL services of the token.
    pub val_services: Vec<ValServiceId>,
    /// What the token opens.
    pub scopes: ScopeSet,
    /// Identifier of the token.
    pub jti: String,
    /// Revocation epoch of the token.
    pub rev: u64,
    /// When the token ends, in seconds since 1970.
    pub exp: i64,
    /// The key that signed the token.
    pub kid: String,
    /// Digest of the peer's certificate.
    pub x5t: Option<String>,
    /// Who acts for the subject.
    pub actor: Option<String>,
}

impl Caller {
    /// The caller of a token that passed every check up to `revoked`.
    ///
    /// A user is a VAL client, a client for itself a VAL server; who knows more (a function's certificate) sets `kind`.
    #[must_use]
    pub fn from_claims(claims: &AccessClaims, kid: &str, peer_x5t: Option<&str>) -> Self {
        Self {
            issuer: claims.iss.clone(),
            subject: claims.sub.clone(),
            client_id: claims.client_id.clone(),
            kind: match claims.sub_type {
                SubType::User => CallerKind::ValClient,
                SubType::Client => CallerKind::ValServer,
            },
            user: claims.val_user_id.clone(),
            ue: claims.val_ue_id.clone(),
            gpsi: claims.gpsi.clone(),
            ext_id: claims.ext_id.clone(),
            val_services: claims.val_service_id.clone(),
            scopes: claims.scope.clone(),
            jti: claims.jti.clone(),
            rev: claims.rev,
            exp: claims.exp.0,
            kid: kid.to_owned(),
            x5t: peer_x5t.map(str::to_owned),
            actor: claims.act.as_ref().map(|act| act.sub.clone()),
        }
    }

    /// Issuer and subject.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal::new(self.issuer.as_str(), self.subject.as_str())
    }

    /// The VAL server that calls or, where a function calls for it (RFC 8693 4.1), the one that it acts for: the owner's
    /// rules and the operator's are about that one.
    #[must_use]
    pub fn val_server(&self) -> &str {
        if self.actor.is_some() { &self.subject } else { self.client_id.as_str() }
    }

    /// Whether this is that principal, without building one.
    #[must_use]
    pub fn is(&self, principal: &Principal) -> bool {
        self.issuer == principal.issuer && self.subject == principal.subject
    }

    /// Whether the value of a `Ue-Id` header names the user of the token: its GPSI, its External ID or the pseudonym
    /// under which the issuer knows it here. A VAL server has no user.
    #[must_use]
    pub fn ue_id_matches(&self, ue_id: &str) -> bool {
        self.kind == CallerKind::ValClient
            && (self.gpsi.as_ref().is_some_and(|gpsi| gpsi.as_str() == ue_id)
                || self.ext_id.as_ref().is_some_and(|ext_id| ext_id.as_str() == ue_id)
                || self.subject == ue_id)
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{claims, server, user};

    #[test]
    fn a_caller_is_made_of_its_claims() {
        let caller =
            Caller::from_claims(&claims(|c| c["act"] = serde_json::json!({ "sub": "lm" })), "kid", Some("x"));
        assert_eq!(caller.kind, CallerKind::ValClient);
        assert_eq!(caller.principal(), Principal::new("https://sim.example", "pairwise-1"));
        assert!(caller.is(&caller.principal()));
        assert!(
            !caller.is(&Principal::new("https://sim.other.example", "pairwise-1")),
            "same subject, other issuer"
        );
        assert_eq!((caller.actor.as_deref(), caller.x5t.as_deref(), caller.rev), (Some("lm"), Some("x"), 5));
        assert_eq!(server("vs-1").kind, CallerKind::ValServer);
        assert!(!format!("{caller:?}{:?}", caller.principal()).contains("pairwise-1"));
    }

    #[test]
    fn ue_ids_are_those_of_the_user() {
        let caller = Caller::from_claims(&claims(|_| {}), "kid", None);
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("GPSI", "msisdn-491700000001", true), ("External ID", "alice@op-a.example", true), ("pseudonym", "pairwise-1", true),
            ("another GPSI", "msisdn-491700000002", false), ("GPSI without its prefix", "491700000001", false), ("the client", "ue-1", false),
            ("another case", "Alice@op-a.example", false), ("nothing", "", false), ("trailing blank", "pairwise-1 ", false),
        ];
        for (what, ue_id, expected) in rows {
            assert_eq!(caller.ue_id_matches(ue_id), expected, "{what}");
        }
        assert!(!server("vs-1").ue_id_matches("vs-1"), "a VAL server is no user");
        assert!(user("bob", "ue-b").ue_id_matches("bob"));
    }
}
