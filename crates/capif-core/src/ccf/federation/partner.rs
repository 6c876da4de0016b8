//! Core functions that this one is interconnected with, and who of them is at the other end of a connection.

use std::sync::Arc;

use authorization::Reason;
use service_http::call::Ctx;
use service_http::peer::CertRole;
use service_http::refusal::Refusal;

use super::link::PartnerLink;
use crate::ccf::CcfServer;

/// The interconnection of a core function.
#[derive(Clone)]
pub struct Federation {
    /// Its own identifier towards partners.
    pub ccf_id: String,
    /// Its partners.
    pub partners: Vec<Partner>,
}

/// How service APIs of a partner get here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Take {
    /// The partner publishes them here.
    #[default]
    Published,
    /// They are discovered there from time to time, for a partner that does not publish.
    Discovered,
}

/// A core function of another domain.
#[derive(Clone)]
pub struct Partner {
    /// Its identifier, which its certificate names.
    pub ccf_id: String,
    /// Its CAPIF provider domain, as `capifProvDoms` names it.
    pub domain: String,
    /// Names of the service APIs that it may bring here; none: all.
    pub apis: Vec<String>,
    /// How they get here.
    pub take: Take,
    /// The way to it.
    pub link: Arc<dyn PartnerLink>,
}

impl std::fmt::Debug for Partner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Partner")
            .field("ccf_id", &self.ccf_id)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// The partner behind the connection; `None` for whoever is no core function.
///
/// # Errors
/// `PEER_REFUSED`: a core function that is not a partner.
pub(crate) fn partner<'c>(ccf: &'c CcfServer, ctx: &Ctx) -> Result<Option<&'c Partner>, Refusal> {
    const EXPECTED: &str = "a core function that this one is interconnected with";
    let certificate = ctx.peer().and_then(|peer| peer.certificate_as(&[CertRole::Ccf]));
    let Some(certificate) = certificate else { return Ok(None) };
    let known = ccf.config().federation.iter().flat_map(|federation| &federation.partners);
    match known.into_iter().find(|partner| partner.ccf_id == certificate.name) {
        Some(partner) => {
            ctx.pass("certificate", EXPECTED, "a partner");
            Ok(Some(partner))
        }
        None => {
            ctx.fail("certificate", EXPECTED, "another one");
            Err(Refusal::open(Reason::PeerRefused))
        }
    }
}

/// The registrations under which the service APIs of all partners are kept.
pub(crate) fn registrations(ccf: &CcfServer) -> Vec<String> {
    let partners = ccf.config().federation.iter().flat_map(|federation| &federation.partners);
    partners.map(|partner| super::registration_of(&partner.ccf_id)).collect()
}
