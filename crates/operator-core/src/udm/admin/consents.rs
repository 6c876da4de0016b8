//! `/subscribers/{gpsi}/consents/{purpose}`: what an operator enters for a subscriber counts when it is answered, and whoever
//! has subscribed is told.

use api_types::admin::{Consent, Page};
use api_types::ids::Gpsi;
use api_types::nudm_sdm::{UcPurpose, UserConsent};
use service_http::refusal::Refusal;
use store::udm::consents::{self, Changed, ConsentRow};
use store::udm::subscribers;

use super::{Versioned, Written, absent, known};
use crate::udm::{UdmServer, telling};

fn shown(row: ConsentRow) -> Consent {
    Consent { purpose: Some(row.purpose), consent: row.consent, version: Some(row.version) }
}

impl UdmServer {
    /// All that a subscriber consents to, and refuses.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn consents(&self, gpsi: &Gpsi) -> Result<Page<Consent>, Refusal> {
        let gpsi = gpsi.clone();
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                match subscribers::by_gpsi(tx, gpsi.as_str()).await? {
                    Some(row) => consents::of(tx, &row.supi).await.map(Some),
                    None => Ok(None),
                }
            })
        });
        let said = read.await?.ok_or_else(absent)?;
        Ok(Page { items: said.into_iter().map(shown).collect(), next: None })
    }

    /// What a subscriber says about a purpose.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn consent(&self, gpsi: &Gpsi, purpose: &UcPurpose) -> Result<Versioned<Consent>, Refusal> {
        let (gpsi, purpose) = (gpsi.clone(), purpose.clone());
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                match subscribers::by_gpsi(tx, gpsi.as_str()).await? {
                    Some(row) => consents::find(tx, &row.supi, &purpose).await,
                    None => Ok(None),
                }
            })
        });
        let row = read.await?.ok_or_else(absent)?;
        Ok(Versioned { version: row.version, body: shown(row) })
    }

    /// Enters what a subscriber says about a purpose.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is no such subscriber.
    pub async fn put_consent(
        &self,
        gpsi: &Gpsi,
        purpose: &UcPurpose,
        consent: UserConsent,
    ) -> Result<Written<Consent>, Refusal> {
        let changed = self.change(gpsi, purpose, Some(consent.clone())).await?;
        let body = Consent { purpose: Some(purpose.clone()), consent, version: Some(changed.version) };
        Ok(Written { body, version: changed.version, created: changed.before.is_none() })
    }

    /// Nothing is said about a purpose any more.
    ///
    /// # Errors
    /// `NOT_FOUND`: nothing was said before.
    pub async fn delete_consent(&self, gpsi: &Gpsi, purpose: &UcPurpose) -> Result<(), Refusal> {
        match self.change(gpsi, purpose, None).await?.before {
            Some(_) => Ok(()),
            None => Err(absent()),
        }
    }

    async fn change(
        &self,
        gpsi: &Gpsi,
        purpose: &UcPurpose,
        consent: Option<UserConsent>,
    ) -> Result<Changed, Refusal> {
        let (server, gpsi, purpose) = (self.clone(), gpsi.clone(), purpose.clone());
        let changed: Changed = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let of = known(tx, gpsi.as_str()).await?;
                    let now_s = server.now_s();
                    let changed = consents::set(tx, &of.supi, &purpose, consent.as_ref(), now_s).await?;
                    let changed = changed.ok_or_else(absent)?;
                    if changed.before != consent {
                        telling::queue(tx, server.kit(), &of, &purpose, &changed).await?;
                    }
                    Ok::<_, Refusal>(changed)
                })
            })
            .await?;
        self.wake();
        Ok(changed)
    }
}
