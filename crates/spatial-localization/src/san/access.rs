//! What a caller may do with an anchor: the stages `resource`, `place/time` and `operator` (design, section 2).

use authorization::access_rules::{Grant, lists_server, may_discover};
use authorization::capif::details::{Action as Granted, Instance, Kind};
use authorization::{CallerKind, Reason};
use service_http::call::Call;
use service_http::refusal::Refusal;
use store::publications::Sync as Known;
use store::{Sql, StoreError};

use super::SanServer;
use super::stored::{self, Anchor, List};
use crate::shared::data_class::Hidden;
use crate::shared::denial::Denial;
use crate::shared::geometry::Area;
use crate::shared::operator_rules::Action;
use crate::shared::subscriptions::standing::Subscriber;
use crate::shared::surroundings::Surroundings;
use crate::shared::{grants, publication};

/// Whose eyes look at anchors, where and when: of a caller, or of a subscriber who is to be told.
pub(super) struct Viewer {
    pub(super) who: Subscriber,
    pub(super) around: Surroundings,
    unknown_is_outside: bool,
    action: Action,
}

/// Who asks.
pub(super) struct Asker {
    call: Call,
    viewer: Viewer,
    /// Whether its token says what owners of the anchors of a list permit.
    by_owners: bool,
}

impl std::ops::Deref for Asker {
    type Target = Viewer;

    fn deref(&self) -> &Viewer {
        &self.viewer
    }
}

/// The anchor stands open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// The caller created it.
    pub(super) owner: bool,
    /// The rules list the caller as a VAL server.
    pub(super) listed: bool,
    /// What of it the operator keeps from the caller.
    pub(super) hidden: Hidden,
}

impl Access {
    /// Of the owner.
    pub(super) fn owners() -> Self {
        Self { owner: true, listed: false, hidden: Hidden::new() }
    }
}

impl Asker {
    /// Reads what decides beside the anchors themselves.
    pub(super) async fn new(
        san: &SanServer,
        tx: &mut dyn Sql,
        call: &Call,
        action: Action,
    ) -> Result<Self, StoreError> {
        let viewer = Viewer::new(san, tx, Subscriber::of(call), action).await?;
        Ok(Self { call: call.clone(), viewer, by_owners: false })
    }

    /// As [`Asker::new`], without a look at the store, where it is still in a state that is known.
    pub(super) fn settled(san: &SanServer, call: &Call, action: Action, settled: u64) -> Option<Self> {
        let viewer = Viewer {
            around: Surroundings::settled(san.kit(), san.rules(), &call.caller, settled)?,
            who: Subscriber::of(call),
            unknown_is_outside: san.config().unknown_position_is_outside,
            action,
        };
        Some(Self { call: call.clone(), viewer, by_owners: false })
    }

    /// What the caller may do with an anchor: what the viewer may, or what its owner has permitted at the core function.
    ///
    /// # Errors
    /// The first stage that refuses.
    pub(super) fn access(&self, anchor: &Anchor) -> Result<Access, Denial> {
        let row = &anchor.row;
        let is = |own: &Instance| matches!(own, Instance::Anchor { list, anchor } if *list == row.list_id && anchor.0 == row.anchor_id);
        let permitted = self.by_owners && row.sync != Known::Pending && self.permits(is);
        self.viewer.access_if(anchor, permitted)
    }

    /// Whether an owner has permitted at the core function to read some anchor of a list; from here on that counts.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn by_owners(
        &mut self,
        san: &SanServer,
        tx: &mut dyn Sql,
        list: &str,
    ) -> Result<bool, StoreError> {
        let named = || self.permits(|own| matches!(own, Instance::Anchor { list: of, .. } if of == list));
        self.by_owners =
            grants::asks_owners(&self.call, san.core()) && named() && publication::is_told(tx, list).await?;
        Ok(self.by_owners)
    }

    fn permits(&self, is: impl Fn(&Instance) -> bool) -> bool {
        grants::owner_permits(&self.call, Kind::SpatialAnchor, is)
    }

    /// Whether the operator lets the caller do this at all.
    ///
    /// # Errors
    /// A rule denies it.
    pub(super) fn check_action(&self, val_service: Option<&str>) -> Result<(), Refusal> {
        self.around.check_action(&self.call, self.action, val_service)
    }

    /// Whether the details of the token, if it has any, name this anchor.
    pub(super) fn names(&self, anchor: &Anchor, action: Granted) -> bool {
        grants::names_anchor(&self.call, &anchor.row.list_id, anchor.row.anchor_id, action)
    }

    /// Those anchors of a list that stand open; never none.
    ///
    /// # Errors
    /// None does: the refusal that went furthest, so that only somebody who may discover an anchor is told why.
    pub(super) fn open_anchors<'l>(
        &self,
        list: &'l List,
    ) -> Result<Vec<(&'l str, &'l Anchor, Access)>, Refusal> {
        let mut open = Vec::new();
        let mut furthest: Option<Denial> = None;
        for (label, anchor) in &list.anchors {
            match self.access(anchor) {
                Ok(access) => open.push((label.as_str(), anchor, access)),
                Err(denial) => {
                    let further = furthest.is_none_or(|known| known.reason.stage() < denial.reason.stage());
                    furthest = if further { Some(denial) } else { furthest };
                }
            }
        }
        if open.is_empty() {
            let denial = furthest.unwrap_or(Denial::hidden(Reason::NotFound));
            return Err(denial.told(&self.call, "an anchor that stands open"));
        }
        self.call.ctx.pass("resource", "an anchor that stands open", "at least one");
        Ok(open)
    }

    /// Those anchors of a list that stand open; `None` where none does, which is then to be told from the store.
    pub(super) fn open_or_none<'l>(&self, list: &'l List) -> Option<Vec<(&'l str, &'l Anchor, Access)>> {
        let open: Vec<_> = list
            .anchors
            .iter()
            .filter_map(|(label, anchor)| Some((label.as_str(), anchor, self.access(anchor).ok()?)))
            .collect();
        if open.is_empty() {
            return None;
        }
        self.call.ctx.pass("resource", "an anchor that stands open", "at least one");
        Some(open)
    }

    /// Whether every anchor stands open to the owner, which a rule of the operator may prevent.
    ///
    /// # Errors
    /// The rule.
    pub(super) fn check_all_open(&self, list: &List) -> Result<(), Refusal> {
        let mut anchors = list.anchors.values();
        let shut = anchors.find_map(|anchor| self.access(anchor).err());
        shut.map_or(
            Ok(()),
            |denial| Err(denial.told(&self.call, "no rule that denies an anchor of the list")),
        )
    }
}

impl Viewer {
    /// Reads what decides beside the anchors themselves.
    pub(super) async fn new(
        san: &SanServer,
        tx: &mut dyn Sql,
        who: Subscriber,
        action: Action,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            around: Surroundings::of(tx, san.kit(), san.rules(), &who.caller).await?,
            who,
            unknown_is_outside: san.config().unknown_position_is_outside,
            action,
        })
    }

    /// What the viewer may do with an anchor of a list.
    ///
    /// # Errors
    /// The first stage that refuses.
    pub(super) fn access(&self, anchor: &Anchor) -> Result<Access, Denial> {
        self.access_if(anchor, false)
    }

    fn access_if(&self, anchor: &Anchor, permitted: bool) -> Result<Access, Denial> {
        if !self.who.opens_service(&anchor.row.service_id) {
            return Err(Denial::hidden(Reason::NotVisible));
        }
        let caller = &*self.who.caller;
        let grant = match may_discover(caller, &anchor.item) {
            Err(_) if permitted => Grant { owner: false },
            decided => decided.map_err(Denial::hidden)?,
        };
        if !grant.owner {
            let active = anchor.body.time_period.is_none_or(|period| period.holds(self.around.now_s));
            // Owners still find inactive anchors; to others they are not there (contract, section 7).
            if !active {
                return Err(Denial::hidden(Reason::OutsidePeriod));
            }
            let resource = || stored::resource_of(&anchor.row);
            self.around.check_owner(caller, self.action, resource)?;
            if !self.is_inside(anchor) {
                return Err(Denial::open(Reason::OutsideArea));
            }
        }
        let anchor_id = anchor.row.anchor_id.to_string();
        let names = [anchor_id.as_str(), anchor.row.list_id.as_str()];
        let service = Some(anchor.row.service_id.as_str());
        self.around.check(caller, self.action, service, &names)?;
        let hidden = match grant.owner {
            true => Hidden::new(),
            false => self.around.hidden(caller, self.action, service, &format!("anchors/{anchor_id}")),
        };
        Ok(Access { owner: grant.owner, listed: lists_server(caller, &anchor.item), hidden })
    }

    /// Whether the service area, if there is one, lets the viewer in. A VAL server is at no place.
    fn is_inside(&self, anchor: &Anchor) -> bool {
        let Some(area) = anchor.body.svc_area.as_ref().and_then(Area::bounding) else { return true };
        match (self.who.caller.kind, self.around.place) {
            (CallerKind::ValClient, Some(place)) => area.holds(place),
            (CallerKind::ValClient, None) => !self.unknown_is_outside,
            (CallerKind::ValServer | CallerKind::Function, _) => true,
        }
    }
}
