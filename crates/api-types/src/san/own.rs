//! Our own members of anchors and maps, beyond Rel-19: only for peers that set feature 1 (`suppFeat` bit 1).

use serde::{Deserialize, Serialize};

use super::{MAX_INFO, MAX_NAME, MAX_PREMISES, MAX_SERV_INFOS};
use crate::date_time::TimeWindow;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child, item};

closed_enum! {
    /// Who may discover an anchor or map. Unlike the enumerations of 3GPP it is closed: an unknown value must not
    /// end up more open than meant.
    Visibility {
        /// Everybody.
        Universal = "UNIVERSAL",
        /// Whom the rules name.
        Restricted = "RESTRICTED",
        /// The owner alone; rules are ignored.
        Private = "PRIVATE",
    }
}

closed_enum! {
    /// Whether the CAPIF core function knows of an anchor or map that was made with one of its tokens (TR 33.721 6.3).
    SyncState {
        /// Not yet: it is the owner's alone.
        Pending = "PENDING",
        /// Its owner's policies decide there.
        Synced = "SYNCED",
    }
}

closed_enum! {
    /// A category of personal data that a service needs (TR 33.721 6.5); its UDM purpose is `METAVERSE_<CATEGORY>`.
    PersonalDataCategory {
        /// Identity.
        Identity = "identity",
        /// Location.
        Location = "location",
        /// Movement of the body.
        BodyMovement = "body_movement",
        /// Ownership.
        Ownership = "ownership",
        /// Result of an authentication.
        AuthenticationResult = "authentication_result",
        /// Avatar profile.
        AvatarProfile = "avatar_profile",
    }
}

/// Service information of one provider in an anchor or map (TR 33.721 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServInfo {
    /// Identifier within the anchor or map.
    pub serv_info_id: String,
    /// The client that provides it; read only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// The information.
    pub info: String,
}

impl Validate for ServInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(crate::ids::is_id(&self.serv_info_id), at, "servInfoId", "is not a valid identifier");
        let chars = self.info.chars().count();
        faults.require(chars <= MAX_INFO, at, "info", "is too long");
        faults.done()
    }
}

/// The own members of an anchor or map, borrowed, so that one check serves all types that carry them.
pub(crate) struct OwnMembers<'a> {
    pub(crate) time_period: Option<&'a TimeWindow>,
    pub(crate) premises: Option<&'a String>,
    pub(crate) serv_infos: Option<&'a Vec<ServInfo>>,
    pub(crate) name: Option<&'a String>,
    pub(crate) personal_data_required: Option<&'a Vec<PersonalDataCategory>>,
}

impl Validate for OwnMembers<'_> {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.time_period, at, "timePeriod");
        let premises = self.premises.map_or(0, |text| text.chars().count());
        faults.require(premises <= MAX_PREMISES, at, "premises", "is too long");
        faults.opt_text(self.name, MAX_NAME, at, "name");
        if let Some(infos) = self.serv_infos {
            let here = child(at, "servInfos");
            if infos.len() > MAX_SERV_INFOS {
                faults.add(here.clone(), "has too many elements");
            }
            let mut seen = std::collections::BTreeSet::new();
            for (index, info) in infos.iter().take(MAX_SERV_INFOS).enumerate() {
                faults.merge(info.validate(&item(&here, index)));
                if !seen.insert(&info.serv_info_id) {
                    faults.add(child(&item(&here, index), "servInfoId"), "stands there twice");
                }
            }
        }
        if let Some(categories) = self.personal_data_required {
            let distinct: std::collections::BTreeSet<_> = categories.iter().collect();
            faults.require(
                distinct.len() == categories.len(),
                at,
                "personalDataRequired",
                "holds an element twice",
            );
        }
        faults.done()
    }
}

/// Gives a type with the own members the three methods about them.
macro_rules! own_members {
    ($($name:ty),+) => {$(
        impl $name {
            fn own(&self) -> $crate::san::own::OwnMembers<'_> {
                $crate::san::own::OwnMembers {
                    time_period: self.time_period.as_ref(),
                    premises: self.premises.as_ref(),
                    serv_infos: self.serv_infos.as_ref(),
                    name: self.name.as_ref(),
                    personal_data_required: self.personal_data_required.as_ref(),
                }
            }

            /// Whether a member beyond Rel-19 is there.
            #[must_use]
            pub fn has_own_members(&self) -> bool {
                self.visibility.is_some()
                    || self.time_period.is_some()
                    || self.premises.is_some()
                    || self.serv_infos.is_some()
                    || self.name.is_some()
                    || self.personal_data_required.is_some()
            }

            /// Removes every member beyond Rel-19.
            pub fn strip_own_members(&mut self) {
                self.visibility = None;
                self.time_period = None;
                self.premises = None;
                self.serv_infos = None;
                self.name = None;
                self.personal_data_required = None;
            }
        }
    )+};
}
pub(crate) use own_members;
