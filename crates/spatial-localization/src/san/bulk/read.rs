//! From lines to rows that are ready but for what only the transaction knows. No IO.

use std::collections::BTreeMap;
use std::sync::Arc;

use api_types::bulk::{AnchorFeature, BadLine, ExportHeader, FeatureError, ImportBegin, OwnerKind};
use api_types::bulk::{MAX_BATCH_LINES, MAX_LINE};
use api_types::ids::SpatialAnchorId;
use api_types::san::SpatialAnchor;
use authorization::{Item, Principal};
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::anchors::imports::ImportRow;
use store::anchors::{AnchorRow, ClassDef, records};

use super::super::{ANCHOR_KEPT, stored};
use super::{Batch, refused};
use crate::shared::geometry::place_of;
use crate::shared::publication::{self, CoreFunction};
use crate::shared::rules;

/// Anchors of one list where the file names none. Own value, that of the interface.
const AUTO_LIST: u64 = api_types::san::MAX_ANCHORS_PER_LIST as u64;

/// The lines of a batch, read.
pub(super) struct Read {
    pub(super) drafts: Vec<Draft>,
    pub(super) bad: Vec<BadLine>,
    /// Number of the line behind the last one.
    pub(super) end: u64,
    /// Whether identifiers were kept as they are in the file.
    pub(super) kept_ids: bool,
}

/// An anchor that is ready but for the number of its class, and the list that it will be in.
pub(super) struct Draft {
    pub(super) line: u64,
    pub(super) row: AnchorRow,
    pub(super) anchor: SpatialAnchor,
    pub(super) class: ClassDef,
    pub(super) list: Arc<ListDraft>,
    /// Whether the file names another identifier.
    pub(super) renumbered: bool,
    pub(super) rule_entries: u64,
}

/// The list of an anchor, as its line tells.
pub(super) struct ListDraft {
    /// One name for each list, owner and service: lines that differ in one of these are in different lists.
    pub(super) key: String,
    /// As the file names it.
    pub(super) name: Option<String>,
    pub(super) life: Option<i64>,
    pub(super) owner: Principal,
    pub(super) owner_name: String,
    pub(super) service_id: String,
    pub(super) serv_info: String,
}

/// Reads a batch; lines that are kept already are passed over.
pub(super) fn batch(
    kit: &FunctionKit,
    core: Option<&CoreFunction>,
    row: &ImportRow,
    batch: &Batch,
) -> Result<Read, Refusal> {
    let terms: ImportBegin = stored::parsed(&row.terms)?;
    let reader = Reader { kit, core, terms: &terms, keeps_ids: row.keeps_ids };
    let mut read = Read { drafts: Vec::new(), bad: Vec::new(), end: batch.first, kept_ids: row.keeps_ids };
    let mut lists = BTreeMap::new();
    let text = batch.lines.strip_suffix(b"\n").unwrap_or(&batch.lines);
    let lines = text.split(|byte| *byte == b'\n').filter(|_| !batch.lines.is_empty());
    for line in lines {
        let number = read.end;
        read.end += 1;
        if read.end - batch.first > MAX_BATCH_LINES as u64 {
            return Err(refused("", "has too many lines"));
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Empty lines, and the first one of an export, hold no anchor.
        if number < row.next_line || line.is_empty() || ExportHeader::read_first(number, line) {
            continue;
        }
        match reader.draft(number, line, &mut lists) {
            Ok(draft) => read.drafts.push(draft),
            Err(error) => {
                read.bad.push(BadLine {
                    line: number,
                    param: error.param,
                    reason: error.reason.into_owned(),
                });
            }
        }
    }
    Ok(read)
}

struct Reader<'r> {
    kit: &'r FunctionKit,
    core: Option<&'r CoreFunction>,
    terms: &'r ImportBegin,
    keeps_ids: bool,
}

impl Reader<'_> {
    fn draft(
        &self,
        number: u64,
        line: &[u8],
        lists: &mut BTreeMap<String, Arc<ListDraft>>,
    ) -> Result<Draft, FeatureError> {
        debug_assert!(line.len() <= MAX_LINE || AnchorFeature::read(line, None).is_err());
        let feature = AnchorFeature::read(line, self.terms.defaults.as_ref())?;
        if feature.properties.demo && !self.kit.settings.demo {
            return Err(FeatureError::new("/properties/demo", "was made by a demo"));
        }
        let list = self.list(number, &feature)?;
        let list = Arc::clone(lists.entry(list.key.clone()).or_insert_with(|| Arc::new(list)));
        let wanted = feature.id.map(|id| id.0);
        let properties = feature.properties;
        let mut anchor =
            properties.anchor.ok_or_else(|| FeatureError::new("/properties/anchor", "is missing"))?;
        let kept = wanted.filter(|_| self.keeps_ids);
        let anchor_id = kept.unwrap_or_else(|| self.kit.ambient.random_u31());
        let life = properties.incarnation.and_then(|life| life.parse().ok()).filter(|_| kept.is_some());
        anchor.anchor_id = Some(SpatialAnchorId(anchor_id));
        let body = serde_json::to_string(&anchor)
            .map_err(|_| FeatureError::new("/properties/anchor", "cannot be kept"))?;
        if body.len() > ANCHOR_KEPT {
            return Err(FeatureError::new("/properties/anchor", "is too large"));
        }
        anchor.sync_state = None;
        let sync = CoreFunction::sync_of(self.core, &list.owner);
        let visibility = publication::visibility(sync, anchor.visibility);
        let item = Item::new(list.owner.clone(), visibility, anchor.rules.as_ref());
        let spec = anchor.spec_info.as_ref().and_then(|text| STANDARD.decode(text).ok());
        let row = AnchorRow {
            anchor_id,
            list_id: String::new(),
            label: properties.label.unwrap_or_else(|| format!("line-{number}")),
            owner_key: rules::owner_key(&list.owner),
            class_id: 0,
            service_id: list.service_id.clone(),
            incarnation: life.unwrap_or_else(|| stored::incarnation(&self.kit.ambient)),
            spec_hash: spec.map(|bytes| records::spec_hash(&bytes)),
            at: anchor.pos_info.pos.as_ref().and_then(place_of),
            start_s: anchor.time_period.map(|period| period.start_time.unix()),
            stop_s: anchor.time_period.map(|period| period.stop_time.unix()),
            sync,
            body,
        };
        let entries = anchor.rules.as_ref().map_or(0, |rules| {
            rules.allowed_entities.as_ref().map_or(0, Vec::len)
                + rules.val_service_list.as_ref().map_or(0, Vec::len)
        });
        Ok(Draft {
            line: number,
            row,
            class: rules::class_of(&item),
            anchor,
            list,
            renumbered: wanted.is_some() && kept.is_none(),
            rule_entries: entries as u64,
        })
    }

    fn list(&self, number: u64, feature: &AnchorFeature) -> Result<ListDraft, FeatureError> {
        let missing = |param| FeatureError::new(param, "is missing");
        let properties = &feature.properties;
        let said = properties.owner.as_ref().ok_or_else(|| missing("/properties/owner"))?;
        let serv_info =
            properties.val_serv_info.as_ref().ok_or_else(|| missing("/properties/valServInfo"))?;
        let ours = &self.kit.settings.issuers;
        let issuer = match &said.issuer {
            Some(issuer) => self.terms.issuers.get(issuer).unwrap_or(issuer),
            None => ours.first().ok_or_else(|| missing("/properties/owner/issuer"))?,
        };
        // Nobody could ever prove to be an owner that no issuer of ours knows.
        if !ours.contains(issuer) {
            return Err(FeatureError::new("/properties/owner/issuer", "is no issuer of this server"));
        }
        let owner_name = match said.kind {
            OwnerKind::Client => said.subject.clone(),
            OwnerKind::User => self.kit.pseudonym(&said.subject),
        };
        let owner = Principal::new(issuer.as_str(), said.subject.as_str());
        let text = serde_json::to_string(serv_info)
            .map_err(|_| FeatureError::new("/properties/valServInfo", "cannot be kept"))?;
        let auto;
        let name = match &properties.list {
            Some(name) => name.as_str(),
            None => {
                auto = format!("lines {}", number.saturating_sub(1) / AUTO_LIST);
                &auto
            }
        };
        Ok(ListDraft {
            key: key(&[name, &owner.issuer, &owner.subject, &owner_name, &text]),
            name: properties.list.clone(),
            life: properties.list_incarnation.as_ref().and_then(|life| life.parse().ok()),
            owner,
            owner_name,
            service_id: serv_info.service_id.as_str().to_owned(),
            serv_info: text,
        })
    }
}

/// One name for several texts.
fn key(parts: &[&str]) -> String {
    let mut digest = Context::new(&SHA256);
    for part in parts {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(digest.finish())
}
