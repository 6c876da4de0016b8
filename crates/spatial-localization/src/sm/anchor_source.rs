//! Where the SM server gets the anchors that it embeds in a map (TS 23.437 9.3.1.2; decision FFS-13).
//!
//! Permission for a map never implies permission for an anchor: the source is asked anew for each reader, in the reader's
//! own name, and answers what that reader may discover and nothing else.

use std::collections::BTreeSet;

use api_types::geo::ServiceArea;
use api_types::ids::SpatialAnchorId;
use async_trait::async_trait;
use service_http::call::Call;
use service_http::refusal::Refusal;

/// The spatial anchors server, as the SM server sees it.
#[async_trait]
pub trait AnchorSource: Send + Sync {
    /// The anchors in `area` that the caller may discover, none when there are none for it.
    ///
    /// # Errors
    /// `DEPENDENCY_DOWN` when the source, or the issuer of the tokens for it, does not answer.
    async fn anchors_for(&self, caller: &Call, area: &ServiceArea) -> Result<Vec<SpatialAnchorId>, Refusal>;

    /// Those of the world anchors (ETSI GS ARF 005) that the caller may discover.
    ///
    /// # Errors
    /// As [`Self::anchors_for`].
    async fn world_anchors_for(
        &self,
        caller: &Call,
        uuids: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Refusal>;
}
