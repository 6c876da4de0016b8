//! Who may discover an item: owner, visibility and allowed entities (TS 23.437 table 7.3.2.1-1, TS 29.437
//! `AllowedRules`; TR 33.721 6.2 for the levels).
//!
//! The same decision exists twice, and a property test keeps the two equal: [`may_discover`] looks at one item, and the
//! pair [`class_matches`] and [`held_by`] lets an index select. Items with equal owner, visibility and rules are of one
//! class ([`class_key`]); a caller holds a class when one of the caller's matches is among those of the class.

use std::collections::BTreeSet;
use std::fmt;

use api_types::ids::ValServiceId;
use api_types::san::{AllowedEntity, AllowedRules};
pub use api_types::san::{EntityType, Visibility};

use crate::{Caller, CallerKind, Principal, Reason};

/// The visibility of an item that may not say any: restricted where there are rules, else private.
#[must_use]
pub fn visibility_or_default(said: Option<Visibility>, rules: &Rules) -> Visibility {
    said.unwrap_or(if rules.is_empty() { Visibility::Private } else { Visibility::Restricted })
}

/// An allowed entity; at least one member is there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entity {
    /// `None`: of any type. A type that is not known names nobody.
    pub kind: Option<EntityType>,
    /// `None`: any of the type.
    pub identifier: Option<String>,
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entity").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Allowed entities and services; any of them is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Allowed entities.
    pub entities: Vec<Entity>,
    /// Allowed VAL services.
    pub val_services: Vec<ValServiceId>,
}

impl Rules {
    /// Whether nobody is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty() && self.val_services.is_empty()
    }
}

impl From<&AllowedRules> for Rules {
    fn from(rules: &AllowedRules) -> Self {
        let entity = |entity: &AllowedEntity| Entity {
            kind: entity.type_.clone(),
            identifier: entity.identifier.clone(),
        };
        Self {
            entities: rules.allowed_entities.iter().flatten().map(entity).collect(),
            val_services: rules.val_service_list.clone().unwrap_or_default(),
        }
    }
}

impl From<Option<&AllowedRules>> for Rules {
    fn from(rules: Option<&AllowedRules>) -> Self {
        rules.map(Self::from).unwrap_or_default()
    }
}

/// What decides about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Who created it.
    pub owner: Principal,
    /// Its visibility.
    pub visibility: Visibility,
    /// Its rules.
    pub rules: Rules,
}

impl Item {
    /// What decides about an item as its owner wrote it.
    #[must_use]
    pub fn new(owner: Principal, visibility: Option<Visibility>, rules: Option<&AllowedRules>) -> Self {
        let rules = Rules::from(rules);
        Self { owner, visibility: visibility_or_default(visibility, &rules), rules }
    }
}

/// What decides about a class of items is what decides about each of them.
pub type ClassSpec = Item;

/// The caller may discover the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The caller owns it: premises, rules and changes are open.
    pub owner: bool,
}

/// Decides whether the caller may discover an item.
///
/// # Errors
/// [`Reason::NotVisible`] for a private item, [`Reason::NotAllowedEntity`] for rules that do not name the caller.
pub fn may_discover(caller: &Caller, item: &Item) -> Result<Grant, Reason> {
    if caller.is(&item.owner) {
        return Ok(Grant { owner: true });
    }
    match item.visibility {
        Visibility::Universal => Ok(Grant { owner: false }),
        Visibility::Private => Err(Reason::NotVisible),
        Visibility::Restricted if rules_name(&item.rules, caller) => Ok(Grant { owner: false }),
        Visibility::Restricted => Err(Reason::NotAllowedEntity),
    }
}

/// Whether the rules of an item list the caller as a VAL server, which may then keep service information of its own
/// there.
#[must_use]
pub fn lists_server(caller: &Caller, item: &Item) -> bool {
    caller.kind == CallerKind::ValServer
        && item.visibility != Visibility::Private
        && rules_name(&item.rules, caller)
}

fn rules_name(rules: &Rules, caller: &Caller) -> bool {
    rules.entities.iter().any(|entity| entity_is(entity, caller))
        || rules.val_services.iter().any(|service| caller.val_services.contains(service))
}

/// What lets the caller discover the item: the one match of the item that the caller holds and that says most, the owner
/// before the rules. `None` exactly when [`may_discover`] refuses.
#[must_use]
pub fn by_which(caller: &Caller, item: &Item) -> Option<Match> {
    let held = held_by(caller);
    if caller.is(&item.owner) {
        return Some(Match::Owner(item.owner.clone()));
    }
    class_matches(item).into_iter().filter(|one| held.contains(one)).max()
}

/// Decides whether the caller may change or delete an item as a whole: its owner only. What a listed VAL server may
/// change is decided in [`crate::parts`].
///
/// # Errors
/// [`Reason::NotOwner`] to somebody who may discover it, else the reason of [`may_discover`].
pub fn may_change(caller: &Caller, item: &Item) -> Result<(), Reason> {
    if may_discover(caller, item)?.owner { Ok(()) } else { Err(Reason::NotOwner) }
}

/// VAL_SERVER is a client id of a server, VAL_CLIENT a VAL user or VAL UE.
fn entity_is(entity: &Entity, caller: &Caller) -> bool {
    let kind_is = |kind: EntityType| entity.kind.as_ref().is_none_or(|own| *own == kind);
    let id_is = |id: Option<&str>| match &entity.identifier {
        Some(identifier) => id == Some(identifier),
        // Without type and identifier there is no rule; the schema refuses it, and it names nobody.
        None => entity.kind.is_some(),
    };
    match caller.kind {
        CallerKind::ValServer => kind_is(EntityType::ValServer) && id_is(Some(caller.val_server())),
        CallerKind::ValClient => {
            kind_is(EntityType::ValClient)
                && (id_is(caller.user.as_ref().map(|user| user.as_str()))
                    || id_is(caller.ue.as_ref().map(|ue| ue.as_str())))
        }
        CallerKind::Function => false,
    }
}

/// One thing that a class asks of a caller, and that a caller has. [`fmt::Display`] is the form for an index: equal
/// texts are equal matches.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// Everybody.
    Anyone,
    /// The owner.
    Owner(Principal),
    /// Any VAL server.
    AnyServer,
    /// Any VAL client.
    AnyClient,
    /// This VAL server.
    Server(String),
    /// The VAL client of this VAL user or VAL UE.
    Client(String),
    /// Whoever uses this VAL service.
    ValService(String),
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("*"),
            // The length says where the issuer ends, so that no two principals have one text.
            Self::Owner(Principal { issuer, subject }) => write!(f, "o:{}:{issuer}:{subject}", issuer.len()),
            Self::AnyServer => f.write_str("s"),
            Self::AnyClient => f.write_str("c"),
            Self::Server(id) => write!(f, "s:{id}"),
            Self::Client(id) => write!(f, "c:{id}"),
            Self::ValService(id) => write!(f, "v:{id}"),
        }
    }
}

impl fmt::Debug for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Match")
    }
}

/// Everything that the caller has. A class is held when one of these is among its [`class_matches`].
#[must_use]
pub fn held_by(caller: &Caller) -> Vec<Match> {
    let mut held = vec![Match::Anyone, Match::Owner(caller.principal())];
    match caller.kind {
        CallerKind::ValServer => {
            held.push(Match::AnyServer);
            held.push(Match::Server(caller.val_server().to_owned()));
        }
        CallerKind::ValClient => {
            held.push(Match::AnyClient);
            held.extend(caller.user.iter().map(|user| Match::Client(user.as_str().to_owned())));
            held.extend(caller.ue.iter().map(|ue| Match::Client(ue.as_str().to_owned())));
        }
        CallerKind::Function => {}
    }
    held.extend(caller.val_services.iter().map(|service| Match::ValService(service.as_str().to_owned())));
    held
}

/// Everything of which one is enough to hold the class, sorted, each once.
#[must_use]
pub fn class_matches(class: &ClassSpec) -> Vec<Match> {
    let owner = Match::Owner(class.owner.clone());
    match class.visibility {
        Visibility::Universal => return vec![Match::Anyone],
        Visibility::Private => return vec![owner],
        Visibility::Restricted => {}
    }
    let mut matches = BTreeSet::from([owner]);
    for Entity { kind, identifier } in &class.rules.entities {
        let server = matches!(kind, None | Some(EntityType::ValServer));
        let client = matches!(kind, None | Some(EntityType::ValClient));
        match identifier {
            Some(id) => {
                matches.extend(server.then(|| Match::Server(id.clone())));
                matches.extend(client.then(|| Match::Client(id.clone())));
            }
            None if kind.is_none() => {}
            None => {
                matches.extend(server.then_some(Match::AnyServer));
                matches.extend(client.then_some(Match::AnyClient));
            }
        }
    }
    matches.extend(
        class.rules.val_services.iter().map(|service| Match::ValService(service.as_str().to_owned())),
    );
    matches.into_iter().collect()
}

/// The name of an item's class: equal for two items exactly when the same callers may discover them.
#[must_use]
pub fn class_key(item: &Item) -> String {
    let mut text = String::new();
    for one in class_matches(item) {
        let one = one.to_string();
        text.push_str(&format!("{}:{one}", one.len()));
    }
    jose::sha256_b64url(text)
}

#[cfg(test)]
mod tests;
