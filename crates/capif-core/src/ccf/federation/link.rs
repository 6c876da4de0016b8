//! The way to a partner: its publish and discover interfaces, asked with this core function's certificate.

use api_types::capif::ServiceApiId;
use api_types::capif::publish::ServiceAPIDescription;
use async_trait::async_trait;

/// Why a partner was not reached, or what it answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LinkError(pub String);

/// Requests to a partner over CAPIF-6.
#[async_trait]
pub trait PartnerLink: Send + Sync + 'static {
    /// What this core function has published there.
    async fn published(&self) -> Result<Vec<ServiceAPIDescription>, LinkError>;

    /// Publishes there.
    async fn publish(&self, api: &ServiceAPIDescription) -> Result<(), LinkError>;

    /// Replaces what was published there.
    async fn republish(&self, id: &ServiceApiId, api: &ServiceAPIDescription) -> Result<(), LinkError>;

    /// Withdraws what was published there.
    async fn unpublish(&self, id: &ServiceApiId) -> Result<(), LinkError>;

    /// What the partner shares with this domain.
    async fn discover(&self) -> Result<Vec<ServiceAPIDescription>, LinkError>;
}
