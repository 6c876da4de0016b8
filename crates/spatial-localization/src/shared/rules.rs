//! From the rules that `authorization` decides by to the classes that the store selects by.

use std::collections::BTreeSet;

use api_types::san::{AllowedRules, Visibility};
use authorization::access_rules::{class_key, class_matches, held_by};
use authorization::{Caller, Item, Match, Principal};
use service_http::ambient::Ambient;
use store::anchors::ClassDef;

/// Numbers drawn for one identifier. Own value: with a million items one draw in 2,000 is taken.
const DRAWS: usize = 8;

/// What decides about an anchor or a map.
pub fn item(owner: Principal, visibility: Option<Visibility>, rules: Option<&AllowedRules>) -> Item {
    Item::new(owner, visibility, rules)
}

/// The class of an item: its name, and the matches of which one is enough to hold it.
pub fn class_of(item: &Item) -> ClassDef {
    ClassDef { key: class_key(item), matches: class_matches(item).iter().map(Match::to_string).collect() }
}

/// The matches that a caller holds, each once.
pub fn held(caller: &Caller) -> Vec<String> {
    let held: BTreeSet<String> = held_by(caller).iter().map(Match::to_string).collect();
    held.into_iter().collect()
}

/// Random 31-bit numbers, of which the first free one is taken: for a class, an anchor or a map.
pub fn draws(ambient: &Ambient) -> Vec<u32> {
    (0..DRAWS).map(|_| ambient.random_u31()).collect()
}

/// The match that only this owner has.
pub fn owner_key(owner: &Principal) -> String {
    Match::Owner(owner.clone()).to_string()
}
