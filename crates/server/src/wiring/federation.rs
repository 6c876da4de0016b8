//! The way of our core function to those of other domains.

use std::sync::Arc;

use anyhow::{Context, Result};
use api_types::capif::publish::ServiceAPIDescription;
use api_types::capif::{ApfId, ApiInvokerId, ServiceApiId};
use async_trait::async_trait;
use capif_core::ccf::{Federation, LinkError, Partner, PartnerLink, Take};
use sdk::capif::ServiceApiQuery;
use sdk::{CapifClient, HttpsClient, Identity, SdkError};
use service_http::tls::{self, ClientRoot, RootKind};

use super::function::Common;
use crate::config::{CcfPartnerSection, TakeSetting};
use crate::pki::Purpose;

/// The interconnection that is configured; `None`: none.
///
/// # Errors
/// A file of roots cannot be used.
pub(super) fn federation(common: &Common<'_>) -> Result<Option<Federation>> {
    let section = &common.config.federation;
    let Some(own) = &section.ccf_id else { return Ok(None) };
    let issued = common.pki.authority("capif")?.issue(("ccf", own), Purpose::Client, &[], common.ambient)?;
    let identity = Identity { cert_pem: issued.cert_pem, key_pem: issued.key_pem };
    let one = |partner: &CcfPartnerSection| -> Result<Partner> {
        let https = HttpsClient::new(&roots_of(partner)?, Some(&identity))?;
        let link = Capif6 {
            client: CapifClient::new(https, &partner.url)?,
            as_publisher: own.as_str().try_into()?,
            as_invoker: own.as_str().try_into()?,
        };
        Ok(Partner {
            ccf_id: partner.ccf_id.clone(),
            domain: partner.domain.clone(),
            apis: partner.apis.clone(),
            take: match partner.take {
                TakeSetting::Published => Take::Published,
                TakeSetting::Discovered => Take::Discovered,
            },
            link: Arc::new(link),
        })
    };
    let partners = section.partners.iter().map(one).collect::<Result<_>>()?;
    Ok(Some(Federation { ccf_id: own.clone(), partners }))
}

/// Whose certificates the listener of the core function takes beside those of this deployment: each root for its one
/// partner.
///
/// # Errors
/// A file of roots cannot be used.
pub(super) fn partner_roots(common: &Common<'_>) -> Result<Vec<ClientRoot>> {
    let one = |partner: &CcfPartnerSection| {
        let certificates = tls::certificates_from_pem(&roots_of(partner)?)?;
        Ok(ClientRoot {
            only: Some(partner.ccf_id.clone()),
            ..ClientRoot::new(certificates, RootKind::Partner)
        })
    };
    common.config.federation.partners.iter().map(one).collect()
}

fn roots_of(partner: &CcfPartnerSection) -> Result<String> {
    let doing = || format!("federation.partners: roots of {}: {}", partner.ccf_id, partner.roots);
    let pem = std::fs::read_to_string(&partner.roots).with_context(doing)?;
    tls::certificates_from_pem(&pem).with_context(doing)?;
    Ok(pem)
}

/// A partner over CAPIF-6.
struct Capif6 {
    client: CapifClient,
    /// The name of our core function, where the partner expects a publishing function.
    as_publisher: ApfId,
    /// Likewise, where it expects an API invoker.
    as_invoker: ApiInvokerId,
}

fn failed(error: SdkError) -> LinkError {
    LinkError(error.to_string())
}

#[async_trait]
impl PartnerLink for Capif6 {
    async fn published(&self) -> Result<Vec<ServiceAPIDescription>, LinkError> {
        self.client.published_apis(&self.as_publisher).await.map_err(failed)
    }

    async fn publish(&self, api: &ServiceAPIDescription) -> Result<(), LinkError> {
        self.client.publish(&self.as_publisher, api).await.map(drop).map_err(failed)
    }

    async fn republish(&self, id: &ServiceApiId, api: &ServiceAPIDescription) -> Result<(), LinkError> {
        self.client.republish(&self.as_publisher, id, api).await.map(drop).map_err(failed)
    }

    async fn unpublish(&self, id: &ServiceApiId) -> Result<(), LinkError> {
        self.client.unpublish(&self.as_publisher, id).await.map_err(failed)
    }

    async fn discover(&self) -> Result<Vec<ServiceAPIDescription>, LinkError> {
        let found =
            self.client.discover(&self.as_invoker, &ServiceApiQuery::default()).await.map_err(failed)?;
        Ok(found.service_api_descriptions.unwrap_or_default())
    }
}
