//! What the owner of a resource allows at the CAPIF core function (own API `capif-resource-auth`; TR 33.721 6.3.2.1
//! steps 4 to 7).
//!
//! * The owner may do everything, always.
//! * Nobody else may do anything before the resource's server and the core function agree about it, or after its end.
//! * A DENY that fits denies. A PERMIT that fits permits. Where none fits, the default decides: no, or the owner is asked.
//! * Visibility is about `discover` alone: PRIVATE never, UNIVERSAL without a policy, LISTED by one.
//!
//! A condition about which the question says nothing satisfies a DENY and no PERMIT; a position that is decided later, by
//! the server that knows it, the contrary (as in [`crate::policy`]).

use api_types::admin::PolicyEffect as Effect;
use api_types::capif::resource_auth::{
    AuthPolicy, DefaultDecision, PolicySubject, ResourceAction as Action, ResourceAuthInfo, ResourceOwner,
    ResourceVisibility as Visibility,
};
use api_types::problem::InvalidParam;
use api_types::validate::{child, item};

use super::grant::Verdict;
use crate::Reason;
use crate::area::Area;
use crate::policy::{Period, Position};

/// A policy of an owner, as it decides.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnerPolicy {
    id: String,
    subjects: Vec<PolicySubject>,
    actions: Vec<Action>,
    parts: Option<Vec<String>>,
    windows: Option<Vec<Period>>,
    area: Option<Area>,
    purposes: Option<Vec<String>>,
    effect: Effect,
}

impl OwnerPolicy {
    /// Reads a policy that stands at `at`.
    ///
    /// # Errors
    /// The members that cannot decide: an empty list, a window that ends before it begins, an area of other shapes.
    pub fn from_wire(wire: &AuthPolicy, at: &str) -> Result<Self, Vec<InvalidParam>> {
        let mut faults = Vec::new();
        let lists = [
            ("subjects", wire.subjects.is_empty()),
            ("actions", wire.actions.is_empty()),
            ("servInfoIds", wire.serv_info_ids.as_ref().is_some_and(Vec::is_empty)),
            ("timeWindows", wire.time_windows.as_ref().is_some_and(Vec::is_empty)),
            ("purposes", wire.purposes.as_ref().is_some_and(Vec::is_empty)),
        ];
        for (name, _) in lists.into_iter().filter(|(_, empty)| *empty) {
            faults.push(InvalidParam::new(child(at, name), "must not be empty"));
        }
        let mut windows = Vec::new();
        for (index, window) in wire.time_windows.iter().flatten().enumerate() {
            let period = Period { start_s: window.start_time.unix(), stop_s: window.stop_time.unix() };
            if period.stop_s <= period.start_s {
                let at = item(&child(at, "timeWindows"), index);
                faults.push(InvalidParam::new(at, "ends before it begins"));
            }
            windows.push(period);
        }
        let area = wire.service_area.as_ref();
        let area = area.map(|area| Area::from_service_area(area, &child(at, "serviceArea"))).transpose();
        let area = area.unwrap_or_else(|mut more| {
            faults.append(&mut more);
            None
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            id: wire.policy_id.clone(),
            subjects: wire.subjects.clone(),
            actions: wire.actions.clone(),
            parts: wire.serv_info_ids.clone(),
            windows: wire.time_windows.is_some().then_some(windows),
            area,
            purposes: wire.purposes.clone(),
            effect: wire.effect,
        })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether everything but the parts fits the question.
    fn fits(&self, ask: &Ask<'_>) -> bool {
        let denies = self.effect == Effect::Deny;
        let in_area = self.area.as_ref().is_none_or(|area| match ask.position {
            Position::At(place) => area.contains(place),
            Position::Unknown => denies,
            Position::Later => !denies,
        });
        let for_purpose = self.purposes.as_ref().is_none_or(|purposes| {
            ask.purpose.map_or(denies, |purpose| purposes.iter().any(|own| own == purpose))
        });
        self.subjects.iter().any(|subject| ask.who.is(subject))
            && self.actions.contains(&ask.action)
            && self.windows.as_ref().is_none_or(|all| all.iter().any(|window| window.contains(ask.now_s)))
            && in_area
            && for_purpose
    }

    /// Whether every question that `other` fits is one that this policy fits as well. Where that cannot be told by
    /// looking at the two alone, the answer is no.
    fn contains(&self, other: &Self) -> bool {
        fn within<T: PartialEq>(narrow: &Option<Vec<T>>, wide: &Option<Vec<T>>) -> bool {
            match (narrow, wide) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(narrow), Some(wide)) => narrow.iter().all(|one| wide.contains(one)),
            }
        }
        let named =
            |subject| self.subjects.contains(subject) || self.subjects.contains(&PolicySubject::AnyOnboarded);
        let windows = match (&other.windows, &self.windows) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(narrow), Some(wide)) => narrow
                .iter()
                .all(|one| wide.iter().any(|own| own.start_s <= one.start_s && one.stop_s <= own.stop_s)),
        };
        self.effect == other.effect
            && other.subjects.iter().all(named)
            && other.actions.iter().all(|action| self.actions.contains(action))
            && within(&other.parts, &self.parts)
            && within(&other.purposes, &self.purposes)
            && windows
            && (self.area.is_none() || self.area == other.area)
    }
}

/// Who asks, as the core function knows it: never from a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asker<'a> {
    /// The API invoker.
    pub invoker: &'a str,
    /// Groups that the operator has put it in.
    pub groups: &'a [&'a str],
    /// VAL services that it was onboarded for.
    pub val_services: &'a [&'a str],
    /// The subscriber whom it serves, where that is proven.
    pub gpsi: Option<&'a str>,
}

impl Asker<'_> {
    fn is(&self, subject: &PolicySubject) -> bool {
        match subject {
            PolicySubject::ApiInvokerId(id) => id.as_str() == self.invoker,
            PolicySubject::ApiInvokerGroup(group) => self.groups.contains(&group.as_str()),
            PolicySubject::ValServiceId(id) => self.val_services.contains(&id.as_str()),
            PolicySubject::Gpsi(gpsi) => self.gpsi == Some(gpsi.as_str()),
            PolicySubject::AnyOnboarded => true,
        }
    }

    fn owns(&self, owner: &ResourceOwner) -> bool {
        match owner {
            ResourceOwner::ApiInvokerId(id) => id.as_str() == self.invoker,
            ResourceOwner::ResOwnerId(owner) => self.gpsi == Some(owner.gpsi.as_str()),
            // No API invoker speaks for a principal of another issuer.
            ResourceOwner::Principal(_) => false,
        }
    }
}

/// What of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// The whole of it.
    Whole,
    /// All of its service information.
    AllParts,
    /// These entries of service information.
    Parts(&'a [String]),
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Who.
    pub who: Asker<'a>,
    /// What is done.
    pub action: Action,
    /// To what of it.
    pub target: Target<'a>,
    /// What for, if it is said.
    pub purpose: Option<&'a str>,
    /// Where.
    pub position: Position,
    /// Now, in seconds since 1970.
    pub now_s: i64,
}

/// The answer, with the policy that decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<'p> {
    /// The answer.
    pub verdict: Verdict,
    /// Identifier of the policy; `None` when it was none.
    pub by: Option<&'p str>,
}

/// What decides about a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceAuth {
    /// Whose it is.
    pub owner: ResourceOwner,
    /// Who may discover it.
    pub visibility: Visibility,
    /// Policies of its server and of its owner.
    pub policies: Vec<OwnerPolicy>,
    /// What holds where none fits.
    pub default_decision: DefaultDecision,
    /// Whether it is served only with the permission of a resource owner, which is another judge's to tell.
    pub owner_aware: bool,
    /// Its end, in seconds since 1970.
    pub exp_s: Option<i64>,
    /// Whether its server and the core function agree about it.
    pub synchronised: bool,
}

impl ResourceAuth {
    /// Of what the resource's server published, and the policies that its owner keeps at the core function.
    ///
    /// # Errors
    /// The members that cannot decide.
    pub fn from_wire(
        info: &ResourceAuthInfo,
        kept_by_owner: &[AuthPolicy],
        local_default: DefaultDecision,
        synchronised: bool,
    ) -> Result<Self, Vec<InvalidParam>> {
        let read = |(index, policy)| OwnerPolicy::from_wire(policy, &item("/authPolicies", index));
        let published = info.auth_policies.as_deref().unwrap_or_default();
        let policies = published.iter().enumerate().chain(kept_by_owner.iter().enumerate()).map(read);
        Ok(Self {
            owner: info.owner.clone(),
            visibility: info.visibility.unwrap_or(Visibility::Private),
            policies: policies.collect::<Result<_, _>>()?,
            default_decision: info.default_decision.unwrap_or(local_default),
            owner_aware: info.owner_aware.unwrap_or(false),
            exp_s: info.exp_time.map(|end| end.unix()),
            synchronised,
        })
    }

    /// Decides a question.
    #[must_use]
    pub fn decide(&self, ask: &Ask<'_>) -> Decision<'_> {
        let plain = |verdict| Decision { verdict, by: None };
        if ask.who.owns(&self.owner) {
            return plain(Verdict::Permit);
        }
        if self.exp_s.is_some_and(|end| end <= ask.now_s) {
            return plain(Verdict::Deny(Reason::OutsidePeriod));
        }
        if !self.synchronised {
            return plain(Verdict::Deny(Reason::NotSynchronised));
        }
        if ask.action == Action::Discover && self.visibility == Visibility::Private {
            return plain(Verdict::Deny(Reason::NotVisible));
        }
        let fitting = Fitting {
            policies: self.policies.iter().filter(|policy| policy.fits(ask)).collect(),
            open: ask.action == Action::Discover && self.visibility == Visibility::Universal,
        };
        if let Some(decision) = fitting.decide(ask.target) {
            return decision;
        }
        plain(match self.default_decision {
            DefaultDecision::AskOwner => Verdict::Ask,
            DefaultDecision::Deny => Verdict::Deny(Reason::NotAllowedEntity),
        })
    }

    /// Until when the answers to an asker stay as they are now, as far as time alone changes them: a token that rests on
    /// one lives no longer. `None`: for ever.
    #[must_use]
    pub fn holds_until_s(&self, who: Asker<'_>, now_s: i64) -> Option<i64> {
        if who.owns(&self.owner) {
            return None;
        }
        let about = |policy: &&OwnerPolicy| policy.subjects.iter().any(|subject| who.is(subject));
        let windows = self.policies.iter().filter(about).flat_map(|policy| policy.windows.iter().flatten());
        let bounds = windows.flat_map(|window| [window.start_s, window.stop_s]);
        bounds.chain(self.exp_s).filter(|&bound| bound > now_s).min()
    }

    /// Whether the asker may learn that the resource is there.
    #[must_use]
    pub fn may_discover(&self, who: Asker<'_>, now_s: i64) -> bool {
        let ask = Ask {
            who,
            action: Action::Discover,
            target: Target::Whole,
            purpose: None,
            position: Position::Later,
            now_s,
        };
        self.decide(&ask).verdict == Verdict::Permit
    }
}

/// The policies that fit a question but for its parts.
struct Fitting<'p> {
    policies: Vec<&'p OwnerPolicy>,
    /// Whether everything that is not denied is permitted without a policy.
    open: bool,
}

impl<'p> Fitting<'p> {
    fn of(&self, effect: Effect) -> impl Iterator<Item = &'p OwnerPolicy> {
        self.policies.iter().copied().filter(move |policy| policy.effect == effect)
    }

    /// The decision about a target; `None` when no policy fits it.
    fn decide(&self, target: Target<'_>) -> Option<Decision<'p>> {
        let deny = self.of(Effect::Deny).find(|policy| policy.parts.is_none());
        // A DENY of a part is a DENY of the whole, for the whole has that part.
        let deny_of_part = self.of(Effect::Deny).next();
        let permit = self.of(Effect::Permit).find(|policy| policy.parts.is_none());
        let permitted = self.open || permit.is_some();
        let denied = |policy: &'p OwnerPolicy| {
            Some(Decision { verdict: Verdict::Deny(Reason::OwnerDenied), by: Some(policy.id()) })
        };
        match (target, deny, deny_of_part) {
            (_, Some(policy), _) | (Target::Whole, None, Some(policy)) => denied(policy),
            (Target::Whole | Target::AllParts, None, None) if permitted => {
                Some(Decision { verdict: Verdict::Permit, by: permit.map(OwnerPolicy::id) })
            }
            (Target::Whole, None, None) => None,
            // "All but these" cannot be granted: what is left is what a PERMIT names.
            (Target::AllParts, None, _) => {
                let named = self.of(Effect::Permit).flat_map(|policy| policy.parts.iter().flatten());
                self.left(named).or_else(|| denied(deny_of_part?))
            }
            (Target::Parts(asked), None, _) => {
                let left = self.left(asked.iter().filter(|part| permitted || self.names(part).is_some()));
                left.or_else(|| denied(deny_of_part?))
            }
        }
    }

    /// The PERMIT that names a part.
    fn names(&self, part: &String) -> Option<&'p OwnerPolicy> {
        self.of(Effect::Permit).find(|policy| policy.parts.as_ref().is_some_and(|parts| parts.contains(part)))
    }

    /// Those of the parts that are not denied, if any.
    fn left<'a>(&self, permitted: impl Iterator<Item = &'a String>) -> Option<Decision<'p>> {
        let denied = |part: &String| {
            self.of(Effect::Deny).filter_map(|policy| policy.parts.as_ref()).any(|parts| parts.contains(part))
        };
        let mut left: Vec<String> = Vec::new();
        for part in permitted {
            if !denied(part) && !left.contains(part) {
                left.push(part.clone());
            }
        }
        let whole = || self.of(Effect::Permit).find(|policy| policy.parts.is_none());
        let by = self.names(left.first()?).or_else(whole).map(OwnerPolicy::id);
        Some(Decision { verdict: Verdict::PermitParts(left), by })
    }
}

/// Whether a change may take something away from somebody: then live tokens that name the resource are revoked. A
/// change that only adds is told as such where each old PERMIT stands inside a new one and each new DENY inside an old
/// one; anything else counts as narrowing.
#[must_use]
pub fn is_narrowing(old: &ResourceAuth, new: &ResourceAuth) -> bool {
    let openness = |visibility| match visibility {
        Visibility::Private => 0,
        Visibility::Listed => 1,
        Visibility::Universal => 2,
    };
    let of = |auth: &ResourceAuth, effect| {
        auth.policies.iter().filter(move |policy| policy.effect == effect).cloned().collect::<Vec<_>>()
    };
    let stands_in = |inner: &OwnerPolicy, outer: &[OwnerPolicy]| outer.iter().any(|one| one.contains(inner));
    let (permits, denies) = (of(new, Effect::Permit), of(old, Effect::Deny));
    old.owner != new.owner
        || openness(new.visibility) < openness(old.visibility)
        || (old.default_decision, new.default_decision) == (DefaultDecision::AskOwner, DefaultDecision::Deny)
        || !old.owner_aware && new.owner_aware
        || old.synchronised && !new.synchronised
        || new.exp_s.is_some_and(|end| old.exp_s.is_none_or(|before| end < before))
        || !of(old, Effect::Permit).iter().all(|policy| stands_in(policy, &permits))
        || !of(new, Effect::Deny).iter().all(|policy| stands_in(policy, &denies))
}

/// What becomes of a version that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It is newer and is kept.
    Newer,
    /// It is known, word for word: an outbox sends again what was not confirmed.
    Again,
}

/// Decides whether a version may follow the one that is known. `same`: the content is the known one.
///
/// # Errors
/// [`Reason::StalePolicy`] for an older version, and for other content under the known one.
pub fn check_version(known: Option<u64>, arriving: u64, same: bool) -> Result<Arrival, Reason> {
    match known {
        Some(known) if arriving == known && same => Ok(Arrival::Again),
        Some(known) if arriving <= known => Err(Reason::StalePolicy),
        _ => Ok(Arrival::Newer),
    }
}

#[cfg(test)]
mod tests;
