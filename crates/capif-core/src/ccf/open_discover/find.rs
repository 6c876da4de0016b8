//! `GET /service-apis`: anybody looks for service APIs. Found is what is active, what the operator has listed as open, and
//! what fits each filter.

use api_types::capif::open_discover::{OpenAPIDetails, OpenDiscoverFilter, OpenDiscoveryResp};
use api_types::capif::publish::ServiceAPIDescription;
use api_types::common_data::SupportedFeatures;
use api_types::problem::Cause;
use axum::Json;
use axum::extract::{RawQuery, State};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;

use super::filter;
use crate::ccf::CcfServer;
use crate::ccf::admin::open_names;
use crate::ccf::discover::{Published, query};
use crate::ccf::identifier::Realm;

/// `GET /open-api-disc/v1/service-apis`
pub(crate) async fn discover(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    RawQuery(text): RawQuery,
) -> Result<Json<OpenDiscoveryResp>, Refusal> {
    let filter = OpenDiscoverFilter::parse(&query(text.as_deref())?)
        .map_err(|faults| Refusal::input(Cause::InvalidQueryParam, faults))?;
    let server = ccf.clone();
    let read = ccf.kit().store.read(|tx| {
        Box::pin(async move { Ok((server.catalogue().at(tx).await?, open_names(&server, tx).await?)) })
    });
    let (published, open) = read.await?;
    let disc_apis = find(&filter, &open, &published, ccf.now_s());
    // No feature of the API is known by a number yet.
    let none = SupportedFeatures::of(&[]);
    let supp_feat = filter.supported_features.as_ref().map(|theirs| theirs.intersection(&none));
    let permit = Permit::new("ccf.discover.open").object("service-apis").units(0);
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move { ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await })
        })
        .await?;
    Ok(Json(OpenDiscoveryResp { disc_apis, supp_feat }))
}

fn find(
    filter: &OpenDiscoverFilter,
    open: &[api_types::capif::ApiName],
    published: &Published,
    now_s: i64,
) -> Vec<OpenAPIDetails> {
    let mut open: Vec<_> = open.iter().collect();
    open.sort_unstable();
    open.dedup();
    let listed = open.into_iter().flat_map(|name| published.named(name.as_str()));
    // A name that is open is so for what was published here, and not for whoever took it at the other listener.
    let native = |api: &&ServiceAPIDescription| Realm::of_api(api) == Realm::Native;
    let fitting =
        listed.map(|entry| &entry.description).filter(native).filter(|api| filter::fits(filter, api));
    let mut found: Vec<_> = fitting
        .filter_map(|api| {
            let criteria = filter::criteria(filter, api, now_s);
            let narrowed = criteria.narrow(api)?;
            Some((!criteria.is_wished(&narrowed), narrowed.into_owned()))
        })
        .collect();
    found.sort_by_key(|(rest, _)| *rest);
    found.into_iter().map(|(_, api)| OpenAPIDetails::from(api)).collect()
}
