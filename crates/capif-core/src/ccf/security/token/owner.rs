//! The owner as judge of what is asked for (TR 33.721 6.3.2.1 step 7): by the records of the resources, as they are in the
//! transaction that keeps the token. Elements of level SERVICE read none: their objects are decided where they are served.

use std::collections::BTreeMap;

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
    /// Reads each resource once.
    pub(super) async fn read(
        tx: &mut dyn Sql,
        ccf: &CcfServer,
        details: &Details,
        (aef, requester): (&str, &'a str),
    ) -> Result<Self, StoreError> {
        let mut known = BTreeMap::new();
        for id in details.elements().iter().filter_map(super::mint::resource) {
            if !known.contains_key(&id)
                && let Some(resource) = Known::read(tx, ccf, (aef, &id), requester).await?
            {
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
