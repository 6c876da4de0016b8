//! What the operator has provisioned, as one decision sees it: services, servers and rules, read in one snapshot.

use api_types::Function;
use api_types::admin::{Policy, Service};
use api_types::ids::{PolicyId, ServiceId};
use store::{Document, MOST_DOCUMENTS, Sql, StoreError, policies, services};

use super::directory::Directory;

/// Rows that are read at once. Own value.
const PAGE: u32 = 500;

/// Most services and most rules that are looked at: as many as are kept.
const MOST: usize = MOST_DOCUMENTS as usize;

/// Services, servers and rules.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Scopes, services and servers.
    pub directory: Directory,
    /// Rules of every class.
    pub policies: Vec<Policy>,
    /// Version of the rules, for the audit.
    pub policy_version: u64,
}

impl World {
    /// Reads everything.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(tx: &mut dyn Sql, servers: &[(Function, String)]) -> Result<Self, StoreError> {
        let directory = directory(tx, servers).await?;
        let mut rules = Vec::new();
        let mut after = String::new();
        loop {
            let page = policies::page(tx, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.id);
            for document in &page {
                rules.push(rule(document)?);
            }
            if rules.len() > MOST {
                // Rules that are not looked at could be denials.
                return Err(StoreError::Damaged("more policies than are looked at"));
            }
        }
        Ok(Self { directory, policies: rules, policy_version: policies::version(tx).await? })
    }
}

/// Reads services and servers only.
///
/// # Errors
/// When the store fails.
pub async fn directory(tx: &mut dyn Sql, servers: &[(Function, String)]) -> Result<Directory, StoreError> {
    let mut rows = Vec::new();
    let mut after = String::new();
    while rows.len() < MOST {
        let page = services::page(tx, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for document in &page {
            rows.push(service(document)?);
        }
    }
    Ok(Directory::new(rows, servers.to_vec()))
}

/// The service in a row.
pub(crate) fn service(document: &Document) -> Result<Service, StoreError> {
    let damaged = StoreError::Damaged("service");
    let mut service: Service = serde_json::from_str(&document.body).map_err(|_| damaged.clone())?;
    service.service_id = Some(ServiceId::try_from(document.id.as_str()).map_err(|_| damaged)?);
    Ok(service)
}

fn rule(document: &Document) -> Result<Policy, StoreError> {
    let damaged = StoreError::Damaged("policy");
    let mut policy: Policy = serde_json::from_str(&document.body).map_err(|_| damaged.clone())?;
    policy.policy_id = Some(PolicyId::try_from(document.id.as_str()).map_err(|_| damaged)?);
    policy.version = Some(document.version);
    Ok(policy)
}
