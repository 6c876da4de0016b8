//! `POST /onboardedInvokers`: an API invoker shows a one-time credential and a key, and gets an identity (TS 33.122 6.1).

use api_types::admin::EnrolmentKind;
use api_types::capif::ApiInvokerId;
use api_types::capif::invoker::APIInvokerEnrolmentDetails;
use api_types::common_data::SupportedFeatures;
use api_types::secret::Secret;
use authorization::Reason;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use jose::sha256;
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::certificates::{self, CertificateRow};
use store::capif::invokers::{self, InvokerRow, InvokerState};

use super::{FEATURES, PATH, kept};
use crate::ccf::certificates::Named;
use crate::ccf::events::{ApiAt, Happening, note};
use crate::ccf::identifier::Realm;
use crate::ccf::provider::functions::{refused, wrong};
use crate::ccf::{CcfServer, allowed, enrolment};

/// `POST /api-invoker-management/v1/onboardedInvokers`
pub(crate) async fn onboard(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody<APIInvokerEnrolmentDetails>,
) -> Result<Response, Refusal> {
    let (ambient, now_s) = (&ccf.kit().ambient, ccf.now_s());
    let (credential, asked) = (enrolment::bearer(&headers)?, ctx.clone());
    let row = ccf
        .kit()
        .store
        .read(|tx| {
            Box::pin(async move {
                Ok(enrolment::of_secret(tx, &asked, &credential, EnrolmentKind::ApiInvoker, now_s).await)
            })
        })
        .await??;
    let until_s = body.exp_time.as_ref().map(|end| end.unix());
    if until_s.is_some_and(|end| end <= now_s) {
        return Err(wrong("/expTime", "is over"));
    }
    let id: ApiInvokerId =
        ccf.identifier("INV").try_into().map_err(|_| Refusal::open(Reason::StoreFailed))?;
    let named = Named { role: CertRole::Invoker, id: id.as_str(), until_s };
    let csr = &body.onboarding_information.api_invoker_public_key;
    let issued = ccf
        .certificates()
        .issue(csr, named)
        .map_err(|error| refused(error, "/onboardingInformation/apiInvokerPublicKey"))?;
    // Clients of OpenCAPIF know of no onboarding secret: their certificate is all that they show.
    let secret = ccf.face().is_none().then(|| ambient.random_secret());
    body.api_invoker_id = Some(id.clone());
    body.onboarding_information.api_invoker_certificate = Some(issued.cert_pem.clone());
    body.onboarding_information.onboarding_secret = None;
    body.supported_features =
        body.supported_features.take().map(|theirs| theirs.intersection(&SupportedFeatures::of(&FEATURES)));
    let certificate = CertificateRow {
        x5t_s256: issued.x5t_s256,
        role: CertRole::Invoker.as_str().to_owned(),
        principal: id.as_str().to_owned(),
        registration: id.as_str().to_owned(),
        not_after_s: issued.not_after_s,
        revoked_s: None,
    };
    let actor = Actor { label: "API invoker", ..Actor::client(id.as_str()) };
    ctx.set_actor(actor.clone());
    let server = ccf.clone();
    let secret_sha256 = secret.as_ref().map(|secret| sha256(secret.as_bytes()).to_vec());
    let mut body: APIInvokerEnrolmentDetails = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                enrolment::use_up(tx, &row.enrolment_id, now_s).await?;
                let asked = body.api_list.take();
                let realm = Realm::of_listener(&ctx);
                let (list, failures) = allowed::enrolled(tx, realm, &row.apis, asked).await?;
                (body.api_list, body.failure_reasons) = (list, failures);
                let invoker = InvokerRow {
                    invoker_id: id.as_str().to_owned(),
                    enrolment_id: row.enrolment_id,
                    body: kept(&body)?,
                    key_sha256: issued.key_sha256,
                    secret_sha256,
                    expires_s: until_s,
                    state: InvokerState::Onboarded,
                    version: 1,
                };
                // One key, one API invoker: else one could speak in the name of two.
                if !invokers::insert(tx, &invoker, now_s).await? {
                    return Err(Refusal::open(Reason::IdTaken));
                }
                certificates::insert(tx, &certificate).await?;
                note(tx, &server, Happening::InvokerOnboarded { invoker: id.clone() }).await?;
                let listed =
                    body.api_list.iter().flat_map(|list| list.service_api_descriptions.iter().flatten());
                let apis: Vec<ApiAt> = listed.filter_map(ApiAt::of).collect();
                if !apis.is_empty() {
                    note(tx, &server, Happening::AskedAtOnboarding { apis }).await?;
                }
                let permit =
                    Permit::new("ccf.invoker.onboard").object(format!("invokers/{id}")).status(201).units(0);
                ledger::record(tx, &ctx, &actor, &permit).await?;
                Ok(body)
            })
        })
        .await?;
    body.onboarding_information.onboarding_secret = secret.map(Secret::new);
    let id = body.api_invoker_id.as_ref().map(|id| id.as_str()).unwrap_or_default();
    let location = HeaderValue::try_from(ccf.at(&format!("{PATH}/{id}")));
    let location = location.map_err(|_| Refusal::open(Reason::StoreFailed))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)).into_response())
}
