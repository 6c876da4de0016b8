//! What a partner may bring here, and as what it is kept.

use std::collections::BTreeSet;

use api_types::capif::publish::{PublishedApiPath, ServiceAPIDescription};
use api_types::problem::{Cause, InvalidParam};
use api_types::validate::{Validate as _, child, item};
use authorization::Reason;
use service_http::call::Ctx;
use service_http::refusal::Refusal;
use store::capif::{providers, service_apis};
use store::{Sql, StoreError};

use super::Partner;
use crate::ccf::allowed::allows;

/// What stands before the identifier of a partner in the registration of its service APIs: no identifier that is assigned
/// here has a colon.
const PREFIX: &str = "ccf:";

/// The registration under which the service APIs of a partner are kept.
pub(crate) fn registration_of(ccf_id: &str) -> String {
    format!("{PREFIX}{ccf_id}")
}

/// Whether a registration is that of a partner.
pub(crate) fn is_of_partner(registration: &str) -> bool {
    registration.starts_with(PREFIX)
}

/// Decides about service APIs of one partner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inward<'a> {
    /// The identifier of this core function.
    pub(crate) own_id: &'a str,
    /// Whose they are.
    pub(crate) partner: &'a Partner,
}

impl Inward<'_> {
    /// Decides whether the partner may bring this, and makes of it what is kept: its way ends with the partner.
    ///
    /// # Errors
    /// `NOT_ENTITLED` for a name that the partner may not bring; members that come back in a circle or name functions of
    /// somebody else.
    pub(crate) async fn admit(
        &self,
        tx: &mut dyn Sql,
        ctx: &Ctx,
        api: &mut ServiceAPIDescription,
    ) -> Result<(), Refusal> {
        const EXPECTED: &str = "a name that this partner may bring";
        if !allows(&self.partner.apis, api.api_name.as_str()) {
            ctx.fail("apiName", EXPECTED, "another one");
            return Err(Refusal::open(Reason::NotEntitled));
        }
        ctx.pass("apiName", EXPECTED, "allowed");
        let foreign = self.of_others(tx, api).await?;
        let faults = self.faults(api, &foreign);
        if !faults.is_empty() {
            return Err(Refusal::input(Cause::MandatoryIeIncorrect, faults));
        }
        self.mark(api);
        Ok(())
    }

    /// As [`Inward::admit`], for what was discovered at the partner: whether it is well formed and can be kept.
    ///
    /// # Errors
    /// The store fails.
    pub(super) async fn fits(
        &self,
        tx: &mut dyn Sql,
        api: &mut ServiceAPIDescription,
    ) -> Result<bool, StoreError> {
        let foreign = self.of_others(tx, api).await?;
        let fits = api.validate("").is_ok()
            && allows(&self.partner.apis, api.api_name.as_str())
            && self.faults(api, &foreign).is_empty();
        self.mark(api);
        Ok(fits)
    }

    /// The functions of the description that expose service APIs of somebody else, or are registered here.
    async fn of_others(
        &self,
        tx: &mut dyn Sql,
        api: &ServiceAPIDescription,
    ) -> Result<BTreeSet<String>, StoreError> {
        let own = registration_of(&self.partner.ccf_id);
        let mut others = BTreeSet::new();
        for aef in api.aef_profiles.iter().flatten().map(|profile| profile.aef_id.as_str()) {
            let taken = providers::function(tx, aef).await?.is_some()
                || service_apis::of_aef(tx, aef).await?.iter().any(|row| row.registration_id != own);
            if taken {
                others.insert(aef.to_owned());
            }
        }
        Ok(others)
    }

    fn faults(&self, api: &ServiceAPIDescription, others: &BTreeSet<String>) -> Vec<InvalidParam> {
        let mut faults = Vec::new();
        let way = api.pub_api_path.iter().flat_map(|path| path.ccf_ids.iter().flatten());
        for (index, passed) in way.enumerate() {
            if passed == self.own_id {
                faults.push(InvalidParam::new(
                    item("/pubApiPath/ccfIds", index),
                    "it was published here before",
                ));
            }
        }
        for (index, profile) in api.aef_profiles.iter().flatten().enumerate() {
            if others.contains(profile.aef_id.as_str()) {
                let at = child(&item("/aefProfiles", index), "aefId");
                faults.push(InvalidParam::new(at, "is an API exposing function of another domain"));
            }
        }
        for (index, aef) in api.api_status.iter().flat_map(|status| &status.aef_ids).enumerate() {
            if api.profile_of(aef).is_none() {
                faults.push(InvalidParam::new(item("/apiStatus/aefIds", index), "has no profile here"));
            }
        }
        faults
    }

    fn mark(&self, api: &mut ServiceAPIDescription) {
        let id = &self.partner.ccf_id;
        let path = api.pub_api_path.get_or_insert(PublishedApiPath { ccf_ids: None });
        let way = path.ccf_ids.get_or_insert_default();
        if way.last() != Some(id) {
            way.push(id.clone());
        }
        api.ccf_id = Some(id.clone());
    }
}
