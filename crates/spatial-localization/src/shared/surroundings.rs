//! What decides beside the item itself: the rules of the operator, where the operator saw the caller, and the time.

use std::sync::Arc;

use authorization::Caller;
use service_http::call::Call;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::anchors::positions;
use store::{Sql, StoreError};

use super::data_class::Hidden;
use super::denial::Denial;
use super::operator_rules::{Action, OperatorRules, RulesCache};

/// Read once for a request, in the transaction that decides.
pub(crate) struct Surroundings {
    rules: Arc<OperatorRules>,
    /// Longitude and latitude of the caller's UE.
    pub(crate) place: Option<(f64, f64)>,
    /// Seconds since 1970.
    pub(crate) now_s: i64,
}

impl Surroundings {
    /// What surrounds the caller now.
    ///
    /// # Errors
    /// The store failed; a row is damaged.
    pub(crate) async fn of(
        tx: &mut dyn Sql,
        kit: &FunctionKit,
        rules: &RulesCache,
        caller: &Caller,
    ) -> Result<Self, StoreError> {
        let position = match &caller.ue {
            Some(ue) => positions::of_ue(tx, ue.as_str()).await?,
            None => None,
        };
        Ok(Self {
            rules: rules.current(tx, kit.function).await?,
            place: position.map(|position| (position.lon, position.lat)),
            now_s: kit.ambient.now_s(),
        })
    }

    /// What surrounds a caller that is at no place, where the store is still in the state of rules that are known.
    pub(crate) fn settled(
        kit: &FunctionKit,
        rules: &RulesCache,
        caller: &Caller,
        settled: u64,
    ) -> Option<Self> {
        let rules = rules.settled(settled).filter(|_| caller.ue.is_none())?;
        Some(Self { rules, place: None, now_s: kit.ambient.now_s() })
    }

    /// The rules, for the next one who asks in this state of the store.
    pub(crate) fn settle(&self, rules: &RulesCache, settled: u64) {
        rules.settle(settled, &self.rules);
    }

    /// The version of the rules, for the audit.
    pub(crate) fn policy_version(&self) -> u64 {
        self.rules.version
    }

    /// The stage `operator` for one resource, by all of its names.
    ///
    /// The owner's rules have let the caller discover it before, so that the caller is told of a rule that denies.
    ///
    /// # Errors
    /// A rule of the regulator or of the operator.
    pub(crate) fn check(
        &self,
        caller: &Caller,
        action: Action,
        val_service: Option<&str>,
        resource: &[&str],
    ) -> Result<(), Denial> {
        let denied = self.rules.check(caller, action, val_service, resource, self.place, self.now_s);
        denied.map_err(Denial::open)
    }

    /// Whether the owner has kept no policy at the core function that denies this to somebody else.
    ///
    /// # Errors
    /// Its denial, hidden from whoever may not even discover the object.
    pub(crate) fn check_owner(
        &self,
        caller: &Caller,
        action: Action,
        resource: impl FnOnce() -> String,
    ) -> Result<(), Denial> {
        self.rules.check_owner(caller, action, resource, self.place, self.now_s)
    }

    /// The parts of an object that are the operator's and not for this caller ([`super::data_class`]).
    pub(crate) fn hidden(
        &self,
        caller: &Caller,
        action: Action,
        val_service: Option<&str>,
        object: &str,
    ) -> Hidden {
        let shut = |part: &&str| {
            let name = format!("{object}/{part}");
            self.rules.check(caller, action, val_service, &[&name], self.place, self.now_s).is_err()
        };
        self.rules.parts_of(object).filter(shut).map(str::to_owned).collect()
    }

    /// The stage `operator` for the action as a whole, before any resource is at hand.
    ///
    /// # Errors
    /// A rule that names no resource denies it.
    pub(crate) fn check_action(
        &self,
        call: &Call,
        action: Action,
        val_service: Option<&str>,
    ) -> Result<(), Refusal> {
        self.check(&call.caller, action, val_service, &[])
            .map_err(|denial| denial.told(call, "no rule that denies the action"))
    }
}
