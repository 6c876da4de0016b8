//! A UDM with two subscribers.

use api_types::function::Function;
use api_types::nudm_sdm::UserConsent;
use axum::body::Body;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use operator_core::udm::UdmServer;
use serde_json::{Value, json};
use service_http::ambient::Ambient;
use service_http::peer::CertRole;
use service_http::testkit;
use store::outbox::{self, Message};
use store::{Migrations, Store, StoreConfig, StoreError};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const ORIGIN: &str = "https://udm.example:8450";
pub(crate) const ALICE: &str = "msisdn-491700000001";
pub(crate) const BOB: &str = "msisdn-491700000002";
pub(crate) const SUPI_ALICE: &str = "imsi-001010000000001";
pub(crate) const SUPI_BOB: &str = "imsi-001010000000002";
/// The function that asks.
pub(crate) const SAN: &str = "san";

const NOW: i64 = 1_800_000_000;

/// A UDM that tells nobody: what it would tell waits in the outbox.
pub(crate) struct At {
    pub(crate) udm: UdmServer,
    _dir: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub(crate) async fn udm() -> At {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig::Sqlite { dir: dir.path().to_owned() };
    let store = Store::open(&config, Function::Udm, Migrations::of(Function::Udm)).await.unwrap();
    let (ambient, _) = Ambient::for_test(NOW, 7);
    let udm = UdmServer::new(testkit::kit(Function::Udm, store, &ambient, ORIGIN, &[]));
    for (gpsi, supi, external) in
        [(ALICE, SUPI_ALICE, Some("extid-alice@op-a.example")), (BOB, SUPI_BOB, None)]
    {
        let body = serde_json::from_value(json!({ "supi": supi, "externalId": external })).unwrap();
        assert!(udm.put_subscriber(&gpsi.try_into().unwrap(), body).await.unwrap().created);
    }
    At { udm, _dir: dir }
}

impl At {
    pub(crate) async fn says(&self, gpsi: &str, purpose: &str, consent: UserConsent) {
        self.udm.put_consent(&gpsi.try_into().unwrap(), &purpose.into(), consent).await.unwrap();
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, None).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        self.send_as(Some((CertRole::Function, SAN)), method, path, headers, body).await
    }

    pub(crate) async fn send_as(
        &self,
        by: Option<(CertRole, &str)>,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let peer = testkit::peer(by.map(|(role, name)| testkit::certificate(role, name)));
        let mut request = testkit::request(method, path, peer);
        if let Some(body) = body {
            request.headers_mut().insert("content-type", "application/json".parse().unwrap());
            *request.body_mut() = Body::from(body.to_string());
        }
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let answer = self.udm.router().unwrap().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    /// What waits to be told. A look takes nothing away.
    pub(crate) async fn queued(&self) -> Vec<Message> {
        let due = self.udm.kit().store.write::<_, StoreError, _>(|tx| {
            Box::pin(async move { outbox::due(tx, "test", i64::MAX / 2, 0, 100).await })
        });
        due.await.unwrap().into_iter().map(|due| due.message).collect()
    }
}
