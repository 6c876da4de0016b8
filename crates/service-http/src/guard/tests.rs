//! The guard as a whole: one good request, then one spoiled thing per row, each with its own reason
//! (bundles N-TOK and N-BIND, attacks A11 to A18, A29 to A31, A41 to A43).

mod added_scope;
mod binding;
mod cached;
mod ledger;
mod revoked;
mod tokens;

use std::sync::Arc;

use api_types::function::Function;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{Method, Request, StatusCode};
use jose::EcKey;
use serde_json::Value;
use store::{Migrations, Store, StoreConfig};
use tower::ServiceExt as _;

use crate::ambient::{Ambient, TestClock};
use crate::call::Authorized;
use crate::kit::FunctionKit;
use crate::ledger::{Permit, permit_read};
use crate::refusal::{Refusal, RefusalRecord};
use crate::routes::RouteSpec;
use crate::testkit::{self, TestIssuer};

const NOW: i64 = 1_800_000_000;
const SAN: &str = "https://san.example:8446";
const READ: &str = "3gpp:seal:san.read";
const PATH: &str = "/ssan-sanm/v1/anchors-lists/al-1";

const ROUTES: &[RouteSpec] = &[
    RouteSpec::token(Method::GET, "/ssan-sanm/v1/anchors-lists/{anchorsListId}", "GetAnchorsList", &[READ])
        .step("TR33.721-S1", "1", "anchor request with access token"),
    RouteSpec::public(Method::GET, "/health", "Health"),
    RouteSpec::public(Method::GET, "/panics", "Panics"),
];

/// One function with one route, one issuer, one user with a DPoP key and one VAL server with a certificate.
struct World {
    ambient: Ambient,
    clock: Arc<TestClock>,
    sim: TestIssuer,
    kit: FunctionKit,
    router: Router,
    ue_key: EcKey,
    _dir: tempfile::TempDir,
}

async fn get_anchors_list(Authorized(call): Authorized) -> Result<&'static str, Refusal> {
    let kit = call.ctx.kit();
    permit_read(&kit.store, &call, Permit::new("GetAnchorsList").object("al-1")).await?;
    Ok("anchors")
}

async fn panics() -> &'static str {
    panic!("planted")
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (ambient, clock) = Ambient::for_test(NOW, 11);
        let store = StoreConfig::Sqlite { dir: dir.path().to_owned() };
        let store = Store::open(&store, Function::San, Migrations::of(Function::San)).await.unwrap();
        let sim = TestIssuer::sim(&ambient);
        let kit = testkit::kit(Function::San, store, &ambient, SAN, &[&sim]);
        let routes = super::mount(&kit, ROUTES)
            .on("GetAnchorsList", get_anchors_list)
            .on("Health", async || "ok")
            .on("Panics", panics)
            .finish()
            .unwrap();
        let router = super::serve(&kit, routes);
        let ue_key = testkit::key(&ambient);
        Self { ambient, clock, sim, kit, router, ue_key, _dir: dir }
    }

    /// Claims of a user's token, bound to the UE's key.
    fn claims(&self) -> Value {
        let mut claims = self.sim.claims_of_user(SAN, "alice", "ue-1", READ);
        testkit::bind_dpop(&mut claims, &self.ue_key);
        claims
    }

    /// A request of a UE without a certificate.
    fn request(&self) -> Request<Body> {
        testkit::request(Method::GET, PATH, testkit::peer(None))
    }

    /// That request with a token and its proof.
    fn with_token(&self, token: &str) -> Request<Body> {
        let mut request = self.request();
        testkit::dpop(&mut request, token, &self.ue_key, SAN, &self.ambient);
        request
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// `OK`, or the fine reason.
    async fn outcome(&self, request: Request<Body>) -> (&'static str, u16) {
        let response = self.send(request).await;
        let status = response.status().as_u16();
        match response.extensions().get::<RefusalRecord>() {
            Some(refusal) => (refusal.reason.as_str(), status),
            None => {
                assert_eq!(response.status(), StatusCode::OK);
                ("OK", status)
            }
        }
    }

    /// Sends claims as a token of the SIM-S.
    async fn outcome_of(&self, claims: &Value) -> &'static str {
        self.outcome(self.with_token(&self.sim.token(claims))).await.0
    }
}
