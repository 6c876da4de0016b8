//! The console: pages for operators, and the backend that they talk to (decision 0010).
//!
//! A backend for frontend: operators log in at the SIM-S by the code flow, tokens stay here, and the browser has a session
//! cookie. What the pages ask for goes on to `admin`, `san` and `sm` with a token that names the operator as `sub` and the
//! console as `act` (RFC 8693), so that every one of them decides and records by itself. The console has no right of its
//! own.

mod assets;
mod browser;
mod documents;
mod login;
mod logout;
mod page;
mod proxy;
mod routes;
mod sessions;
mod tokens;
mod who;

pub use routes::ROUTES;

use std::sync::Arc;

use axum::Router;
use sdk::{ClientAuth, HttpsClient, SdkError, SimClient};
use service_http::kit::FunctionKit;
use service_http::routes::MountError;
use tokio::sync::OnceCell;

use self::sessions::Sessions;

/// What a console is made of.
pub struct ConsoleParts {
    /// Its surroundings.
    pub kit: FunctionKit,
    /// The client towards the other functions, with the console's certificate.
    pub https: HttpsClient,
    /// Clock and randomness of that client.
    pub ambient: sdk::Ambient,
    /// The SIM-S at which operators log in.
    pub issuer: String,
    /// The admin API.
    pub admin: String,
    /// The spatial anchors server, where there is one.
    pub san: Option<String>,
    /// The spatial map server, where there is one.
    pub sm: Option<String>,
}

/// State of the routes. Cheap to clone.
#[derive(Clone)]
pub struct Console(Arc<Inner>);

struct Inner {
    parts: ConsoleParts,
    sessions: Sessions,
    sim: OnceCell<SimClient>,
}

impl Console {
    /// A console over its parts.
    #[must_use]
    pub fn new(parts: ConsoleParts) -> Self {
        Self(Arc::new(Inner { parts, sessions: Sessions::default(), sim: OnceCell::new() }))
    }

    /// The whole of its listener.
    ///
    /// # Errors
    /// When table and handlers do not fit; a fault of the program.
    pub fn router(&self) -> Result<Router, MountError> {
        routes::router(self)
    }

    fn parts(&self) -> &ConsoleParts {
        &self.0.parts
    }

    fn kit(&self) -> &FunctionKit {
        &self.0.parts.kit
    }

    fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// The console's own origin: redirect address and audience of the first token.
    fn origin(&self) -> &str {
        &self.0.parts.kit.origin
    }

    /// The SIM-S, found when it is needed first: it may start after the console.
    async fn sim(&self) -> Result<&SimClient, SdkError> {
        let parts = self.parts();
        self.0
            .sim
            .get_or_try_init(|| {
                let auth = ClientAuth::mutual_tls(parts.kit.function.as_str());
                SimClient::discover(parts.https.clone(), &parts.issuer, auth, parts.ambient.clone())
            })
            .await
    }
}
