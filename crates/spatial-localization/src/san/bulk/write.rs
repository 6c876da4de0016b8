//! Keeping a batch: its anchors, their lists, and how far the import is, in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api_types::bulk::{BadLine, ImportRun};
use api_types::ids::SpatialAnchorId;
use api_types::san::{MAX_ANCHORS_PER_LIST, MAX_LIST_RULE_ENTRIES};
use authorization::Reason;
use service_http::refusal::Refusal;
use store::Sql;
use store::anchors::imports::{self, ImportList};
use store::anchors::{AnchorRow, ListRow, bulk, classes, lists};

use super::super::{LIST_KEPT, SanServer, publish, stored};
use super::read::{Draft, ListDraft, Read};
use super::{Batch, refused_lines, shown};
use crate::shared::rules;

pub(super) async fn keep(
    san: SanServer,
    tx: &mut dyn Sql,
    batch: Batch,
    read: Read,
) -> Result<ImportRun, Refusal> {
    let row = imports::locked(tx, &batch.import_id).await?;
    let mut row = row.ok_or_else(|| Refusal::open(Reason::NotFound))?;
    if batch.first > row.next_line || read.kept_ids != row.keeps_ids {
        return Err(Refusal::open(Reason::StaleVersion));
    }
    let next = row.next_line;
    let mut bad: Vec<BadLine> = read.bad.into_iter().filter(|bad| bad.line >= next).collect();
    let drafts: Vec<Draft> = read.drafts.into_iter().filter(|draft| draft.line >= next).collect();

    let mut known = Known::of(tx, &batch.import_id, &drafts).await?;
    let mut taken: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        match known.take(&draft) {
            Ok(()) => taken.push(draft),
            Err((param, reason)) => {
                bad.push(BadLine { line: draft.line, param: param.into(), reason: reason.into() });
            }
        }
    }
    bad.sort_by_key(|bad| bad.line);
    if !bad.is_empty() && !batch.skip_bad {
        return Err(refused_lines(&bad));
    }
    let now_s = san.kit().ambient.now_s();
    known.make_lists(&san, tx, row.keeps_ids, &taken, now_s).await?;
    let (rows, renumbered) = rows(&san, tx, &known, taken).await?;
    bulk::insert(tx, &rows).await?;
    let touched: BTreeSet<&str> = rows.iter().map(|row| row.list_id.as_str()).collect();
    publish::imported(&san, tx, &touched.into_iter().collect::<Vec<_>>()).await?;
    imports::put_lists(tx, &batch.import_id, &known.changed()).await?;

    row.imported += rows.len() as u64;
    row.renumbered += renumbered;
    row.skipped += bad.len() as u64;
    row.next_line = read.end.max(next);
    // Lines that were passed over are no end.
    row.done |= batch.last && read.end >= next;
    imports::advance(tx, &row, now_s).await?;
    Ok(shown(&row, bad))
}

/// What is known of the lists that a batch touches.
struct Known {
    lists: BTreeMap<String, ImportList>,
    labels: BTreeMap<String, BTreeSet<String>>,
    changed: BTreeSet<String>,
}

impl Known {
    async fn of(tx: &mut dyn Sql, import_id: &str, drafts: &[Draft]) -> Result<Self, Refusal> {
        let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for draft in drafts {
            wanted.entry(&draft.list.key).or_default().push(&draft.row.label);
        }
        let keys: Vec<&str> = wanted.keys().copied().collect();
        let met = imports::lists(tx, import_id, &keys).await?;
        let mut labels = BTreeMap::new();
        // Only a list that is there has labels that could be taken.
        for list in &met {
            let asked = wanted.get(list.list_key.as_str()).map(Vec::as_slice).unwrap_or_default();
            labels.insert(list.list_key.clone(), bulk::labels(tx, &list.list_id, asked).await?);
        }
        let lists = met.into_iter().map(|list| (list.list_key.clone(), list)).collect();
        Ok(Self { lists, labels, changed: BTreeSet::new() })
    }

    /// Counts an anchor into its list, unless it has no room there.
    fn take(&mut self, draft: &Draft) -> Result<(), (&'static str, &'static str)> {
        let key = &draft.list.key;
        let list = self.lists.entry(key.clone()).or_insert_with(|| ImportList {
            list_key: key.clone(),
            list_id: String::new(),
            anchors: 0,
            octets: 0,
            rule_entries: 0,
        });
        let (octets, entries) =
            (list.octets + draft.row.body.len() as u64, list.rule_entries + draft.rule_entries);
        if list.anchors >= MAX_ANCHORS_PER_LIST as u64 || octets > LIST_KEPT as u64 {
            return Err(("/properties/list", "holds too much"));
        }
        if entries > MAX_LIST_RULE_ENTRIES as u64 {
            return Err(("/properties/list", "holds too many entries of rules together"));
        }
        if !self.labels.entry(key.clone()).or_default().insert(draft.row.label.clone()) {
            return Err(("/properties/label", "stands in its list twice"));
        }
        (list.octets, list.rule_entries, list.anchors) = (octets, entries, list.anchors + 1);
        self.changed.insert(key.clone());
        Ok(())
    }

    /// Makes the lists that are new here.
    async fn make_lists(
        &mut self,
        san: &SanServer,
        tx: &mut dyn Sql,
        keeps_ids: bool,
        taken: &[Draft],
        now_s: i64,
    ) -> Result<(), Refusal> {
        let drafts: BTreeMap<&str, &Arc<ListDraft>> =
            taken.iter().map(|draft| (draft.list.key.as_str(), &draft.list)).collect();
        for (key, list) in drafts {
            let Some(known) = self.lists.get_mut(key).filter(|known| known.list_id.is_empty()) else {
                continue;
            };
            let name = list.name.as_deref().filter(|_| keeps_ids);
            let kept = match name {
                Some(name) if !bulk::has_list(tx, name).await? => Some(name.to_owned()),
                _ => None,
            };
            let ambient = &san.kit().ambient;
            let life = list.life.filter(|_| kept.is_some());
            known.list_id = kept.unwrap_or_else(|| ambient.random_id());
            let row = ListRow {
                list_id: known.list_id.clone(),
                owner_issuer: list.owner.issuer.clone(),
                owner_subject: list.owner.subject.clone(),
                owner_name: list.owner_name.clone(),
                service_id: list.service_id.clone(),
                serv_info: list.serv_info.clone(),
                incarnation: life.unwrap_or_else(|| stored::incarnation(ambient)),
                version: 1,
                created_s: now_s,
            };
            lists::insert(tx, &row).await?;
        }
        Ok(())
    }

    fn changed(&self) -> Vec<ImportList> {
        self.changed.iter().filter_map(|key| self.lists.get(key)).cloned().collect()
    }
}

/// The rows, with lists and classes, under identifiers that nobody ever had; how many of them are others than wanted.
async fn rows(
    san: &SanServer,
    tx: &mut dyn Sql,
    known: &Known,
    taken: Vec<Draft>,
) -> Result<(Vec<AnchorRow>, u64), Refusal> {
    let ambient = &san.kit().ambient;
    let wanted: Vec<u32> = taken.iter().map(|draft| draft.row.anchor_id).collect();
    let mut free = bulk::reserve(tx, &wanted).await?;
    let mut numbers: BTreeMap<String, i64> = BTreeMap::new();
    let mut rows = Vec::with_capacity(taken.len());
    let mut renumbered = 0;
    for draft in taken {
        let Draft { mut row, mut anchor, class, list, .. } = draft;
        // The same number twice in one file is taken once.
        let moved = !free.remove(&row.anchor_id);
        if moved {
            row.anchor_id = stored::fresh_id(tx, ambient).await?;
            row.incarnation = stored::incarnation(ambient);
            anchor.anchor_id = Some(SpatialAnchorId(row.anchor_id));
            row.body = stored::written(&anchor)?;
        }
        renumbered += u64::from(moved || draft.renumbered);
        row.class_id = match numbers.get(&class.key) {
            Some(number) => *number,
            None => {
                let number = classes::class_of(tx, &class, &rules::draws(ambient)).await?;
                numbers.insert(class.key, number);
                number
            }
        };
        row.list_id = known.lists.get(&list.key).map(|list| list.list_id.clone()).unwrap_or_default();
        rows.push(row);
    }
    Ok((rows, renumbered))
}
