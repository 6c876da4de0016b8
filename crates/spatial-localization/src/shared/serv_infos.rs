//! Service information of several providers in one anchor or map (TR 33.721 6.2, third-party service level; S2-L3, IMP-45).
//!
//! Who provides an entry is told by the token, never by the body. Who may change what is decided in
//! `authorization::parts`, by the difference that a change makes.

use api_types::san::ServInfo;

/// The entries that a patch makes of `stored`: `proposed` is the complete set of what `provider` has there, and what
/// it does not name of others stays. So two providers that know nothing of each other both keep their entries.
pub fn patched(stored: &[ServInfo], proposed: &[ServInfo], provider: &str) -> Vec<ServInfo> {
    let named = |id: &str| proposed.iter().find(|entry| entry.serv_info_id == id);
    let mut entries: Vec<ServInfo> = Vec::with_capacity(stored.len() + proposed.len());
    for known in stored {
        match named(&known.serv_info_id) {
            Some(entry) => entries.push(entry.clone()),
            None if known.provider_id.as_deref() == Some(provider) => {}
            None => entries.push(known.clone()),
        }
    }
    let is_new = |entry: &&ServInfo| stored.iter().all(|known| known.serv_info_id != entry.serv_info_id);
    entries.extend(proposed.iter().filter(is_new).cloned());
    entries
}

/// Names the provider of each entry: the one that it had, else `provider`. No entry is no list.
pub fn assign(entries: &mut Option<Vec<ServInfo>>, stored: &[ServInfo], provider: &str) {
    for entry in entries.iter_mut().flatten() {
        let known = stored.iter().find(|known| known.serv_info_id == entry.serv_info_id);
        entry.provider_id = known.map_or(Some(provider.to_owned()), |known| known.provider_id.clone());
    }
    if entries.as_ref().is_some_and(Vec::is_empty) {
        *entries = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, provider: Option<&str>, info: &str) -> ServInfo {
        ServInfo {
            serv_info_id: id.to_owned(),
            provider_id: provider.map(str::to_owned),
            info: info.to_owned(),
        }
    }

    type Row = (&'static str, Vec<ServInfo>, &'static [(&'static str, &'static str, &'static str)]);

    #[test]
    fn a_patch_is_the_senders_part_of_the_entries() {
        let stored = [entry("a", Some("vs-1"), "one"), entry("b", Some("vs-2"), "two")];
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 5] = [
            ("its own changed",  vec![entry("b", None, "new")], &[("a", "vs-1", "one"), ("b", "vs-2", "new")]),
            ("in another order", vec![entry("b", None, "new"), entry("a", Some("vs-1"), "one")], &[("a", "vs-1", "one"), ("b", "vs-2", "new")]),
            ("its own dropped",  vec![],                        &[("a", "vs-1", "one")]),
            ("one more",         vec![entry("b", None, "two"), entry("c", None, "x")], &[("a", "vs-1", "one"), ("b", "vs-2", "two"), ("c", "vs-2", "x")]),
            ("another's named",  vec![entry("a", None, "mine")], &[("a", "vs-1", "mine")]),
        ];
        for (what, proposed, expected) in rows {
            let mut entries = Some(patched(&stored, &proposed, "vs-2"));
            assign(&mut entries, &stored, "vs-2");
            let entries = entries.unwrap_or_default();
            let got: Vec<_> = entries
                .iter()
                .map(|e| (e.serv_info_id.as_str(), e.provider_id.as_deref().unwrap_or("?"), e.info.as_str()))
                .collect();
            assert_eq!(got, expected, "{what}");
        }
        let mut none = Some(Vec::new());
        assign(&mut none, &stored, "vs-2");
        assert_eq!(none, None);
    }
}
