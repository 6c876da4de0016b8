//! The issuers that one audience trusts, and what each of them may assert. Closed: who is not listed asserts nothing.

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
            claims: vec![RestrictedClaim::DigitalProfile, RestrictedClaim::SKeyProv],
            details: SPATIAL_DETAILS.map(str::to_owned).to_vec(),
            audience: None,
            capif: false,
            leases: true,
        }
    }

    /// The row of a CAPIF core function at an API exposing function that it knows as `aef_id`.
    pub fn ccf(issuer: impl Into<String>, jwks_uri: impl Into<String>, aef_id: impl Into<String>) -> Self {
        Self {
            claims: vec![RestrictedClaim::ResOwnerId],
            audience: Some(aef_id.into()),
            capif: true,
            ..Self::sim(issuer, jwks_uri)
        }
    }

    /// The row of a CAPIF core function of another domain, which speaks for no user of ours.
    pub fn foreign_ccf(
        issuer: impl Into<String>,
        jwks_uri: impl Into<String>,
        aef_id: impl Into<String>,
        leases: bool,
    ) -> Self {
        Self { claims: Vec::new(), leases, ..Self::ccf(issuer, jwks_uri, aef_id) }
    }

    /// The row of our SIM-S at `admin`: it names the roles of operators, and grants nothing in detail.
    pub fn sim_for_operators(issuer: impl Into<String>, jwks_uri: impl Into<String>) -> Self {
        Self { claims: vec![RestrictedClaim::Roles], details: Vec::new(), ..Self::sim(issuer, jwks_uri) }
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
        ];
        let claims_are_its_own = restricted.iter().all(|(made, claim)| !made || self.claims.contains(claim));
        let details_are_its_own = claims.authorization_details.iter().all(|d| self.details.contains(&d.kind));
        if claims_are_its_own && details_are_its_own { Ok(()) } else { Err(Reason::ClaimNotItsIssuers) }
    }
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
