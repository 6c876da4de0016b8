//! Subscriber data management of the UDM (TS 29.503 `Nudm_SDM`), as far as user consent needs it (TS 33.501 Annex V).
//!
//! Members that other data sets need (slices, thresholds, PLMNs …) are ignored when they are read.

mod consent;
mod notification;
mod subscription;
#[cfg(test)]
mod tests;
mod translation;

pub use consent::{MAX_PURPOSES, UcPurpose, UcSubscriptionData, UserConsent};
pub use notification::{
    ChangeItem, ChangeType, MAX_CHANGES, ModificationNotification, NotifyItem, ResourceChange,
};
pub use subscription::{ImmediateReport, MAX_MONITORED, SdmSubsModification, SdmSubscription};
pub use translation::IdTranslationResult;

/// Longest purpose or other value of an open enumeration, in characters. Own value.
pub const MAX_WORD: usize = 64;

/// Longest JSON Pointer of a change, in characters. Own value.
pub const MAX_PATH: usize = 512;
