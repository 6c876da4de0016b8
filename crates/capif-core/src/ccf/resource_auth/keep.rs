//! How what an API exposing function tells of a resource is kept: one at a time, many at once, or as a change.

use std::collections::BTreeSet;

use api_types::capif::resource_auth::{
    ResourceAuthEvent, ResourceAuthInfo, ResourceAuthNotification, ResourceOwner,
};
use api_types::problem::{Cause, InvalidParam};
use authorization::Reason;
use authorization::capif::owner_policy::{Arrival, ResourceAuth, check_version, is_narrowing};
use service_http::call::Ctx;
use service_http::refusal::Refusal;
use store::capif::invokers::{self, InvokerState};
use store::capif::resources::{self, ResourceRow};
use store::capif::{asks, owner_policies, tokens};
use store::{Sql, StoreError};

use super::record::{self, info, invoker_of, judged, own_policies, owner};
use super::telling::tell;
use super::version::Condition;
use crate::ccf::CcfServer;
use crate::ccf::access_control::exposed_at;

/// What became of what was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// It is new.
    pub(super) created: bool,
    /// Live tokens that name the resource and from which something is taken.
    pub(super) lost: Vec<String>,
}

/// Keeps resources of one API exposing function in one transaction. What was once looked up is not looked up again.
pub(super) struct Keeper<'a> {
    ccf: &'a CcfServer,
    ctx: &'a Ctx,
    aef: &'a str,
    apis: BTreeSet<String>,
    owners: BTreeSet<String>,
}

impl<'a> Keeper<'a> {
    pub(super) const fn new(ccf: &'a CcfServer, ctx: &'a Ctx, aef: &'a str) -> Self {
        Self { ccf, ctx, aef, apis: BTreeSet::new(), owners: BTreeSet::new() }
    }

    /// Keeps a resource (TR 33.721 6.3.2.1 steps 4 and 5). Nothing is written where it is refused.
    ///
    /// # Errors
    /// Members at fault, `OWNER_UNKNOWN`, `STALE_VERSION`, `STALE_POLICY`.
    pub(super) async fn keep(
        &mut self,
        tx: &mut dyn Sql,
        condition: &Condition,
        told: ResourceAuthInfo,
    ) -> Result<Kept, Refusal> {
        if told.aef_id.as_str() != self.aef {
            self.ctx.fail("aefId", "the caller's own", "another one");
            return Err(fault("/aefId", "is not the one of the path"));
        }
        let id = told.resource_id.as_str().to_owned();
        let at = (self.aef, id.as_str());
        let before = resources::held(tx, self.aef, &id).await?;
        condition.check(before.as_ref().map(|row| row.policy_version)).inspect_err(|_| {
            self.ctx.fail("If-Match", "the version that is there", "another one");
        })?;
        let row = self.row(&told)?;
        let kept_by_owner = owner_policies::find(tx, at).await?;
        let default = self.ccf.config().default_decision;
        let new =
            ResourceAuth::from_wire(&told, &own_policies(kept_by_owner.as_ref(), &row.owner)?, default, true)
                .map_err(|faults| Refusal::input(Cause::MandatoryIeIncorrect, faults))?;
        let known = before.as_ref().map(|before| before.policy_version);
        let same = before.as_ref().is_some_and(|before| before.body == row.body);
        const VERSION: &str = "greater than the one that is known";
        match check_version(known, row.policy_version, same) {
            Ok(Arrival::Again) => return Ok(Kept { created: false, lost: Vec::new() }),
            Ok(Arrival::Newer) => self.ctx.pass("policyVersion", VERSION, row.policy_version.to_string()),
            Err(reason) => {
                self.ctx.fail("policyVersion", VERSION, row.policy_version.to_string());
                return Err(Refusal::open(reason));
            }
        }
        self.check_api(tx, &told).await?;
        self.check_owner(tx, &told).await?;
        let mut lost = Vec::new();
        if let Some(before) = &before {
            let old = info(before)?;
            let old = judged(&old, &own_policies(kept_by_owner.as_ref(), &before.owner)?, default)?;
            if is_narrowing(&old, &new) {
                // Whoever owns it still may do everything.
                let owner = invoker_of(&row).filter(|_| before.owner == row.owner);
                lost = tokens::of_resource_but(tx, at, owner.unwrap_or_default(), self.ccf.now_s()).await?;
            }
            if before.owner != row.owner {
                // What the one before has answered binds nobody else.
                asks::delete_resource(tx, at).await?;
            }
        }
        resources::put(tx, &row).await?;
        if let Some(owner) = invoker_of(&row) {
            let notification = ResourceAuthNotification {
                subscription_id: None,
                event: ResourceAuthEvent::Updated,
                aef_id: told.aef_id,
                resource_id: told.resource_id,
                policy_version: Some(row.policy_version),
                auth_policies: None,
                ask: None,
            };
            tell(tx, self.ccf, Some(self.ctx), owner, &notification).await?;
        }
        Ok(Kept { created: before.is_none(), lost })
    }

    fn row(&self, told: &ResourceAuthInfo) -> Result<ResourceRow, StoreError> {
        Ok(ResourceRow {
            aef_id: self.aef.to_owned(),
            resource_id: told.resource_id.as_str().to_owned(),
            resource_type: told.resource_type.as_str().to_owned(),
            api_id: told.api_id.as_str().to_owned(),
            owner: owner(&told.owner)?,
            policy_version: told.policy_version,
            body: record::written(told)?,
            expires_s: told.exp_time.map(|end| end.unix()),
            changed_ms: self.ccf.kit().ambient.now_ms(),
        })
    }

    /// The service API is one that this function exposes.
    async fn check_api(&mut self, tx: &mut dyn Sql, told: &ResourceAuthInfo) -> Result<(), Refusal> {
        let api = told.api_id.as_str();
        if self.apis.contains(api) {
            return Ok(());
        }
        if exposed_at(tx, api, self.aef).await?.is_none() {
            self.ctx.fail("service API", "one that the caller exposes", "none");
            return Err(fault("/apiId", "is no service API of this function"));
        }
        self.apis.insert(api.to_owned());
        Ok(())
    }

    /// An owner that is an API invoker is onboarded: nobody else could be asked, or hold the policies.
    async fn check_owner(&mut self, tx: &mut dyn Sql, told: &ResourceAuthInfo) -> Result<(), Refusal> {
        let ResourceOwner::ApiInvokerId(owner) = &told.owner else { return Ok(()) };
        if self.owners.contains(owner.as_str()) {
            return Ok(());
        }
        let row = invokers::find(tx, owner.as_str()).await?;
        if !row.is_some_and(|row| row.state == InvokerState::Onboarded) {
            self.ctx.fail("owner", "an API invoker that is onboarded", "none");
            let fault = InvalidParam::new("/owner", "is no API invoker");
            return Err(Refusal::open(Reason::OwnerUnknown).with_invalid(vec![fault]));
        }
        self.owners.insert(owner.as_str().to_owned());
        Ok(())
    }
}

pub(super) fn fault(at: &str, why: &'static str) -> Refusal {
    Refusal::input(Cause::MandatoryIeIncorrect, vec![InvalidParam::new(at, why)])
}
