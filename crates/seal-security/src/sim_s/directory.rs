//! Which scopes exist, which service and which server each belongs to. Data of the operator: a new spatial service is a
//! row, not code (TR 33.721 6.1.2; contract, section 4).

use std::collections::BTreeSet;

use api_types::Function;
use api_types::admin::Service;
use api_types::ids::{ServiceId, ValServiceId};

use super::error::{ErrorCode, OAuthError};
use authorization::Reason;

/// The scope of every login (OpenID Connect Core 3.1.2.1).
pub const OPENID: &str = "openid";

/// Scope of the console: an operator has logged in there.
pub const CONSOLE: &str = "metaseal:console";
/// Scope of the admin API, for an operator by way of the console.
pub const ADMIN: &str = "metaseal:admin";

/// Services of the program itself, which no operator adds or takes away.
const OWN: [(&str, Function, &str); 2] =
    [("metaseal-console", Function::Console, CONSOLE), ("metaseal-admin", Function::Admin, ADMIN)];

/// Bare names and the rows that they stand for.
#[rustfmt::skip] // a table stays a table
const BARE: [(&str, &[&str]); 2] = [
    ("3gpp:seal:san", &["3gpp:seal:san.read", "3gpp:seal:san.write", "3gpp:seal:san.discover"]),
    ("3gpp:seal:sm", &["3gpp:seal:sm.read", "3gpp:seal:sm.write", "3gpp:seal:sm.localize"]),
];

/// Services that an empty store begins with, so that the two spatial servers can be used at once.
#[must_use]
pub fn first_services() -> Vec<Service> {
    let service = |id: &str, role, rows: &[&str]| {
        let service_id = ServiceId::try_from(id).ok()?;
        let scopes = rows.iter().map(|row| (*row).to_owned()).collect();
        Some(Service { service_id: Some(service_id), role, scopes, val_service_id: None })
    };
    let all = [
        service("spatial-anchor-mgmt", Function::San, BARE[0].1),
        service("spatial-map-mgmt", Function::Sm, BARE[1].1),
    ];
    all.into_iter().flatten().collect()
}

/// A service as the decisions need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRow {
    /// Its name, which policies speak of.
    pub service: ServiceId,
    /// The server of it.
    pub role: Function,
    /// Its scopes, bare names expanded.
    pub scopes: BTreeSet<String>,
    /// Users and clients outside this VAL service are refused.
    pub val_service: Option<ValServiceId>,
}

impl ServiceRow {
    /// Whether it is for operators: for accounts with a role, and never for a client by itself.
    #[must_use]
    pub fn is_for_operators(&self) -> bool {
        matches!(self.role, Function::Console | Function::Admin)
    }
}

/// Every service and every server.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    services: Vec<ServiceRow>,
    servers: Vec<(Function, String)>,
}

impl Directory {
    /// Of the services provisioned and the origins of the servers.
    pub fn new(services: impl IntoIterator<Item = Service>, servers: Vec<(Function, String)>) -> Self {
        let row = |service: Service| {
            let scopes = service.scopes.iter().flat_map(|scope| rows_of(scope)).collect();
            Some(ServiceRow {
                service: service.service_id?,
                role: service.role,
                scopes,
                val_service: service.val_service_id,
            })
        };
        let mut services: Vec<ServiceRow> = services.into_iter().filter_map(row).collect();
        for (name, role, scope) in OWN {
            let Ok(service) = ServiceId::try_from(name) else { continue };
            if servers.iter().any(|(known, _)| *known == role) {
                let scopes = BTreeSet::from([scope.to_owned()]);
                services.push(ServiceRow { service, role, scopes, val_service: None });
            }
        }
        Self { services, servers }
    }

    /// What a client was registered with, bare names expanded.
    #[must_use]
    pub fn registered(scopes: &[String]) -> BTreeSet<String> {
        scopes.iter().flat_map(|scope| rows_of(scope)).collect()
    }

    /// The services that a scope opens.
    pub fn services_of<'d>(&'d self, scope: &'d str) -> impl Iterator<Item = &'d ServiceRow> {
        self.services.iter().filter(move |row| row.scopes.contains(scope))
    }

    /// Every scope, for the metadata.
    #[must_use]
    pub fn scopes(&self) -> BTreeSet<String> {
        let mut all: BTreeSet<String> =
            self.services.iter().flat_map(|row| row.scopes.iter().cloned()).collect();
        all.insert(OPENID.to_owned());
        all
    }

    /// The origin of the server of a scope.
    #[must_use]
    pub fn server_of(&self, scope: &str) -> Option<&str> {
        let role = self.services_of(scope).next()?.role;
        self.servers.iter().find(|(known, _)| *known == role).map(|(_, origin)| origin.as_str())
    }

    /// Whether the server at an origin takes tokens with a scope: its own server, or the LM server, which is a facade of
    /// the spatial servers and an audience of its own (design section 5, SY-*).
    #[must_use]
    pub fn serves(&self, origin: &str, scope: &str) -> bool {
        self.server_of(scope) == Some(origin)
            || self.role_at(origin) == Some(Function::Lm)
                && self.services_of(scope).any(|row| matches!(row.role, Function::San | Function::Sm))
    }

    /// The server that a `resource` parameter names (RFC 8707 2): an absolute URI without fragment, here an origin.
    ///
    /// # Errors
    /// `invalid_target`.
    pub fn server(&self, resource: &str) -> Result<&str, OAuthError> {
        let bare = resource.strip_suffix('/').unwrap_or(resource);
        let mut origins = self.servers.iter().map(|(_, origin)| origin.as_str());
        origins.find(|origin| *origin == bare).ok_or_else(wrong_target)
    }

    /// The function at an origin.
    #[must_use]
    pub fn role_at(&self, origin: &str) -> Option<Function> {
        self.servers.iter().find(|(_, known)| known == origin).map(|(role, _)| *role)
    }

    /// The origin of a function.
    #[must_use]
    pub fn origin_of(&self, role: Function) -> Option<&str> {
        self.servers.iter().find(|(known, _)| *known == role).map(|(_, origin)| origin.as_str())
    }

    /// Reads a `scope` parameter: known names, of which the client may ask for each; a bare name gives as much of its
    /// row as the client may ask for. `openid` comes out like any other.
    ///
    /// # Errors
    /// `invalid_scope` for a text that is no scope, an unknown name and one that the client was not registered with.
    pub fn read_scope(&self, text: &str, registered: &[String]) -> Result<BTreeSet<String>, OAuthError> {
        let allowed = Self::registered(registered);
        let mut asked = BTreeSet::new();
        for name in text.split(' ') {
            // RFC 6749 3.3: printable ASCII without quote and backslash.
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') {
                return Err(wrong_scope());
            }
            if name == OPENID {
                asked.insert(name.to_owned());
                continue;
            }
            let rows: Vec<String> =
                rows_of(name).into_iter().filter(|row| self.services_of(row).next().is_some()).collect();
            let mut may_have = rows.into_iter().filter(|row| allowed.contains(row)).peekable();
            if may_have.peek().is_none() {
                return Err(wrong_scope());
            }
            asked.extend(may_have);
        }
        Ok(asked)
    }

    /// The servers that a set of scopes needs, without `openid`.
    ///
    /// # Errors
    /// `invalid_target` when the server of a scope is not there.
    pub fn servers_of(&self, scopes: &BTreeSet<String>) -> Result<BTreeSet<String>, OAuthError> {
        let spatial = scopes.iter().filter(|scope| *scope != OPENID);
        spatial.map(|scope| self.server_of(scope).map(str::to_owned).ok_or_else(wrong_target)).collect()
    }
}

/// `invalid_scope`.
pub(crate) const fn wrong_scope() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidScope, Reason::ScopeUnknown)
}

/// `invalid_target`.
pub(crate) const fn wrong_target() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, Reason::TargetWrong)
}

fn rows_of(scope: &str) -> Vec<String> {
    match BARE.iter().find(|(bare, _)| *bare == scope) {
        Some((_, rows)) => rows.iter().map(|row| (*row).to_owned()).collect(),
        None => vec![scope.to_owned()],
    }
}

/// A scope set as on the wire.
#[must_use]
pub fn scope_text(scopes: &BTreeSet<String>) -> String {
    scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) fn example() -> Directory {
    let servers = vec![
        (Function::San, "https://san.example".to_owned()),
        (Function::Sm, "https://sm.example".to_owned()),
        (Function::Lm, "https://lm.example".to_owned()),
    ];
    Directory::new(first_services(), servers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_known_and_allowed_or_refused() {
        let directory = example();
        let client = ["3gpp:seal:san.read".to_owned(), "3gpp:seal:sm".to_owned()];
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &str, Option<&str>); 11] = [
            ("one", "3gpp:seal:san.read", Some("3gpp:seal:san.read")),
            ("with login", "openid 3gpp:seal:san.read", Some("3gpp:seal:san.read openid")),
            ("bare name, all allowed", "3gpp:seal:sm", Some("3gpp:seal:sm.localize 3gpp:seal:sm.read 3gpp:seal:sm.write")),
            ("bare name, one allowed", "3gpp:seal:san", Some("3gpp:seal:san.read")),
            ("not registered", "3gpp:seal:san.write", None),
            ("unknown", "3gpp:seal:xy", None),
            ("of a CAPIF core function", "openid 3gpp#aef1:ssan-sanm", None),
            ("wildcard", "*", None),
            ("two blanks", "openid  3gpp:seal:san.read", None),
            ("quote", "openid\"", None),
            ("empty", "", None),
        ];
        for (what, text, want) in rows {
            let got = directory.read_scope(text, &client).ok().map(|scopes| scope_text(&scopes));
            assert_eq!(got.as_deref(), want, "{what}");
        }
    }

    #[test]
    fn a_resource_names_a_server() {
        let directory = example();
        for (resource, good) in [
            ("https://san.example", true),
            ("https://san.example/", true),
            ("https://san.example/x", false),
            ("https://san.example#x", false),
            ("https://evil.example", false),
            ("san", false),
        ] {
            assert_eq!(directory.server(resource).is_ok(), good, "{resource}");
        }
    }
}
