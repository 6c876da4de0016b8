//! `POST /registrations`: a domain registers with a one-time secret, and its functions get certificates.

use api_types::admin::EnrolmentKind;
use api_types::capif::ApiProvDomId;
use api_types::capif::provider::{APIProviderEnrolmentDetails, ApiProviderFuncRole};
use api_types::common_data::SupportedFeatures;
use api_types::problem::InvalidParam;
use api_types::validate::{MISSING, cause_of};
use authorization::Reason;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::capif::{certificates, providers};

use super::functions::{certify, wrong};
use super::{FEATURES, PATH, kept};
use crate::ccf::{CcfServer, enrolment};

/// `POST /api-provider-management/v1/registrations`
pub(crate) async fn register(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    JsonBody(mut body): JsonBody<APIProviderEnrolmentDetails>,
) -> Result<Response, Refusal> {
    let now_s = ccf.now_s();
    // The secret first: nobody else is worth a signature.
    let secret = body.reg_sec.clone().ok_or_else(|| {
        let fault = InvalidParam::new("/regSec", MISSING);
        Refusal::input(cause_of(std::slice::from_ref(&fault)), vec![fault])
    })?;
    let asked = ctx.clone();
    let row = ccf
        .kit()
        .store
        .read(|tx| {
            Box::pin(async move {
                Ok(enrolment::of_secret(tx, &asked, &secret, EnrolmentKind::ApiProvider, now_s).await)
            })
        })
        .await??;
    let functions = body.api_prov_funcs.take().unwrap_or_default();
    if !functions.iter().any(|function| function.api_prov_func_role == ApiProviderFuncRole::Amf) {
        return Err(wrong(
            "/apiProvFuncs",
            "needs a management function (AMF), which alone may change the domain",
        ));
    }
    let failed = |_| Refusal::open(Reason::StoreFailed);
    let registration = ccf.identifier("REG");
    // Clients of OpenCAPIF take the name of the domain for that of the registration.
    let domain = if ccf.face().is_some() { registration.clone() } else { ccf.identifier("DOM") };
    let domain: ApiProvDomId = domain.try_into().map_err(failed)?;
    let certified = certify(&ccf, &registration, functions, &[])?;
    body.api_prov_dom_id = Some(domain);
    body.api_prov_funcs = Some(certified.functions);
    body.fail_reason = certified.fail_reason;
    body.supp_feat =
        body.supp_feat.take().map(|theirs| theirs.intersection(&SupportedFeatures::of(&FEATURES)));
    let provider = kept(&registration, &row.enrolment_id, &body)?;
    let (rows, issued) = (certified.rows, certified.certificates);
    let object = format!("registrations/{registration}");
    let actor = Actor { label: "AMF", ..Actor::client(&registration) };
    ctx.set_actor(actor.clone());
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                enrolment::use_up(tx, &row.enrolment_id, now_s).await?;
                providers::insert(tx, &provider, now_s).await?;
                for function in &rows {
                    providers::insert_function(tx, function).await?;
                }
                for certificate in &issued {
                    certificates::insert(tx, certificate).await?;
                }
                let permit = Permit::new("ccf.provider.register").object(object).status(201).units(0);
                ledger::record(tx, &ctx, &actor, &permit).await
            })
        })
        .await?;
    let location = HeaderValue::try_from(ccf.at(&format!("{PATH}/{registration}")));
    let location = location.map_err(|_| Refusal::open(Reason::StoreFailed))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)).into_response())
}
