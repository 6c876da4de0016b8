//! A subscription as it is kept: what was subscribed to, and what is remembered between two notifications.

use std::collections::BTreeMap;

use api_types::capif::events::EventSubscription;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::StoreError;
use store::subscriptions::SubscriptionRow;

use super::detail::Counts;
use super::note::ApiAt;

/// What is remembered between two notifications. The numbers are places in `events`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// What was counted for events that tell how often.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) counts: BTreeMap<u32, Counts>,
    /// Service APIs that were counted since the last period ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) changed: BTreeMap<u32, Vec<ApiAt>>,
    /// When what is gathered now leaves, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gathering_s: Option<i64>,
}

/// A subscription of the store in its types.
pub(crate) fn opened(row: &SubscriptionRow) -> Result<(EventSubscription, State), StoreError> {
    Ok((parsed(&row.body)?, parsed(&row.state)?))
}

pub(crate) fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|_| StoreError::Damaged("what is kept of a subscription cannot be read"))
}

pub(crate) fn written<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged("a subscription cannot be written"))
}
