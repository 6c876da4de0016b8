//! From the rules that `authorization` decides by to the classes that the store selects by.

use api_types::san::{AllowedRules, Visibility};
use authorization::access_rules::{class_key, class_matches};
use authorization::{Item, Match, Principal};

/// What decides about an anchor or a map.
pub fn item(owner: Principal, visibility: Option<Visibility>, rules: Option<&AllowedRules>) -> Item {
    Item::new(owner, visibility, rules)
}

/// The class of an item: its name, and the matches of which one is enough to hold it.
pub fn class_of(item: &Item) -> (String, Vec<String>) {
    (class_key(item), class_matches(item).iter().map(Match::to_string).collect())
}

/// The match that only this owner has.
pub fn owner_key(owner: &Principal) -> String {
    Match::Owner(owner.clone()).to_string()
}
