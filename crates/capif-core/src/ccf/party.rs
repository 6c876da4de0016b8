//! Who asks: the holder of a certificate, as its record says. Neither the subject of the certificate nor a body is ever
//! read for it (sheet 0.3, findings 7 and 8).

use authorization::Reason;
use service_http::call::Ctx;
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::certificates;

use super::identifier::Realm;

/// An API invoker or a function of an API provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    /// What it is.
    pub(crate) role: CertRole,
    /// Its identifier.
    pub(crate) id: String,
    /// The registration of its domain; an API invoker's own identifier.
    pub(crate) registration: String,
    /// The digest of its certificate.
    pub(crate) x5t: String,
}

impl Party {
    /// At which listener it came in.
    pub(crate) fn realm(&self) -> Realm {
        Realm::of(&self.registration)
    }
}

/// The party behind the connection, if its certificate still stands and it is one of `roles`.
///
/// # Errors
/// `PEER_REFUSED`: no certificate, one of another role, or one that was withdrawn or replaced.
pub(crate) async fn party(tx: &mut dyn Sql, ctx: &Ctx, roles: &[CertRole]) -> Result<Party, Refusal> {
    const EXPECTED: &str = "a certificate of the CAPIF core function that is in force";
    let refused = |seen: &'static str| {
        ctx.fail("certificate", EXPECTED, seen);
        Refusal::open(Reason::PeerRefused)
    };
    let certificate = ctx.peer().and_then(|peer| peer.certificate_as(roles));
    let certificate = certificate.ok_or_else(|| refused("none, or one of another role"))?;
    let record = certificates::find(tx, &certificate.x5t_s256).await?;
    let record = record.ok_or_else(|| refused("one that is not on record"))?;
    if record.revoked_s.is_some() {
        return Err(refused("one that was withdrawn"));
    }
    if Realm::of(&record.registration) != Realm::of_listener(ctx) {
        return Err(refused("one that counts at another listener"));
    }
    if record.role != certificate.role.as_str() || record.principal != certificate.name {
        return Err(refused("one of another holder"));
    }
    ctx.pass("certificate", EXPECTED, certificate.role.as_str());
    Ok(Party {
        role: certificate.role,
        id: record.principal,
        registration: record.registration,
        x5t: record.x5t_s256,
    })
}

/// Decides whether the identifier in a path is the caller's own. What another one has is not told, nor whether it is.
///
/// # Errors
/// `NOT_OWNER`.
pub(crate) fn own(ctx: &Ctx, party: &Party, id: &str, what: &'static str) -> Result<(), Refusal> {
    own_name(ctx, &party.id, id, what)
}

/// Likewise, for a caller whose name is known.
///
/// # Errors
/// `NOT_OWNER`.
pub(crate) fn own_name(ctx: &Ctx, name: &str, id: &str, what: &'static str) -> Result<(), Refusal> {
    if name == id {
        ctx.pass(what, "the caller's own", "its own");
        return Ok(());
    }
    ctx.fail(what, "the caller's own", "another one");
    Err(Refusal::open(Reason::NotOwner))
}
