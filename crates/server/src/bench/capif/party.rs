//! Parties of the core function: API invokers, and a domain that publishes.

use anyhow::{Context, Result};
use api_types::Secret;
use api_types::admin::{Enrolment, EnrolmentKind};
use api_types::capif::provider::ApiProviderFuncRole;
use api_types::capif::{AefId, ApiInvokerId, ApiName};
use rcgen::{CertificateParams, KeyPair};
use sdk::capif::{ServiceApiQuery, TokenRequest};
use sdk::{CapifClient, Identity};
use serde_json::{Value, json};

use super::super::load::{Target, request};
use super::super::program::Program;

/// Where notifications of the onboarding would go; nothing listens there.
const NOTIFICATIONS: &str = "https://localhost:9443/bench";

fn key_and_csr() -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    let csr = CertificateParams::new(Vec::<String>::new())?.serialize_request(&key)?.pem()?;
    Ok((key.serialize_pem(), csr))
}

async fn enrolled(program: &Program, kind: EnrolmentKind) -> Result<Secret> {
    let enrolment = Enrolment { kind, name: "of a benchmark".into(), apis: Vec::new(), expires_in_s: 300 };
    Ok(program.admin()?.enrol(&enrolment).await?.secret)
}

/// An API invoker with a security context for everything that it finds at the spatial servers.
pub(super) struct Invoker {
    pub(super) id: ApiInvokerId,
    pub(super) identity: Identity,
    pub(super) ccf: CapifClient,
    /// What the SAn server is called.
    pub(super) san: AefId,
    /// What the SM server is called.
    pub(super) sm: AefId,
}

impl Invoker {
    pub(super) async fn onboard(program: &Program) -> Result<Self> {
        let secret = enrolled(program, EnrolmentKind::ApiInvoker).await?;
        let (key_pem, csr) = key_and_csr()?;
        let nobody = CapifClient::new(program.https(None)?, program.url("ccf")?)?;
        let made = nobody.onboard(&secret, &csr, "of a benchmark", NOTIFICATIONS).await?;
        let told = made.value.onboarding_information;
        let cert_pem = told.api_invoker_certificate.context("no certificate")?;
        let identity = Identity { cert_pem, key_pem };
        let ccf = nobody.over(program.https(Some(&identity))?);
        let (san, sm) =
            (exposing(&ccf, &made.id, "ssan-sanm").await?, exposing(&ccf, &made.id, "ssm-smm").await?);
        let entry = |aef: &AefId| json!({ "aefId": aef, "prefSecurityMethods": ["OAUTH"] });
        let context = json!({
            "securityInfo": [entry(&san), entry(&sm)], "notificationDestination": NOTIFICATIONS,
        });
        ccf.put_context(&made.id, &serde_json::from_value(context)?).await?;
        Ok(Self { id: made.id, identity, ccf, san, sm })
    }

    /// A listener, as this invoker.
    pub(super) fn target(&self, program: &Program, name: &str) -> Result<Target> {
        program.target_as(name, Some(&self.identity))
    }

    /// The request for a token, as bytes.
    pub(super) fn token_request(&self, scope: &str, details: Option<&Value>) -> Vec<u8> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials").append_pair("client_id", self.id.as_str());
        form.append_pair("scope", scope);
        if let Some(details) = details {
            form.append_pair("authorization_details", &details.to_string());
        }
        let path = format!("/capif-security/v1/securities/{}/token", self.id);
        let content = [("content-type", "application/x-www-form-urlencoded")];
        request("POST", &path, &content, &form.finish())
    }

    /// A token.
    pub(super) async fn token(&self, scope: &str, details: Option<&Value>) -> Result<String> {
        let details = details.cloned().map(serde_json::from_value).transpose()?.unwrap_or_default();
        let request = TokenRequest { scope: scope.to_owned(), authorization_details: details };
        Ok(self.ccf.token(&self.id, &request).await?.access_token.expose().to_owned())
    }
}

/// The function that exposes a service API.
async fn exposing(ccf: &CapifClient, invoker: &ApiInvokerId, name: &str) -> Result<AefId> {
    let query = ServiceApiQuery { api_name: Some(ApiName::try_from(name)?), ..ServiceApiQuery::default() };
    let found = ccf.discover(invoker, &query).await?.service_api_descriptions.unwrap_or_default();
    let profile = found.into_iter().find_map(|api| api.aef_profiles?.into_iter().next());
    Ok(profile.with_context(|| format!("{name} is not published"))?.aef_id)
}

/// A domain with a function that publishes and one that exposes.
#[derive(Clone)]
pub(super) struct Publisher {
    identity: Identity,
    apf: String,
    aef: String,
}

impl Publisher {
    pub(super) async fn register(program: &Program) -> Result<Self> {
        let secret = enrolled(program, EnrolmentKind::ApiProvider).await?;
        let nobody = CapifClient::new(program.https(None)?, program.url("ccf")?)?;
        let ((_, management), (_, exposing), (key_pem, publishing)) =
            (key_and_csr()?, key_and_csr()?, key_and_csr()?);
        let functions = [
            (ApiProviderFuncRole::Amf, management),
            (ApiProviderFuncRole::Aef, exposing),
            (ApiProviderFuncRole::Apf, publishing),
        ];
        let made = nobody.register_provider(&secret, "benchmark", &functions).await?;
        let mut told = made.value.api_prov_funcs.unwrap_or_default().into_iter().skip(1);
        let mut next = || told.next().context("a function");
        let (exposing, publishing) = (next()?, next()?);
        let cert_pem = publishing.reg_info.api_prov_cert.context("no certificate")?;
        Ok(Self {
            identity: Identity { cert_pem, key_pem },
            apf: publishing.api_prov_func_id.context("no apfId")?,
            aef: exposing.api_prov_func_id.context("no aefId")?,
        })
    }

    /// The core function, as the function that publishes.
    pub(super) fn target(&self, program: &Program) -> Result<Target> {
        program.target_as("ccf", Some(&self.identity))
    }

    /// The request that publishes a service API, as bytes.
    pub(super) fn publication(&self, name: &str) -> Vec<u8> {
        let body = json!({ "apiName": name, "aefProfiles": [{
            "aefId": self.aef, "domainName": "bench.example", "securityMethods": ["OAUTH"],
            "versions": [{ "apiVersion": "v1" }],
        }] });
        let path = format!("/published-apis/v1/{}/service-apis", self.apf);
        request("POST", &path, &[("content-type", "application/json")], &body.to_string())
    }
}
