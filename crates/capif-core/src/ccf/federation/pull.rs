//! The service APIs of a partner that does not publish here: discovered there, and kept here like published ones
//! (TS 23.222 8.26).

use api_types::capif::ServiceApiId;
use api_types::capif::publish::ServiceAPIDescription;
use service_http::feed::NewEntry;
use store::capif::Write;
use store::capif::service_apis::{self, ServiceApiRow};
use store::{Sql, StoreError};

use super::inward::{Inward, registration_of};
use super::plan::{Step, plan};
use super::{LinkError, Partner};
use crate::ccf::events::{Happening, note};
use crate::ccf::identifier::fresh;
use crate::ccf::publish::{MOST_OF_DOMAIN, aefs, draw, text};
use crate::ccf::{CcfServer, published};

/// Makes what is kept of the partner what it shares; how many steps that took.
///
/// # Errors
/// The partner does not answer; the store fails.
pub(super) async fn pull(ccf: &CcfServer, own_id: &str, partner: &Partner) -> Result<usize, LinkError> {
    let found = partner.link.discover().await?;
    let failed = |error: StoreError| LinkError(error.to_string());
    let (server, own_id, partner) = (ccf.clone(), own_id.to_owned(), partner.clone());
    let job = ccf.kit().store.write(move |tx| {
        Box::pin(async move {
            take_over(&server, tx, &Inward { own_id: &own_id, partner: &partner }, found).await
        })
    });
    let (count, epoch) = job.await.map_err(failed)?;
    ccf.acknowledge(epoch).await.map_err(failed)?;
    Ok(count)
}

async fn take_over(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    inward: &Inward<'_>,
    found: Vec<ServiceAPIDescription>,
) -> Result<(usize, Option<u64>), StoreError> {
    let registration = registration_of(&inward.partner.ccf_id);
    let rows = service_apis::of_registration(tx, &registration).await?;
    let present = rows.iter().map(published::read).collect::<Result<Vec<_>, _>>()?;
    let mut wanted = Vec::with_capacity(found.len());
    for mut api in found.into_iter().take(MOST_OF_DOMAIN as usize) {
        (api.api_id, api.supported_features) = (None, None);
        if inward.fits(tx, &mut api).await? {
            wanted.push(api);
        } else {
            let (partner, api) = (&inward.partner.ccf_id, api.api_name.as_str());
            tracing::warn!(partner, api, "a service API of a partner cannot be taken over");
        }
    }
    let steps = plan(present, wanted);
    let (count, mut entries): (usize, Vec<NewEntry>) = (steps.len(), Vec::new());
    for step in steps {
        let row = |id: &ServiceApiId| rows.iter().find(|row| row.api_id == id.as_str());
        let known = StoreError::Damaged("service API");
        match step {
            Step::Withdraw(id) => entries.extend(ccf.end_api(tx, row(&id).ok_or(known)?).await?),
            Step::Replace(id, api) => {
                let (row, mut api) = (row(&id).ok_or(known)?.clone(), *api);
                let before = published::read(&row)?;
                api.api_id = Some(id);
                let changed = ServiceApiRow { body: text(&api)?, ..row };
                if service_apis::update(tx, &changed, &aefs(&api)).await? == Write::Done {
                    entries.extend(draw(ccf, tx, &before, &api).await?);
                }
            }
            Step::Publish(api) => insert(ccf, tx, &registration, inward, *api).await?,
        }
    }
    Ok((count, ccf.note(tx, entries).await?))
}

async fn insert(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    registration: &str,
    inward: &Inward<'_>,
    mut api: ServiceAPIDescription,
) -> Result<(), StoreError> {
    let id = fresh("API", &ccf.kit().ambient);
    api.api_id = ServiceApiId::try_from(id.as_str()).ok();
    let row = ServiceApiRow {
        api_id: id,
        apf_id: inward.partner.ccf_id.clone(),
        registration_id: registration.to_owned(),
        api_name: api.api_name.as_str().to_owned(),
        body: text(&api)?,
        version: 1,
        created_s: ccf.now_s(),
    };
    if service_apis::insert(tx, &row, &aefs(&api)).await? == Write::Done {
        note(tx, ccf, Happening::ServiceApiAvailable { api: Box::new(api) }).await?;
    }
    Ok(())
}
