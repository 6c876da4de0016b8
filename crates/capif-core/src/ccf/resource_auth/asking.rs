//! The implicit question to the owner of a resource (TR 33.721 6.3.2.1, NOTE to step 7): asked by the token endpoint where
//! nobody has decided, the resource's default says so, and everybody else agrees.

use api_types::capif::resource_auth::{
    AuthorizationAsk, ResourceAuthEvent, ResourceAuthInfo, ResourceAuthNotification, ResourceOwner,
};
use api_types::capif::{ApiInvokerId, AskId};
use api_types::date_time::DateTime;
use jose::sha256;
use service_http::call::Ctx;
use store::capif::asks::{self, AskRow, AskState};
use store::capif::invokers::{self, InvokerState};
use store::{Sql, StoreError};

pub(crate) use super::record::About;
use super::record::{Known, written};
use super::telling::tell_owner;
use crate::ccf::CcfServer;
use crate::ccf::identifier::fresh;

/// How long a question can be answered, in seconds (sheet 4.3).
const OPEN_S: i64 = 300;

/// Questions of one requester in a minute (sheet 4.3).
const PER_MINUTE: u64 = 5;

/// What an owner is to be asked.
pub(crate) struct Wanted<'a> {
    /// The resource.
    pub(crate) known: &'a Known,
    /// What for.
    pub(crate) about: About,
}

/// What became of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The first question that is open.
    pub(crate) ask: Option<String>,
    /// The requester has asked too often.
    pub(crate) limited: bool,
}

/// Asks owners, each requester one question at a time about a resource.
///
/// # Errors
/// The store fails.
pub(crate) async fn ask(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: &Ctx,
    requester: &str,
    wanted: Vec<Wanted<'_>>,
) -> Result<Asked, StoreError> {
    const EXPECTED: &str = "one open question for each requester and resource, five a minute";
    let (mut asked, now_s) = (Asked::default(), ccf.now_s());
    for Wanted { known, about } in wanted {
        // Nobody speaks here for an owner that is no API invoker.
        let ResourceOwner::ApiInvokerId(owner) = &known.info.owner else { continue };
        let at = (known.info.aef_id.as_str(), known.info.resource_id.as_str());
        if let Some(open) = asks::open_of(tx, at, requester, now_s).await? {
            asked.ask.get_or_insert(open.ask_id);
            continue;
        }
        let row = invokers::find(tx, owner.as_str()).await?;
        if !row.is_some_and(|row| row.state == InvokerState::Onboarded) {
            continue;
        }
        if asks::count_since(tx, requester, now_s.saturating_sub(59)).await? >= PER_MINUTE {
            ctx.fail("questions", EXPECTED, "more");
            asked.limited = true;
            continue;
        }
        let ask_id = fresh("ASK", &ccf.kit().ambient);
        let row = AskRow {
            nonce_sha256: sha256(nonce(ccf, &ask_id).as_bytes()),
            ask_id,
            aef_id: at.0.to_owned(),
            resource_id: at.1.to_owned(),
            invoker_id: requester.to_owned(),
            actions: written(&about)?,
            state: AskState::Open,
            expires_s: now_s.saturating_add(OPEN_S),
            until_s: None,
            decided_s: None,
            created_s: now_s,
        };
        if !asks::open(tx, &row).await? {
            continue;
        }
        ctx.pass("questions", EXPECTED, "one more");
        let notification = ResourceAuthNotification {
            subscription_id: None,
            event: ResourceAuthEvent::Asked,
            aef_id: known.info.aef_id.clone(),
            resource_id: known.info.resource_id.clone(),
            policy_version: None,
            auth_policies: None,
            ask: Some(question(ccf, &row, &known.info)?),
        };
        tell_owner(tx, ccf, ctx, owner.as_str(), &notification).await?;
        asked.ask.get_or_insert(row.ask_id);
    }
    Ok(asked)
}

/// A question as its owner sees it.
pub(super) fn question(
    ccf: &CcfServer,
    row: &AskRow,
    info: &ResourceAuthInfo,
) -> Result<AuthorizationAsk, StoreError> {
    let damaged = |_| StoreError::Damaged("a question to an owner");
    let about = About::of(row)?;
    Ok(AuthorizationAsk {
        ask_id: AskId::try_from(row.ask_id.as_str()).map_err(damaged)?,
        aef_id: info.aef_id.clone(),
        resource_id: info.resource_id.clone(),
        resource_type: info.resource_type,
        api_invoker_id: ApiInvokerId::try_from(row.invoker_id.as_str()).map_err(damaged)?,
        actions: about.actions,
        serv_info_ids: about.serv_info_ids,
        purpose: None,
        exp_time: DateTime::from_unix(row.expires_s),
        nonce: nonce(ccf, &row.ask_id),
    })
}

/// The nonce of a question: derived by a key of this function, so that only its digest is kept.
fn nonce(ccf: &CcfServer, ask: &str) -> String {
    ccf.kit().pseudonym(&format!("nonce of {ask}"))
}
