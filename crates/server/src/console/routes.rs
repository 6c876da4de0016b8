//! The routes of the console, as data.

use axum::Router;
use http::Method;
use service_http::guard;
use service_http::routes::{MountError, RouteSpec};

use super::{Console, assets, documents, login, logout, proxy, who};

/// Largest body that the pages send on, in bytes: a list of anchors. Own value.
const BODY: usize = 4 * 1024 * 1024;

const fn get(path: &'static str, operation: &'static str) -> RouteSpec {
    RouteSpec::public(Method::GET, path, operation)
}

const fn on(method: Method, path: &'static str, operation: &'static str) -> RouteSpec {
    RouteSpec::public(method, path, operation).body_limit(BODY)
}

const ADMIN: &str = "/api/admin/{*path}";
const SAN: &str = "/api/san/{*path}";
const SM: &str = "/api/sm/{*path}";

/// Every route. Those below `/api` want the session of an operator; what they go on to decides about his rights.
pub const ROUTES: &[RouteSpec] = &[
    get("/", "ConsolePage"),
    get("/assets/{file}", "ConsoleAsset"),
    get("/login", "ConsoleLogin").cost(4),
    get("/callback", "ConsoleCallback").cost(4),
    on(Method::POST, "/logout", "ConsoleLogout"),
    get("/api/session", "GetConsoleSession"),
    get("/api/documents/{name}", "GetConsoleDocument"),
    get(ADMIN, "ConsoleAdminGet"),
    on(Method::PUT, ADMIN, "ConsoleAdminPut"),
    on(Method::POST, ADMIN, "ConsoleAdminPost"),
    on(Method::DELETE, ADMIN, "ConsoleAdminDelete"),
    get(SAN, "ConsoleSanGet"),
    on(Method::PUT, SAN, "ConsoleSanPut"),
    on(Method::POST, SAN, "ConsoleSanPost"),
    on(Method::PATCH, SAN, "ConsoleSanPatch"),
    on(Method::DELETE, SAN, "ConsoleSanDelete"),
    get(SM, "ConsoleSmGet"),
];

pub(super) fn router(console: &Console) -> Result<Router, MountError> {
    let mut mount = guard::mount(console.kit(), ROUTES)
        .on("ConsolePage", assets::index)
        .on("ConsoleAsset", assets::asset)
        .on("ConsoleLogin", login::begin)
        .on("ConsoleCallback", login::callback)
        .on("ConsoleLogout", logout::logout)
        .on("GetConsoleSession", who::session)
        .on("GetConsoleDocument", documents::document);
    for spec in ROUTES.iter().filter(|spec| spec.path.contains("{*path}")) {
        mount = mount.on(spec.operation, proxy::forward);
    }
    Ok(guard::serve(console.kit(), mount.finish()?.with_state(console.clone())))
}
