//! What is granted of `authorization_details` (TR 33.721 6.2.2.1 step 2, 6.3.2.1 step 7).
//!
//! granted = requested ∩ local policy ∩ policy of the owner ∩ permission of the resource owner, element by element and,
//! within one, action by action, in the order of the request. Nothing is ever added. Where nothing is left, there is no
//! token.

use crate::Reason;
use crate::capif::details::{Action, Details, Element, Level, Parts, Spatial};
use crate::claims::{Detail, MAX_DETAILS};

/// What one of the judges says to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Permit,
    /// Yes, for these entries of service information; for a question about anything else that is no.
    PermitParts(Vec<String>),
    /// Not now; the owner can be asked.
    Ask,
    /// No.
    Deny(Reason),
}

/// One action of one element.
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// Of the spatial services.
    Spatial {
        /// On what.
        element: &'a Spatial,
        /// To do what.
        action: Action,
    },
    /// Of another type, which is granted as it stands or not at all.
    Other(&'a Detail),
}

/// A judge. Pure: what it needs was read before.
pub trait Judge {
    /// Its verdict.
    fn judge(&self, question: &Question<'_>) -> Verdict;
}

impl<F: Fn(&Question<'_>) -> Verdict> Judge for F {
    fn judge(&self, question: &Question<'_>) -> Verdict {
        self(question)
    }
}

/// Who has to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The policy of the core function: may this invoker use the service so at all?
    Local,
    /// The owner of the object, by its policies.
    Owner,
    /// The resource owner whose data it is (RNAA).
    Permission,
}

impl Side {
    /// The name in traces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local policy",
            Self::Owner => "policy of the owner",
            Self::Permission => "permission of the resource owner",
        }
    }
}

/// The judges.
#[derive(Clone, Copy)]
pub struct Judges<'a> {
    /// Local policy.
    pub local: &'a dyn Judge,
    /// The owner's policies.
    pub owner: &'a dyn Judge,
    /// The permission of the resource owner.
    pub permission: &'a dyn Judge,
}

/// Why something was not granted, for audit and trace. The requester learns none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Which element of the request.
    pub element: usize,
    /// Which action of it; `None` for an element of another type.
    pub action: Option<Action>,
    /// Who refused; of several the first in the order of [`Side`].
    pub by: Side,
    /// Why.
    pub reason: Reason,
    /// Everybody else agrees, and the owner can be asked.
    pub can_ask: bool,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Granted {
    details: Details,
    whole: bool,
    refused: Vec<Refused>,
}

impl Granted {
    /// What is granted.
    ///
    /// # Errors
    /// The first reason when that is nothing: no token is issued.
    pub fn check(&self) -> Result<&Details, Reason> {
        match self.refused.first() {
            Some(first) if self.details.is_empty() => Err(first.reason),
            _ => Ok(&self.details),
        }
    }

    /// Whether everything that was asked for is granted, so that the answer says nothing of it.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// What was not granted, in the order of the request; parts that were left out of an element are not listed.
    #[must_use]
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// What would be granted as well if its owner were asked and agreed.
    pub fn to_ask(&self) -> impl Iterator<Item = &Refused> {
        self.refused.iter().filter(|refused| refused.can_ask)
    }
}

/// Decides what is granted.
#[must_use]
pub fn grant(requested: &Details, judges: &Judges<'_>) -> Granted {
    let mut granted = Vec::with_capacity(requested.elements().len());
    let mut refused = Vec::new();
    for (index, element) in requested.elements().iter().enumerate() {
        let refuse =
            |action| move |(by, reason, can_ask)| Refused { element: index, action, by, reason, can_ask };
        match element {
            Element::Other(detail) => match judges.all(&Question::Other(detail)) {
                Ok(Limit::Everything) => granted.push(element.clone()),
                Ok(Limit::Only(_)) => refused.push(refuse(None)((Side::Owner, Reason::DetailsNarrow, false))),
                Err(no) => refused.push(refuse(None)(no)),
            },
            Element::Spatial(element) => {
                let mut kept: Vec<(Action, Level)> = Vec::new();
                for &action in &element.actions {
                    let answer = judges.all(&Question::Spatial { element, action });
                    match answer.and_then(|limit| limit.of(&element.level)) {
                        Ok(level) => kept.push((action, level)),
                        Err(no) => refused.push(refuse(Some(action))(no)),
                    }
                }
                granted.extend(together(element, kept).map(Element::Spatial));
            }
        }
    }
    // An element whose actions reach different parts becomes several; what a token cannot hold is not granted.
    granted.truncate(MAX_DETAILS);
    let details = Details::of(granted);
    Granted { whole: details == *requested, details, refused }
}

/// What the judges leave of an element for one action.
enum Limit {
    /// All of it.
    Everything,
    /// These entries of service information.
    Only(Vec<String>),
}

type No = (Side, Reason, bool);

impl Judges<'_> {
    /// What everybody agrees to. A denial of anybody comes before a question to the owner.
    fn all(&self, question: &Question<'_>) -> Result<Limit, No> {
        let mut limit = Limit::Everything;
        let mut ask = None;
        for (side, judge) in
            [(Side::Local, self.local), (Side::Owner, self.owner), (Side::Permission, self.permission)]
        {
            match judge.judge(question) {
                Verdict::Permit => {}
                Verdict::PermitParts(parts) => {
                    limit = Limit::Only(match limit {
                        Limit::Everything => parts,
                        Limit::Only(before) => {
                            before.into_iter().filter(|part| parts.contains(part)).collect()
                        }
                    });
                }
                Verdict::Ask => ask = ask.or(Some(side)),
                Verdict::Deny(reason) => return Err((side, reason, false)),
            }
        }
        match ask {
            Some(side) => Err((side, Reason::OwnerRequired, true)),
            None => Ok(limit),
        }
    }
}

impl Limit {
    /// What is left of a level.
    fn of(self, level: &Level) -> Result<Level, No> {
        let none = (Side::Owner, Reason::DetailsNarrow, false);
        match (self, level) {
            (Self::Everything, level) => Ok(level.clone()),
            (Self::Only(parts), Level::ServiceInfo(instance, asked)) => {
                let left: Vec<String> = match asked {
                    Parts::All => parts,
                    Parts::These(ids) => ids.iter().filter(|id| parts.contains(id)).cloned().collect(),
                };
                if left.is_empty() {
                    return Err(none);
                }
                Ok(Level::ServiceInfo(instance.clone(), Parts::These(left)))
            }
            (Self::Only(_), _) => Err(none),
        }
    }
}

/// The element for the actions that are left: one for those that reach the same, in the order of their first.
fn together(element: &Spatial, kept: Vec<(Action, Level)>) -> impl Iterator<Item = Spatial> {
    let mut some: Vec<Spatial> = Vec::new();
    for (action, level) in kept {
        match some.iter_mut().find(|known| known.level == level) {
            Some(known) => known.actions.push(action),
            None => some.push(Spatial {
                kind: element.kind,
                locations: element.locations.clone(),
                level,
                actions: vec![action],
            }),
        }
    }
    some.into_iter()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::capif::details::tests::spatials;
    use crate::capif::details::{Instance, Kind};

    fn details(value: &Value) -> Details {
        Details::read(value.to_string().as_bytes(), &["3gpp_digital_asset"]).unwrap()
    }

    fn request() -> Details {
        details(&json!([
            { "type": "3gpp_spatial_anchor", "level": "SERVICE", "actions": ["create", "discover"] },
            { "type": "3gpp_spatial_anchor", "level": "INSTANCE", "identifier": "l/7", "actions": ["read", "update", "delete"] },
            { "type": "3gpp_spatial_anchor", "level": "SERVICE_INFO", "identifier": "l/7", "servInfoIds": ["a", "b"], "actions": ["read", "update"] },
            { "type": "3gpp_spatial_map", "level": "SERVICE_INFO", "identifier": "9", "servInfoScope": "ALL", "actions": ["update"] },
            { "type": "3gpp_digital_asset", "identifier": "da-1" },
        ]))
    }

    fn yes(_: &Question<'_>) -> Verdict {
        Verdict::Permit
    }

    fn judged(owner: impl Fn(&Question<'_>) -> Verdict) -> Granted {
        grant(&request(), &Judges { local: &yes, owner: &owner, permission: &yes })
    }

    /// What is left when an owner says `verdict` to what `holds`, and yes otherwise.
    fn left(verdict: &Verdict, holds: impl Fn(&Spatial, Action) -> bool) -> Granted {
        judged(|question| match question {
            Question::Spatial { element, action } if holds(element, *action) => verdict.clone(),
            _ => Verdict::Permit,
        })
    }

    fn is_map(element: &Spatial) -> bool {
        element.kind == Kind::SpatialMap
    }

    fn is_parts(element: &Spatial) -> bool {
        matches!(&element.level, Level::ServiceInfo(_, Parts::These(_)))
    }

    #[test]
    fn everything_granted_needs_no_answer() {
        let granted = judged(yes);
        assert!(granted.is_whole() && granted.refused().is_empty());
        assert_eq!(granted.check(), Ok(&request()));
        let all = |_: &Question<'_>| Verdict::PermitParts(vec!["b".into(), "a".into(), "c".into()]);
        let parts = details(
            &json!([{ "type": "3gpp_spatial_map", "level": "SERVICE_INFO", "identifier": "9", "servInfoIds": ["a", "b"], "actions": ["read"] }]),
        );
        let granted = grant(&parts, &Judges { local: &yes, owner: &all, permission: &yes });
        assert!(granted.is_whole(), "more parts than were asked for are as good as all");
    }

    #[test]
    fn what_is_denied_is_left_out_and_the_order_stays() {
        use Action::{Delete, Read, Update};
        let deny = Verdict::Deny(Reason::OwnerDenied);
        let some = |ids: &[&str]| Verdict::PermitParts(ids.iter().map(|&id| id.to_owned()).collect());
        type Holds = fn(&Spatial, Action) -> bool;
        let instance: Holds = |element, _| matches!(element.level, Level::Instance(_));
        #[rustfmt::skip] // a table stays a table
        let rows: Vec<(&str, Verdict, Holds, Value)> = vec![
            ("one action", deny.clone(), |e, a| matches!(e.level, Level::Instance(_)) && a == Update, json!([{ "at": 1, "actions": ["read", "delete"] }])),
            ("two actions", deny.clone(), |e, a| matches!(e.level, Level::Instance(_)) && a != Delete, json!([{ "at": 1, "actions": ["delete"] }])),
            ("an element", deny.clone(), instance, json!([{ "at": 1, "actions": null }])),
            ("every read", deny.clone(), |_, a| a == Read, json!([{ "at": 1, "actions": ["update", "delete"] }, { "at": 2, "actions": ["update"] }])),
            ("one part", some(&["b"]), |e, _| is_parts(e), json!([{ "at": 2, "servInfoIds": ["b"] }])),
            ("parts in the order of the request", some(&["b", "a"]), |e, _| is_parts(e), json!([])),
            ("no part", some(&["c"]), |e, _| is_parts(e), json!([{ "at": 2, "actions": null }])),
            ("some of all", some(&["x", "y"]), |e, _| is_map(e), json!([{ "at": 3, "servInfoScope": null, "servInfoIds": ["x", "y"] }])),
            ("none of all", some(&[]), |e, _| is_map(e), json!([{ "at": 3, "actions": null }])),
            ("parts of a whole", some(&["a"]), instance, json!([{ "at": 1, "actions": null }])),
            ("one part for one action", some(&["a"]), |e, a| is_parts(e) && a == Update, json!([{ "at": 2, "actions": ["read"] }, { "behind": 2, "actions": ["update"], "servInfoIds": ["a"] }])),
        ];
        for (what, verdict, holds, changes) in rows {
            let mut expected: Vec<Option<Vec<Value>>> = serde_json::to_value(request().to_claim())
                .unwrap()
                .as_array()
                .unwrap()
                .iter()
                .map(|element| Some(vec![element.clone()]))
                .collect();
            for change in changes.as_array().unwrap() {
                let at = change.get("at").or(change.get("behind")).unwrap().as_u64().unwrap();
                let slot = &mut expected[usize::try_from(at).unwrap()];
                if change.get("actions").is_some_and(Value::is_null) {
                    *slot = None;
                    continue;
                }
                let elements = slot.as_mut().unwrap();
                if change.get("behind").is_some() {
                    elements.push(elements[0].clone());
                }
                let element = elements.last_mut().unwrap().as_object_mut().unwrap();
                for (name, value) in change.as_object().unwrap() {
                    match (name.as_str(), value) {
                        ("at" | "behind", _) => {}
                        (name, Value::Null) => drop(element.remove(name)),
                        (name, value) => drop(element.insert(name.to_owned(), value.clone())),
                    }
                }
            }
            let expected: Vec<Value> = expected.into_iter().flatten().flatten().collect();
            let granted = left(&verdict, holds);
            assert_eq!(granted.check(), Ok(&details(&Value::from(expected))), "{what}");
            assert_eq!(granted.is_whole(), changes == json!([]), "{what}");
        }
    }

    #[test]
    fn everybody_has_to_agree() {
        use Reason::{ConsentOwner, NotEntitled, OwnerDenied, OwnerRequired};
        type Say = fn(&Question<'_>) -> Verdict;
        let no_local: Say = |_| Verdict::Deny(NotEntitled);
        let no_owner: Say = |_| Verdict::Deny(OwnerDenied);
        let no_permission: Say = |_| Verdict::Deny(ConsentOwner);
        let ask: Say = |_| Verdict::Ask;
        let parts: Say = |_| Verdict::PermitParts(vec!["a".into()]);
        let other: Say = |_| Verdict::PermitParts(vec!["b".into()]);
        type Row = (&'static str, [Say; 3], Option<(Side, Reason, bool)>);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 11] = [
            ("everybody", [yes, yes, yes], None),
            ("not the operator", [no_local, yes, yes], Some((Side::Local, NotEntitled, false))),
            ("not the owner", [yes, no_owner, yes], Some((Side::Owner, OwnerDenied, false))),
            ("not the resource owner", [yes, yes, no_permission], Some((Side::Permission, ConsentOwner, false))),
            ("nobody", [no_local, no_owner, no_permission], Some((Side::Local, NotEntitled, false))),
            ("the owner can be asked", [yes, ask, yes], Some((Side::Owner, OwnerRequired, true))),
            ("the resource owner can be asked", [yes, yes, ask], Some((Side::Permission, OwnerRequired, true))),
            ("both can be asked", [yes, ask, ask], Some((Side::Owner, OwnerRequired, true))),
            ("nobody is asked for what the operator denies", [no_local, ask, yes], Some((Side::Local, NotEntitled, false))),
            ("nobody is asked for what the resource owner denies", [yes, ask, no_permission], Some((Side::Permission, ConsentOwner, false))),
            ("different parts", [yes, parts, other], Some((Side::Owner, Reason::DetailsNarrow, false))),
        ];
        let request = details(
            &json!([{ "type": "3gpp_spatial_anchor", "level": "SERVICE_INFO", "identifier": "l/7", "servInfoScope": "ALL", "actions": ["read"] }]),
        );
        for (what, [local, owner, permission], refused) in rows {
            let granted = grant(&request, &Judges { local: &local, owner: &owner, permission: &permission });
            let expected = refused.map(|(by, reason, can_ask)| Refused {
                element: 0,
                action: Some(Action::Read),
                by,
                reason,
                can_ask,
            });
            assert_eq!(granted.refused(), expected.as_slice(), "{what}");
            assert_eq!(granted.check().err(), expected.map(|refused| refused.reason), "{what}");
            assert_eq!(
                granted.to_ask().count(),
                usize::from(expected.is_some_and(|refused| refused.can_ask))
            );
        }
    }

    #[test]
    fn another_type_is_granted_as_it_stands_or_not() {
        for (what, verdict, kept) in [
            ("yes", Verdict::Permit, true),
            ("no", Verdict::Deny(Reason::NotEntitled), false),
            ("parts of it", Verdict::PermitParts(vec!["a".into()]), false),
            ("the owner can be asked", Verdict::Ask, false),
        ] {
            let granted = judged(|question| match question {
                Question::Other(detail) if detail.kind == "3gpp_digital_asset" => verdict.clone(),
                _ => Verdict::Permit,
            });
            let elements = granted.check().unwrap().elements();
            assert_eq!(elements.iter().any(|element| element.spatial().is_none()), kept, "{what}");
            assert_eq!(
                granted.refused().iter().filter(|refused| refused.action.is_none()).count(),
                usize::from(!kept)
            );
        }
    }

    #[test]
    fn nothing_asked_for_is_nothing_granted() {
        let granted = grant(&Details::default(), &Judges { local: &yes, owner: &yes, permission: &yes });
        assert!(granted.is_whole() && granted.check().is_ok_and(Details::is_empty));
    }

    /// What an element grants, spelt out.
    fn atoms(details: &Details) -> Vec<(Kind, Option<Instance>, Option<Parts>, Action)> {
        let mut atoms = Vec::new();
        for element in details.elements().iter().filter_map(Element::spatial) {
            let instance = element.level.instance().cloned();
            for &action in &element.actions {
                match &element.level {
                    Level::ServiceInfo(_, Parts::These(ids)) => atoms.extend(ids.iter().map(|id| {
                        (element.kind, instance.clone(), Some(Parts::These(vec![id.clone()])), action)
                    })),
                    Level::ServiceInfo(_, all) => {
                        atoms.push((element.kind, instance.clone(), Some(all.clone()), action))
                    }
                    _ => atoms.push((element.kind, instance.clone(), None, action)),
                }
            }
        }
        atoms
    }

    proptest! {
        /// Whatever the judges say: nothing is granted that was not asked for, what everybody permits is granted, what
        /// anybody denies is not, and asking again for what was granted gives all of it.
        #[test]
        fn granted_is_within_asked(
            elements in proptest::collection::vec(spatials(), 1..6), salt in any::<[u8; 3]>(),
        ) {
            let requested = Details::of(elements.into_iter().map(Element::Spatial).collect());
            let judge = |salt: u8| move |question: &Question<'_>| {
                let Question::Spatial { element, action } = question else { return Verdict::Permit };
                let weight = element.level.instance().map_or(0, |instance| instance.to_string().len())
                    + action.as_str().len() * 7 + element.level.as_str().len() * 3 + usize::from(salt);
                match weight % 5 {
                    0 => Verdict::Deny(Reason::OwnerDenied),
                    1 => Verdict::Ask,
                    2 if matches!(element.level, Level::ServiceInfo(..)) => Verdict::PermitParts(vec!["i2".into(), "i3".into()]),
                    _ => Verdict::Permit,
                }
            };
            let (local, owner, permission) = (judge(salt[0]), judge(salt[1]), judge(salt[2]));
            let judges = Judges { local: &local, owner: &owner, permission: &permission };
            let granted = grant(&requested, &judges);
            let Ok(kept) = granted.check() else {
                prop_assert!(!granted.is_whole() && !granted.refused().is_empty());
                return Ok(());
            };
            let asked = atoms(&requested);
            for (kind, instance, parts, action) in atoms(kept) {
                let all = (kind, instance.clone(), Some(Parts::All), action);
                let same = (kind, instance, parts, action);
                prop_assert!(asked.contains(&same) || matches!(same.2, Some(Parts::These(_))) && asked.contains(&all));
            }
            let again = grant(kept, &judges);
            prop_assert!(again.is_whole() && again.refused().is_empty());
            prop_assert_eq!(granted.is_whole(), kept == &requested);
        }
    }
}
