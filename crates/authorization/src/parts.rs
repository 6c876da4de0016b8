//! What a change of an anchors list touches, and whose parts those are (TR 33.721 6.2, third-party service level).
//!
//! A PUT or PATCH is judged by the difference that it would make, so that no way of writing it (replacement, dropped
//! members, another order) reaches a part that its sender may not change. The change is made whole or not at all.
//!
//! * The owner changes the list, its anchors and its own service information.
//! * A VAL server that the rules of an anchor list changes its own service information in that anchor.
//! * Nobody changes service information of another provider. An anchor that its owner removes takes it along.

use api_types::san::{ServInfo, SpatialAnchor, SpatialAnchorsList};

use crate::{Caller, CallerKind, Reason};

/// How an anchor is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorChange {
    /// It is new.
    Added,
    /// It is no longer there.
    Removed,
    /// Anything but its service information differs.
    Changed,
}

/// An entry of service information that is touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedServInfo {
    /// Label of the anchor.
    pub anchor: String,
    /// The entry.
    pub serv_info_id: String,
    /// Whose it is, or is said to be; `None` for a new entry that names nobody and so becomes the sender's.
    pub provider: Option<String>,
}

/// Everything that a change touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// The list itself: its VAL service.
    pub list: bool,
    /// Anchors by label.
    pub anchors: Vec<(String, AnchorChange)>,
    /// Entries of service information of anchors that stay or are new.
    pub serv_infos: Vec<TouchedServInfo>,
}

impl Touched {
    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.list && self.anchors.is_empty() && self.serv_infos.is_empty()
    }
}

/// What differs between the list as it is and as it would become. Of what the server assigns (`anchorId`, `providerId`),
/// absence in `new` is no difference; another value is.
#[must_use]
pub fn touched(old: &SpatialAnchorsList, new: &SpatialAnchorsList) -> Touched {
    let mut touched = Touched { list: old.val_serv_info != new.val_serv_info, ..Touched::default() };
    for label in old.anchors.keys().filter(|label| !new.anchors.contains_key(*label)) {
        touched.anchors.push((label.clone(), AnchorChange::Removed));
    }
    for (label, anchor) in &new.anchors {
        let before = old.anchors.get(label);
        match before {
            None => touched.anchors.push((label.clone(), AnchorChange::Added)),
            Some(before) if !same_but_serv_infos(before, anchor) => {
                touched.anchors.push((label.clone(), AnchorChange::Changed));
            }
            Some(_) => {}
        }
        let before = before.and_then(|anchor| anchor.serv_infos.as_deref()).unwrap_or_default();
        diff_serv_infos(
            label,
            before,
            anchor.serv_infos.as_deref().unwrap_or_default(),
            &mut touched.serv_infos,
        );
    }
    touched
}

fn same_but_serv_infos(old: &SpatialAnchor, new: &SpatialAnchor) -> bool {
    let anchor_id = new.anchor_id.or(old.anchor_id);
    SpatialAnchor { serv_infos: None, anchor_id, ..new.clone() }
        == SpatialAnchor { serv_infos: None, ..old.clone() }
}

/// What differs between the entries of one anchor, or of another item that `anchor` names, as they are and as they would
/// become; added to `out`.
pub fn diff_serv_infos(anchor: &str, old: &[ServInfo], new: &[ServInfo], out: &mut Vec<TouchedServInfo>) {
    let mut touch = |entry: &ServInfo, provider: &Option<String>| {
        out.push(TouchedServInfo {
            anchor: anchor.to_owned(),
            serv_info_id: entry.serv_info_id.clone(),
            provider: provider.clone(),
        });
    };
    for before in
        old.iter().filter(|before| new.iter().all(|entry| entry.serv_info_id != before.serv_info_id))
    {
        touch(before, &before.provider_id);
    }
    for entry in new {
        match old.iter().find(|before| before.serv_info_id == entry.serv_info_id) {
            None => touch(entry, &entry.provider_id),
            Some(before) => {
                let claimed = entry.provider_id.is_some() && entry.provider_id != before.provider_id;
                if claimed || entry.info != before.info {
                    touch(entry, &before.provider_id);
                }
                if claimed {
                    touch(entry, &entry.provider_id);
                }
            }
        }
    }
}

/// Decides whether the caller may make the change. `owner`: the caller owns the list; `listed`: the rules of the anchor
/// with this label list the caller as a VAL server ([`crate::access_rules::lists_server`]).
///
/// # Errors
/// [`Reason::NotOwner`] for list, anchors, and anchors that do not list the caller; [`Reason::PartOfOtherProvider`] for
/// service information of somebody else.
pub fn check(
    caller: &Caller,
    owner: bool,
    touched: &Touched,
    listed: impl Fn(&str) -> bool,
) -> Result<(), Reason> {
    if !owner && (touched.list || !touched.anchors.is_empty()) {
        return Err(Reason::NotOwner);
    }
    for entry in &touched.serv_infos {
        let may_provide = owner || (caller.kind == CallerKind::ValServer && listed(&entry.anchor));
        if !may_provide {
            return Err(Reason::NotOwner);
        }
        if entry.provider.as_deref().is_some_and(|provider| provider != caller.client_id.as_str()) {
            return Err(Reason::PartOfOtherProvider);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{server, user};

    fn list(spoil: impl FnOnce(&mut Value)) -> SpatialAnchorsList {
        let mut value = json!({
            "valServInfo": { "serviceId": "tour", "endPt": { "uri": "https://val.example/tour" } },
            "anchors": {
                "a": {
                    "anchorId": 7, "posInfo": { "spaMapPos": { "spaMapId": "1" } }, "name": "door",
                    "servInfos": [
                        { "servInfoId": "i1", "providerId": "vs-1", "info": "one" },
                        { "servInfoId": "i2", "providerId": "vs-2", "info": "two" },
                    ],
                },
                "b": { "anchorId": 8, "posInfo": { "spaMapPos": { "spaMapId": "1" } } },
            },
        });
        spoil(&mut value);
        serde_json::from_value(value).unwrap()
    }

    const OK: Result<(), Reason> = Ok(());
    const NOT_OWNER: Result<(), Reason> = Err(Reason::NotOwner);
    const OTHERS: Result<(), Reason> = Err(Reason::PartOfOtherProvider);

    /// `vs-1` owns the list, anchor `a` lists `vs-2`, and `vs-3` is listed nowhere.
    #[test]
    fn a_change_is_judged_by_what_it_touches() {
        type Row = (&'static str, fn(&mut Value), [Result<(), Reason>; 3]);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 18] = [
            ("nothing", |_| {}, [OK, OK, OK]),
            ("another order", |v| v["anchors"]["a"]["servInfos"].as_array_mut().unwrap().reverse(), [OK, OK, OK]),
            ("without what the server assigns", |v| { v["anchors"]["a"]["anchorId"].take(); v["anchors"]["a"]["servInfos"][0]["providerId"].take(); }, [OK, OK, OK]),
            ("the list's service", |v| v["valServInfo"]["serviceId"] = "other".into(), [OK, NOT_OWNER, NOT_OWNER]),
            ("an anchor's name", |v| v["anchors"]["a"]["name"] = "gate".into(), [OK, NOT_OWNER, NOT_OWNER]),
            ("an anchor's rules", |v| v["anchors"]["a"]["rules"] = json!({ "valServiceList": ["x"] }), [OK, NOT_OWNER, NOT_OWNER]),
            ("an anchor's number", |v| v["anchors"]["a"]["anchorId"] = 9.into(), [OK, NOT_OWNER, NOT_OWNER]),
            ("anchor added", |v| v["anchors"]["c"] = v["anchors"]["b"].clone(), [OK, NOT_OWNER, NOT_OWNER]),
            ("anchor removed", |v| { v["anchors"].as_object_mut().unwrap().remove("b"); }, [OK, NOT_OWNER, NOT_OWNER]),
            ("anchor with parts of others removed", |v| { v["anchors"].as_object_mut().unwrap().remove("a"); }, [OK, NOT_OWNER, NOT_OWNER]),
            ("entry of vs-1 changed", |v| v["anchors"]["a"]["servInfos"][0]["info"] = "x".into(), [OK, OTHERS, NOT_OWNER]),
            ("entry of vs-2 changed", |v| v["anchors"]["a"]["servInfos"][1]["info"] = "x".into(), [OTHERS, OK, NOT_OWNER]),
            ("entry of vs-2 dropped", |v| { v["anchors"]["a"]["servInfos"].as_array_mut().unwrap().pop(); }, [OTHERS, OK, NOT_OWNER]),
            ("all entries dropped", |v| { v["anchors"]["a"]["servInfos"].take(); }, [OTHERS, OTHERS, NOT_OWNER]),
            ("entry taken over from vs-2", |v| v["anchors"]["a"]["servInfos"][1]["providerId"] = "vs-1".into(), [OTHERS, OTHERS, NOT_OWNER]),
            ("new entry", |v| v["anchors"]["a"]["servInfos"].as_array_mut().unwrap().push(json!({ "servInfoId": "i3", "info": "x" })), [OK, OK, NOT_OWNER]),
            ("new entry in the name of vs-2", |v| v["anchors"]["a"]["servInfos"].as_array_mut().unwrap().push(json!({ "servInfoId": "i3", "info": "x", "providerId": "vs-2" })), [OTHERS, OK, NOT_OWNER]),
            ("new entry where only vs-1 may", |v| v["anchors"]["b"]["servInfos"] = json!([{ "servInfoId": "i3", "info": "x" }]), [OK, NOT_OWNER, NOT_OWNER]),
        ];
        let old = list(|_| {});
        for (what, spoil, expected) in rows {
            let touched = touched(&old, &list(spoil));
            for (client, expected) in ["vs-1", "vs-2", "vs-3"].into_iter().zip(expected) {
                let listed = |label: &str| client == "vs-2" && label == "a";
                assert_eq!(
                    check(&server(client), client == "vs-1", &touched, listed),
                    expected,
                    "{what}: {client}"
                );
            }
            assert_eq!(touched.is_empty(), expected == [OK; 3], "{what}");
        }
    }

    #[test]
    fn mixed_changes_fail_whole_and_users_provide_nothing() {
        let old = list(|_| {});
        let own_and_name = list(|v| {
            v["anchors"]["a"]["servInfos"][1]["info"] = "x".into();
            v["anchors"]["a"]["name"] = "gate".into();
        });
        assert_eq!(check(&server("vs-2"), false, &touched(&old, &own_and_name), |_| true), NOT_OWNER);
        let own_and_others = list(|v| {
            v["anchors"]["a"]["servInfos"][0]["info"] = "x".into();
            v["anchors"]["a"]["servInfos"][1]["info"] = "x".into();
        });
        assert_eq!(check(&server("vs-2"), false, &touched(&old, &own_and_others), |_| true), OTHERS);
        let new = list(|v| v["anchors"]["b"]["servInfos"] = json!([{ "servInfoId": "i3", "info": "x" }]));
        assert_eq!(check(&user("alice", "ue-a"), false, &touched(&old, &new), |_| true), NOT_OWNER);
    }
}
