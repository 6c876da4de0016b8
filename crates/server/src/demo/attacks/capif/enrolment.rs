//! Secrets of enrolments that open nothing (IMP-09, NA-5, NA-6).

use anyhow::Result;
use api_types::admin::{Enrolment, EnrolmentKind};
use authorization::Reason;
use rcgen::{CertificateParams, KeyPair};
use sdk::{HttpsClient, Request};
use serde_json::{Value, json};

use super::super::Arena;
use super::super::holder::at;
use super::case;
use crate::demo::invoker::{Invoker, NOTIFICATIONS, enrol, key_and_csr};

const ROWS: &[&str] = &["IMP-09", "NA-5", "S2-0"];
const PROVIDER_ROWS: &[&str] = &["IMP-09", "NA-6", "S2-0"];
const ONBOARDING: &str = "onboardedInvokers";
const REGISTRATION: &str = "registrations";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    onboarding(arena).await?;
    registration(arena).await
}

fn invoker(csr: &str) -> Value {
    json!({ "onboardingInformation": { "apiInvokerPublicKey": csr }, "notificationDestination": NOTIFICATIONS })
}

/// A secret of each kind that was never good, or is no longer.
async fn spoiled(
    arena: &Arena<'_>,
    other: EnrolmentKind,
    own: EnrolmentKind,
) -> Result<Vec<(&'static str, String)>> {
    let admin = arena.observer.admin();
    let late = Enrolment { kind: own, name: "late".into(), apis: Vec::new(), expires_in_s: 1 };
    Ok(vec![
        ("secret-unknown", arena.sample.ambient.unguessable()),
        ("secret-of-the-other-kind", enrol(admin, other).await?.expose().to_owned()),
        ("secret-expired", admin.enrol(&late).await?.secret.expose().to_owned()),
    ])
}

async fn onboarding(arena: &mut Arena<'_>) -> Result<()> {
    let (sample, admin) = (arena.sample, arena.observer.admin());
    let url = at(sample, "ccf", "/api-invoker-management/v1/onboardedInvokers")?;
    let https = HttpsClient::new(&sample.ca, None)?;
    let (_, csr) = key_and_csr()?;
    let post = |secret: &str, csr: &str| {
        Request::post(url.clone()).header("authorization", &format!("Bearer {secret}")).json(&invoker(csr))
    };
    let outcome = https.send(Request::post(url.clone()).json(&invoker(&csr))).await;
    arena.judge(case("secret-absent", ONBOARDING, ROWS, Reason::TokenMissing), outcome).await?;
    for (member, secret) in spoiled(arena, EnrolmentKind::ApiProvider, EnrolmentKind::ApiInvoker).await? {
        // The clock goes on for one request, and is set back.
        let late = member == "secret-expired";
        if late {
            admin.set_clock(2).await?;
        }
        let outcome = https.send(post(&secret, &csr)).await;
        if late {
            admin.set_clock(0).await?;
        }
        arena.judge(case(member, ONBOARDING, ROWS, Reason::CredentialsWrong), outcome).await?;
    }
    // A key is one API invoker's; a refused request does not use the secret up.
    let secret = enrol(admin, EnrolmentKind::ApiInvoker).await?;
    let known = KeyPair::from_pem(&Invoker::of(sample, 0, None)?.identity.key_pem)?;
    let of_another = CertificateParams::new(Vec::<String>::new())?.serialize_request(&known)?.pem()?;
    let outcome = https.send(post(secret.expose(), &of_another)).await;
    arena.judge(case("key-of-another-invoker", ONBOARDING, ROWS, Reason::IdTaken), outcome).await?;
    let served = https.send(post(secret.expose(), &csr)).await?;
    anyhow::ensure!(served.status == 201, "a good secret was used up by a refused request");
    let (_, csr) = key_and_csr()?;
    let outcome = https.send(post(secret.expose(), &csr)).await;
    arena.judge(case("secret-used-twice", ONBOARDING, ROWS, Reason::CredentialsWrong), outcome).await
}

async fn registration(arena: &mut Arena<'_>) -> Result<()> {
    let (sample, admin) = (arena.sample, arena.observer.admin());
    let url = at(sample, "ccf", "/api-provider-management/v1/registrations")?;
    let https = HttpsClient::new(&sample.ca, None)?;
    let post = |secret: Option<&str>| -> Result<Request> {
        let functions = ["AMF", "AEF"]
            .map(|role| -> Result<Value> {
                let csr = key_and_csr()?.1;
                Ok(json!({ "regInfo": { "apiProvPubKey": csr }, "apiProvFuncRole": role }))
            })
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        let mut body = json!({ "apiProvFuncs": functions });
        if let Some(secret) = secret {
            body["regSec"] = json!(secret);
        }
        Ok(Request::post(url.clone()).json(&body))
    };
    let outcome = https.send(post(None)?).await;
    arena.judge(case("secret-absent", REGISTRATION, PROVIDER_ROWS, Reason::MemberMissing), outcome).await?;
    for (member, secret) in spoiled(arena, EnrolmentKind::ApiInvoker, EnrolmentKind::ApiProvider).await? {
        let late = member == "secret-expired";
        if late {
            admin.set_clock(2).await?;
        }
        let outcome = https.send(post(Some(&secret))?).await;
        if late {
            admin.set_clock(0).await?;
        }
        let case = case(member, REGISTRATION, PROVIDER_ROWS, Reason::CredentialsWrong);
        arena.judge(case, outcome).await?;
    }
    let secret = enrol(admin, EnrolmentKind::ApiProvider).await?;
    let served = https.send(post(Some(secret.expose()))?).await?;
    anyhow::ensure!(served.status == 201, "a good secret registers nobody");
    let outcome = https.send(post(Some(secret.expose()))?).await;
    let case = case("secret-used-twice", REGISTRATION, PROVIDER_ROWS, Reason::CredentialsWrong);
    arena.judge(case, outcome).await
}
