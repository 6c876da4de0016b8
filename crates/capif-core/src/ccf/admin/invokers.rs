//! `/capif/invokers` of `admin`: API invokers, and the end of one by the operator.

use api_types::DateTime;
use api_types::admin::{CapifInvoker, CapifToken, Page};
use api_types::capif::ApiInvokerId;
use api_types::capif::invoker::APIInvokerEnrolmentDetails;
use service_http::refusal::Refusal;
use store::capif::invokers::{self, InvokerRow};
use store::capif::tokens::TokenRow;
use store::capif::{contexts, tokens};
use store::{Sql, StoreError};

use super::{Part, absent, certificates_of, enrolment_of};
use crate::ccf::CcfServer;

/// Tokens of one API invoker that are shown. Own value.
const MOST_TOKENS: u32 = 100;

impl CcfServer {
    /// API invokers, by name.
    ///
    /// # Errors
    /// The store fails.
    pub async fn invokers(&self, part: Part<'_>) -> Result<Page<CapifInvoker>, Refusal> {
        let (after, now_s) = (part.cursor.to_owned(), self.now_s());
        let most = part.with_one_more();
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let mut shown = Vec::new();
                for row in invokers::page(tx, &after, most).await? {
                    shown.push(show(tx, row, now_s).await?);
                }
                Ok(shown)
            })
        });
        Ok(part.page(read.await?, |one| one.api_invoker_id.clone(), Ok)?)
    }

    /// One API invoker, with its tokens that live.
    ///
    /// # Errors
    /// There is none; the store fails.
    pub async fn invoker(&self, invoker: &ApiInvokerId) -> Result<CapifInvoker, Refusal> {
        let (id, now_s) = (invoker.as_str().to_owned(), self.now_s());
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let Some(row) = invokers::find(tx, &id).await? else { return Ok(None) };
                let live = tokens::described(tx, &id, now_s, MOST_TOKENS).await?;
                let tokens = Some(live.into_iter().map(token).collect());
                Ok(Some(CapifInvoker { tokens, ..show(tx, row, now_s).await? }))
            })
        });
        read.await?.ok_or_else(absent)
    }

    /// Offboards an API invoker: after the answer nothing of it is good anywhere.
    ///
    /// # Errors
    /// There is none; the store fails.
    pub async fn offboard(&self, invoker: &ApiInvokerId) -> Result<(), Refusal> {
        let (server, id) = (self.clone(), invoker.as_str().to_owned());
        let epoch: Option<u64> = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let row = invokers::held(tx, &id).await?.ok_or_else(absent)?;
                    let entries = server.remove_invoker(tx, &row.invoker_id).await?;
                    Ok::<_, Refusal>(server.note(tx, entries).await?)
                })
            })
            .await?;
        Ok(self.acknowledge(epoch).await?)
    }
}

async fn show(tx: &mut dyn Sql, row: InvokerRow, now_s: i64) -> Result<CapifInvoker, StoreError> {
    let body: APIInvokerEnrolmentDetails =
        serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("API invoker"))?;
    Ok(CapifInvoker {
        state: row.state.as_str().to_owned(),
        enrolment: enrolment_of(tx, &row.enrolment_id).await?,
        information: body.api_invoker_information,
        notification_destination: body.notification_destination,
        expires_at: row.expires_s.map(DateTime::from_unix),
        certificates: certificates_of(tx, &row.invoker_id, now_s).await?,
        negotiated: contexts::entries(tx, &row.invoker_id).await?.len() as u64,
        tokens: None,
        api_invoker_id: row.invoker_id,
    })
}

fn token(row: TokenRow) -> CapifToken {
    CapifToken {
        jti: row.jti,
        aef_id: row.aef_id,
        apis: row.apis,
        resources: row.resources,
        expires_at: DateTime::from_unix(row.expires_s),
    }
}
