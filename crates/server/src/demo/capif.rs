//! API invokers of a demo: enrolled by the operator, onboarded and negotiated over the core function's own interface.

use std::path::Path;

use anyhow::{Context, Result};
use api_types::admin::{Enrolment, EnrolmentKind};
use api_types::capif::ApiInvokerId;
use api_types::capif::profile::SecurityMethod;
use api_types::capif::security::SecurityInformation;
use sdk::{AdminClient, CapifClient, HttpsClient, Identity};

use super::invoker::{NOTIFICATIONS, context, key_and_csr};
use super::sample::{DemoAef, DemoInvoker, Sample};
use crate::pki::write_private;
use crate::wiring::Exposed;

/// Who is onboarded.
const INVOKERS: [(&str, &str); 2] = [("invoker-1", "VAL server 1"), ("invoker-2", "VAL server 2")];

/// The servers as the ready file shows them.
pub(super) fn aefs(exposed: &[Exposed]) -> Vec<DemoAef> {
    let one = |server: &Exposed| DemoAef {
        aef_id: server.aef_id.clone(),
        role: server.function.as_str().to_owned(),
        apis: server.apis.clone(),
    };
    exposed.iter().map(one).collect()
}

/// Onboards the VAL servers of the demo, with security contexts for every API of `sample.aefs`.
///
/// # Errors
/// The core function refuses.
pub(super) async fn invokers(admin: &AdminClient, sample: &mut Sample, data: &Path) -> Result<()> {
    let Some(ccf) = sample.urls.get("ccf").cloned() else { return Ok(()) };
    for (file, name) in INVOKERS {
        let invoker = invoker(admin, sample, &ccf, (file, name), data).await;
        sample.invokers.push(invoker.with_context(|| format!("onboarding {name}"))?);
    }
    Ok(())
}

async fn invoker(
    admin: &AdminClient,
    sample: &Sample,
    ccf: &str,
    (file, name): (&str, &str),
    data: &Path,
) -> Result<DemoInvoker> {
    let enrolment = Enrolment {
        kind: EnrolmentKind::ApiInvoker,
        name: name.to_owned(),
        apis: Vec::new(),
        expires_in_s: 300,
    };
    let enrolled = admin.enrol(&enrolment).await?;
    let (key_pem, csr) = key_and_csr()?;
    let nobody = CapifClient::new(HttpsClient::new(&sample.ca, None)?, ccf)?;
    let onboarded = nobody.onboard(&enrolled.secret, &csr, name, NOTIFICATIONS).await?;
    let information = onboarded.value.onboarding_information;
    let cert_pem = information.api_invoker_certificate.context("no certificate")?;
    let secret = information.onboarding_secret.context("no onboarding secret")?;
    let identity = Identity { cert_pem, key_pem };
    let path = |ending: &str| data.join("demo").join(format!("{file}.{ending}"));
    let (cert_file, key_file) = (path("pem"), path("key"));
    write_private(&key_file, identity.key_pem.as_bytes())?;
    write_private(&cert_file, identity.cert_pem.as_bytes())?;
    if !sample.aefs.is_empty() {
        let client = nobody.over(HttpsClient::new(&sample.ca, Some(&identity))?);
        negotiate(&client, &onboarded.id, sample).await.context("negotiating")?;
    }
    Ok(DemoInvoker {
        name: name.to_owned(),
        id: onboarded.id.as_str().to_owned(),
        secret: secret.expose().to_owned(),
        files: (cert_file, key_file),
        identity,
    })
}

/// A security context for everything that the servers expose.
async fn negotiate(client: &CapifClient, id: &ApiInvokerId, sample: &Sample) -> Result<()> {
    let roles: Vec<&str> = sample.aefs.iter().map(|aef| aef.role.as_str()).collect();
    let negotiated = client.put_context(id, &context(sample, &roles)?).await?;
    let chosen = |info: &SecurityInformation| info.sel_security_method == Some(SecurityMethod::Oauth);
    anyhow::ensure!(negotiated.security_info.iter().all(chosen), "tokens were not negotiated");
    Ok(())
}
