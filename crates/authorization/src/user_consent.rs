//! Permission of the user: what the UDM says, what the user has granted, and both together (TS 33.501 Annex V;
//! TR 33.721 solutions #4 and #5, decisions FFS-21, FFS-22).
//!
//! Pure: what the UDM answered is passed in. A purpose names its mode; a user who is no subscriber has no consent at the
//! UDM, and whoever asks decides such a purpose in mode `rnaa`.

mod needs;

use api_types::nudm_sdm::{UcPurpose, UcSubscriptionData};

use crate::Reason;

pub use needs::{Unregistered, covers, purposes};

/// What has to permit a purpose. As `consent.mode` of the configuration spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The resource owner, at the CAPIF core function.
    Rnaa,
    /// The consent at the UDM.
    Udm,
    /// The user, at the SIM-S.
    Sim,
    /// Consent and permission.
    UdmAndRnaa,
    /// Either; a refusal at the UDM still denies.
    UdmOrRnaa,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 5] = [Self::Rnaa, Self::Udm, Self::Sim, Self::UdmAndRnaa, Self::UdmOrRnaa];

    /// The text of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rnaa => "rnaa",
            Self::Udm => "udm",
            Self::Sim => "sim",
            Self::UdmAndRnaa => "udm_and_rnaa",
            Self::UdmOrRnaa => "udm_or_rnaa",
        }
    }

    /// Reads the text of the configuration.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// What the UDM says about one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AtUdm {
    /// Consent given.
    Given,
    /// Consent refused, or said in a way that is not understood.
    NotGiven,
    /// Nothing was said.
    Absent,
    /// The UDM does not answer, or not as it should.
    Unreachable,
}

/// Whether the resource owner, or the user at the SIM-S, has granted a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Yes.
    Granted,
    /// No, or nobody was asked.
    None,
}

/// What the operator of a purpose has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// What has to permit.
    pub mode: Mode,
    /// In mode `udm_or_rnaa`, whether a permission is enough while the UDM does not answer.
    pub or_when_unreachable: bool,
}

/// What subscription data say about a purpose; `generic`: `NW_CAP_EXPOSURE` counts where the purpose itself is not spoken of.
/// Never by itself: consent to something general is not consent to this (FFS-21).
#[must_use]
pub fn about(data: &UcSubscriptionData, purpose: &UcPurpose, generic: bool) -> AtUdm {
    let said = match data.about(purpose) {
        None if generic => data.about(&UcPurpose::NwCapExposure),
        said => said,
    };
    match said {
        Some(consent) if consent.is_given() => AtUdm::Given,
        Some(_) => AtUdm::NotGiven,
        None => AtUdm::Absent,
    }
}

/// Decides about one purpose.
///
/// # Errors
/// [`Reason::ConsentUdm`] or [`Reason::ConsentOwner`], by what lacks; [`Reason::DependencyDown`] where the UDM would have had to
/// answer. A refusal at the UDM denies in every mode.
pub fn decide(rules: Rules, at_udm: AtUdm, permission: Permission) -> Result<(), Reason> {
    use AtUdm::{Absent, Given, NotGiven, Unreachable};
    use Permission::{Granted, None};
    match (rules.mode, at_udm, permission) {
        (_, NotGiven, _) => Err(Reason::ConsentUdm),
        (Mode::Rnaa | Mode::Sim, _, Granted) => Ok(()),
        (Mode::Rnaa | Mode::Sim, _, None) => Err(Reason::ConsentOwner),
        (Mode::Udm | Mode::UdmOrRnaa, Given, _) | (Mode::UdmAndRnaa, Given, Granted) => Ok(()),
        (Mode::UdmAndRnaa, Given, None) => Err(Reason::ConsentOwner),
        (Mode::UdmOrRnaa, Absent, Granted) => Ok(()),
        (Mode::UdmOrRnaa, Unreachable, Granted) if rules.or_when_unreachable => Ok(()),
        (_, Absent, _) => Err(Reason::ConsentUdm),
        (_, Unreachable, _) => Err(Reason::DependencyDown),
    }
}

#[cfg(test)]
mod tests;
