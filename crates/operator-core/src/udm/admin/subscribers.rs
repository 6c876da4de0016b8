//! `/subscribers` and `/subscribers/{gpsi}/privacy`.

use api_types::admin::{Page, Privacy, Subscriber};
use api_types::ids::Gpsi;
use api_types::problem::Cause;
use authorization::Reason;
use service_http::refusal::Refusal;
use store::udm::subscribers::{self, Put, SubscriberRow};

use super::{Versioned, Written, absent, known, page};
use crate::udm::UdmServer;

fn shown(row: SubscriberRow) -> Subscriber {
    Subscriber { gpsi: Some(row.gpsi), supi: None, external_id: row.external_id }
}

impl UdmServer {
    /// Subscribers, by GPSI.
    ///
    /// # Errors
    /// The store fails.
    pub async fn subscribers(&self, after: &str, limit: u32) -> Result<Page<Subscriber>, Refusal> {
        let (after, most) = (after.to_owned(), limit.saturating_add(1));
        let read = self
            .kit()
            .store
            .read(move |tx| Box::pin(async move { subscribers::page(tx, &after, most).await }));
        Ok(page(read.await?, limit, |row| row.gpsi.to_string(), shown))
    }

    /// A subscriber, without the SUPI.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn subscriber(&self, gpsi: &Gpsi) -> Result<Subscriber, Refusal> {
        let gpsi = gpsi.clone();
        let read = self
            .kit()
            .store
            .read(move |tx| Box::pin(async move { subscribers::by_gpsi(tx, gpsi.as_str()).await }));
        Ok(shown(read.await?.ok_or_else(absent)?))
    }

    /// Says who is behind a GPSI; whether that is new.
    ///
    /// # Errors
    /// 409 `ID_TAKEN`: an identifier is another subscriber's.
    pub async fn put_subscriber(
        &self,
        gpsi: &Gpsi,
        body: Subscriber,
    ) -> Result<Written<Subscriber>, Refusal> {
        let (now_s, key) = (self.now_s(), gpsi.clone());
        let Subscriber { supi, external_id, .. } = body;
        let supi = supi.ok_or_else(|| Refusal::input(Cause::MandatoryIeMissing, Vec::new()))?;
        let external = external_id.clone();
        let put: Put = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let put = subscribers::put(tx, (&key, &supi), external.as_ref(), now_s).await;
                    put.map_err(Refusal::from)
                })
            })
            .await?;
        let created = match put {
            Put::Taken => return Err(Refusal::open(Reason::IdTaken)),
            Put::Created => true,
            Put::Kept => false,
        };
        let body = Subscriber { gpsi: Some(gpsi.clone()), supi: None, external_id };
        Ok(Written { body, version: 1, created })
    }

    /// What is left out or made coarser about a subscriber.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn privacy(&self, gpsi: &Gpsi) -> Result<Versioned<Privacy>, Refusal> {
        let gpsi = gpsi.clone();
        let read = self
            .kit()
            .store
            .read(move |tx| Box::pin(async move { subscribers::by_gpsi(tx, gpsi.as_str()).await }));
        let row = read.await?.ok_or_else(absent)?;
        Ok(Versioned { body: row.privacy, version: row.privacy_version })
    }

    /// Says what is left out or made coarser about a subscriber.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn put_privacy(&self, gpsi: &Gpsi, privacy: Privacy) -> Result<Written<Privacy>, Refusal> {
        let (gpsi, kept) = (gpsi.clone(), privacy.clone());
        let version: u64 = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let row = known(tx, gpsi.as_str()).await?;
                    Ok::<_, Refusal>(subscribers::set_privacy(tx, &row.supi, &kept).await?)
                })
            })
            .await?;
        Ok(Written { body: privacy, version, created: version == 1 })
    }
}
