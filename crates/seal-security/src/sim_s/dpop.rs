//! DPoP proofs at the endpoints of the SIM-S (RFC 9449 4.3, 5, 8).

use authorization::Reason;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use jose::compact::{self, HeaderPolicy};
use jose::dpop::{self, DpopChecked, DpopExpected};

use super::SimServer;
use super::authenticate::Front;
use super::error::{DPOP_NONCE, ErrorCode, OAuthError};

const DPOP: HeaderName = HeaderName::from_static("dpop");

/// Checks the proof of a request, if there is one.
///
/// # Errors
/// `invalid_dpop_proof`, or `use_dpop_nonce` with the nonce to use.
pub(crate) fn proof(
    front: &Front,
    headers: &HeaderMap,
    method: &str,
    path: &str,
    ath: Option<&str>,
) -> Result<Option<DpopChecked>, OAuthError> {
    let mut values = headers.get_all(DPOP).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let wrong = || OAuthError::new(ErrorCode::InvalidDpopProof, Reason::DpopInvalid);
    if values.next().is_some() {
        return Err(wrong());
    }
    let text = value.to_str().map_err(|_| wrong())?;
    let sim = &front.sim;
    let (now_s, htu) = (sim.now_s(), format!("{}{path}", front.origin()));
    let want = DpopExpected { htm: method, htu: &htu, ath, nonce: None, now_s, jkt: None };
    let checked = dpop::check(text, &want).map_err(|_| wrong())?;
    let parsed = compact::parse(text, &HeaderPolicy::dpop_proof()).map_err(|_| wrong())?;
    let nonce = parsed.unverified_claims().get("nonce").and_then(|nonce| nonce.as_str());
    let nonces = sim.nonces().ok_or_else(key_unavailable)?;
    let fresh = match nonce {
        Some(nonce) => nonces.is_fresh(nonce, now_s),
        None => !sim.config().dpop_nonce_required,
    };
    if fresh {
        Ok(Some(checked))
    } else {
        let error = OAuthError::new(ErrorCode::UseDpopNonce, Reason::DpopNonceWanted);
        Err(error.with_nonce(nonces.current(now_s)))
    }
}

/// Gives the client the nonce for its next request (RFC 9449 8.2).
pub(crate) fn offer_nonce(sim: &SimServer, response: &mut Response) {
    if !sim.config().dpop_nonce_required {
        return;
    }
    let nonce = sim.nonces().map(|nonces| nonces.current(sim.now_s()));
    if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
}

const fn key_unavailable() -> OAuthError {
    OAuthError::new(ErrorCode::TemporarilyUnavailable, Reason::KeyUnavailable)
}
