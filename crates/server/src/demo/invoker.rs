//! An API invoker of the demo at work: it finds service APIs, negotiates, gets tokens and carries them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use api_types::Secret;
use api_types::admin::{Enrolment, EnrolmentKind};
use api_types::capif::security::ServiceSecurity;
use api_types::capif::{AefId, ApiInvokerId};
use api_types::oauth::{AuthorizationDetail, TokenResponse};
use rcgen::{CertificateParams, KeyPair};
use sdk::capif::{ServiceApiQuery, TokenRequest};
use sdk::{AdminClient, CapifClient, Credential, HttpsClient, Identity, SanClient, SmClient};
use serde_json::{Value, json};

use super::Sample;

/// Where notifications would go; nothing listens there.
pub(super) const NOTIFICATIONS: &str = "https://localhost:9443/capif";

/// An API invoker.
pub(super) struct Invoker<'s> {
    pub(super) sample: &'s Sample,
    pub(super) id: ApiInvokerId,
    pub(super) secret: String,
    pub(super) identity: Identity,
    /// With its certificate.
    pub(super) https: HttpsClient,
    pub(super) ccf: CapifClient,
}

/// A key with a signing request for it, both PEM.
pub(super) fn key_and_csr() -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    let csr = CertificateParams::new(Vec::<String>::new())?.serialize_request(&key)?.pem()?;
    Ok((key.serialize_pem(), csr))
}

/// The secret of a new enrolment.
pub(super) async fn enrol(admin: &AdminClient, kind: EnrolmentKind) -> Result<Secret> {
    let enrolment = Enrolment { kind, name: "of the demo".into(), apis: Vec::new(), expires_in_s: 60 };
    Ok(admin.enrol(&enrolment).await?.secret)
}

/// The server of a role as the core function knows it.
pub(super) fn aef<'s>(sample: &'s Sample, role: &str) -> Result<&'s str> {
    let found = sample.aefs.iter().find(|aef| aef.role == role);
    found.map(|aef| aef.aef_id.as_str()).with_context(|| format!("{role} is no API exposing function"))
}

/// The scope of some APIs, named with commas, of a server (TS 29.222 8.5.4.2.6).
pub(super) fn scope(sample: &Sample, role: &str, apis: &str) -> Result<String> {
    Ok(format!("3gpp#{}:{apis}", aef(sample, role)?))
}

/// A security context with tokens at these servers.
pub(super) fn context(sample: &Sample, roles: &[&str]) -> Result<ServiceSecurity> {
    let entry = |role: &&str| -> Result<Value> {
        Ok(json!({ "aefId": aef(sample, role)?, "prefSecurityMethods": ["OAUTH"] }))
    };
    let entries = roles.iter().map(entry).collect::<Result<Vec<_>>>()?;
    let context = json!({ "securityInfo": entries, "notificationDestination": NOTIFICATIONS });
    Ok(serde_json::from_value(context)?)
}

impl<'s> Invoker<'s> {
    /// One of the sample's, counted from 0; `trace` is named in its requests.
    pub(super) fn of(sample: &'s Sample, number: usize, trace: Option<&str>) -> Result<Self> {
        let known = sample.invokers.get(number).context("no such API invoker")?;
        let id = known.id.as_str().try_into()?;
        Self::with(sample, id, known.secret.clone(), known.identity.clone(), trace)
    }

    /// A new one, with a security context at these servers.
    pub(super) async fn onboard(sample: &'s Sample, admin: &AdminClient, roles: &[&str]) -> Result<Self> {
        let secret = enrol(admin, EnrolmentKind::ApiInvoker).await?;
        let (key_pem, csr) = key_and_csr()?;
        let nobody = CapifClient::new(HttpsClient::new(&sample.ca, None)?, sample.url("ccf")?)?;
        let made = nobody.onboard(&secret, &csr, "of the demo", NOTIFICATIONS).await?;
        let told = made.value.onboarding_information;
        let cert_pem = told.api_invoker_certificate.context("no certificate")?;
        let secret = told.onboarding_secret.context("no onboarding secret")?.expose().to_owned();
        let invoker = Self::with(sample, made.id, secret, Identity { cert_pem, key_pem }, None)?;
        if !roles.is_empty() {
            invoker.ccf.put_context(&invoker.id, &context(sample, roles)?).await?;
        }
        Ok(invoker)
    }

    fn with(
        sample: &'s Sample,
        id: ApiInvokerId,
        secret: String,
        identity: Identity,
        trace: Option<&str>,
    ) -> Result<Self> {
        let https = HttpsClient::new(&sample.ca, Some(&identity))?;
        let https = match trace {
            Some(trace) => https.with_trace(trace),
            None => https,
        };
        let ccf = CapifClient::new(https.clone(), sample.url("ccf")?)?;
        let https = match &sample.recording {
            Some(recording) => https.with_recorder(recording.clone()),
            None => https,
        };
        Ok(Self { sample, id, secret, identity, https, ccf })
    }

    /// The same, whose requests name this trace.
    pub(super) fn in_trace(&self, trace: &str) -> Result<Self> {
        Self::with(self.sample, self.id.clone(), self.secret.clone(), self.identity.clone(), Some(trace))
    }

    /// Negotiates anew at these servers; what stays the same revokes nothing.
    pub(super) async fn negotiate(&self, roles: &[&str]) -> Result<()> {
        self.ccf.put_context(&self.id, &context(self.sample, roles)?).await?;
        Ok(())
    }

    /// The names of the APIs that it finds at a function.
    pub(super) async fn finds(&self, role: &str) -> Result<BTreeSet<String>> {
        let aef: AefId = aef(self.sample, role)?.try_into()?;
        let query = ServiceApiQuery { aef_id: Some(aef), ..ServiceApiQuery::default() };
        let found = self.ccf.discover(&self.id, &query).await?.service_api_descriptions;
        Ok(found.unwrap_or_default().iter().map(|api| api.api_name.as_str().to_owned()).collect())
    }

    /// A token for APIs of a server, narrowed by details unless these are null.
    pub(super) async fn token(&self, role: &str, apis: &str, details: Value) -> Result<TokenResponse> {
        let details: Option<Vec<AuthorizationDetail>> = serde_json::from_value(details)?;
        let request = TokenRequest {
            scope: scope(self.sample, role, apis)?,
            authorization_details: details.unwrap_or_default(),
        };
        Ok(self.ccf.token(&self.id, &request).await?)
    }

    /// A client of the SAn server with a token.
    pub(super) fn san(&self, token: &TokenResponse) -> Result<SanClient> {
        let credential = Credential::Bearer(token.access_token.clone());
        Ok(SanClient::new(self.https.clone(), self.sample.url("san")?, credential)?)
    }

    /// A client of the SM server with a token.
    pub(super) fn sm(&self, token: &TokenResponse) -> Result<SmClient> {
        let credential = Credential::Bearer(token.access_token.clone());
        Ok(SmClient::new(self.https.clone(), self.sample.url("sm")?, credential)?)
    }
}

/// Level SERVICE: the actions on the service.
pub(super) fn service(kind: &str, actions: &[&str]) -> Value {
    json!([{ "type": kind, "level": "SERVICE", "actions": actions }])
}

/// Level INSTANCE: the actions on one anchor or map.
pub(super) fn instance(kind: &str, identifier: &str, actions: &[&str]) -> Value {
    json!([{ "type": kind, "level": "INSTANCE", "identifier": identifier, "actions": actions }])
}

/// Level SERVICE_INFO: a change of one entry of service information in one anchor or map.
pub(super) fn service_info(kind: &str, identifier: &str, entry: &str) -> Value {
    json!([{
        "type": kind, "level": "SERVICE_INFO", "identifier": identifier, "datatypes": ["service-info"],
        "servInfoIds": [entry], "actions": ["update"],
    }])
}

/// `authorization_details` type of anchors.
pub(super) const ANCHOR: &str = "3gpp_spatial_anchor";
/// Likewise of maps.
pub(super) const MAP: &str = "3gpp_spatial_map";
