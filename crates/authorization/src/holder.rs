//! The token belongs to whoever presents it: certificate (RFC 8705 3) or DPoP key (RFC 9449 7.1); attacks A29 to A31.

use crate::Reason;
use crate::claims::Cnf;

/// Scheme of the `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Bearer`, also of certificate-bound tokens.
    Bearer,
    /// `DPoP`, with a proof.
    Dpop,
}

impl Scheme {
    /// Reads the scheme, in any case of letters (RFC 9110 11.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("Bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case("DPoP") {
            Some(Self::Dpop)
        } else {
            None
        }
    }
}

/// Decides whether the peer is the holder.
///
/// `peer_x5t` is the digest of the client certificate of this connection, `dpop_jkt` the thumbprint of a proof that was
/// checked for this request and token. `bearer_allowed`: this operation accepts tokens that are bound to nothing.
///
/// # Errors
/// [`Reason::DpopInvalid`] when the proof is lacking, else [`Reason::HolderWrong`].
pub fn check(
    cnf: Option<&Cnf>,
    scheme: Scheme,
    peer_x5t: Option<&str>,
    dpop_jkt: Option<&str>,
    bearer_allowed: bool,
) -> Result<(), Reason> {
    let is = |bound: &str, held: Option<&str>| held.is_some_and(|held| jose::equal(bound, held));
    let (jkt, x5t) = cnf.map_or((None, None), |cnf| (cnf.jkt.as_deref(), cnf.x5t_s256.as_deref()));
    if x5t.is_some_and(|bound| !is(bound, peer_x5t)) {
        return Err(Reason::HolderWrong);
    }
    match (jkt, scheme) {
        // RFC 9449 7.1: a bound token is never accepted as a bearer token.
        (Some(_), Scheme::Bearer) | (None, Scheme::Dpop) => Err(Reason::HolderWrong),
        (Some(_), Scheme::Dpop) if dpop_jkt.is_none() => Err(Reason::DpopInvalid),
        (Some(bound), Scheme::Dpop) if is(bound, dpop_jkt) => Ok(()),
        (Some(_), Scheme::Dpop) => Err(Reason::HolderWrong),
        (None, Scheme::Bearer) if x5t.is_some() || bearer_allowed => Ok(()),
        (None, Scheme::Bearer) => Err(Reason::HolderWrong),
    }
}

/// Decides whether the client of the token is the one of the certificate, wherever there is a certificate.
///
/// # Errors
/// [`Reason::HolderWrong`].
pub fn check_client(client_id: &str, peer_name: Option<&str>) -> Result<(), Reason> {
    if peer_name.is_none_or(|name| name == client_id) { Ok(()) } else { Err(Reason::HolderWrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Result<(), Reason> = Ok(());
    const HOLDER: Result<(), Reason> = Err(Reason::HolderWrong);
    const PROOF: Result<(), Reason> = Err(Reason::DpopInvalid);

    fn cnf(jkt: Option<&str>, x5t: Option<&str>) -> Option<Cnf> {
        Some(Cnf { jkt: jkt.map(Into::into), x5t_s256: x5t.map(Into::into) })
    }

    #[test]
    fn a_token_is_good_with_its_own_key_only() {
        use Scheme::{Bearer, Dpop};
        let (none, empty) = (None, cnf(None, None));
        let (jkt, x5t, both) = (cnf(Some("k"), None), cnf(None, Some("c")), cnf(Some("k"), Some("c")));
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("DPoP", &jkt, Dpop, None, Some("k"), false, OK),
            ("DPoP over a certificate", &jkt, Dpop, Some("c"), Some("k"), false, OK),
            ("DPoP, another key", &jkt, Dpop, None, Some("k2"), false, HOLDER),
            ("DPoP without proof", &jkt, Dpop, None, None, false, PROOF),
            ("DPoP token as bearer", &jkt, Bearer, None, None, true, HOLDER),
            ("DPoP token as bearer with proof", &jkt, Bearer, None, Some("k"), true, HOLDER),
            ("certificate", &x5t, Bearer, Some("c"), None, false, OK),
            ("another certificate", &x5t, Bearer, Some("c2"), None, true, HOLDER),
            ("no certificate", &x5t, Bearer, None, None, true, HOLDER),
            ("certificate token under DPoP", &x5t, Dpop, Some("c"), Some("k"), true, HOLDER),
            ("both", &both, Dpop, Some("c"), Some("k"), false, OK),
            ("both, certificate lacking", &both, Dpop, None, Some("k"), false, HOLDER),
            ("both, key lacking", &both, Dpop, Some("c"), None, false, PROOF),
            ("both, another key", &both, Dpop, Some("c"), Some("k2"), false, HOLDER),
            ("both as bearer", &both, Bearer, Some("c"), None, true, HOLDER),
            ("unbound where allowed", &none, Bearer, None, None, true, OK),
            ("unbound, not allowed", &none, Bearer, None, None, false, HOLDER),
            ("unbound over a certificate, not allowed", &none, Bearer, Some("c"), None, false, HOLDER),
            ("unbound under DPoP", &none, Dpop, None, Some("k"), true, HOLDER),
            ("empty cnf where allowed", &empty, Bearer, None, None, true, OK),
            ("empty cnf, not allowed", &empty, Bearer, None, None, false, HOLDER),
        ];
        for (what, cnf, scheme, peer, proof, bearer, expected) in rows {
            assert_eq!(check(cnf.as_ref(), scheme, peer, proof, bearer), expected, "{what}");
        }
    }

    #[test]
    fn the_client_is_the_peer() {
        assert_eq!(check_client("vs-1", Some("vs-1")), OK);
        assert_eq!(check_client("vs-1", None), OK);
        assert_eq!(check_client("vs-1", Some("vs-2")), HOLDER);
        assert_eq!(check_client("vs-1", Some("VS-1")), HOLDER);
    }

    #[test]
    fn schemes_are_names() {
        assert_eq!(Scheme::from_name("bearer"), Some(Scheme::Bearer));
        assert_eq!(Scheme::from_name("dpop"), Some(Scheme::Dpop));
        assert_eq!(Scheme::from_name("Basic"), None);
    }
}
