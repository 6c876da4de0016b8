//! `authorization_details` of the spatial services: the three levels of solution #2 (RFC 9396; TR 33.721 6.2.2.1).
//!
//! ```json
//! [{ "type": "3gpp_spatial_anchor", "level": "SERVICE", "actions": ["create", "discover"] },
//!  { "type": "3gpp_spatial_anchor", "level": "INSTANCE", "identifier": "list/7", "actions": ["read", "update"] },
//!  { "type": "3gpp_spatial_map", "level": "SERVICE_INFO", "identifier": "9", "servInfoIds": ["menu"], "actions": ["update"] }]
//! ```
//!
//! Closed: RFC 9396 5 has a server refuse what it does not know, and a server that passes over a member grants something
//! else than was asked. An identifier names one object, never a pattern. Types that another module understands pass
//! through as they are.

use std::fmt;

pub use api_types::capif::resource_auth::ResourceAction as Action;
use api_types::capif::resource_auth::ResourceType;
use api_types::ids::{SpatialAnchorId, SpatialMapId, is_id};
use api_types::problem::InvalidParam;
use api_types::strict_json;
use api_types::validate::{UnknownValue, child, item};
use serde_json::{Map, Value};

use crate::Reason;
use crate::claims::{Detail, MAX_DETAILS};

/// Longest `authorization_details`, in bytes. Own value.
pub const MAX_BYTES: usize = 8 * 1024;
/// Deepest JSON in it, of types that pass through as well. Own value.
pub const MAX_DEPTH: usize = 8;
/// Most API exposing functions of one element. Own value.
pub const MAX_LOCATIONS: usize = 8;
/// Most entries of service information that one element names. Own value.
pub const MAX_PARTS: usize = 32;
/// Longest `type` that is read, in bytes. Own value.
pub const MAX_TYPE: usize = 64;

/// The one `datatypes` value of level SERVICE_INFO.
pub const SERVICE_INFO_DATA: &str = "service-info";

/// What is accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Spatial anchors.
    SpatialAnchor,
    /// Spatial maps.
    SpatialMap,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::SpatialAnchor, Self::SpatialMap];

    /// The `type` on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.resource_type().as_str()
    }

    /// As owners' policies name it.
    #[must_use]
    pub const fn resource_type(self) -> ResourceType {
        match self {
            Self::SpatialAnchor => ResourceType::SpatialAnchor,
            Self::SpatialMap => ResourceType::SpatialMap,
        }
    }

    /// The kind of a `type`; `None` for any other.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One anchor, in its list, or one map. Ordered and compared as a whole: no beginning of one is another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instance {
    /// `<listId>/<anchorId>`.
    Anchor {
        /// The list.
        list: String,
        /// The anchor.
        anchor: SpatialAnchorId,
    },
    /// `<mapId>`.
    Map(SpatialMapId),
}

impl Instance {
    /// An anchor.
    pub fn anchor(list: impl Into<String>, anchor: u32) -> Self {
        Self::Anchor { list: list.into(), anchor: SpatialAnchorId(anchor) }
    }

    /// A map.
    #[must_use]
    pub const fn map(map: u32) -> Self {
        Self::Map(SpatialMapId(map))
    }

    /// What it is one of.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Anchor { .. } => Kind::SpatialAnchor,
            Self::Map(_) => Kind::SpatialMap,
        }
    }

    /// Reads an identifier of this kind; `None` for anything but the one spelling of one object.
    #[must_use]
    pub fn read(kind: Kind, text: &str) -> Option<Self> {
        match kind {
            Kind::SpatialAnchor => {
                let (list, anchor) = text.split_once('/')?;
                let anchor = anchor.parse().ok()?;
                let exact = is_id(list) && list.bytes().all(is_unreserved);
                exact.then(|| Self::Anchor { list: list.to_owned(), anchor })
            }
            Kind::SpatialMap => text.parse().ok().map(Self::Map),
        }
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anchor { list, anchor } => write!(f, "{list}/{anchor}"),
            Self::Map(map) => write!(f, "{map}"),
        }
    }
}

/// RFC 3986 2.3: what has one spelling in a path, and is no pattern.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// An identifier that nobody can take for a pattern or for another spelling of one.
fn is_exact(text: &str) -> bool {
    is_id(text) && !text.contains(['*', '?', '%'])
}

/// Which entries of service information.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Parts {
    /// Every one (`servInfoScope` ALL), of whatever provider.
    All,
    /// These; at least one.
    These(Vec<String>),
}

impl Parts {
    /// Whether the entry is among them.
    #[must_use]
    pub fn contains(&self, serv_info_id: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.iter().any(|id| id == serv_info_id),
        }
    }
}

/// On what an element grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// The service; which of its objects are there for the caller is another question.
    Service,
    /// One anchor or map.
    Instance(Instance),
    /// Service information in one anchor or map, and nothing else of it.
    ServiceInfo(Instance, Parts),
}

impl Level {
    /// The text on the wire.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Service => "SERVICE",
            Self::Instance(_) => "INSTANCE",
            Self::ServiceInfo(..) => "SERVICE_INFO",
        }
    }

    /// The anchor or map that is named.
    #[must_use]
    pub const fn instance(&self) -> Option<&Instance> {
        match self {
            Self::Service => None,
            Self::Instance(instance) | Self::ServiceInfo(instance, _) => Some(instance),
        }
    }
}

/// An element of the spatial services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spatial {
    /// Of what.
    pub kind: Kind,
    /// At which API exposing functions; empty: at the one that the token is for.
    pub locations: Vec<String>,
    /// On what.
    pub level: Level,
    /// To do what; at least one, none twice.
    pub actions: Vec<Action>,
}

impl Spatial {
    /// Whether it says anything at this API exposing function.
    #[must_use]
    pub fn is_at(&self, aef: &str) -> bool {
        self.locations.is_empty() || self.locations.iter().any(|location| location == aef)
    }

    fn to_detail(&self) -> Detail {
        let mut members = Map::new();
        let list = |texts: &[String]| Value::from(texts.to_vec());
        if !self.locations.is_empty() {
            members.insert("locations".into(), list(&self.locations));
        }
        members.insert("level".into(), self.level.as_str().into());
        if let Some(instance) = self.level.instance() {
            members.insert("identifier".into(), instance.to_string().into());
        }
        if let Level::ServiceInfo(_, parts) = &self.level {
            members.insert("datatypes".into(), Value::from(vec![SERVICE_INFO_DATA]));
            match parts {
                Parts::All => members.insert("servInfoScope".into(), "ALL".into()),
                Parts::These(ids) => members.insert("servInfoIds".into(), list(ids)),
            };
        }
        let actions: Vec<&str> = self.actions.iter().map(|action| action.as_str()).collect();
        members.insert("actions".into(), actions.into());
        Detail { kind: self.kind.as_str().to_owned(), members }
    }
}

/// An element.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// Of the spatial services.
    Spatial(Spatial),
    /// Of another type, as it stands.
    Other(Detail),
}

impl Element {
    /// Of the spatial services, if it is.
    #[must_use]
    pub const fn spatial(&self) -> Option<&Spatial> {
        match self {
            Self::Spatial(element) => Some(element),
            Self::Other(_) => None,
        }
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Spatial(element) => element.kind.as_str(),
            Self::Other(detail) => &detail.kind,
        }
    }
}

/// Why `authorization_details` were refused: where, and what it must be. Never what it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("authorization_details{at} {must}")]
pub struct DetailsError {
    /// JSON Pointer into the array.
    pub at: String,
    /// What is wrong.
    pub must: &'static str,
}

impl DetailsError {
    fn new(at: impl Into<String>, must: &'static str) -> Self {
        Self { at: at.into(), must }
    }

    /// As a member of problem details.
    #[must_use]
    pub fn invalid_param(&self) -> InvalidParam {
        InvalidParam::new(format!("/authorization_details{}", self.at), self.must)
    }
}

impl From<DetailsError> for Reason {
    fn from(_: DetailsError) -> Self {
        Self::DetailsUnknown
    }
}

/// `authorization_details`: what is asked for, or granted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details(Vec<Element>);

impl Details {
    /// Reads the parameter of a token request: at least one element. `others`: the types that another module understands.
    ///
    /// # Errors
    /// The first fault.
    pub fn read(text: &[u8], others: &[&str]) -> Result<Self, DetailsError> {
        if text.len() > MAX_BYTES {
            return Err(DetailsError::new("", "is too long"));
        }
        let value =
            strict_json::parse(text, MAX_DEPTH).map_err(|fault| DetailsError::new("", fault.reason))?;
        let Value::Array(elements) = value else {
            return Err(DetailsError::new("", "must be an array"));
        };
        if elements.is_empty() {
            return Err(DetailsError::new("", "must not be empty"));
        }
        if elements.len() > MAX_DETAILS {
            return Err(DetailsError::new("", "has too many elements"));
        }
        let read = |(index, element)| {
            let at = item("", index);
            match element {
                Value::Object(mut members) => {
                    let kind = match members.remove("type") {
                        Some(Value::String(kind)) => kind,
                        Some(_) => return Err(DetailsError::new(child(&at, "type"), "must be a string")),
                        None => return Err(DetailsError::new(child(&at, "type"), "is mandatory")),
                    };
                    read_element(&at, &Detail { kind, members }, others)
                }
                _ => Err(DetailsError::new(at, "must be an object")),
            }
        };
        elements.into_iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Reads the claim of a token; no claim is no detail.
    ///
    /// # Errors
    /// The first fault.
    pub fn of_claim(details: &[Detail], others: &[&str]) -> Result<Self, DetailsError> {
        let read = |(index, detail)| read_element(&item("", index), detail, others);
        details.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The claim of a token, and the member of an answer.
    #[must_use]
    pub fn to_claim(&self) -> Vec<Detail> {
        let detail = |element: &Element| match element {
            Element::Spatial(element) => element.to_detail(),
            Element::Other(detail) => detail.clone(),
        };
        self.0.iter().map(detail).collect()
    }

    /// Of these elements.
    #[must_use]
    pub const fn of(elements: Vec<Element>) -> Self {
        Self(elements)
    }

    /// The elements, in order.
    #[must_use]
    pub fn elements(&self) -> &[Element] {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether everything that is located is located at this one API exposing function, as a token with one audience
    /// needs it.
    ///
    /// # Errors
    /// The first location that is another.
    pub fn check_locations(&self, aef: &str) -> Result<(), DetailsError> {
        for (index, element) in self.0.iter().enumerate() {
            let Some(element) = element.spatial() else { continue };
            if let Some(other) = element.locations.iter().position(|location| location != aef) {
                let at = item(&child(&item("", index), "locations"), other);
                return Err(DetailsError::new(at, "must be the function of the scope"));
            }
        }
        Ok(())
    }
}

const LEVELS: [&str; 3] = ["SERVICE", "INSTANCE", "SERVICE_INFO"];
const MEMBERS: [&str; 7] =
    ["level", "actions", "identifier", "locations", "datatypes", "servInfoIds", "servInfoScope"];

fn read_element(at: &str, detail: &Detail, others: &[&str]) -> Result<Element, DetailsError> {
    let Some(kind) = Kind::read(&detail.kind) else {
        let known = detail.kind.len() <= MAX_TYPE && others.contains(&detail.kind.as_str());
        return if known {
            Ok(Element::Other(detail.clone()))
        } else {
            Err(DetailsError::new(child(at, "type"), "is not a type that is known here"))
        };
    };
    let members = Members { at, members: &detail.members };
    members.only_known()?;
    let level = members.text("level")?.ok_or_else(|| members.fault("level", "is mandatory"))?;
    if !LEVELS.contains(&level) {
        return Err(members.fault("level", "must be SERVICE, INSTANCE or SERVICE_INFO"));
    }
    let level = match (level, members.instance(kind)?) {
        ("SERVICE", None) => Level::Service,
        ("SERVICE", Some(_)) => return Err(members.fault("identifier", "is not for level SERVICE")),
        (_, None) => return Err(members.fault("identifier", "is mandatory at this level")),
        ("INSTANCE", Some(instance)) => Level::Instance(instance),
        (_, Some(instance)) => Level::ServiceInfo(instance, members.parts()?),
    };
    if !matches!(level, Level::ServiceInfo(..)) {
        for name in ["datatypes", "servInfoIds", "servInfoScope"] {
            if members.members.contains_key(name) {
                return Err(members.fault(name, "is for level SERVICE_INFO only"));
            }
        }
    }
    Ok(Element::Spatial(Spatial {
        kind,
        locations: members.locations()?,
        level,
        actions: members.actions(kind)?,
    }))
}

/// The members of one element behind `type`.
struct Members<'a> {
    at: &'a str,
    members: &'a Map<String, Value>,
}

impl<'a> Members<'a> {
    fn fault(&self, name: &str, must: &'static str) -> DetailsError {
        DetailsError::new(child(self.at, name), must)
    }

    fn only_known(&self) -> Result<(), DetailsError> {
        let unknown = self.members.keys().find(|name| !MEMBERS.contains(&name.as_str()));
        unknown.map_or(Ok(()), |name| Err(self.fault(name, "is not a member of this type")))
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, DetailsError> {
        match self.members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault(name, "must be a string")),
        }
    }

    /// A list of texts, each of which `good` takes: at least one, at most `max`, none twice.
    fn texts<T: PartialEq>(
        &self,
        name: &str,
        max: usize,
        good: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Result<Option<Vec<T>>, DetailsError> {
        let Some(value) = self.members.get(name) else { return Ok(None) };
        let Value::Array(elements) = value else { return Err(self.fault(name, "must be an array")) };
        if elements.is_empty() {
            return Err(self.fault(name, "must not be empty"));
        }
        if elements.len() > max {
            return Err(self.fault(name, "has too many elements"));
        }
        let mut list = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let fault = |must| DetailsError::new(item(&child(self.at, name), index), must);
            let one = good(element.as_str().ok_or_else(|| fault("must be a string"))?).map_err(fault)?;
            if list.contains(&one) {
                return Err(fault("stands there twice"));
            }
            list.push(one);
        }
        Ok(Some(list))
    }

    fn instance(&self, kind: Kind) -> Result<Option<Instance>, DetailsError> {
        let must = match kind {
            Kind::SpatialAnchor => "must be <anchorsListId>/<anchorId> of one anchor",
            Kind::SpatialMap => "must be the spatialMapId of one map",
        };
        let read = |text| Instance::read(kind, text).ok_or_else(|| self.fault("identifier", must));
        self.text("identifier")?.map(read).transpose()
    }

    fn locations(&self) -> Result<Vec<String>, DetailsError> {
        let exact = |text: &str| match super::scope::is_name(text) {
            true => Ok(text.to_owned()),
            false => Err("must be an aefId"),
        };
        Ok(self.texts("locations", MAX_LOCATIONS, exact)?.unwrap_or_default())
    }

    fn actions(&self, kind: Kind) -> Result<Vec<Action>, DetailsError> {
        let of_kind = |text: &str| match text.parse() {
            Ok(Action::Localize) if kind != Kind::SpatialMap => Err("is an action of maps only"),
            Ok(action) => Ok(action),
            Err(UnknownValue) => Err("is not an action of this type"),
        };
        let actions = self.texts("actions", Action::ALL.len(), of_kind)?;
        actions.ok_or_else(|| self.fault("actions", "is mandatory"))
    }

    fn parts(&self) -> Result<Parts, DetailsError> {
        let data = |text: &str| match text {
            SERVICE_INFO_DATA => Ok(()),
            _ => Err("must be service-info"),
        };
        self.texts("datatypes", 1, data)?;
        let exact = |text: &str| match is_exact(text) {
            true => Ok(text.to_owned()),
            false => Err("must be the servInfoId of one entry"),
        };
        let these = self.texts("servInfoIds", MAX_PARTS, exact)?;
        match (these, self.text("servInfoScope")?) {
            (Some(ids), None) => Ok(Parts::These(ids)),
            (None, Some("ALL")) => Ok(Parts::All),
            (_, Some(scope)) if scope != "ALL" => Err(self.fault("servInfoScope", "must be ALL")),
            (Some(_), Some(_)) => Err(self.fault("servInfoScope", "does not go with servInfoIds")),
            (None, _) => Err(self.fault("servInfoIds", "is mandatory at this level, or servInfoScope")),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
