//! The owner as judge of what is asked for (TR 33.721 6.3.2.1 step 7): by the records of the resources, as they are in the
//! transaction that keeps the token. Elements of level SERVICE read none: their objects are decided where they are served.

use std::collections::{BTreeMap, BTreeSet};

use authorization::Reason;
use authorization::capif::details::{Action, Details, Element, Level, Parts, Spatial};
use authorization::capif::grant::{Question, Refused, Verdict};
use authorization::capif::owner_policy::{Ask, Asker, Target};
use authorization::policy::Position;
use store::{Sql, StoreError};

use crate::ccf::CcfServer;
use crate::ccf::config::UnknownResources;
use crate::ccf::resource_auth::{About, Answered, Known, Wanted};

/// What is known of the resources that a request names.
pub(super) struct Owners<'a> {
    known: BTreeMap<String, Known>,
    unknown: UnknownResources,
    requester: &'a str,
    now_s: i64,
}

impl<'a> Owners<'a> {
    /// Reads each resource once, to look at.
    pub(super) async fn read(
        tx: &mut dyn Sql,
        ccf: &CcfServer,
        details: &Details,
        whose: (&str, &'a str),
    ) -> Result<Self, StoreError> {
        Self::of_records(tx, ccf, details, whose, false).await
    }

    /// Likewise, and holds them until the job is kept, which keeps the token.
    pub(super) async fn hold(
        tx: &mut dyn Sql,
        ccf: &CcfServer,
        details: &Details,
        whose: (&str, &'a str),
    ) -> Result<Self, StoreError> {
        Self::of_records(tx, ccf, details, whose, true).await
    }

    async fn of_records(
        tx: &mut dyn Sql,
        ccf: &CcfServer,
        details: &Details,
        (aef, requester): (&str, &'a str),
        holds: bool,
    ) -> Result<Self, StoreError> {
        let mut known = BTreeMap::new();
        // In their order, so that two who hold some of the same never wait for each other.
        let named: BTreeSet<String> = details.elements().iter().filter_map(super::mint::resource).collect();
        for id in named {
            if let Some(resource) = Known::read(tx, ccf, (aef, &id), requester, holds).await? {
                known.insert(id, resource);
            }
        }
        Ok(Self { known, unknown: ccf.config().unknown_resources, requester, now_s: ccf.now_s() })
    }

    /// What the owner says.
    pub(super) fn judge(&self, question: &Question<'_>) -> Verdict {
        let Question::Spatial { element, action } = question else { return Verdict::Permit };
        let Some((known, target)) = self.of(element) else {
            return match (&element.level, self.unknown) {
                (Level::Service, _) | (_, UnknownResources::LocalPolicy) => Verdict::Permit,
                (_, UnknownResources::Deny) => Verdict::Deny(Reason::NotFound),
            };
        };
        let verdict = known.auth.decide(&self.ask(*action, target)).verdict;
        // An answer counts where nothing decides; what denies overrides it.
        match (&verdict, known.answer(*action, target)) {
            (Verdict::Ask, Some(answer)) if answer.permitted => Verdict::Permit,
            (Verdict::Ask, Some(_)) => Verdict::Deny(Reason::OwnerDenied),
            _ => verdict,
        }
    }

    /// The answers of owners that what was granted rests on.
    pub(super) fn rests_on(&self, granted: &Details) -> Vec<&Answered> {
        let mut answers: Vec<&Answered> = Vec::new();
        for element in granted.elements().iter().filter_map(Element::spatial) {
            let Some((known, target)) = self.of(element) else { continue };
            for &action in &element.actions {
                if known.auth.decide(&self.ask(action, target)).verdict != Verdict::Ask {
                    continue;
                }
                let answer = known.answer(action, target).filter(|answer| answer.permitted);
                if let Some(answer) = answer.filter(|one| answers.iter().all(|other| other.ask != one.ask)) {
                    answers.push(answer);
                }
            }
        }
        answers
    }

    /// Until when what was granted can be relied on: nothing that it rests on begins or ends before.
    pub(super) fn until_s(&self, granted: &Details) -> Option<i64> {
        let named = granted.elements().iter().filter_map(Element::spatial).filter_map(|one| self.of(one));
        let of_policies = named.filter_map(|(known, _)| known.auth.holds_until_s(self.who(), self.now_s));
        let of_answers = self.rests_on(granted).into_iter().filter_map(|answer| answer.until_s);
        of_policies.chain(of_answers).min()
    }

    /// What owners are to be asked: of each resource what the request names first.
    pub(super) fn to_ask<'r>(
        &'r self,
        details: &Details,
        refused: impl Iterator<Item = &'r Refused>,
    ) -> Vec<Wanted<'r>> {
        let mut wanted: BTreeMap<String, (usize, Wanted<'r>)> = BTreeMap::new();
        for refused in refused {
            let element = details.elements().get(refused.element).and_then(Element::spatial);
            let (Some(element), Some(action)) = (element, refused.action) else { continue };
            let Some((known, target)) = self.of(element) else { continue };
            let serv_info_ids = match target {
                Target::Whole => None,
                Target::Parts(ids) => Some(ids.to_vec()),
                // What an owner answers names what it is about.
                Target::AllParts => continue,
            };
            let about = About { actions: Vec::new(), serv_info_ids };
            let id = known.info.resource_id.as_str().to_owned();
            let (index, wanted) = wanted.entry(id).or_insert((refused.element, Wanted { known, about }));
            if *index == refused.element {
                wanted.about.actions.push(action);
            }
        }
        wanted.into_values().map(|(_, wanted)| wanted).collect()
    }

    /// The resource that an element names, if it is one of that type.
    fn of<'e>(&self, element: &'e Spatial) -> Option<(&Known, Target<'e>)> {
        let target = match &element.level {
            Level::Service => return None,
            Level::Instance(_) => Target::Whole,
            Level::ServiceInfo(_, Parts::All) => Target::AllParts,
            Level::ServiceInfo(_, Parts::These(ids)) => Target::Parts(ids),
        };
        let known = self.known.get(&element.level.instance()?.to_string())?;
        (known.info.resource_type == element.kind.resource_type()).then_some((known, target))
    }

    const fn who(&self) -> Asker<'a> {
        Asker { invoker: self.requester, groups: &[], val_services: &[], gpsi: None }
    }

    fn ask<'e>(&self, action: Action, target: Target<'e>) -> Ask<'e>
    where
        'a: 'e,
    {
        // The function that serves it knows where.
        let position = Position::Later;
        Ask { who: self.who(), action, target, purpose: None, position, now_s: self.now_s }
    }
}

#[cfg(test)]
mod tests {
    use api_types::capif::resource_auth::{AuthPolicy, ResourceAuthInfo};
    use authorization::capif::grant::{Judges, grant};
    use proptest::prelude::*;
    use proptest::sample::subsequence;
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const ACTIONS: [&str; 3] = ["read", "update", "delete"];
    const PARTS: [&str; 3] = ["menu", "price", "route"];

    /// A policy, as a value that is also read plainly by the test.
    fn policies(prefix: &'static str) -> impl Strategy<Value = Vec<Value>> {
        let subject = prop_oneof![
            Just(json!({ "apiInvokerId": "VS2" })),
            Just(json!({ "apiInvokerId": "VS3" })),
            Just(json!("ANY_ONBOARDED"))
        ];
        let actions = subsequence(ACTIONS.to_vec(), 1..=3);
        let parts = prop_oneof![2 => Just(None), 1 => subsequence(PARTS.to_vec(), 1..=3).prop_map(Some)];
        // 1,800,000,000 is in January of 2027.
        let window = prop_oneof![
            3 => Just(None),
            1 => Just(Some(json!([{ "startTime": "2027-01-01T00:00:00Z", "stopTime": "2027-12-31T00:00:00Z" }]))),
            1 => Just(Some(json!([{ "startTime": "2026-01-01T00:00:00Z", "stopTime": "2026-12-31T00:00:00Z" }]))),
        ];
        let effect = prop_oneof![2 => Just("PERMIT"), 1 => Just("DENY")];
        let policy = (subject, actions, parts, window, effect).prop_map(
            |(subject, actions, parts, window, effect)| {
                let mut policy = json!({ "subjects": [subject], "actions": actions, "effect": effect });
                if let Some(parts) = parts {
                    policy["servInfoIds"] = json!(parts);
                }
                if let Some(window) = window {
                    policy["timeWindows"] = window;
                }
                policy
            },
        );
        prop::collection::vec(policy, 0..4).prop_map(move |mut all| {
            for (number, policy) in all.iter_mut().enumerate() {
                policy["policyId"] = format!("{prefix}{number}").into();
            }
            all
        })
    }

    fn element() -> impl Strategy<Value = Value> {
        let actions = subsequence(ACTIONS.to_vec(), 1..=3).prop_shuffle();
        let level = prop_oneof![
            Just(json!({ "level": "INSTANCE" })),
            subsequence(PARTS.to_vec(), 1..=3)
                .prop_map(|ids| json!({ "level": "SERVICE_INFO", "servInfoIds": ids })),
            Just(json!({ "level": "SERVICE_INFO", "servInfoScope": "ALL" })),
        ];
        (actions, level).prop_map(|(actions, level)| {
            let mut element =
                json!({ "type": "3gpp_spatial_anchor", "identifier": "list/7", "actions": actions });
            element.as_object_mut().unwrap().extend(level.as_object().unwrap().clone());
            element
        })
    }

    /// Whether a policy speaks of this requester, action and part now; of the whole if there is no part.
    fn speaks(policy: &Value, action: &str, part: Option<&str>) -> bool {
        let subject = &policy["subjects"][0];
        let list = |name: &str| policy[name].as_array().cloned().unwrap_or_default();
        let in_time =
            policy.get("timeWindows").is_none_or(|windows| windows[0]["startTime"] == "2027-01-01T00:00:00Z");
        let of_part = match (part, policy.get("servInfoIds")) {
            (_, None) => true,
            (Some(part), Some(ids)) => ids.as_array().unwrap().contains(&part.into()),
            // Who denies a part denies the whole; who permits a part permits no whole.
            (None, Some(_)) => policy["effect"] == "DENY",
        };
        (subject == "ANY_ONBOARDED" || subject["apiInvokerId"] == "VS2")
            && list("actions").contains(&action.into())
            && in_time
            && of_part
    }

    proptest! {
        /// Whatever is told, kept and answered: no token has what a policy denies, and none what nobody permits.
        #[test]
        fn no_token_has_what_the_owner_denies(
            told in policies("t"),
            kept in policies("k"),
            asked in prop::collection::vec(element(), 1..4),
            answers in prop::collection::vec((subsequence(ACTIONS.to_vec(), 1..=3), any::<bool>()), 0..3),
            asks in any::<bool>(),
        ) {
            let info: ResourceAuthInfo = serde_json::from_value(json!({
                "resourceId": "list/7", "resourceType": "3gpp_spatial_anchor", "aefId": "AEF1", "apiId": "API1",
                "owner": { "apiInvokerId": "VS1" }, "visibility": "LISTED", "authPolicies": told, "policyVersion": 1,
                "defaultDecision": if asks { "ASK_OWNER" } else { "DENY" },
            })).unwrap();
            let own: Vec<AuthPolicy> = serde_json::from_value(json!(kept)).unwrap();
            let answered = answers.iter().map(|(actions, permitted)| {
                let about = serde_json::from_value(json!({ "actions": actions })).unwrap();
                (about, *permitted, None)
            });
            let known = Known::of(info, &own, answered.collect());
            let owners = Owners {
                known: [("list/7".to_owned(), known)].into(),
                unknown: UnknownResources::Deny,
                requester: "VS2",
                now_s: NOW,
            };
            let details = Details::read(json!(asked).to_string().as_bytes(), &[]).unwrap();
            let yes = |_: &Question<'_>| Verdict::Permit;
            let owner = |question: &Question<'_>| owners.judge(question);
            let granted = grant(&details, &Judges { local: &yes, owner: &owner, permission: &yes });
            let Ok(left) = granted.check() else { return Ok(()) };
            let all: Vec<Value> = told.iter().chain(&kept).cloned().collect();
            let one = |effect: &str, action: &str, part: Option<&str>| {
                all.iter().any(|policy| policy["effect"] == effect && speaks(policy, action, part))
            };
            for element in left.elements().iter().filter_map(Element::spatial) {
                for action in element.actions.iter().map(|action| action.as_str()) {
                    let parts: Vec<Option<&str>> = match &element.level {
                        Level::ServiceInfo(_, Parts::These(ids)) => ids.iter().map(|id| Some(id.as_str())).collect(),
                        _ => vec![None],
                    };
                    for part in parts {
                        prop_assert!(!one("DENY", action, part), "{action} of {part:?} is denied");
                        let answered = asks && part.is_none() && answers.iter().find(|(of, _)| of.contains(&action)).is_some_and(|(_, yes)| *yes);
                        prop_assert!(one("PERMIT", action, part) || answered, "nobody permits {action} of {part:?}");
                    }
                }
            }
        }
    }
}
