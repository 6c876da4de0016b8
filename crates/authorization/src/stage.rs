//! The stages of one decision, cheapest first (`docs/ARCHITECTURE.md`, "One decision, everywhere").

use std::fmt;

/// A stage. The order is that in which a request passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Size, form, rate and cost.
    Admission,
    /// TLS, root and role that the route accepts.
    Transport,
    /// Parsing, signature, issuer, audience, time.
    Token,
    /// The token belongs to the peer: certificate or DPoP key.
    Holder,
    /// Lease alive; token, subject, client and key not revoked.
    Revoked,
    /// Every user and UE identifier of the request belongs to the token.
    Subject,
    /// What token and route alone decide: scope, details.
    Operation,
    /// One indexed read: owner, entities, visibility.
    Resource,
    /// What the request touches.
    Parts,
    /// Service area, period, expiry.
    PlaceTime,
    /// Local, operator and regulatory rules.
    Operator,
    /// Consent at the UDM and of the resource owner.
    Consent,
    /// The fields that consent and policy leave.
    Minimise,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: &'static [Self] = &[
        Self::Admission,
        Self::Transport,
        Self::Token,
        Self::Holder,
        Self::Revoked,
        Self::Subject,
        Self::Operation,
        Self::Resource,
        Self::Parts,
        Self::PlaceTime,
        Self::Operator,
        Self::Consent,
        Self::Minimise,
    ];

    /// The name in traces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Transport => "transport",
            Self::Token => "token",
            Self::Holder => "holder",
            Self::Revoked => "revoked",
            Self::Subject => "subject",
            Self::Operation => "operation",
            Self::Resource => "resource",
            Self::Parts => "parts",
            Self::PlaceTime => "place/time",
            Self::Operator => "operator",
            Self::Consent => "consent",
            Self::Minimise => "minimise",
        }
    }

    /// Whether a refusal of this stage may depend on the object, and therefore has to be one 404 for a caller who may
    /// not discover it.
    #[must_use]
    pub fn knows_the_object(self) -> bool {
        self >= Self::Resource
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_design() {
        let names: Vec<_> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "admission transport token holder revoked subject operation resource parts place/time operator consent \
             minimise"
        );
        assert!(Stage::ALL.is_sorted());
        assert!(!Stage::Operation.knows_the_object() && Stage::Resource.knows_the_object());
    }
}
