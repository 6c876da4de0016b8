//! What is on record of a resource, as it decides.

use api_types::capif::resource_auth::{
    AuthPolicy, DefaultDecision, ResourceAction, ResourceAuthInfo, ResourceOwner,
};
use authorization::capif::owner_policy::{ResourceAuth, Target};
use serde::{Deserialize, Serialize};
use store::capif::asks::{AskRow, AskState};
use store::capif::owner_policies::{self, OwnerPolicyRow};
use store::capif::resources::{self, Owner, OwnerKind, ResourceRow};
use store::{Sql, StoreError};

use crate::ccf::CcfServer;

/// An owner as the store names it.
pub(super) fn owner(of: &ResourceOwner) -> Result<Owner, StoreError> {
    Ok(match of {
        ResourceOwner::ApiInvokerId(id) => {
            Owner { kind: OwnerKind::ApiInvoker, name: id.as_str().to_owned() }
        }
        ResourceOwner::ResOwnerId(owner) => {
            Owner { kind: OwnerKind::Gpsi, name: owner.gpsi.as_str().to_owned() }
        }
        ResourceOwner::Principal(principal) => {
            Owner { kind: OwnerKind::Principal, name: written(principal)? }
        }
    })
}

/// The owner of a row, if it is an API invoker.
pub(super) fn invoker_of(row: &ResourceRow) -> Option<&str> {
    (row.owner.kind == OwnerKind::ApiInvoker).then_some(row.owner.name.as_str())
}

/// An API invoker as owner.
pub(super) fn invoker(id: &str) -> Owner {
    Owner { kind: OwnerKind::ApiInvoker, name: id.to_owned() }
}

/// A resource as its API exposing function told of it.
pub(crate) fn info(row: &ResourceRow) -> Result<ResourceAuthInfo, StoreError> {
    serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("a resource"))
}

/// The policies that an owner keeps here: those of another owner, of before, count no more.
pub(crate) fn own_policies(
    row: Option<&OwnerPolicyRow>,
    owner: &Owner,
) -> Result<Vec<AuthPolicy>, StoreError> {
    let Some(row) = row.filter(|row| row.owner == *owner) else { return Ok(Vec::new()) };
    serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("the policies of an owner"))
}

pub(super) fn written(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged("something that cannot be written"))
}

/// What decides about a resource on record.
pub(super) fn judged(
    info: &ResourceAuthInfo,
    kept_by_owner: &[AuthPolicy],
    default: DefaultDecision,
) -> Result<ResourceAuth, StoreError> {
    // What is on record was told by its server and kept: the two agree.
    ResourceAuth::from_wire(info, kept_by_owner, default, true)
        .map_err(|_| StoreError::Damaged("the policies of a resource"))
}

/// What a question to an owner was about, as it is kept with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct About {
    /// What for.
    pub(crate) actions: Vec<ResourceAction>,
    /// Which parts; absent: the resource itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) serv_info_ids: Option<Vec<String>>,
}

impl About {
    pub(super) fn of(row: &AskRow) -> Result<Self, StoreError> {
        serde_json::from_str(&row.actions).map_err(|_| StoreError::Damaged("a question to an owner"))
    }

    fn covers(&self, action: ResourceAction, target: Target<'_>) -> bool {
        let of_target = match (target, &self.serv_info_ids) {
            (Target::Whole, None) => true,
            (Target::Parts(asked), Some(parts)) => asked.iter().all(|part| parts.contains(part)),
            _ => false,
        };
        of_target && self.actions.contains(&action)
    }
}

/// An answer of an owner that counts now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The question.
    pub(crate) ask: String,
    about: About,
    /// Yes or no.
    pub(crate) permitted: bool,
    /// Until when; `None`: once.
    pub(crate) until_s: Option<i64>,
}

/// A resource, and what its owner has answered to a requester.
#[derive(Debug)]
pub(crate) struct Known {
    /// What decides.
    pub(crate) auth: ResourceAuth,
    /// As it was told.
    pub(crate) info: ResourceAuthInfo,
    answered: Vec<Answered>,
}

impl Known {
    /// Reads it; `None`: there is no such resource. `holds`: it stays as it is until the job is kept, so that whoever
    /// changes it after that finds the token that rests on it.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn read(
        tx: &mut dyn Sql,
        ccf: &CcfServer,
        at: (&str, &str),
        requester: &str,
        holds: bool,
    ) -> Result<Option<Self>, StoreError> {
        let row = match holds {
            true => resources::held(tx, at.0, at.1).await?,
            false => resources::find(tx, at.0, at.1).await?,
        };
        let Some(row) = row else { return Ok(None) };
        let kept = owner_policies::find(tx, at).await?;
        let info = info(&row)?;
        let default = ccf.config().default_decision;
        let auth = judged(&info, &own_policies(kept.as_ref(), &row.owner)?, default)?;
        let mut answered = Vec::new();
        // Whom nobody is asked about, nobody has answered about.
        if auth.default_decision == DefaultDecision::AskOwner {
            for row in store::capif::asks::decisions(tx, at, requester, ccf.now_s()).await? {
                answered.push(Answered {
                    about: About::of(&row)?,
                    permitted: row.state == AskState::Permitted,
                    until_s: row.until_s,
                    ask: row.ask_id,
                });
            }
        }
        Ok(Some(Self { auth, info, answered }))
    }

    /// What the owner last answered to this question.
    pub(crate) fn answer(&self, action: ResourceAction, target: Target<'_>) -> Option<&Answered> {
        self.answered.iter().find(|answer| answer.about.covers(action, target))
    }
}

#[cfg(test)]
impl Known {
    /// A resource as it would be read, for tests of what is decided by it.
    pub(crate) fn of(
        info: ResourceAuthInfo,
        kept_by_owner: &[AuthPolicy],
        answered: Vec<(About, bool, Option<i64>)>,
    ) -> Self {
        let auth = ResourceAuth::from_wire(&info, kept_by_owner, DefaultDecision::Deny, true).unwrap();
        let answered = answered.into_iter().enumerate().map(|(number, (about, permitted, until_s))| {
            Answered { ask: format!("ASK{number}"), about, permitted, until_s }
        });
        Self { auth, info, answered: answered.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ResourceAction::{Read, Update};

    #[test]
    fn an_answer_covers_what_was_asked_and_no_more() {
        let ids = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        let whole = About { actions: vec![Read], serv_info_ids: None };
        let parts = About { actions: vec![Read, Update], serv_info_ids: Some(ids(&["menu", "map"])) };
        let (one, other) = (ids(&["menu"]), ids(&["menu", "price"]));
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("what was asked",           &whole, Read,   Target::Whole,         true),
            ("another action",           &whole, Update, Target::Whole,         false),
            ("parts of the whole",       &whole, Read,   Target::Parts(&one),   false),
            ("all parts",                &whole, Read,   Target::AllParts,      false),
            ("one of the parts",         &parts, Update, Target::Parts(&one),   true),
            ("a part that was not named", &parts, Update, Target::Parts(&other), false),
            ("the whole of the parts",   &parts, Read,   Target::Whole,         false),
            ("all parts of some",        &parts, Read,   Target::AllParts,      false),
        ];
        for (what, about, action, target, covers) in rows {
            assert_eq!(about.covers(action, target), covers, "{what}");
        }
    }
}
