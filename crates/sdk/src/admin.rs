//! The client side of the administration API (`{admin}/v1`, mutual TLS).

use api_types::admin::{
    AuditItem, AuditVerify, ChargingItem, Client, ClientCreated, Enrolment, EnrolmentCreated, Health,
    KeyInfo, KeyRotated, Page, Policy, PolicyExplain, PolicyExplained, Position, RevocationRequest, Revoked,
    Rotate, Service, TestClock, TraceStep, TraceSummary, User, VerifierInfo, Why,
};
use api_types::ids::{ExternalId, Gpsi, Supi};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::SdkError;
use crate::https::HttpsClient;
use crate::request::{Answer, Request, Versioned, at, https_url};
use crate::san::onto;

/// Most pages that are read of one list. Own value.
const MAX_PAGES: usize = 10_000;

/// Which audit or charging records are asked for.
#[derive(Debug, Clone, Default)]
pub struct RecordFilter {
    /// Function.
    pub function: Option<String>,
    /// Trace.
    pub trace: Option<String>,
    /// Who asked.
    pub actor: Option<String>,
    /// Of what.
    pub object: Option<String>,
    /// Who used it (charging).
    pub consumer: Option<String>,
    /// Records behind this one.
    pub after: Option<u64>,
    /// Items of a page.
    pub limit: Option<u32>,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// A client of the administration API. Its connection shows a certificate of the admin root.
#[derive(Debug, Clone)]
pub struct AdminClient {
    base: Url,
    https: HttpsClient,
}

impl AdminClient {
    /// A client of the administration at `base`, which is the url without `/v1`.
    ///
    /// # Errors
    /// The address is not https.
    pub fn new(https: HttpsClient, base: &str) -> Result<Self, SdkError> {
        Ok(Self { base: https_url(base)?, https })
    }

    /// Sends a request of the caller.
    ///
    /// # Errors
    /// No answer.
    pub async fn send(&self, request: Request) -> Result<Answer, SdkError> {
        self.https.send(request).await
    }

    /// The address of a route below `/v1`.
    ///
    /// # Errors
    /// The base cannot have a path.
    pub fn url(&self, segments: &[&str]) -> Result<Url, SdkError> {
        at(&self.base, &[&["v1"], segments].concat())
    }

    async fn read<T: DeserializeOwned>(&self, url: Url) -> Result<T, SdkError> {
        self.https.send(Request::get(url)).await?.expect(&[200])?.json()
    }

    async fn put<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &impl Serialize,
    ) -> Result<T, SdkError> {
        self.https.send(Request::put(self.url(segments)?).json(body)).await?.expect(&[200, 201])?.json()
    }

    /// A PUT whose answer does not matter beyond success.
    async fn store(&self, segments: &[&str], body: &impl Serialize) -> Result<(), SdkError> {
        let request = Request::put(self.url(segments)?).json(body);
        self.https.send(request).await?.expect(&[200, 201, 204]).map(|_| ())
    }

    async fn post<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &impl Serialize,
    ) -> Result<T, SdkError> {
        self.https.send(Request::post(self.url(segments)?).json(body)).await?.expect(&[200, 201])?.json()
    }

    async fn remove(&self, segments: &[&str]) -> Result<(), SdkError> {
        self.https.send(Request::delete(self.url(segments)?)).await?.expect(&[204]).map(|_| ())
    }

    async fn all<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<Vec<T>, SdkError> {
        let mut items = Vec::new();
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let mut url = self.url(segments)?;
            onto(&mut url, &[("cursor", cursor.take())]);
            let page: Page<T> = self.read(url).await?;
            items.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(items),
            }
        }
        Err(SdkError::TooLarge)
    }

    /// Creates or replaces a user.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn put_user(&self, id: &str, user: &User, password: Option<&str>) -> Result<(), SdkError> {
        // The password is never written by its type, and stands in this one body.
        let mut body = serde_json::to_value(user).map_err(|_| SdkError::Unusable("user"))?;
        let password = password.or(user.password.as_ref().map(api_types::Secret::expose));
        if let (Some(object), Some(password)) = (body.as_object_mut(), password) {
            object.insert("password".to_owned(), password.into());
        }
        self.store(&["users", id], &body).await
    }

    /// Says at the UDM who is behind a GPSI.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn put_subscriber(
        &self,
        gpsi: &Gpsi,
        supi: &Supi,
        external_id: Option<&ExternalId>,
    ) -> Result<(), SdkError> {
        // The SUPI is never written by the type of a subscriber, and stands in this one body.
        let body = serde_json::json!({ "supi": supi, "externalId": external_id });
        self.store(&["subscribers", gpsi.as_str()], &body).await
    }

    /// Reads a user.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn user(&self, id: &str) -> Result<Versioned<User>, SdkError> {
        self.https.send(Request::get(self.url(&["users", id])?)).await?.expect(&[200])?.versioned()
    }

    /// Reads all users.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn users(&self) -> Result<Vec<User>, SdkError> {
        self.all(&["users"]).await
    }

    /// Deletes a user.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn delete_user(&self, id: &str) -> Result<(), SdkError> {
        self.remove(&["users", id]).await
    }

    /// Takes all passkeys from a user.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn remove_passkeys(&self, id: &str) -> Result<(), SdkError> {
        self.remove(&["users", id, "passkeys"]).await
    }

    /// Creates or replaces a client.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn put_client(&self, id: &str, client: &Client) -> Result<ClientCreated, SdkError> {
        self.put(&["clients", id], client).await
    }

    /// Reads a client.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn client(&self, id: &str) -> Result<Versioned<Client>, SdkError> {
        self.https.send(Request::get(self.url(&["clients", id])?)).await?.expect(&[200])?.versioned()
    }

    /// Reads all clients.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn clients(&self) -> Result<Vec<Client>, SdkError> {
        self.all(&["clients"]).await
    }

    /// Deletes a client.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn delete_client(&self, id: &str) -> Result<(), SdkError> {
        self.remove(&["clients", id]).await
    }

    /// Enrols an API invoker or an API provider; its secret is told this once.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn enrol(&self, enrolment: &Enrolment) -> Result<EnrolmentCreated, SdkError> {
        self.post(&["enrolments"], enrolment).await
    }

    /// Creates or replaces a spatial service.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn put_service(&self, id: &str, service: &Service) -> Result<(), SdkError> {
        self.store(&["services", id], service).await
    }

    /// Reads all spatial services.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn services(&self) -> Result<Vec<Service>, SdkError> {
        self.all(&["services"]).await
    }

    /// Deletes a spatial service.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn delete_service(&self, id: &str) -> Result<(), SdkError> {
        self.remove(&["services", id]).await
    }

    /// Creates or replaces an operator's rule.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn put_policy(&self, id: &str, policy: &Policy) -> Result<(), SdkError> {
        self.store(&["policies", id], policy).await
    }

    /// Reads all rules.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn policies(&self) -> Result<Vec<Policy>, SdkError> {
        self.all(&["policies"]).await
    }

    /// Deletes a rule.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn delete_policy(&self, id: &str) -> Result<(), SdkError> {
        self.remove(&["policies", id]).await
    }

    /// Asks what the rules would decide.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn explain(&self, ask: &PolicyExplain) -> Result<PolicyExplained, SdkError> {
        self.post(&["policies", "explain"], ask).await
    }

    /// Revokes; when it is answered, nothing is granted any more.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn revoke(&self, revocation: &RevocationRequest) -> Result<Revoked, SdkError> {
        self.post(&["revocations"], revocation).await
    }

    /// Reads the signing keys.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn keys(&self) -> Result<Vec<KeyInfo>, SdkError> {
        self.all(&["keys"]).await
    }

    /// Rotates the signing key of a role.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn rotate(&self, role: &str, emergency: bool) -> Result<KeyRotated, SdkError> {
        self.post(&["keys", role, "rotate"], &Rotate { emergency }).await
    }

    /// Reads a page of audit records.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn audit(&self, filter: &RecordFilter) -> Result<Page<AuditItem>, SdkError> {
        let mut url = self.url(&["audit"])?;
        filter.onto(&mut url);
        self.read(url).await
    }

    /// Verifies the audit chains.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn verify_audit(&self) -> Result<AuditVerify, SdkError> {
        self.read(self.url(&["audit", "verify"])?).await
    }

    /// Reads a page of charging records.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn charging(&self, filter: &RecordFilter) -> Result<Page<ChargingItem>, SdkError> {
        let mut url = self.url(&["charging"])?;
        filter.onto(&mut url);
        self.read(url).await
    }

    /// Reads the latest traces, one page.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn traces(&self, limit: Option<u32>) -> Result<Page<TraceSummary>, SdkError> {
        let mut url = self.url(&["traces"])?;
        onto(&mut url, &[("limit", limit.map(|limit| limit.to_string()))]);
        self.read(url).await
    }

    /// Reads the steps of a trace.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn trace(&self, trace: &str) -> Result<Vec<TraceStep>, SdkError> {
        self.all(&["traces", trace]).await
    }

    /// Reads the decision of a trace.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn why(&self, trace: &str) -> Result<Why, SdkError> {
        self.read(self.url(&["traces", trace, "why"])?).await
    }

    /// Sets the position of a VAL UE.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn put_position(&self, val_ue_id: &str, position: &Position) -> Result<(), SdkError> {
        self.store(&["positions", val_ue_id], position).await
    }

    /// Reads the verifiers that hold a lease.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn verifiers(&self) -> Result<Vec<VerifierInfo>, SdkError> {
        self.all(&["verifiers"]).await
    }

    /// Reads the health.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn health(&self) -> Result<Health, SdkError> {
        self.read(self.url(&["health"])?).await
    }

    /// Reads the metrics as text.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn metrics(&self) -> Result<String, SdkError> {
        let answer = self.https.send(Request::get(self.url(&["metrics"])?)).await?.expect(&[200])?;
        String::from_utf8(answer.body.to_vec()).map_err(|_| SdkError::Malformed("metrics"))
    }

    /// Reads the configuration in force.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn config(&self) -> Result<serde_json::Value, SdkError> {
        self.read(self.url(&["config"])?).await
    }

    /// Moves the clock of every function; a demo alone has this.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn set_clock(&self, offset_s: i64) -> Result<(), SdkError> {
        self.store(&["test", "clock"], &TestClock { offset_s }).await
    }
}

impl RecordFilter {
    fn onto(&self, url: &mut Url) {
        let pairs = [
            ("function", self.function.clone()),
            ("trace", self.trace.clone()),
            ("actor", self.actor.clone()),
            ("object", self.object.clone()),
            ("consumer", self.consumer.clone()),
            ("after", self.after.map(|after| after.to_string())),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("cursor", self.cursor.clone()),
        ];
        onto(url, &pairs);
    }
}
