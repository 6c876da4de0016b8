//! `/purposes/{purpose}`.

use api_types::admin::{Page, Purpose};
use api_types::nudm_sdm::UcPurpose;
use service_http::refusal::Refusal;
use store::udm::purposes::{self, PurposeRow};

use super::{Versioned, Written, absent, page};
use crate::udm::UdmServer;

fn shown(row: PurposeRow) -> Purpose {
    Purpose { purpose: Some(row.purpose), categories: row.categories }
}

impl UdmServer {
    /// Purposes, by name.
    ///
    /// # Errors
    /// The store fails.
    pub async fn purposes(&self, after: &str, limit: u32) -> Result<Page<Purpose>, Refusal> {
        let (after, most) = (after.to_owned(), limit.saturating_add(1));
        let read =
            self.kit().store.read(move |tx| Box::pin(async move { purposes::page(tx, &after, most).await }));
        Ok(page(read.await?, limit, |row| row.purpose.to_string(), shown))
    }

    /// A purpose.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn purpose(&self, purpose: &UcPurpose) -> Result<Versioned<Purpose>, Refusal> {
        let purpose = purpose.clone();
        let read =
            self.kit().store.read(move |tx| Box::pin(async move { purposes::find(tx, &purpose).await }));
        let row: PurposeRow = read.await?.ok_or_else(absent)?;
        Ok(Versioned { version: row.version, body: shown(row) })
    }

    /// Says what a purpose stands for.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_purpose(&self, purpose: &UcPurpose, body: Purpose) -> Result<Written<Purpose>, Refusal> {
        let (key, categories) = (purpose.clone(), body.categories.clone());
        let version: u64 = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move { purposes::put(tx, &key, &categories).await.map_err(Refusal::from) })
            })
            .await?;
        let body = Purpose { purpose: Some(purpose.clone()), ..body };
        Ok(Written { body, version, created: version == 1 })
    }

    /// Forgets a purpose; consents to it stay what they are.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn delete_purpose(&self, purpose: &UcPurpose) -> Result<(), Refusal> {
        let purpose = purpose.clone();
        let removed: bool = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move { purposes::remove(tx, &purpose).await.map_err(Refusal::from) })
            })
            .await?;
        if removed { Ok(()) } else { Err(absent()) }
    }
}
