//! Protected resource metadata (RFC 9728), the same for every resource server.

use api_types::oauth::ProtectedResourceMetadata;
use jose::Alg;

use crate::kit::FunctionKit;
use crate::routes::RouteSpec;

/// Where the document stands (RFC 9728 3).
pub const PATH: &str = "/.well-known/oauth-protected-resource";

/// The row of the document; every resource server mounts it with [`document`].
pub const ROUTE: RouteSpec = RouteSpec::public(http::Method::GET, PATH, "ProtectedResourceMetadata");

/// The document of a function: its scopes are those of its own routes.
pub fn document(kit: &FunctionKit, routes: &[RouteSpec]) -> ProtectedResourceMetadata {
    let mut scopes: Vec<String> =
        routes.iter().flat_map(|route| route.scopes).map(|scope| (*scope).to_owned()).collect();
    scopes.sort();
    scopes.dedup();
    ProtectedResourceMetadata {
        resource: kit.origin.to_string(),
        authorization_servers: kit.settings.issuers.clone(),
        scopes_supported: scopes,
        bearer_methods_supported: vec!["header".to_owned()],
        resource_name: None,
        tls_client_certificate_bound_access_tokens: true,
        authorization_details_types_supported: Vec::new(),
        dpop_signing_alg_values_supported: Alg::ALL.iter().map(|alg| alg.as_str().to_owned()).collect(),
        dpop_bound_access_tokens_required: !kit.settings.bearer,
    }
}

#[cfg(test)]
mod tests {
    use api_types::function::Function;
    use http::Method;
    use store::{Migrations, Store, StoreConfig};

    use super::*;
    use crate::ambient::Ambient;
    use crate::testkit::{self, TestIssuer};

    #[tokio::test]
    async fn the_document_names_this_server_its_issuers_and_its_scopes() {
        const ROUTES: &[RouteSpec] = &[
            RouteSpec::token(Method::GET, "/a", "A", &["3gpp:seal:san.read"]),
            RouteSpec::token(Method::PUT, "/a", "B", &["3gpp:seal:san.write"]),
            RouteSpec::token(Method::GET, "/b", "C", &["3gpp:seal:san.read"]),
            ROUTE,
        ];
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig::Sqlite { dir: dir.path().to_owned() };
        let store = Store::open(&config, Function::San, Migrations::of(Function::San)).await.unwrap();
        let (ambient, _) = Ambient::for_test(1_800_000_000, 1);
        let sim = TestIssuer::sim(&ambient);
        let kit = testkit::kit(Function::San, store, &ambient, "https://san.example:8446/", &[&sim]);
        let document = document(&kit, ROUTES);
        assert_eq!(document.resource, "https://san.example:8446", "as aud, without a slash");
        assert_eq!(document.authorization_servers, [testkit::SIM]);
        assert_eq!(document.scopes_supported, ["3gpp:seal:san.read", "3gpp:seal:san.write"]);
        assert_eq!(*kit.resource_metadata, *format!("https://san.example:8446{PATH}"));
    }
}
