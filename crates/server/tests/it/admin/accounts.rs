//! Users, clients, services and policies as resources; pages; identifiers that are taken.

use std::collections::BTreeSet;

use rcgen::{CertificateParams, KeyPair};
use sdk::{AdminClient, Answer, Request};
use serde_json::{Value, json};

use crate::harness::{Program, Site, json_of};

async fn send(admin: &AdminClient, request: Request) -> Answer {
    admin.send(request).await.expect("an answer")
}

fn cause(answer: &Answer) -> (u16, String) {
    (answer.status, json_of(answer)["cause"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_made_read_changed_listed_and_deleted() {
    let program = Program::demo();
    let site = Site::of(&program);
    let admin = site.operator();
    let user = |gpsi: &str| {
        json!({
            "password": "correct horse battery", "valUserId": "dora@campus.example", "valUeIds": ["ue-dora"], "gpsi": gpsi,
            "externalId": "extid-dora@op-a.example", "impu": "sip:dora@op-a.example", "supi": "imsi-001019999999999",
            "valServices": ["museum-guide"], "roles": [],
        })
    };
    let client = |scope: &str| {
        json!({
            "kind": "sim_c", "auth": "client_secret_basic", "redirectUris": ["http://127.0.0.1/cb"], "scopes": [scope],
            "valServices": ["museum-guide"],
        })
    };
    let service = |scope: &str| json!({ "role": "san", "scopes": [scope], "valServiceId": "museum-guide" });
    let policy = |effect: &str| json!({ "class": "operator", "effect": effect, "subjects": ["nobody"] });
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &str, &str, Value, Value, &str); 4] = [
        ("users",    "dora",     "userId",    user("msisdn-1"),                user("msisdn-2"),                 "gpsi"),
        ("clients",  "tablet-9", "clientId",  client("3gpp:seal:san.read"),    client("3gpp:seal:san.discover"), "scopes"),
        ("services", "tours",    "serviceId", service("3gpp:seal:san.tours"),  service("3gpp:seal:san.walks"),   "scopes"),
        ("policies", "no-one",   "policyId",  policy("DENY"),                  policy("PERMIT"),                 "effect"),
    ];
    for (family, id, named, first, second, member) in rows {
        let url = || admin.url(&[family, id]).expect("a url");
        assert_eq!(
            cause(&send(&admin, Request::get(url())).await),
            (404, "RESOURCE_NOT_FOUND".into()),
            "{family}"
        );

        let created = send(&admin, Request::put(url()).json(&first)).await;
        assert_eq!(created.status, 201, "{family}: {}", json_of(&created));
        assert_eq!(json_of(&created)[named], id, "{family}");
        let etag = created.header("etag").expect("an ETag").to_owned();
        let read = send(&admin, Request::get(url())).await;
        assert_eq!((read.status, read.header("etag")), (200, Some(etag.as_str())), "{family}");
        assert_eq!(json_of(&read)[member], first[member], "{family}");
        assert!(read.header("traceparent").is_some(), "{family}");

        let changed = send(&admin, Request::put(url()).json(&second)).await;
        assert_eq!(changed.status, 200, "{family}: {}", json_of(&changed));
        let newer = changed.header("etag").expect("an ETag").to_owned();
        assert_ne!(newer, etag, "{family}");
        let read = send(&admin, Request::get(url())).await;
        assert_eq!(
            (read.header("etag"), &json_of(&read)[member]),
            (Some(newer.as_str()), &second[member]),
            "{family}"
        );

        // A body with one thing wrong changes nothing.
        let mut unknown = second.clone();
        unknown["surprise"] = json!(1);
        for body in [unknown, json!({}), json!([]), json!("x")] {
            let refused = send(&admin, Request::put(url()).json(&body)).await;
            assert_eq!(refused.status, 400, "{family}: {body}");
        }
        let after = send(&admin, Request::get(url())).await;
        assert_eq!((after.header("etag"), &after.body), (Some(newer.as_str()), &read.body), "{family}");
        let long = admin.url(&[family, &"x".repeat(129)]).expect("a url");
        assert_eq!(send(&admin, Request::put(long).json(&first)).await.status, 400, "{family}");

        paged(&admin, family, named, id).await;

        assert_eq!(send(&admin, Request::delete(url())).await.status, 204, "{family}");
        assert_eq!(send(&admin, Request::get(url())).await.status, 404, "{family}");
        assert_eq!(send(&admin, Request::delete(url())).await.status, 404, "{family}");
    }
}

/// The pages of a list have each item once, whatever their size.
async fn paged(admin: &AdminClient, family: &str, named: &str, id: &str) {
    let page = async |limit: &str, cursor: Option<String>| {
        let mut url = admin.url(&[family]).expect("a url");
        url.query_pairs_mut().append_pair("limit", limit);
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", &cursor);
        }
        send(admin, Request::get(url)).await
    };
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("items").iter();
        items.map(|item| item[named].as_str().expect("a name").to_owned()).collect()
    };
    let whole = json_of(&page("1000", None).await);
    assert_eq!(whole["next"], Value::Null, "{family}");
    let all = names(&whole);
    assert!(all.contains(&id.to_owned()), "{family}: {all:?}");
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let part = json_of(&page("1", cursor).await);
        let found = names(&part);
        assert_eq!(found.len(), 1, "{family}: {part}");
        seen.extend(found);
        cursor = part["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, all, "{family}");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{family}");
    for limit in ["0", "1001", "-1", "x", "", "9999999999999999999999"] {
        assert_eq!(
            cause(&page(limit, None).await),
            (400, "INVALID_QUERY_PARAM".into()),
            "{family}: limit {limit}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_secret_is_shown_once_and_names_belong_to_one() {
    let program = Program::demo();
    let mut site = Site::of(&program);
    let admin = site.operator();
    let url = |family: &str, id: &str| admin.url(&[family, id]).expect("a url");

    let body = json!({ "kind": "sim_c", "auth": "client_secret_basic", "redirectUris": ["http://127.0.0.1/cb"], "scopes": ["openid"] });
    let created = json_of(&send(&admin, Request::put(url("clients", "once")).json(&body)).await);
    let secret = created["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.len() >= 32, "{secret}");
    let again = json_of(&send(&admin, Request::put(url("clients", "once")).json(&body)).await);
    assert_eq!(again.get("secret"), None, "shown once");
    let read = send(&admin, Request::get(url("clients", "once"))).await;
    assert!(!String::from_utf8_lossy(&read.body).contains(&secret));
    let alice = send(&admin, Request::get(url("users", "alice"))).await;
    let text = String::from_utf8_lossy(&alice.body).into_owned();
    assert!(!text.contains("password") && !text.contains(site.password("alice")), "{text}");

    // A password that is not named stays, and a new one ends the old.
    let mut known = json_of(&alice);
    known.as_object_mut().expect("an object").remove("userId");
    assert_eq!(send(&admin, Request::put(url("users", "alice")).json(&known)).await.status, 200);
    site.session("alice", "ue-1").await.expect("the password stays");
    known["password"] = json!("another password entirely");
    assert_eq!(send(&admin, Request::put(url("users", "alice")).json(&known)).await.status, 200);
    assert!(site.session("alice", "ue-1").await.is_err(), "the old password is void");
    site.users.get_mut("alice").expect("alice")["password"] = known["password"].clone();
    site.session("alice", "ue-1").await.expect("the new password");

    let user = |val: &str| json!({ "password": "correct horse battery", "valUserId": val });
    let taken = (409, "ID_TAKEN".to_owned());
    for (what, family, id, body) in [
        ("a client named as a user", "clients", "alice", body.clone()),
        ("a client named as a VAL user", "clients", "alice@campus.example", body.clone()),
        ("a user named as a client", "users", "vs-1", user("vs-one@campus.example")),
        ("a VAL user named as a client", "users", "new-one", user("vs-1")),
        ("another's VAL user", "users", "new-one", user("bob@campus.example")),
    ] {
        assert_eq!(cause(&send(&admin, Request::put(url(family, id)).json(&body)).await), taken, "{what}");
        if id == "new-one" {
            assert_eq!(send(&admin, Request::get(url(family, id))).await.status, 404, "{what}");
        }
    }

    // Certificates: the key of the request and nothing else of it.
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["admin.example".to_owned()]).expect("parameters");
    params
        .subject_alt_names
        .push(rcgen::SanType::URI("urn:metaseal:function:san".try_into().expect("a URI")));
    let csr = params.serialize_request(&key).and_then(|request| request.pem()).expect("a request");
    let body =
        json!({ "kind": "val_server", "auth": "tls_client_auth", "scopes": ["3gpp:seal:san"], "csr": csr });
    let created = json_of(&send(&admin, Request::put(url("clients", "vs-9")).json(&body)).await);
    let certificate =
        service_http::tls::certificates_from_pem(created["cert"].as_str().expect("a certificate"));
    let certificate = certificate.expect("a certificate").remove(0);
    let (role, name) = service_http::peer::identity(&certificate).expect("an identity");
    assert_eq!((role.as_str(), name.as_str()), ("client", "vs-9"));
    assert!(!certificate.windows(13).any(|window| window == b"admin.example"));
    let mut torn = body;
    torn["csr"] = json!(csr.replace('A', "B"));
    assert_eq!(send(&admin, Request::put(url("clients", "vs-9")).json(&torn)).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_an_administrators_to_give() {
    let program = Program::demo();
    let site = Site::of(&program);
    let admin = site.operator();
    let identity = site.identity("admin", "operator", "someone");
    let operator =
        AdminClient::new(site.link_as(Some(&identity)), site.at("admin")).expect("an operator's client");
    let user = |name: &str, roles: Value| json!({ "password": "a password of some length", "valUserId": name, "valUeIds": [], "valServices": [], "roles": roles });
    let put = async |by: &AdminClient, name: &str, roles: Value| {
        let url = by.url(&["users", name]).expect("a url");
        send(by, Request::put(url).json(&user(name, roles))).await
    };
    assert_eq!(put(&operator, "plain", json!([])).await.status, 201, "accounts are an operator's");
    assert_eq!(put(&operator, "plain", json!([])).await.status, 200);
    assert_eq!(put(&admin, "chief", json!(["admin"])).await.status, 201);
    let refused = (403, "UNAUTHORIZED_OPERATION".to_owned());
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("a new account with a role", "fresh", json!(["operator"])), ("a role for one without", "plain", json!(["admin"])),
        ("another password for one with a role", "chief", json!(["admin"])), ("a role taken", "chief", json!([])),
    ];
    for (what, name, roles) in rows {
        assert_eq!(cause(&put(&operator, name, roles).await), refused, "{what}");
    }
    let url = |name: &str| operator.url(&["users", name]).expect("a url");
    assert_eq!(
        cause(&send(&operator, Request::delete(url("chief"))).await),
        refused,
        "removal of one with a role"
    );
    assert_eq!(send(&admin, Request::get(url("fresh"))).await.status, 404);
    let chief = json_of(&send(&admin, Request::get(url("chief"))).await);
    assert_eq!(chief["roles"], json!(["admin"]), "nothing was changed");
    assert_eq!(send(&operator, Request::delete(url("plain"))).await.status, 204);
}
