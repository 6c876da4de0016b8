//! Routes that an access token opens: every token that must not.

use api_types::admin::RevocationRequest;
use sdk::Request;
use serde_json::{Value, json};
use service_http::routes::RouteSpec;

use super::{Refused, expect, refused, request};
use crate::harness::{Site, claims_of, parsed, resign, scopes_of, sign_as, text_of, whole_of, with_bearer};

/// What a resource server must not accept, and what it says.
struct Spoiled {
    what: &'static str,
    /// Headers and link by which it is sent.
    token: Option<String>,
    twice: bool,
    in_query: bool,
    holder: Holder,
    want: Refused,
}

#[derive(Clone, Copy)]
enum Holder {
    Own,
    Other,
    Nobody,
}

pub(super) async fn token_route(site: &Site, role: &str, spec: &RouteSpec) -> Vec<String> {
    let mut faults = Vec::new();
    let own = site.link("vs-1");
    let other = site.link("vs-2");
    let nobody = site.link_as(None);
    for row in spoiled(site, role, spec).await {
        let link = match row.holder {
            Holder::Own => &own,
            Holder::Other => &other,
            Holder::Nobody => &nobody,
        };
        let mut asked = request(site, role, spec, "victim");
        if row.in_query {
            asked = with_query(site, role, spec, row.token.as_deref().unwrap_or_default());
        } else if let Some(token) = &row.token {
            asked = with_bearer(asked, token);
            if row.twice {
                asked = with_bearer(asked, token);
            }
        }
        faults.extend(expect(site, row.what, link, asked, row.want).await);
    }
    // A certificate of a root that nobody trusts does not get through the handshake.
    let forged = site.link_as(Some(&site.forged_identity("client", "vs-1")));
    let good = text_of(&site.server_token("vs-1", role, &whole_of(role)).await);
    let answer = forged.send(with_bearer(request(site, role, spec, "victim"), &good)).await;
    if let Ok(answer) = answer {
        faults.push(format!("a forged certificate: {}", answer.status));
    }
    faults
}

fn with_query(site: &Site, role: &str, spec: &RouteSpec, token: &str) -> Request {
    let path = spec
        .path
        .replace("{anchorsListId}", &site.lists["vs-1"][0])
        .replace("{spatialMapId}", &site.maps["vs-1"].to_string());
    let mut url = site.path(role, &path);
    url.query_pairs_mut().append_pair("access_token", token);
    Request::new(spec.method.clone(), url)
}

async fn spoiled(site: &Site, role: &str, spec: &RouteSpec) -> Vec<Spoiled> {
    const INVALID: &str = "INVALID_TOKEN";
    let (whole, known) = (whole_of(role), scopes_of(role));
    let good = text_of(&site.server_token("vs-1", role, &whole).await);
    let now = site.time.now_s();
    let key = site.issuer_key();
    let elsewhere = if role == "san" { "sm" } else { "san" };
    let foreign = text_of(&site.server_token("vs-1", elsewhere, &format!("3gpp:seal:{elsewhere}")).await);
    let narrow = known.iter().find(|scope| !spec.scopes.contains(&scope.as_str())).expect("another scope");
    let narrow = text_of(&site.server_token("vs-1", role, narrow).await);
    let revoked = text_of(&site.server_token("vs-1", role, &known[..2].join(" ")).await);
    let jti = claims_of(&revoked)["jti"].as_str().expect("a jti").to_owned();
    let revocation = RevocationRequest { kind: parsed(json!("token")), value: jti, issuer: None };
    site.operator().revoke(&revocation).await.expect("revoked");

    let kid = key_id(&key);
    let impostor = sign_as(site.stranger_key(), &kid);
    let stranger = site.stranger_key();
    let same = |_: &mut Value| {};
    let row = |what, token: String, reason| Spoiled {
        what,
        token: Some(token),
        twice: false,
        in_query: false,
        holder: Holder::Own,
        want: refused(401, INVALID, reason),
    };
    vec![
        Spoiled {
            token: None,
            want: refused(401, "TOKEN_MISSING", "TOKEN_MISSING"),
            ..row("no token", String::new(), "")
        },
        row("garbage", "a.b.c".into(), "TOKEN_MALFORMED"),
        row("truncated", good[..good.len() - 6].to_owned(), "SIGNATURE_WRONG"),
        row("a stranger's key", resign(&good, &stranger, same), "KEY_UNKNOWN"),
        row("a stranger's key under the issuer's kid", resign(&good, &impostor, same), "SIGNATURE_WRONG"),
        row(
            "another issuer",
            resign(&good, &stranger, |c| c["iss"] = json!("https://sim.other.example")),
            "ISSUER_WRONG",
        ),
        row(
            "expired",
            resign(&good, &key, |c| {
                c["iat"] = json!(now - 331);
                c["exp"] = json!(now - 31);
            }),
            "EXPIRED",
        ),
        row("not yet valid", resign(&good, &key, |c| c["nbf"] = json!(now + 120)), "NOT_YET_VALID"),
        row("for the other server", foreign, "AUDIENCE_WRONG"),
        row("revoked", revoked, "REVOKED_TOKEN"),
        Spoiled { holder: Holder::Other, ..row("stolen by another client", good.clone(), "HOLDER_WRONG") },
        Spoiled { holder: Holder::Nobody, ..row("stolen by nobody", good.clone(), "HOLDER_WRONG") },
        Spoiled { want: refused(403, "INSUFFICIENT_SCOPE", "SCOPE_NARROW"), ..row("too narrow", narrow, "") },
        Spoiled {
            twice: true,
            want: refused(400, "INVALID_MSG_FORMAT", "INPUT_REFUSED"),
            ..row("twice", good.clone(), "")
        },
        Spoiled {
            in_query: true,
            want: refused(400, "INVALID_QUERY_PARAM", "TOKEN_IN_QUERY"),
            ..row("in the query", good, "")
        },
    ]
}

pub(super) fn key_id(key: &jose::EcKey) -> String {
    use jose::Signer as _;
    key.kid().to_owned()
}
