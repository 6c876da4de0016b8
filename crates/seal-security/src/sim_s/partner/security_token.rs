//! The security token: what it says, and when a partner takes it.

use authorization::Reason;
use authorization::claims::Cnf;
use authorization::token::LEEWAY_S;
use jose::{HeaderPolicy, compact};
use serde::{Deserialize, Serialize};

use super::Partner;
use crate::sim_s::SimServer;
use crate::sim_s::error::{ErrorCode, OAuthError};

/// Life of a security token, in seconds (identity sheet 1.8).
pub(crate) const LIFE_S: i64 = 60;

/// Kind of the once-only rows of security tokens.
pub(crate) const ONCE: &str = "security_token";

/// Longest `jti` and `sub`, in characters. Own value: a name of ours is made of the latter.
const MAX_ID: usize = 96;

/// The claims of a security token.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecurityClaims {
    /// The home SIM-S.
    pub(crate) iss: String,
    /// The user, under a pseudonym for this partner.
    pub(crate) sub: String,
    /// The client and the partner.
    pub(crate) aud: Vec<String>,
    /// When it ends.
    pub(crate) exp: i64,
    /// When it was issued.
    pub(crate) iat: i64,
    /// Identifier.
    pub(crate) jti: String,
    /// How the user logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) acr: Option<String>,
    /// The key of the client.
    pub(crate) cnf: Cnf,
}

/// A security token of a partner whose signature, audience and time hold. That it is good once, and the holder's, is
/// decided in the transaction that grants.
#[derive(Clone)]
pub(crate) struct Vouched {
    /// Who vouches.
    pub(crate) partner: Partner,
    /// What for.
    pub(crate) claims: SecurityClaims,
}

/// Reads the assertion of a jwt-bearer grant (RFC 7523 3).
///
/// # Errors
/// `invalid_grant` for the first check that fails: form, issuer, key, signature, audience, time.
pub(crate) async fn read(sim: &SimServer, text: &str) -> Result<Vouched, OAuthError> {
    let wrong = |reason| OAuthError::new(ErrorCode::InvalidGrant, reason);
    let parsed =
        compact::parse(text, &HeaderPolicy::client_assertion()).map_err(|error| wrong(error.into()))?;
    let issuer = parsed.unverified_issuer().unwrap_or_default();
    let partner = sim.config().partners.iter().find(|partner| partner.issuer == issuer);
    let partner = partner.ok_or(wrong(Reason::IssuerWrong))?.clone();
    let kid = parsed.header.kid.clone().ok_or(wrong(Reason::KeyUnknown))?;
    let key = partner.keys.key(&kid, &sim.kit().ambient).await?;
    let verified = parsed.verify(&key).map_err(|error| wrong(error.into()))?;
    let claims: SecurityClaims = verified.claims().map_err(|error| wrong(error.into()))?;
    check(&claims, &sim.config().issuer, sim.now_s()).map_err(wrong)?;
    Ok(Vouched { partner, claims })
}

fn check(claims: &SecurityClaims, own: &str, now_s: i64) -> Result<(), Reason> {
    let of_us = |audience: &String| audience == own || audience.strip_suffix("/token") == Some(own);
    if claims.aud.len() != 2 || !claims.aud.iter().any(of_us) {
        return Err(Reason::AudienceWrong);
    }
    if now_s >= claims.exp.saturating_add(LEEWAY_S) {
        return Err(Reason::Expired);
    }
    if claims.iat > now_s.saturating_add(LEEWAY_S) {
        return Err(Reason::NotYetValid);
    }
    let length = |text: &str| (1..=MAX_ID).contains(&text.chars().count());
    // What lives longer than it may was not made for this.
    let too_long = claims.exp.saturating_sub(claims.iat) > LIFE_S;
    if too_long || !length(&claims.jti) || !length(&claims.sub) || claims.sub.contains('@') {
        return Err(Reason::GrantWrong);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (&'static str, fn(&mut SecurityClaims), Result<(), Reason>);

    #[test]
    fn one_spoiled_claim_has_its_own_reason() {
        const NOW: i64 = 1_800_000_000;
        const OWN: &str = "https://sim.example";
        let good = || SecurityClaims {
            iss: "https://home.example".into(),
            sub: "pseudonym".into(),
            aud: vec!["ue-1".into(), OWN.into()],
            exp: NOW + 60,
            iat: NOW,
            jti: "j".into(),
            acr: None,
            cnf: Cnf::default(),
        };
        assert_eq!(check(&good(), OWN, NOW), Ok(()));
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 13] = [
            ("the token endpoint is us too", |c| c.aud[1] = "https://sim.example/token".into(), Ok(())),
            ("another partner",    |c| c.aud[1] = "https://other.example".into(), Err(Reason::AudienceWrong)),
            ("the client alone",   |c| c.aud.truncate(1),              Err(Reason::AudienceWrong)),
            ("a third party",      |c| c.aud.push("x".into()),         Err(Reason::AudienceWrong)),
            ("leeway just under",  |c| { c.iat = NOW - 89; c.exp = NOW - 29; }, Ok(())),
            ("leeway just over",   |c| { c.iat = NOW - 90; c.exp = NOW - 30; }, Err(Reason::Expired)),
            ("of the future",      |c| { c.iat = NOW + 31; c.exp = NOW + 60; }, Err(Reason::NotYetValid)),
            ("too long a life",    |c| c.exp = NOW + 61,               Err(Reason::GrantWrong)),
            ("no jti",             |c| c.jti.clear(),                  Err(Reason::GrantWrong)),
            ("long jti",           |c| c.jti = "x".repeat(97),         Err(Reason::GrantWrong)),
            ("no subject",         |c| c.sub.clear(),                  Err(Reason::GrantWrong)),
            ("long subject",       |c| c.sub = "x".repeat(97),         Err(Reason::GrantWrong)),
            ("a name of ours",     |c| c.sub = "alice@op-c".into(),    Err(Reason::GrantWrong)),
        ];
        for (what, spoil, expected) in rows {
            let mut claims = good();
            spoil(&mut claims);
            assert_eq!(check(&claims, OWN, NOW), expected, "{what}");
        }
    }
}
