//! `/enrolments` of `admin`: what was made, and what is taken back before it was used.

use api_types::admin::{EnrolmentInfo, Page};
use api_types::capif::EnrolmentId;
use service_http::refusal::Refusal;
use store::capif::enrolments;

use super::{Part, absent, enrolment_info};
use crate::ccf::CcfServer;

impl CcfServer {
    /// Enrolments, by name; never their secrets.
    ///
    /// # Errors
    /// The store fails.
    pub async fn enrolments(&self, part: Part<'_>) -> Result<Page<EnrolmentInfo>, Refusal> {
        let after = part.cursor.to_owned();
        let most = part.with_one_more();
        let rows = self
            .kit()
            .store
            .read(move |tx| Box::pin(async move { enrolments::page(tx, &after, most).await }));
        Ok(part.page(rows.await?, |row| row.enrolment_id.clone(), enrolment_info)?)
    }

    /// Takes back an enrolment that nobody has used: its secret opens nothing any more.
    ///
    /// # Errors
    /// There is none, or it was used: then it is the party that has to go.
    pub async fn withdraw_enrolment(&self, enrolment: &EnrolmentId) -> Result<(), Refusal> {
        let id = enrolment.as_str().to_owned();
        let withdrawn: bool = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move { enrolments::withdraw(tx, &id).await.map_err(Refusal::from) })
            })
            .await?;
        if withdrawn { Ok(()) } else { Err(absent()) }
    }
}
