//! The stage `holder`: the token belongs to whoever presents it (RFC 8705 3, RFC 9449 7.1).

use authorization::holder::{self, Scheme};
use authorization::{AccessClaims, Reason};
use http::request::Parts;
use jose::dpop::{self, DpopChecked, DpopExpected};

use super::Credentials;
use crate::call::Ctx;
use crate::kit::FunctionKit;
use crate::peer::Peer;

/// Longest life of a token that is bound to nothing, in seconds (design, section 3).
const UNBOUND_LIFE_S: i64 = 300;

/// Decides whether the peer is the holder; the proof, where one was checked, is used up when something is granted.
pub(super) fn check(
    ctx: &Ctx,
    parts: &Parts,
    path: &str,
    credentials: &Credentials<'_>,
    claims: &AccessClaims,
) -> Result<Option<DpopChecked>, Reason> {
    let kit = ctx.kit();
    let proof = check_proof(ctx, parts, path, credentials)?;
    let x5t = ctx.peer().and_then(Peer::x5t_s256);
    let bearer = unbound_is_allowed(kit, claims);
    let jkt = proof.as_ref().map(|proof| proof.jkt.as_str());
    let decided = holder::check(claims.cnf.as_ref(), credentials.scheme, x5t, jkt, bearer);
    let bound = match &claims.cnf {
        Some(cnf) if cnf.jkt.is_some() => "DPoP, with the key of cnf.jkt",
        Some(cnf) if cnf.x5t_s256.is_some() => "the certificate of cnf.x5t#S256",
        _ if bearer => "unbound, accepted here",
        _ => "a bound token",
    };
    if let Err(reason) = decided {
        ctx.fail("holder", bound, seen(credentials.scheme, x5t, jkt));
        return Err(reason);
    }
    let name =
        ctx.peer().and_then(|peer| peer.certificate.as_ref()).map(|certificate| certificate.name.as_str());
    if let Err(reason) = holder::check_client(claims.client_id.as_str(), name) {
        ctx.fail("client of the certificate", "client_id of the token", "another client");
        return Err(reason);
    }
    ctx.pass("holder", bound, seen(credentials.scheme, x5t, jkt));
    Ok(proof)
}

fn seen(scheme: Scheme, x5t: Option<&str>, jkt: Option<&str>) -> &'static str {
    match (scheme, x5t.is_some(), jkt.is_some()) {
        (Scheme::Dpop, _, true) => "DPoP with a proof",
        (Scheme::Dpop, _, false) => "DPoP without a proof",
        (Scheme::Bearer, true, _) => "Bearer over a client certificate",
        (Scheme::Bearer, false, _) => "Bearer without a client certificate",
    }
}

fn check_proof(
    ctx: &Ctx,
    parts: &Parts,
    path: &str,
    credentials: &Credentials<'_>,
) -> Result<Option<DpopChecked>, Reason> {
    let (Scheme::Dpop, Some(proof)) = (credentials.scheme, credentials.proof) else { return Ok(None) };
    // Never from `Host`: what we are called is configured (design, section 3).
    let htu = format!("{}{path}", ctx.kit().origin);
    let ath = jose::sha256_b64url(credentials.token);
    let want = DpopExpected {
        htm: parts.method.as_str(),
        htu: &htu,
        ath: Some(&ath),
        nonce: None,
        now_s: ctx.ambient().now_s(),
        // Whose key it is, is decided with the other ways of holding a token.
        jkt: None,
    };
    match dpop::check(proof, &want) {
        Ok(checked) => Ok(Some(checked)),
        Err(error) => {
            ctx.fail("DPoP proof", "fresh, for this method, URI and token", error.to_string());
            Err(error.into())
        }
    }
}

/// Unbound tokens are for whole services and live shortly (TS 33.434 A.6; design, section 3).
fn unbound_is_allowed(kit: &FunctionKit, claims: &AccessClaims) -> bool {
    kit.settings.bearer
        && claims.authorization_details.is_empty()
        && claims.exp.0.saturating_sub(claims.iat.0) <= UNBOUND_LIFE_S
}
