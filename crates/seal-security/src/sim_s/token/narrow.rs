//! From what is permitted to what one token is for: scopes of exactly one server (RFC 8707 2.2; contract, section 4).

use std::collections::BTreeSet;

use crate::sim_s::directory::{Directory, OPENID, wrong_scope, wrong_target};
use crate::sim_s::error::OAuthError;

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Origin of the one server.
    pub audience: String,
    /// Scopes of that server, and `openid` where the user logged in.
    pub scopes: BTreeSet<String>,
}

/// What a grant permits.
#[derive(Debug, Clone, Copy)]
pub struct Permitted<'a> {
    /// Scopes, bare names expanded.
    pub scopes: &'a BTreeSet<String>,
    /// Servers; `None` for any.
    pub audiences: Option<&'a BTreeSet<String>>,
    /// The issuer, which is the server of `openid`.
    pub issuer: &'a str,
}

/// Chooses the target by the `scope` and `resource` parameters.
///
/// # Errors
/// `invalid_scope` for more than is permitted; `invalid_target` for several or unknown resources, for scopes of two
/// servers, and for a resource to which none of the scopes belongs.
pub fn narrow(
    scope: Option<&str>,
    resources: &[&str],
    permitted: Permitted<'_>,
    directory: &Directory,
) -> Result<Target, OAuthError> {
    let asked = match scope {
        Some(text) => {
            let registered: Vec<String> = permitted.scopes.iter().cloned().collect();
            directory.read_scope(text, &registered)?
        }
        None => permitted.scopes.clone(),
    };
    if asked.contains(OPENID) && !permitted.scopes.contains(OPENID) {
        return Err(wrong_scope());
    }
    let audience = match resources {
        [] => {
            let mut servers = directory.servers_of(&asked)?.into_iter();
            match (servers.next(), servers.next()) {
                (None, _) if asked.contains(OPENID) => permitted.issuer.to_owned(),
                (None, _) => return Err(wrong_scope()),
                (Some(server), None) => server,
                (Some(_), Some(_)) => return Err(wrong_target()),
            }
        }
        [resource] if resource.strip_suffix('/').unwrap_or(resource) == permitted.issuer => {
            permitted.issuer.to_owned()
        }
        [resource] => directory.server(resource)?.to_owned(),
        _ => return Err(wrong_target()),
    };
    if audience == permitted.issuer {
        let login_alone = BTreeSet::from([OPENID.to_owned()]);
        let fits = asked.contains(OPENID) && (scope.is_none() || asked == login_alone);
        return if fits { Ok(Target { audience, scopes: login_alone }) } else { Err(wrong_target()) };
    }
    if permitted.audiences.is_some_and(|audiences| !audiences.contains(&audience)) {
        return Err(wrong_target());
    }
    let belongs = |name: &String| name == OPENID || directory.serves(&audience, name);
    // Who names a scope means it; what was permitted before is only a choice.
    if scope.is_some() && !asked.iter().all(belongs) {
        return Err(wrong_target());
    }
    let scopes: BTreeSet<String> = asked.into_iter().filter(belongs).collect();
    if scopes.iter().all(|name| name == OPENID) {
        return Err(wrong_target());
    }
    Ok(Target { audience, scopes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim_s::directory::{example, scope_text};

    const SAN: &str = "https://san.example";
    const SM: &str = "https://sm.example";
    const SIM: &str = "https://sim.example";
    const LM: &str = "https://lm.example";

    #[test]
    fn one_token_is_for_one_server() {
        type Scopes = BTreeSet<String>;
        type Outcome = Result<&'static str, &'static str>;
        type Row<'a> = (&'a str, &'a Scopes, Option<&'a str>, &'a [&'a str], Outcome);
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let both = set(&["openid", "3gpp:seal:san.read", "3gpp:seal:san.discover", "3gpp:seal:sm.read"]);
        let one = set(&["openid", "3gpp:seal:san.read"]);
        let login = set(&["openid"]);
        let servers = set(&[SAN, SM, LM]);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row<'_>; 20] = [
            ("resource chooses", &both, None, &[SM], Ok("https://sm.example 3gpp:seal:sm.read openid")),
            ("resource with slash", &both, None, &["https://sm.example/"], Ok("https://sm.example 3gpp:seal:sm.read openid")),
            ("one server follows", &one, None, &[], Ok("https://san.example 3gpp:seal:san.read openid")),
            ("scope chooses", &both, Some("3gpp:seal:san.read"), &[], Ok("https://san.example 3gpp:seal:san.read")),
            ("subset", &both, Some("3gpp:seal:san.discover"), &[SAN], Ok("https://san.example 3gpp:seal:san.discover")),
            ("bare name", &both, Some("3gpp:seal:san"), &[SAN], Ok("https://san.example 3gpp:seal:san.discover 3gpp:seal:san.read")),
            ("login alone", &login, None, &[], Ok("https://sim.example openid")),
            ("login chosen", &both, Some("openid"), &[], Ok("https://sim.example openid")),
            ("issuer as resource", &both, None, &[SIM], Ok("https://sim.example openid")),
            ("the facade of both", &both, Some("3gpp:seal:san.read 3gpp:seal:sm.read"), &[LM], Ok("https://lm.example 3gpp:seal:san.read 3gpp:seal:sm.read")),
            ("all of it at the facade", &both, None, &[LM], Ok("https://lm.example 3gpp:seal:san.discover 3gpp:seal:san.read 3gpp:seal:sm.read openid")),
            ("the facade beside a server", &both, None, &[LM, SM], Err("invalid_target")),
            ("two servers", &both, None, &[], Err("invalid_target")),
            ("scopes of two servers", &both, Some("3gpp:seal:san.read 3gpp:seal:sm.read"), &[SAN], Err("invalid_target")),
            ("two resources", &both, None, &[SAN, SM], Err("invalid_target")),
            ("unknown resource", &both, None, &["https://x.example"], Err("invalid_target")),
            ("resource without scope", &one, None, &[SM], Err("invalid_target")),
            ("scope at another server", &both, Some("3gpp:seal:san.read"), &[SM], Err("invalid_target")),
            ("wider", &one, Some("3gpp:seal:sm.read"), &[], Err("invalid_scope")),
            ("unknown", &both, Some("x"), &[], Err("invalid_scope")),
        ];
        for (what, scopes, scope, resources, want) in rows {
            let permitted = Permitted { scopes, audiences: Some(&servers), issuer: SIM };
            let got = narrow(scope, resources, permitted, &example());
            let got =
                got.map(|t| format!("{} {}", t.audience, scope_text(&t.scopes))).map_err(|e| e.code.as_str());
            assert_eq!(got.as_deref().map_err(|code| *code), want, "{what}");
        }
        let permitted = Permitted { scopes: &both, audiences: Some(&set(&[SM])), issuer: SIM };
        assert!(narrow(None, &[SAN], permitted, &example()).is_err());
    }
}
