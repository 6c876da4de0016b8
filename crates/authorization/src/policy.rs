//! Rules of the deployment, the operator and the regulator: who may do what where and when. Deny wins.
//!
//! * A rule matches when every one of its conditions holds; an empty list is no condition.
//! * A DENY of any class that matches denies. The highest class is named: regulatory, operator, local.
//! * **Local**: without a matching PERMIT the answer is deny ("may this user or client use the service at all").
//! * **Operator, regulatory**: they only deny. But where the class has a PERMIT that speaks of what is asked (service,
//!   action, resource), that PERMIT makes a closed list: if none of them matches, the answer is deny.
//!
//! A question may leave open what is decided later at another place: a token is asked for before the anchor is known. What
//! is left open satisfies a PERMIT and does not satisfy a DENY, because the server that knows it asks again. A position
//! that should be known and is not, [`Position::Unknown`], is the contrary: it satisfies a DENY and no PERMIT.

use api_types::ids::PolicyId;
use api_types::problem::InvalidParam;

pub use api_types::admin::{PolicyClass as Class, PolicyEffect as Effect};

use crate::Reason;
use crate::area::{Area, Point};

/// From start, inclusive, to stop, exclusive, in seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First second.
    pub start_s: i64,
    /// First second after it.
    pub stop_s: i64,
}

impl Period {
    /// Whether the second lies in the period.
    #[must_use]
    pub const fn contains(self, now_s: i64) -> bool {
        self.start_s <= now_s && now_s < self.stop_s
    }
}

/// A rule. Empty lists mean any.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Identifier.
    pub id: PolicyId,
    /// Grows with each change.
    pub version: u64,
    /// Whose rule it is.
    pub class: Class,
    /// What it does.
    pub effect: Effect,
    /// Client or VAL user identifiers.
    pub subjects: Vec<String>,
    /// Service identifiers.
    pub services: Vec<String>,
    /// Operations.
    pub actions: Vec<String>,
    /// Resources.
    pub resources: Vec<String>,
    /// Where.
    pub area: Option<Area>,
    /// When.
    pub period: Option<Period>,
}

impl Policy {
    /// Reads a rule as the operator wrote it.
    ///
    /// # Errors
    /// The members that cannot decide, or a period that ends before it begins.
    pub fn from_wire(
        id: PolicyId,
        version: u64,
        wire: &api_types::admin::Policy,
    ) -> Result<Self, Vec<InvalidParam>> {
        let area = wire.area.as_ref().map(|area| Area::from_service_area(area, "/area")).transpose()?;
        let period = wire
            .period
            .as_ref()
            .map(|window| Period { start_s: window.start_time.unix(), stop_s: window.stop_time.unix() });
        if period.is_some_and(|period| period.stop_s <= period.start_s) {
            return Err(vec![InvalidParam::new("/period", "ends before it begins")]);
        }
        Ok(Self {
            id,
            version,
            class: wire.class,
            effect: wire.effect,
            subjects: wire.subjects.clone(),
            services: wire.services.clone(),
            actions: wire.actions.clone(),
            resources: wire.resources.clone(),
            area,
            period,
        })
    }
}

/// Where it happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Position {
    /// Here.
    At(Point),
    /// It should be known here and is not.
    Unknown,
    /// It is decided later, by another question.
    Later,
}

/// A question. `None` leaves that part open.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Client and VAL user identifiers of the caller; a rule that names any of them is about this caller.
    pub subjects: &'a [&'a str],
    /// Service identifier.
    pub service: Option<&'a str>,
    /// Operation.
    pub action: Option<&'a str>,
    /// Resource.
    pub resource: Option<&'a str>,
    /// Where.
    pub position: Position,
    /// Now, in seconds since 1970.
    pub now_s: i64,
}

/// The answer, with the rule that decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision<'p> {
    /// Why not; `None` permits.
    pub denied: Option<Reason>,
    /// The rule that decided; `None` when it is the absence of a PERMIT, or nothing speaks of it.
    pub by: Option<&'p Policy>,
}

impl Decision<'_> {
    /// Whether it is permitted.
    #[must_use]
    pub fn is_permit(&self) -> bool {
        self.denied.is_none()
    }

    /// The decision as a stage.
    ///
    /// # Errors
    /// [`Reason::RegulatoryRule`], [`Reason::OperatorRule`] or [`Reason::NotEntitled`].
    pub fn check(&self) -> Result<(), Reason> {
        self.denied.map_or(Ok(()), Err)
    }

    /// Identifier and version of the rule that decided, for the audit.
    #[must_use]
    pub fn deciding(&self) -> Option<(&PolicyId, u64)> {
        self.by.map(|policy| (&policy.id, policy.version))
    }
}

/// How one rule took a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explained<'p> {
    /// The rule.
    pub id: &'p PolicyId,
    /// Its version.
    pub version: u64,
    /// Its class.
    pub class: Class,
    /// Its effect.
    pub effect: Effect,
    /// Whether every condition held.
    pub matched: bool,
    /// The first condition that did not.
    pub failed: Option<&'static str>,
}

/// Every class, highest first.
pub const CLASSES: [Class; 3] = [Class::Regulatory, Class::Operator, Class::Local];

/// Decides by every class.
#[must_use]
pub fn decide<'p>(policies: &'p [Policy], ask: &Ask<'_>) -> Decision<'p> {
    decide_by(policies, ask, &CLASSES)
}

/// Decides by some classes: a resource server whose callers were entitled at the SIM-S leaves out
/// [`Class::Local`].
#[must_use]
pub fn decide_by<'p>(policies: &'p [Policy], ask: &Ask<'_>, classes: &[Class]) -> Decision<'p> {
    let of = |class: Class, effect: Effect| {
        policies.iter().filter(move |policy| policy.class == class && policy.effect == effect)
    };
    let asked = || CLASSES.into_iter().filter(|class| classes.contains(class));
    for class in asked() {
        if let Some(by) = of(class, Effect::Deny).find(|policy| policy.failed(ask).is_none()) {
            return Decision { denied: Some(reason(class)), by: Some(by) };
        }
    }
    let mut permitted_by = None;
    for class in asked() {
        let matching = of(class, Effect::Permit).find(|policy| policy.failed(ask).is_none());
        let listed = of(class, Effect::Permit).find(|policy| policy.speaks_of(ask));
        match (matching, listed) {
            // The lowest class that permits is the most particular one, and the last that is asked.
            (Some(by), _) => permitted_by = Some(by),
            (None, Some(by)) if class != Class::Local => {
                return Decision { denied: Some(reason(class)), by: Some(by) };
            }
            (None, _) if class == Class::Local => return Decision { denied: Some(reason(class)), by: None },
            (None, _) => {}
        }
    }
    Decision { denied: None, by: permitted_by }
}

/// How each rule takes the question, in the order of the rules.
#[must_use]
pub fn explain<'p>(policies: &'p [Policy], ask: &Ask<'_>) -> Vec<Explained<'p>> {
    let row = |policy: &'p Policy| {
        let failed = policy.failed(ask);
        Explained {
            id: &policy.id,
            version: policy.version,
            class: policy.class,
            effect: policy.effect,
            matched: failed.is_none(),
            failed,
        }
    };
    policies.iter().map(row).collect()
}

const fn reason(class: Class) -> Reason {
    match class {
        Class::Regulatory => Reason::RegulatoryRule,
        Class::Operator => Reason::OperatorRule,
        Class::Local => Reason::NotEntitled,
    }
}

impl Policy {
    /// The first condition that does not hold.
    fn failed(&self, ask: &Ask<'_>) -> Option<&'static str> {
        if !self.subjects.is_empty() && !ask.subjects.iter().any(|id| names(&self.subjects, id)) {
            return Some("subjects");
        }
        // What is left open satisfies a PERMIT and no DENY.
        let open = self.effect == Effect::Permit;
        let list = |list: &[String], asked: Option<&str>| {
            list.is_empty() || asked.map_or(open, |id| names(list, id))
        };
        if !list(&self.services, ask.service) {
            return Some("services");
        }
        if !list(&self.actions, ask.action) {
            return Some("actions");
        }
        if !list(&self.resources, ask.resource) {
            return Some("resources");
        }
        let in_area = self.area.as_ref().is_none_or(|area| match ask.position {
            Position::At(place) => area.contains(place),
            Position::Unknown => !open,
            Position::Later => open,
        });
        if !in_area {
            return Some("area");
        }
        if self.period.is_some_and(|period| !period.contains(ask.now_s)) {
            return Some("period");
        }
        None
    }

    /// Whether the rule is about what is asked, whoever asks, wherever and whenever.
    fn speaks_of(&self, ask: &Ask<'_>) -> bool {
        let list =
            |list: &[String], asked: Option<&str>| list.is_empty() || asked.is_some_and(|id| names(list, id));
        list(&self.services, ask.service)
            && list(&self.actions, ask.action)
            && list(&self.resources, ask.resource)
    }
}

fn names(list: &[String], id: &str) -> bool {
    list.iter().any(|own| own == id)
}

#[cfg(test)]
mod tests;
