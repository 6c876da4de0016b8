//! What the admin API works on.

use std::ops::Deref;
use std::sync::Arc;

use api_types::function::Function;
use capif_core::ccf::CcfServer;
use operator_core::udm::UdmServer;
use seal_security::sim_s::SimServer;
use service_http::ambient::OffsetClock;
use service_http::kit::FunctionKit;
use spatial_localization::san::SanServer;
use spatial_localization::sm::SmServer;
use tokio::sync::{Mutex, MutexGuard};

/// The functions of this process, as the admin API sees them.
pub struct AdminParts {
    /// Surroundings of `admin` itself.
    pub kit: FunctionKit,
    /// Surroundings of every function of this process, `admin` first.
    pub functions: Vec<FunctionKit>,
    /// Identity management server, if it runs here.
    pub sim: Option<SimServer>,
    /// CAPIF core function, if it runs here.
    pub ccf: Option<CcfServer>,
    /// Spatial anchors server, if it runs here.
    pub san: Option<SanServer>,
    /// Spatial map server, if it runs here.
    pub sm: Option<SmServer>,
    /// UDM, if it runs here.
    pub udm: Option<UdmServer>,
    /// The test clock of a demo.
    pub clock: Option<Arc<OffsetClock>>,
    /// The configuration, without secrets.
    pub config: serde_json::Value,
}

/// State of the routes. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    parts: Arc<AdminParts>,
    turns: Arc<Turns>,
}

/// What is kept by several functions is written by one request at a time: two at once would leave each function with
/// another one's.
#[derive(Default)]
struct Turns {
    documents: Mutex<()>,
}

impl Admin {
    /// The state over its parts.
    #[must_use]
    pub fn new(parts: AdminParts) -> Self {
        Self { parts: Arc::new(parts), turns: Arc::default() }
    }

    /// The turn to write policies or services.
    pub(super) async fn turn_of_documents(&self) -> MutexGuard<'_, ()> {
        self.turns.documents.lock().await
    }

    /// The functions that a filter names: one, or all.
    pub(super) fn chosen(&self, function: Option<Function>) -> impl Iterator<Item = &FunctionKit> {
        self.functions.iter().filter(move |kit| function.is_none_or(|wanted| wanted == kit.function))
    }
}

impl Deref for Admin {
    type Target = AdminParts;

    fn deref(&self) -> &AdminParts {
        &self.parts
    }
}
