//! Service information of several providers in one anchor (TR 33.721 6.2, third-party service level; S2-L3, IMP-45).
//!
//! Who provides an entry is told by the token, never by the body. Who may change what is decided in
//! `authorization::parts`, by the difference that a change makes.

use api_types::san::{ServInfo, SpatialAnchor};

/// The entries that a patch makes of `stored`: `proposed` is the complete set of what `provider` has there, and what
/// it does not name of others stays. So two providers that know nothing of each other both keep their entries.
pub(super) fn patched(stored: &[ServInfo], proposed: &[ServInfo], provider: &str) -> Vec<ServInfo> {
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

/// Names the provider of each entry: the one that it had, else `provider`.
pub(super) fn assign(anchor: &mut SpatialAnchor, stored: &[ServInfo], provider: &str) {
    let Some(entries) = &mut anchor.serv_infos else { return };
    for entry in entries.iter_mut() {
        let known = stored.iter().find(|known| known.serv_info_id == entry.serv_info_id);
        entry.provider_id = known.map_or(Some(provider.to_owned()), |known| known.provider_id.clone());
    }
    if entries.is_empty() {
        anchor.serv_infos = None;
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

    #[test]
    fn a_patch_replaces_the_part_of_its_sender() {
        let stored = [entry("a", Some("vs-1"), "one"), entry("b", Some("vs-2"), "two")];
        type Row = (&'static str, Vec<ServInfo>, &'static [(&'static str, &'static str, &'static str)]);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 5] = [
            ("its own alone", vec![entry("b", None, "new")], &[("a", "vs-1", "one"), ("b", "vs-2", "new")]),
            ("both, in another order", vec![entry("b", None, "new"), entry("a", Some("vs-1"), "one")], &[("a", "vs-1", "one"), ("b", "vs-2", "new")]),
            ("another one", vec![entry("c", None, "x")], &[("a", "vs-1", "one"), ("c", "vs-2", "x")]),
            ("none any more", vec![], &[("a", "vs-1", "one")]),
            ("another's, which the decision then sees", vec![entry("a", None, "mine")], &[("a", "vs-1", "mine")]),
        ];
        for (what, proposed, want) in rows {
            let mut anchor = SpatialAnchor {
                serv_infos: Some(patched(&stored, &proposed, "vs-2")),
                ..SpatialAnchor::default()
            };
            assign(&mut anchor, &stored, "vs-2");
            let got = anchor.serv_infos.unwrap_or_default();
            let got: Vec<_> = got
                .iter()
                .map(|e| (e.serv_info_id.as_str(), e.provider_id.as_deref().unwrap_or("?"), e.info.as_str()))
                .collect();
            assert_eq!(got, want, "{what}");
        }
    }
}
