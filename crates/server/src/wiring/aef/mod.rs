//! Our servers as API exposing functions of a CAPIF core function: each registers one domain (management, publishing and
//! exposing function) over the core function's own interface and publishes its service APIs (TS 29.222 8.2 and 8.9).
//!
//! What was begun and cut off is completed at the next start: keys are kept before anything is asked for, a registration of
//! which no answer was kept is made anew, and what is published is compared with what is to be.

mod description;
mod exposure;
mod files;
mod foreign;
pub(super) mod policies;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use api_types::Secret;
use api_types::admin::{Enrolment, EnrolmentKind};
use api_types::capif::provider::{
    APIProviderEnrolmentDetails, APIProviderFunctionDetails, RegistrationInformation,
};
use api_types::capif::publish::ServiceAPIDescription;
use api_types::capif::{ApiName, ServiceApiId};
use api_types::function::Function;
use capif_core::ccf::CcfServer;
use sdk::{CapifClient, HttpsClient, Identity, SdkError, TransportKind};
use service_http::ambient::Ambient;
use service_http::peer::key_and_end;
use service_http::tls::certificates_from_pem;

use self::description::descriptions;
pub(super) use self::exposure::expose;
use self::files::{Files, Keys, PARTIES, Registration};
pub(super) use self::foreign::{Abroad, abroad, invokers_abroad};
use super::function::Common;
use crate::config::TrustedIssuerSection;

/// Longest wait for a core function that does not answer yet. Own value.
const PATIENCE: Duration = Duration::from_secs(30);
/// Likewise, for one of another domain. Own value.
const PATIENCE_ABROAD: Duration = Duration::from_secs(5);
/// Time between two attempts. Own value.
const PAUSE: Duration = Duration::from_millis(200);
/// Certificates are renewed when they last no longer than this, in seconds. Own value: a month.
const RENEW_S: i64 = 30 * 86_400;
/// How long the enrolment of a server of this process can be used, in seconds. Own value.
const ENROLMENT_S: u32 = 300;

/// The core function at which a server registers.
pub(super) struct CcfAt<'a> {
    /// Its origin, which is the issuer of its tokens.
    pub(super) url: &'a str,
    /// The core function itself, where it runs in this process.
    pub(super) here: Option<&'a CcfServer>,
    /// It is one of another domain.
    pub(super) foreign: Option<&'a TrustedIssuerSection>,
}

impl CcfAt<'_> {
    /// Where a server keeps what it needs there.
    fn files(&self, common: &Common<'_>, function: Function) -> Files {
        match self.foreign {
            Some(foreign) => Files::of_foreign(common.data.path(), function, &foreign.issuer),
            None => Files::of(common.data.path(), function),
        }
    }

    /// What its server certificate is verified by.
    fn roots(&self, common: &Common<'_>) -> Result<String> {
        self.foreign.map_or_else(|| common.foreign_pem(), foreign::roots_of)
    }

    /// How long it is waited for: another domain's holds up no start.
    fn patience(&self) -> Duration {
        if self.foreign.is_some() { PATIENCE_ABROAD } else { PATIENCE }
    }
}

/// A server that is registered.
pub(super) struct Aef {
    /// Origin of the core function.
    pub(super) issuer: String,
    /// Its name there.
    pub(super) id: String,
    /// Its certificate there.
    pub(super) identity: Identity,
    /// Names of its service APIs.
    pub(super) apis: Vec<String>,
    /// What the core function calls them.
    pub(super) api_ids: BTreeMap<String, ServiceApiId>,
}

/// Registers the server of `function`, which listens at `origin`, or takes up its registration of before; then publishes.
///
/// # Errors
/// The core function refuses or does not answer; files of before cannot be used.
pub(super) async fn register(
    common: &Common<'_>,
    function: Function,
    origin: &str,
    ccf: &CcfAt<'_>,
) -> Result<Aef> {
    let work = Work {
        files: ccf.files(common, function),
        roots: ccf.roots(common)?,
        ambient: common.ambient,
        common,
        function,
        ccf,
    };
    let keys = work.files.keys()?;
    let (registration, present) = match work.known(&keys).await? {
        Some(known) => known,
        None => (work.begin(&keys, origin).await?, Vec::new()),
    };
    let section = &common.config.server;
    // Another domain gets them for itself, not to pass them on.
    let shared_with = if ccf.foreign.is_some() { &[] } else { common.config.capif.shared_with.as_slice() };
    let at = (origin, section.bind.as_str());
    let wanted = descriptions(function, &registration.aef.id, at, &common.interfaces(), shared_with)?;
    let api_ids = work.publish(&keys, &registration, present, &wanted).await?;
    Ok(Aef {
        api_ids,
        issuer: ccf.url.to_owned(),
        identity: keys.identity("aef", &registration.aef)?,
        apis: wanted.iter().map(|api| api.api_name.as_str().to_owned()).collect(),
        id: registration.aef.id,
    })
}

struct Work<'a> {
    files: Files,
    roots: String,
    ambient: &'a Ambient,
    common: &'a Common<'a>,
    function: Function,
    ccf: &'a CcfAt<'a>,
}

impl Work<'_> {
    fn client(&self, identity: Option<&Identity>) -> Result<CapifClient> {
        Ok(CapifClient::new(HttpsClient::new(&self.roots, identity)?, self.ccf.url)?)
    }

    /// The registration of before with what it has published, if the core function still knows it.
    async fn known(&self, keys: &Keys) -> Result<Option<(Registration, Vec<ServiceAPIDescription>)>> {
        let Some(mut kept) = self.files.registration()? else { return Ok(None) };
        let apf = self.client(Some(&keys.identity("apf", &kept.apf)?))?;
        let id = kept.apf.id.as_str().try_into()?;
        let present = match patient(self.ambient, self.ccf.patience(), is_no_answer, || {
            apf.published_apis(&id)
        })
        .await
        {
            Ok(present) => present,
            Err(error) if matches!(error.status(), Some(401 | 403 | 404)) => {
                tracing::warn!(
                    function = self.function.as_str(),
                    "the core function no longer knows it: it registers anew"
                );
                return Ok(None);
            }
            // Another core function, whose root may be another one too.
            Err(_) if kept.ccf != self.ccf.url => return Ok(None),
            Err(error) => return Err(self.not_answered(error)),
        };
        if self.ends_soon(&kept)? {
            kept = self.renew(keys, kept).await?;
        }
        if kept.ccf != self.ccf.url {
            kept.ccf = self.ccf.url.to_owned();
            self.files.keep(&kept)?;
        }
        Ok(Some((kept, present)))
    }

    /// A new registration, by an enrolment that is used up with it.
    async fn begin(&self, keys: &Keys, origin: &str) -> Result<Registration> {
        let secret = self.secret().await?;
        let functions = PARTIES
            .iter()
            .map(|(name, role)| Ok((role.clone(), keys.csr(name)?)))
            .collect::<Result<Vec<_>>>()?;
        let client = self.client(None)?;
        let name = format!("{} {}", self.function.as_str(), origin.trim_start_matches("https://"));
        let asked = || client.register_provider(&secret, &name, &functions);
        // Sent once more only where it cannot have arrived: the secret is good for one registration.
        let made = match patient(self.ambient, self.ccf.patience(), cannot_have_arrived, asked).await {
            Ok(made) => made,
            Err(error) if error.status().is_some() => {
                let key = self.function.as_str();
                return Err(anyhow!(error)).with_context(|| {
                    format!(
                        "the CAPIF core function at {} refuses the enrolment of {key}: make one of kind api_provider there \
                         (POST /v1/enrolments) and put its secret into capif.{key}_enrolment",
                        self.ccf.url
                    )
                });
            }
            Err(error) => return Err(self.not_answered(error)),
        };
        let registration = Registration::of(self.ccf.url, made.id.as_str(), &made.value)?;
        self.files.keep(&registration)?;
        Ok(registration)
    }

    async fn secret(&self) -> Result<Secret> {
        let key = self.function.as_str();
        let Some(here) = self.ccf.here else {
            let own = &self.common.config.capif;
            let secret = match (self.ccf.foreign, self.function) {
                (Some(foreign), function) => foreign.enrolment(function),
                (None, Function::San) => own.san_enrolment.as_deref(),
                (None, _) => own.sm_enrolment.as_deref(),
            };
            let secret = secret.with_context(|| {
                format!(
                    "{key} is not registered at {}: make an enrolment of kind api_provider there (POST /v1/enrolments) and put \
                     its secret into capif.{key}_enrolment",
                    self.ccf.url
                )
            })?;
            return Ok(Secret::new(secret));
        };
        let apis = description::names(self.function).into_iter().map(ApiName::try_from);
        let enrolment = Enrolment {
            kind: EnrolmentKind::ApiProvider,
            name: key.to_owned(),
            apis: apis.collect::<Result<_, _>>()?,
            expires_in_s: ENROLMENT_S,
        };
        let made = here.enrol(&enrolment).await;
        Ok(made.map_err(|refusal| anyhow!("no enrolment for {key}: {}", refusal.reason.as_str()))?.secret)
    }

    /// Whether a certificate is to be renewed.
    fn ends_soon(&self, registration: &Registration) -> Result<bool> {
        for party in registration.parties() {
            let certificates = certificates_from_pem(&party.cert)?;
            let leaf = certificates.first().context("a kept certificate is empty")?;
            let (_, end_s) = key_and_end(leaf).map_err(|_| anyhow!("a kept certificate cannot be read"))?;
            if end_s.saturating_sub(self.ambient.now_s()) < RENEW_S {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// New certificates for the same keys and names. Cut off before they are kept, the next start registers anew.
    async fn renew(&self, keys: &Keys, kept: Registration) -> Result<Registration> {
        let amf = self.client(Some(&keys.identity("amf", &kept.amf)?))?;
        let mut functions = Vec::new();
        for ((name, role), party) in PARTIES.iter().zip(kept.parties()) {
            functions.push(APIProviderFunctionDetails {
                api_prov_func_id: Some(party.id.clone()),
                reg_info: RegistrationInformation { api_prov_pub_key: keys.csr(name)?, api_prov_cert: None },
                api_prov_func_role: role.clone(),
                api_prov_func_info: None,
            });
        }
        let body = APIProviderEnrolmentDetails {
            api_prov_dom_id: None,
            // Mandatory, and of no meaning: it is used up.
            reg_sec: Some(Secret::new("used")),
            api_prov_funcs: Some(functions),
            api_prov_dom_info: None,
            supp_feat: None,
            fail_reason: None,
            api_prov_name: kept.name.clone(),
        };
        let id = kept.registration_id.as_str().try_into()?;
        let made = amf.replace_provider(&id, &body).await.context("renewing the certificates of CAPIF")?;
        let registration = Registration::of(self.ccf.url, &kept.registration_id, &made)?;
        self.files.keep(&registration)?;
        Ok(registration)
    }

    /// Publishes what is missing, replaces what is another, withdraws what is no longer to be there.
    async fn publish(
        &self,
        keys: &Keys,
        registration: &Registration,
        present: Vec<ServiceAPIDescription>,
        wanted: &[ServiceAPIDescription],
    ) -> Result<BTreeMap<String, ServiceApiId>> {
        let client = self.client(Some(&keys.identity("apf", &registration.apf)?))?;
        let apf = registration.apf.id.as_str().try_into()?;
        let id_of = |api: &ServiceAPIDescription| -> Result<ServiceApiId> {
            api.api_id.clone().context("a published service API without an identifier")
        };
        for gone in present.iter().filter(|api| wanted.iter().all(|kept| kept.api_name != api.api_name)) {
            client
                .unpublish(&apf, &id_of(gone)?)
                .await
                .with_context(|| format!("withdrawing {}", gone.api_name))?;
        }
        let mut ids = BTreeMap::new();
        for api in wanted {
            let doing = || format!("publishing {}", api.api_name);
            match present.iter().find(|published| published.api_name == api.api_name) {
                None => {
                    let made = client.publish(&apf, api).await.with_context(doing)?;
                    ids.insert(api.api_name.as_str().to_owned(), made.id);
                }
                Some(published) => {
                    ids.insert(api.api_name.as_str().to_owned(), id_of(published)?);
                    let shown = ServiceAPIDescription { api_id: None, ..published.clone() };
                    if shown != *api {
                        client.republish(&apf, &id_of(published)?, api).await.with_context(doing)?;
                    }
                }
            }
        }
        Ok(ids)
    }

    fn not_answered(&self, error: SdkError) -> anyhow::Error {
        anyhow!(error).context(format!(
            "the CAPIF core function at {} does not answer; is peers.ccf right?",
            self.ccf.url
        ))
    }
}

fn is_no_answer(error: &SdkError) -> bool {
    matches!(error, SdkError::Transport { .. })
}

fn cannot_have_arrived(error: &SdkError) -> bool {
    matches!(error, SdkError::Transport { kind: TransportKind::Connect, .. })
}

/// Tries until it is answered, or until nobody would wait any longer.
async fn patient<T, F: Future<Output = Result<T, SdkError>>>(
    ambient: &Ambient,
    patience: Duration,
    again: fn(&SdkError) -> bool,
    attempt: impl Fn() -> F,
) -> Result<T, SdkError> {
    let began = ambient.monotonic();
    loop {
        match attempt().await {
            Err(error) if again(&error) && ambient.monotonic().saturating_sub(began) < patience => {
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

/// Decides at which core function the servers of this process register.
///
/// # Errors
/// An interface that only tokens of a core function open, and there is none.
pub(super) fn ccf_for<'a>(
    common: &Common<'_>,
    url: Option<&'a str>,
    here: Option<&'a CcfServer>,
) -> Result<Option<CcfAt<'a>>> {
    if url.is_none() && common.config.capif.wants_ccf() {
        bail!(
            "capif.interfaces has an interface that only a CAPIF core function opens: run ccf here, or name it in peers.ccf"
        );
    }
    Ok(url.map(|url| CcfAt { url, here, foreign: None }))
}
