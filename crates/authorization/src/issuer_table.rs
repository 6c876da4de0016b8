//! The issuers that one audience trusts, and what each of them may assert. Closed: who is not listed asserts nothing.

use api_types::ids::ClientId;

use crate::claims::SubType;
use crate::{AccessClaims, Reason};

/// A claim that not every issuer may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RestrictedClaim {
    /// `Digital_profile`: the SIM-S only.
    DigitalProfile,
    /// `SKeyProv`: the SIM-S only.
    SKeyProv,
    /// `resOwnerId`: a CAPIF core function or NEF only.
    ResOwnerId,
    /// `roles`: the SIM-S only, at `admin` and at the console.
    Roles,
    /// A user, and what the SIM-S knows of users and VAL services: nobody of another domain.
    Users,
}

/// One issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRow {
    /// `iss`, compared byte by byte (RFC 8414 3.3).
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Restricted claims that it may make.
    pub claims: Vec<RestrictedClaim>,
    /// Types of `authorization_details` that it may grant.
    pub details: Vec<String>,
    /// What `aud` has to be, where it is not the url of the server: the `aefId` that a CAPIF core function has given it.
    pub audience: Option<String>,
    /// Whether it is a CAPIF core function, whose scopes are of TS 29.222 and whose holders have its certificates.
    pub capif: bool,
    /// Of another domain: what stands behind the `@` of the names that it gives, so that they are never those of a client here.
    pub domain: Option<String>,
    /// Whether it grants a revocation lease. Without one, its tokens are bounded by `exp` alone.
    pub leases: bool,
}

/// Types of `authorization_details` that the SIM-S grants for spatial localization.
pub const SPATIAL_DETAILS: [&str; 2] = ["3gpp_spatial_anchor", "3gpp_spatial_map"];

impl IssuerRow {
    /// The row of our SIM-S at a spatial localization server.
    pub fn sim(issuer: impl Into<String>, jwks_uri: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            jwks_uri: jwks_uri.into(),
            claims: vec![RestrictedClaim::DigitalProfile, RestrictedClaim::SKeyProv, RestrictedClaim::Users],
            details: SPATIAL_DETAILS.map(str::to_owned).to_vec(),
            audience: None,
            capif: false,
            domain: None,
            leases: true,
        }
    }

    /// The row of a CAPIF core function at an API exposing function that it knows as `aef_id`.
    pub fn ccf(issuer: impl Into<String>, jwks_uri: impl Into<String>, aef_id: impl Into<String>) -> Self {
        Self {
            claims: vec![RestrictedClaim::ResOwnerId, RestrictedClaim::Users],
            audience: Some(aef_id.into()),
            capif: true,
            ..Self::sim(issuer, jwks_uri)
        }
    }

    /// The row of a CAPIF core function of another domain, which speaks for no user and no VAL service of ours.
    pub fn foreign_ccf(
        issuer: impl Into<String>,
        jwks_uri: impl Into<String>,
        aef_id: impl Into<String>,
        domain: impl Into<String>,
    ) -> Self {
        Self { claims: Vec::new(), domain: Some(domain.into()), ..Self::ccf(issuer, jwks_uri, aef_id) }
    }

    /// The client of a token as rules and records here name it: one of another domain stands before its domain.
    ///
    /// # Errors
    /// [`Reason::HolderWrong`]: it is no name of a client together with the domain.
    pub fn client(&self, client: &ClientId) -> Result<ClientId, Reason> {
        let Some(domain) = &self.domain else { return Ok(client.clone()) };
        ClientId::try_from(format!("{client}@{domain}")).map_err(|_| Reason::HolderWrong)
    }

    /// The row of our SIM-S at `admin`: it names the roles of operators, and grants nothing in detail.
    pub fn sim_for_operators(issuer: impl Into<String>, jwks_uri: impl Into<String>) -> Self {
        Self {
            claims: vec![RestrictedClaim::Roles, RestrictedClaim::Users],
            details: Vec::new(),
            ..Self::sim(issuer, jwks_uri)
        }
    }

    /// Whether every claim of the token is one that this issuer may make.
    ///
    /// # Errors
    /// [`Reason::ClaimNotItsIssuers`].
    pub fn may_assert(&self, claims: &AccessClaims) -> Result<(), Reason> {
        let restricted = [
            (claims.digital_profile.is_some(), RestrictedClaim::DigitalProfile),
            (claims.s_key_prov.is_some(), RestrictedClaim::SKeyProv),
            (claims.res_owner_id.is_some(), RestrictedClaim::ResOwnerId),
            (!claims.roles.is_empty(), RestrictedClaim::Roles),
            (names_users(claims), RestrictedClaim::Users),
        ];
        let claims_are_its_own = restricted.iter().all(|(made, claim)| !made || self.claims.contains(claim));
        let details_are_its_own = claims.authorization_details.iter().all(|d| self.details.contains(&d.kind));
        if claims_are_its_own && details_are_its_own { Ok(()) } else { Err(Reason::ClaimNotItsIssuers) }
    }
}

/// Whether a token speaks of a user, for somebody else, or for a VAL service.
fn names_users(claims: &AccessClaims) -> bool {
    claims.sub_type == SubType::User
        || claims.val_user_id.is_some()
        || claims.val_ue_id.is_some()
        || claims.gpsi.is_some()
        || claims.ext_id.is_some()
        || claims.act.is_some()
        || !claims.val_service_id.is_empty()
}

/// The issuers of one audience.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssuerTable {
    rows: Vec<IssuerRow>,
}

impl IssuerTable {
    /// A table. Of two rows with one issuer, the first counts.
    #[must_use]
    pub fn new(rows: Vec<IssuerRow>) -> Self {
        Self { rows }
    }

    /// The row of an issuer.
    ///
    /// # Errors
    /// [`Reason::IssuerWrong`] when there is none.
    pub fn row(&self, issuer: &str) -> Result<&IssuerRow, Reason> {
        self.rows.iter().find(|row| row.issuer == issuer).ok_or(Reason::IssuerWrong)
    }

    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = &IssuerRow> {
        self.rows.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_domain_speaks_for_no_user_and_takes_no_name_of_ours() {
        let row =
            IssuerRow::foreign_ccf("https://ccf.b.example", "https://ccf.b.example/jwks", "AEF1", "op-b");
        let token = |spoil: fn(&mut serde_json::Value)| {
            let mut claims = serde_json::json!({
                "iss": "https://ccf.b.example", "sub": "INV1", "aud": "AEF1", "exp": 2, "iat": 1, "jti": "j",
                "client_id": "INV1", "scope": "3gpp#AEF1:ssan-sanm", "sub_type": "client", "rev": 1,
            });
            spoil(&mut claims);
            serde_json::from_value::<AccessClaims>(claims).unwrap()
        };
        assert_eq!(row.may_assert(&token(|_| {})), Ok(()));
        type Spoil = fn(&mut serde_json::Value);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Spoil); 8] = [
            ("a user",             |c| c["sub_type"] = "user".into()),
            ("a VAL user",         |c| c["val_user_id"] = "alice@museum.example".into()),
            ("a VAL UE",           |c| c["val_ue_id"] = "alice-ue".into()),
            ("a subscriber",       |c| c["gpsi"] = "msisdn-491701234567".into()),
            ("an external name",   |c| c["ext_id"] = "alice@op.example".into()),
            ("a VAL service",      |c| c["val_service_id"] = serde_json::json!(["museum-guide"])),
            ("somebody else",      |c| c["act"] = serde_json::json!({ "sub": "lm" })),
            ("a resource owner",   |c| c["resOwnerId"] = "msisdn-491701234567".into()),
        ];
        for (what, spoil) in rows {
            assert_eq!(row.may_assert(&token(spoil)), Err(Reason::ClaimNotItsIssuers), "{what}");
        }
        let client = |text: &str| ClientId::try_from(text).unwrap();
        assert_eq!(
            row.client(&client("vs-1")),
            Ok(client("vs-1@op-b")),
            "never the client of that name here"
        );
        assert_eq!(row.client(&client(&"x".repeat(125))), Err(Reason::HolderWrong));
        let home = IssuerRow::ccf("https://ccf.example", "https://ccf.example/jwks", "AEF1");
        assert_eq!(home.client(&client("INV1")), Ok(client("INV1")));
    }

    #[test]
    fn who_is_not_listed_is_nobody() {
        let table = IssuerTable::new(vec![
            IssuerRow::sim("https://sim.example", "https://sim.example/jwks"),
            IssuerRow {
                leases: false,
                ..IssuerRow::sim("https://sim.partner.example", "https://sim.partner.example/jwks")
            },
        ]);
        assert!(table.row("https://sim.example").unwrap().leases);
        assert!(!table.row("https://sim.partner.example").unwrap().leases);
        for issuer in [
            "",
            "https://sim.example/",
            "https://SIM.example",
            "http://sim.example",
            "https://sim.example.evil",
        ] {
            assert_eq!(table.row(issuer), Err(Reason::IssuerWrong), "{issuer}");
        }
        assert_eq!(IssuerTable::default().row("https://sim.example"), Err(Reason::IssuerWrong));
        assert_eq!(table.iter().count(), 2);
    }
}
