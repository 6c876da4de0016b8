//! Spatial localization over the real program: callbacks, anchors inside of maps, and payloads.

mod callbacks;
mod embedded;
mod locations;
mod payload;
pub(crate) mod receiver;
mod subscriptions;

use std::time::Duration;

use api_types::ids::SpatialMapId;
use sdk::{Request, SmClient, UserSession};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Launch, Program, Site, TestTime, parsed, port_base};

/// Time between two looks at what happens behind an answer.
const POLL: Duration = Duration::from_millis(20);
/// Looks, on a slow machine: 40 s. A claim of the outbox that a crash left ends after 15 s.
const LOOKS: usize = 2_000;

/// A program that can be killed and started again on the same ports and data.
struct Deployment {
    dir: TempDir,
    launch: Launch,
    program: Program,
    site: Site,
}

impl Deployment {
    /// All functions, with users, clients and rules. `environment` is made with the directory at hand.
    async fn new(environment: impl FnOnce(&TempDir) -> Vec<(&'static str, String)>) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let time = TestTime::new();
        let mut launch = Launch::new(dir.path(), "serve", &["serve", "--data", "data", "--port-base"])
            .arg(port_base(&time).to_string());
        for (name, value) in environment(&dir) {
            launch = launch.env(name, &value);
        }
        let program = launch.start();
        let mut site = Site::with_time(&program, time);
        site.register().await;
        Self { dir, launch, program, site }
    }

    /// `kill -9`, then `meanwhile`, then a start by `launch`.
    fn restarted(&mut self, launch: &Launch, meanwhile: impl FnOnce()) {
        self.program.kill();
        meanwhile();
        self.program = launch.start();
        self.site.update(&self.program);
    }

    /// The SM client of a user who logged in for maps and nothing else.
    async fn reader(&self, user: &str) -> SmClient {
        let (sm, scope) = (self.site.at("sm"), "3gpp:seal:sm.read");
        let sim = self.site.sim_c("ue-1").await;
        let request = self.site.request(user, &format!("openid {scope}"));
        let password = self.site.password(user);
        let session = UserSession::login(sim, request, user, password, sm, scope).await.expect("a login");
        let credential = session.credential(sm, scope).await.expect("a token");
        SmClient::new(self.site.link("ue-1"), sm, credential).expect("a client")
    }
}

/// An answer as a reader sees it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    status: u16,
    etag: Option<String>,
    length: usize,
    body: Value,
}

/// GET of a path of the map server, and why it was refused.
async fn get(site: &Site, sm: &SmClient, path: &str) -> (Seen, String) {
    let answer = sm.send(Request::get(site.path("sm", path))).await.expect("an answer");
    let seen = Seen {
        status: answer.status,
        etag: answer.header("etag").map(str::to_owned),
        length: answer.body.len(),
        body: serde_json::from_slice(&answer.body).unwrap_or_default(),
    };
    (seen, if answer.status < 400 { String::new() } else { site.reason(answer.trace()).await })
}

/// The request for a map of everybody's, of a square around the anchors of [`anchor`].
fn map(more: Value) -> Value {
    let corner = |lon: f64, lat: f64| json!({ "lon": lon, "lat": lat });
    let corners = [corner(2.34, 48.84), corner(2.36, 48.84), corner(2.36, 48.86), corner(2.34, 48.86)];
    let mut body = json!({
        "svcId": "museum-guide", "suppFeat": "1", "mapInf": { "visibility": "UNIVERSAL" },
        "areaInt": { "geoServAr": { "geoArs": [{ "shape": "POLYGON", "pointList": corners }] } },
    });
    let more = more.as_object().expect("members");
    for (name, value) in more {
        match (value, &mut body[name]) {
            (Value::Object(value), Value::Object(known)) => known.extend(value.clone()),
            (value, known) => *known = value.clone(),
        }
    }
    body
}

/// Creates a map; its number.
async fn create(sm: &SmClient, more: Value) -> SpatialMapId {
    sm.create_map(&parsed(map(more))).await.expect("a map").id()
}

/// Waits for something that happens behind an answer.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..LOOKS {
        if holds().await {
            return;
        }
        tokio::time::sleep(POLL).await;
    }
    panic!("never: {what}");
}
