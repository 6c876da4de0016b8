//! What an API exposing function demands of a request, and whether a token grants it (TR 33.721 6.2.2.1 step 6).
//!
//! Two gates, and both have to open. The scope of TS 29.222 names the APIs; without it nothing opens.
//! `authorization_details` only narrow it, by three levels:
//!
//! * SERVICE: the action on the service. Which objects are there for the caller, their owners still say.
//! * INSTANCE: the action on one anchor or map and on the service information in it.
//! * SERVICE_INFO: the action on entries of service information in one anchor or map, and nothing else of it.
//!
//! A token without details is a coarse one: level SERVICE for everything that its APIs do. What a request touches is
//! demanded as a whole: one part that is not granted refuses it all.

use std::collections::BTreeSet;
use std::fmt;

use api_types::ids::SpatialAnchorId;

use super::details::{Action, Details, Element, Instance, Kind, Level, Spatial};
use super::scope::CapifScope;
use crate::parts::{AnchorChange, Touched, TouchedServInfo};
use crate::{AccessClaims, Reason};

/// What decides about an operation beside its API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It acts on the service: level SERVICE is needed.
    Service,
    /// It names, finds or changes objects: any level opens the route, and then each object is asked for.
    Objects,
    /// It acts on something of the caller's own, as a subscription: any level is enough.
    Own,
}

/// An operation of a spatial service as a token opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The operation id of the route.
    pub id: &'static str,
    /// The `apiName` that the scope has to name: the first segment of the path.
    pub api: &'static str,
    /// On what.
    pub kind: Kind,
    /// To do what.
    pub action: Action,
    /// What of the details decides.
    pub reach: Reach,
}

const fn on(id: &'static str, api: &'static str, kind: Kind, action: Action, reach: Reach) -> Operation {
    Operation { id, api, kind, action, reach }
}

/// Every operation of the SAn server and the SM server (TS 29.437), the faces of other interfaces included.
#[rustfmt::skip] // a table stays a table
pub const OPERATIONS: &[Operation] = &{
    use Action::{Create, Delete, Discover, Localize, Read, Subscribe, Update};
    use Kind::{SpatialAnchor as Anchor, SpatialMap as Map};
    use Reach::{Objects, Own, Service};
    [
        on("CreateSpatialAnchorsList", "ssan-sanm", Anchor, Create, Service),
        on("GetIndSpatialAnchorsList", "ssan-sanm", Anchor, Read, Objects),
        on("UpdateIndSpatialAnchorsList", "ssan-sanm", Anchor, Update, Objects),
        on("ModifyIndSpatialAnchorsList", "ssan-sanm", Anchor, Update, Objects),
        on("DeleteIndSpatialAnchorsList", "ssan-sanm", Anchor, Delete, Objects),
        on("CreateSpatialAnchorsSub", "ssan-sanm", Anchor, Subscribe, Objects),
        on("GetIndSpatialAnchorsSub", "ssan-sanm", Anchor, Subscribe, Own),
        on("UpdateIndSpatialAnchorsSub", "ssan-sanm", Anchor, Subscribe, Objects),
        on("ModifyIndSpatialAnchorsSub", "ssan-sanm", Anchor, Subscribe, Objects),
        on("DeleteIndSpatialAnchorsSub", "ssan-sanm", Anchor, Subscribe, Own),
        on("DiscSpatialAnchorsProfiles", "ssan-disc", Anchor, Discover, Objects),
        on("CreateSpatialAnchorsUsageSub", "ssan-usg", Anchor, Subscribe, Objects),
        on("GetIndSpatialAnchorsUsageSub", "ssan-usg", Anchor, Subscribe, Own),
        on("UpdateIndSpatialAnchorsUsageSub", "ssan-usg", Anchor, Subscribe, Objects),
        on("ModifyIndSpatialAnchorsUsageSub", "ssan-usg", Anchor, Subscribe, Objects),
        on("DeleteIndSpatialAnchorsUsageSub", "ssan-usg", Anchor, Subscribe, Own),
        on("ReportSpatialAnchorsUsage", "ssan-usg", Anchor, Read, Objects),
        on("CreateSpatialAnchorGroup", "ssan-grpm", Anchor, Create, Service),
        on("GetSpatialAnchorGroups", "ssan-grpm", Anchor, Read, Service),
        on("GetIndSpatialAnchorGroup", "ssan-grpm", Anchor, Read, Service),
        on("UpdateIndSpatialAnchorGroup", "ssan-grpm", Anchor, Update, Service),
        on("ModifyIndSpatialAnchorGroup", "ssan-grpm", Anchor, Update, Service),
        on("DeleteIndSpatialAnchorGroup", "ssan-grpm", Anchor, Delete, Service),
        on("GetSpatialAnchorsOfGroup", "ssan-grpm", Anchor, Discover, Objects),
        on("PingWorldStorage", "arf005", Anchor, Read, Own),
        on("ListWorldAnchors", "arf005", Anchor, Discover, Objects),
        on("GetWorldAnchor", "arf005", Anchor, Read, Objects),
        on("CreateWorldAnchor", "arf005", Anchor, Create, Service),
        on("ReplaceWorldAnchor", "arf005", Anchor, Update, Objects),
        on("RemoveWorldAnchor", "arf005", Anchor, Delete, Objects),
        on("CreateSpatialMap", "ssm-smm", Map, Create, Service),
        on("GetSpatialMap", "ssm-smm", Map, Read, Objects),
        on("GetIndSpatialMap", "ssm-smm", Map, Read, Objects),
        on("UpdateIndSpatialMap", "ssm-smm", Map, Update, Objects),
        on("ModifyIndSpatialMap", "ssm-smm", Map, Update, Objects),
        on("DeleteIndSpatialMap", "ssm-smm", Map, Delete, Objects),
        on("GetSpatialMapContent", "ssm-smm", Map, Read, Objects),
        on("HeadSpatialMapContent", "ssm-smm", Map, Read, Objects),
        on("PutSpatialMapContent", "ssm-smm", Map, Update, Objects),
        on("CreateSpatialMapsSub", "ssm-smm", Map, Subscribe, Objects),
        on("GetIndSpatialMapsSub", "ssm-smm", Map, Subscribe, Own),
        on("UpdateIndSpatialMapsSub", "ssm-smm", Map, Subscribe, Objects),
        on("ModifyIndSpatialMapsSub", "ssm-smm", Map, Subscribe, Objects),
        on("DeleteIndSpatialMapsSub", "ssm-smm", Map, Subscribe, Own),
        on("DiscSpatialMapsSmas", "ssm-disc", Map, Discover, Objects),
        on("LocalizeInSpatialMap", "ssm-loc", Map, Localize, Objects),
        on("CreateDataSourceReg", "sm_smds", Map, Create, Service),
        on("UpdateIndDataSourceReg", "sm_smds", Map, Update, Service),
        on("ModifyIndDataSourceReg", "sm_smds", Map, Update, Service),
        on("DeleteIndDataSourceReg", "sm_smds", Map, Delete, Service),
        on("DiscDataSourceProfiles", "ssm-dsdisc", Map, Discover, Service),
        on("CreateSmasReg", "ssm-smasr", Map, Create, Service),
        on("GetIndSmasReg", "ssm-smasr", Map, Read, Service),
        on("UpdateIndSmasReg", "ssm-smasr", Map, Update, Service),
        on("ModifyIndSmasReg", "ssm-smasr", Map, Update, Service),
        on("DeleteIndSmasReg", "ssm-smasr", Map, Delete, Service),
        on("ListServiceRecords", "oscp-ssd", Map, Discover, Objects),
        on("ListOwnServiceRecords", "oscp-ssd", Map, Discover, Objects),
        on("GetServiceRecord", "oscp-ssd", Map, Read, Objects),
        on("CreateServiceRecord", "oscp-ssd", Map, Create, Service),
        on("ReplaceServiceRecord", "oscp-ssd", Map, Update, Objects),
        on("RemoveServiceRecord", "oscp-ssd", Map, Delete, Objects),
    ]
};

/// The operation of a route; `None` for one that no token of a CAPIF core function opens.
#[must_use]
pub fn operation(id: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.id == id)
}

/// One thing that a request needs to be granted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The action on the service.
    Service(Kind, Action),
    /// The action on one anchor or map.
    Instance(Instance, Action),
    /// The action on one entry of service information in an anchor or map.
    Info(Instance, String, Action),
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(kind, action) => write!(f, "{action} of {}", kind.as_str()),
            Self::Instance(instance, action) => {
                write!(f, "{action} of {} {instance}", instance.kind().as_str())
            }
            Self::Info(instance, id, action) => {
                write!(f, "{action} of service information {id} in {} {instance}", instance.kind().as_str())
            }
        }
    }
}

/// What is not granted: the first of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token does not grant {0}")]
pub struct Missing(pub Need);

impl From<Missing> for Reason {
    fn from(_: Missing) -> Self {
        Self::DetailsNarrow
    }
}

/// What a token grants at one API exposing function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    apis: BTreeSet<Box<str>>,
    /// What the APIs do at all.
    coarse: BTreeSet<(Kind, Action)>,
    /// `None`: no details, and so all of it.
    details: Option<Vec<Spatial>>,
}

impl Grants {
    /// Of a scope and its details at the API exposing function `aef`. Details that are located elsewhere, and those of
    /// other types, grant nothing here; that there are any makes the token a narrow one.
    #[must_use]
    pub fn new(scope: &CapifScope, details: &Details, aef: &str) -> Self {
        let here = |element: &Element| element.spatial().filter(|element| element.is_at(aef)).cloned();
        let details = (!details.is_empty()).then(|| details.elements().iter().filter_map(here).collect());
        Self::with(scope, details, aef)
    }

    /// Of a token that passed every check up to `operation`.
    ///
    /// # Errors
    /// [`Reason::ScopeNarrow`] for a scope that is none of CAPIF, [`Reason::DetailsNarrow`] for details that cannot be
    /// read.
    pub fn of_token(claims: &AccessClaims, aef: &str) -> Result<Self, Reason> {
        let scope = CapifScope::of(&claims.scope).map_err(|_| Reason::ScopeNarrow)?;
        let all = &claims.authorization_details;
        let of_others: Vec<&str> =
            all.iter().map(|detail| detail.kind.as_str()).filter(|kind| Kind::read(kind).is_none()).collect();
        let details = Details::of_claim(all, &of_others).map_err(|_| Reason::DetailsNarrow)?;
        Ok(Self::new(&scope, &details, aef))
    }

    fn with(scope: &CapifScope, details: Option<Vec<Spatial>>, aef: &str) -> Self {
        let apis: BTreeSet<Box<str>> = scope.apis(aef).map(Box::from).collect();
        let opened = OPERATIONS.iter().filter(|operation| apis.contains(operation.api));
        let coarse = opened.map(|operation| (operation.kind, operation.action)).collect();
        Self { apis, coarse, details }
    }

    /// Whether there are no details.
    #[must_use]
    pub const fn is_coarse(&self) -> bool {
        self.details.is_none()
    }

    /// Whether the scope names the API.
    #[must_use]
    pub fn permits_api(&self, api: &str) -> bool {
        self.apis.contains(api)
    }

    /// Whether an element for this holds, `level` by `level`.
    fn permits(&self, kind: Kind, action: Action, level: impl Fn(&Level) -> bool) -> bool {
        let element = |e: &Spatial| e.kind == kind && e.actions.contains(&action) && level(&e.level);
        self.coarse.contains(&(kind, action))
            && self.details.as_ref().is_none_or(|details| details.iter().any(element))
    }

    /// Whether the action on the service is granted.
    #[must_use]
    pub fn permits_service(&self, kind: Kind, action: Action) -> bool {
        self.permits(kind, action, |level| *level == Level::Service)
    }

    /// Whether the action on this anchor or map is granted.
    #[must_use]
    pub fn permits_instance(&self, instance: &Instance, action: Action) -> bool {
        self.permits(instance.kind(), action, |level| match level {
            Level::Service => true,
            Level::Instance(own) => own == instance,
            Level::ServiceInfo(..) => false,
        })
    }

    /// As [`Grants::permits_instance`], of an anchor by its list and number.
    #[must_use]
    pub fn permits_anchor(&self, list: &str, anchor: SpatialAnchorId, action: Action) -> bool {
        self.permits(Kind::SpatialAnchor, action, |level| match level {
            Level::Service => true,
            Level::Instance(Instance::Anchor { list: of, anchor: own }) => *own == anchor && of == list,
            Level::Instance(_) | Level::ServiceInfo(..) => false,
        })
    }

    /// Whether an element of the instance level grants the action on an object that `is` takes: then the core function has
    /// asked the policy of its owner (TR 33.721 6.3.2.1 step 7). A token of the service has asked nobody's.
    #[must_use]
    pub fn names_instance(&self, kind: Kind, action: Action, is: impl Fn(&Instance) -> bool) -> bool {
        !self.is_coarse()
            && self.permits(kind, action, |level| matches!(level, Level::Instance(own) if is(own)))
    }

    /// Whether the action on this entry of service information is granted.
    #[must_use]
    pub fn permits_info(&self, instance: &Instance, serv_info_id: &str, action: Action) -> bool {
        self.permits(instance.kind(), action, |level| match level {
            Level::Service => true,
            Level::Instance(own) => own == instance,
            Level::ServiceInfo(own, parts) => own == instance && parts.contains(serv_info_id),
        })
    }

    /// Whether the action is granted on anything at all.
    #[must_use]
    pub fn any(&self, kind: Kind, action: Action) -> bool {
        self.permits(kind, action, |_| true)
    }

    /// Whether the action is granted on some object that `within` takes, or on the service: before it is looked whether
    /// there is such an object.
    #[must_use]
    pub fn any_within(&self, kind: Kind, action: Action, within: impl Fn(&Instance) -> bool) -> bool {
        self.permits(kind, action, |level| level.instance().is_none_or(&within))
    }

    /// Whether one thing is granted.
    #[must_use]
    pub fn permits_need(&self, need: &Need) -> bool {
        match need {
            Need::Service(kind, action) => self.permits_service(*kind, *action),
            Need::Instance(instance, action) => self.permits_instance(instance, *action),
            Need::Info(instance, id, action) => self.permits_info(instance, id, *action),
        }
    }

    /// Whether everything is granted.
    ///
    /// # Errors
    /// The first thing that is not.
    pub fn check<'n>(&self, needs: impl IntoIterator<Item = &'n Need>) -> Result<(), Missing> {
        let missing = needs.into_iter().find(|need| !self.permits_need(need));
        missing.map_or(Ok(()), |need| Err(Missing(need.clone())))
    }

    /// Whether the route of an operation opens: the stage `operation`, before any object is looked at.
    ///
    /// # Errors
    /// [`Reason::ScopeNarrow`] when the scope does not name the API, [`Reason::DetailsNarrow`] when the details leave
    /// nothing that the operation could act on.
    pub fn check_operation(&self, operation: &Operation) -> Result<(), Reason> {
        if !self.permits_api(operation.api) {
            return Err(Reason::ScopeNarrow);
        }
        let opens = match operation.reach {
            Reach::Service => self.permits_service(operation.kind, operation.action),
            Reach::Objects | Reach::Own => self.any(operation.kind, operation.action),
        };
        // A list is changed by adding and removing anchors as well.
        let by_another_action = operation.reach == Reach::Objects
            && operation.action == Action::Update
            && [Action::Create, Action::Delete].iter().any(|action| self.any(operation.kind, *action));
        if opens || by_another_action { Ok(()) } else { Err(Reason::DetailsNarrow) }
    }
}

/// What a change of an anchors list needs. `id_of` tells the number of an anchor that is there, by its label.
///
/// What belongs to the list and to no anchor needs level SERVICE; so does a new anchor, which has no number yet and whose
/// service information comes along with it.
#[must_use]
pub fn needs_of_list(
    list: &str,
    touched: &Touched,
    id_of: impl Fn(&str) -> Option<SpatialAnchorId>,
) -> Vec<Need> {
    let kind = Kind::SpatialAnchor;
    let instance =
        |label: &str| id_of(label).map(|anchor| Instance::Anchor { list: list.to_owned(), anchor });
    let on = |label: &str, action| match instance(label) {
        Some(instance) => Need::Instance(instance, action),
        None => Need::Service(kind, action),
    };
    let mut needs = Needs::default();
    if touched.list {
        needs.push(Need::Service(kind, Action::Update));
    }
    for (label, change) in &touched.anchors {
        needs.push(match change {
            AnchorChange::Added => Need::Service(kind, Action::Create),
            AnchorChange::Removed => on(label, Action::Delete),
            AnchorChange::Changed => on(label, Action::Update),
        });
    }
    let is_new = |label: &str| {
        touched.anchors.iter().any(|(own, change)| own == label && *change == AnchorChange::Added)
    };
    for entry in touched.serv_infos.iter().filter(|entry| !is_new(&entry.anchor)) {
        needs.push(match instance(&entry.anchor) {
            Some(instance) => Need::Info(instance, entry.serv_info_id.clone(), Action::Update),
            None => Need::Service(kind, Action::Update),
        });
    }
    needs.0
}

/// What a change of a map needs. `body`: anything but its service information differs.
#[must_use]
pub fn needs_of_map(map: u32, body: bool, serv_infos: &[TouchedServInfo]) -> Vec<Need> {
    let mut needs = Needs::default();
    if body {
        needs.push(Need::Instance(Instance::map(map), Action::Update));
    }
    for entry in serv_infos {
        needs.push(Need::Info(Instance::map(map), entry.serv_info_id.clone(), Action::Update));
    }
    needs.0
}

/// Needs in the order in which they were found, each once.
#[derive(Default)]
struct Needs(Vec<Need>);

impl Needs {
    fn push(&mut self, need: Need) {
        if !self.0.contains(&need) {
            self.0.push(need);
        }
    }
}

#[cfg(test)]
mod tests;
