//! Routes of the CAPIF core function: no certificate, one of another root, of another role, of nobody on record, one that
//! was withdrawn, and a good one on what is another's.

use std::sync::LazyLock;

use http::Method;
use rcgen::{CertificateParams, KeyPair};
use sdk::{HttpsClient, Identity, Request};
use serde_json::{Value, json};
use service_http::peer::CertRole;
use service_http::routes::RouteSpec;

use super::{Refused, expect, refused, request};
use crate::harness::{Site, json_of, parsed, with_bearer};

const TO: &str = "https://localhost:9443/cb";
const NOBODY: Refused = refused(403, "UNAUTHORIZED_OPERATION", "PEER_REFUSED");
const NO_CLIENT: Refused = refused(401, "invalid_client", "CLIENT_AUTH_WRONG");
const OTHERS: Refused = refused(403, "UNAUTHORIZED_OPERATION", "NOT_OWNER");
const HIDDEN: Refused = refused(404, "RESOURCE_NOT_FOUND", "NOT_OWNER");
const ABSENT: Refused = refused(404, "RESOURCE_NOT_FOUND", "NOT_FOUND");
const UNSUBSCRIBED: Refused = refused(404, "SUBSCRIPTION_NOT_FOUND", "NOT_FOUND");

/// What becomes of a good certificate on what is another's.
#[rustfmt::skip] // a table stays a table
const FOREIGN: [(&str, Refused); 39] = [
    ("ReplaceProvider",            HIDDEN),
    ("ModifyProvider",             HIDDEN),
    ("DeregisterProvider",         HIDDEN),
    ("ReplaceInvoker",             HIDDEN),
    ("ModifyInvoker",              HIDDEN),
    ("OffboardInvoker",            HIDDEN),
    ("PublishServiceApi",          OTHERS),
    ("ListServiceApis",            OTHERS),
    ("GetServiceApi",              OTHERS),
    ("ReplaceServiceApi",          OTHERS),
    ("ModifyServiceApi",           OTHERS),
    ("UnpublishServiceApi",        OTHERS),
    ("DiscoverServiceApis",        OTHERS),
    ("DiscoverServiceApisByProse", OTHERS),
    ("CreateSecurityContext",      OTHERS),
    ("UpdateSecurityContext",      OTHERS),
    ("ObtainSecurityContext",      ABSENT),
    ("RemoveSecurityContext",      ABSENT),
    ("RevokeAuthorization",        ABSENT),
    ("ObtainAccessToken",          NO_CLIENT),
    ("SubscribeToEvents",          OTHERS),
    ("ReplaceEventSubscription",   OTHERS),
    ("ModifyEventSubscription",    OTHERS),
    ("UnsubscribeFromEvents",      OTHERS),
    ("ConnectToNotifications",     OTHERS),
    ("ListAccessControlPolicies",  OTHERS),
    ("AppendInvocationLog",        OTHERS),
    ("PutResource",                OTHERS),
    ("GetResource",                OTHERS),
    ("ModifyResource",             OTHERS),
    ("RemoveResource",             OTHERS),
    ("ListResources",              OTHERS),
    ("PutResources",               OTHERS),
    ("ListOwnedResources",         OTHERS),
    ("GetOwnerPolicies",           OTHERS),
    ("SetOwnerPolicies",           OTHERS),
    ("ListAsks",                   OTHERS),
    ("DecideAsk",                  OTHERS),
    ("UnsubscribeFromResources",   UNSUBSCRIBED),
];

/// Routes without a row above, and why.
#[rustfmt::skip] // a table stays a table
const NOBODYS: [(&str, &str); 4] = [
    ("Revocations",         "the feed is the same for every verifier"),
    ("SubscribeToResources", "a subscription is its caller's: it names nothing of another's"),
    ("AuditInvocationLogs", "an auditor names nothing of another's: it sees its own domain's logs, and that of another is empty"),
    ("ObtainRoutingInfo",   "without rules, which no interface provisions, there is nothing of anybody's; own and another's answer 404"),
];

/// The route at which tokens are given.
static TOKEN: LazyLock<RouteSpec> = LazyLock::new(|| {
    let mut all = capif_core::ccf::ROUTES.iter();
    all.find(|spec| spec.operation == "ObtainAccessToken").cloned().expect("a route")
});

/// An API invoker or a function of a domain.
struct Party {
    id: String,
    link: HttpsClient,
}

/// A domain with a published API, and an API invoker that has negotiated it.
struct Realm {
    registration: String,
    provider: Value,
    amf: Party,
    apf: Party,
    aef: Party,
    api: String,
    api_name: String,
    onboarded: Value,
    invoker: Party,
}

/// Two realms that are in force, and one that has ended.
pub(crate) struct World {
    own: Realm,
    other: Realm,
    ended: Realm,
}

fn key_and_csr() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    let csr = params.serialize_request(&key).and_then(|request| request.pem()).expect("a request");
    (key.serialize_pem(), csr)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn secret(site: &Site, kind: &str) -> String {
    let body = json!({ "kind": kind, "name": "of a test", "expiresInS": 60 });
    site.operator().enrol(&parsed(body)).await.expect("enrolled").secret.expose().to_owned()
}

async fn send(link: &HttpsClient, request: Request, status: u16) -> sdk::Answer {
    let answer = link.send(request).await.expect("an answer");
    assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
    answer
}

impl Party {
    fn of(site: &Site, id: String, cert_pem: String, key_pem: String) -> Self {
        let link = site.link_as(Some(&Identity { cert_pem, key_pem }));
        Self { id, link }
    }
}

impl Realm {
    async fn make(site: &Site, api_name: &str) -> Self {
        let nobody = site.link_as(None);
        let keys = [key_and_csr(), key_and_csr(), key_and_csr()];
        let functions: Vec<Value> = ["AMF", "APF", "AEF"]
            .iter()
            .zip(&keys)
            .map(|(role, (_, csr))| json!({ "regInfo": { "apiProvPubKey": csr }, "apiProvFuncRole": role }))
            .collect();
        let body = json!({ "regSec": secret(site, "api_provider").await, "apiProvFuncs": functions });
        let url = site.path("ccf", "/api-provider-management/v1/registrations");
        let made = send(&nobody, Request::post(url).json(&body), 201).await;
        let provider = json_of(&made);
        let mut parties = provider["apiProvFuncs"].as_array().expect("functions").iter().zip(keys).map(
            |(function, (key, _))| {
                let cert = text(&function["regInfo"]["apiProvCert"]);
                Party::of(site, text(&function["apiProvFuncId"]), cert, key)
            },
        );
        let mut next = || parties.next().expect("a function");
        let (amf, apf, aef) = (next(), next(), next());
        let url = site.path("ccf", &format!("/published-apis/v1/{}/service-apis", apf.id));
        let published = send(&apf.link, Request::post(url).json(&description(api_name, &aef.id)), 201).await;

        let (key, csr) = key_and_csr();
        let body =
            json!({ "onboardingInformation": { "apiInvokerPublicKey": csr }, "notificationDestination": TO });
        let url = site.path("ccf", "/api-invoker-management/v1/onboardedInvokers");
        let request = with_bearer(Request::post(url).json(&body), &secret(site, "api_invoker").await);
        let answer = send(&nobody, request, 201).await;
        let onboarded = json_of(&answer);
        let cert = text(&onboarded["onboardingInformation"]["apiInvokerCertificate"]);
        let invoker = Party::of(site, answer.created_id().expect("an id"), cert, key);
        let realm = Self {
            registration: made.created_id().expect("an id"),
            provider,
            amf,
            apf,
            aef,
            api: published.created_id().expect("an id"),
            api_name: api_name.to_owned(),
            onboarded,
            invoker,
        };
        realm.negotiate(site).await;
        let url = format!("/capif-resource-auth/v1/{}/resources/things:1", realm.aef.id);
        let request = Request::put(site.path("ccf", &url)).json(&realm.resource("things/1", 1));
        send(&realm.aef.link, request, 201).await;
        realm
    }

    async fn negotiate(&self, site: &Site) {
        let url = site.path("ccf", &format!("/capif-security/v1/trustedInvokers/{}", self.invoker.id));
        send(&self.invoker.link, Request::put(url).json(&self.context()), 201).await;
    }

    async fn end(&self, site: &Site) {
        let url =
            site.path("ccf", &format!("/api-invoker-management/v1/onboardedInvokers/{}", self.invoker.id));
        send(&self.invoker.link, Request::delete(url), 204).await;
        let url =
            site.path("ccf", &format!("/api-provider-management/v1/registrations/{}", self.registration));
        send(&self.amf.link, Request::delete(url), 204).await;
    }

    fn party(&self, role: CertRole) -> &Party {
        match role {
            CertRole::Amf => &self.amf,
            CertRole::Apf => &self.apf,
            CertRole::Aef => &self.aef,
            _ => &self.invoker,
        }
    }

    fn context(&self) -> Value {
        let entry = json!({ "aefId": self.aef.id, "prefSecurityMethods": ["OAUTH"] });
        json!({ "securityInfo": [entry], "notificationDestination": TO })
    }

    fn resource(&self, id: &str, version: u64) -> Value {
        json!({
            "resourceId": id, "resourceType": "3gpp_spatial_anchor", "aefId": self.aef.id, "apiId": self.api,
            "owner": { "apiInvokerId": self.invoker.id }, "policyVersion": version,
        })
    }

    /// A good request of `role` about what is this realm's.
    fn request(&self, site: &Site, spec: &RouteSpec, role: CertRole, subscription: &str) -> Request {
        let path = spec
            .path
            .replace("{registrationId}", &self.registration)
            .replace("{onboardingId}", &self.invoker.id)
            .replace("{apiInvokerId}", &self.invoker.id)
            .replace("{securityId}", &self.invoker.id)
            .replace("{apfId}", &self.apf.id)
            .replace("{aefId}", &self.aef.id)
            .replace("{serviceApiId}", &self.api)
            .replace("{subscriberId}", &self.party(role).id)
            .replace("{subscriptionId}", subscription)
            .replace("{resourceId}", "things:1")
            .replace("{ownerId}", &self.invoker.id)
            .replace("{askId}", "ASKnothing");
        let mut url = site.path("ccf", &path);
        let named = match spec.operation {
            "DiscoverServiceApis" | "DiscoverServiceApisByProse" => {
                Some(("api-invoker-id", &self.invoker.id))
            }
            "ListAccessControlPolicies" | "ObtainRoutingInfo" => Some(("aef-id", &self.aef.id)),
            _ => None,
        };
        if let Some((name, value)) = named {
            url.query_pairs_mut().append_pair(name, value);
        }
        let request = Request::new(spec.method.clone(), url);
        if spec.operation == "ObtainAccessToken" {
            let scope = format!("3gpp#{}:{}", self.aef.id, self.api_name);
            let form = [
                ("grant_type", "client_credentials"),
                ("client_id", self.invoker.id.as_str()),
                ("scope", &scope),
            ];
            return request.form(form);
        }
        match self.body(spec.operation) {
            Some(body) if spec.method == Method::PATCH => {
                request.json_as("application/merge-patch+json", &body)
            }
            Some(body) => request.json(&body),
            None => request,
        }
    }

    fn body(&self, operation: &str) -> Option<Value> {
        Some(match operation {
            "ReplaceProvider" => {
                let mut body = self.provider.clone();
                body["regSec"] = json!("used");
                body
            }
            "ModifyProvider" => json!({ "apiProvDomInfo": "changed" }),
            "ReplaceInvoker" => self.onboarded.clone(),
            "ModifyInvoker" => json!({ "apiInvokerInformation": "changed" }),
            "PublishServiceApi" => description(&format!("{}-too", self.api_name), &self.aef.id),
            "ReplaceServiceApi" => description(&self.api_name, &self.aef.id),
            "ModifyServiceApi" => json!({ "description": "changed" }),
            "CreateSecurityContext" | "UpdateSecurityContext" => self.context(),
            "RevokeAuthorization" => {
                json!({ "apiInvokerId": self.invoker.id, "apiIds": [self.api], "cause": "OTHER_REASON" })
            }
            "SubscribeToEvents" | "ReplaceEventSubscription" => json!({
                "events": ["SERVICE_API_AVAILABLE"], "notificationDestination": TO, "supportedFeatures": "3",
                "websockNotifConfig": { "requestWebsocketUri": true },
            }),
            "ModifyEventSubscription" => json!({ "notificationDestination": TO }),
            "ModifyResource" => json!({ "visibility": "UNIVERSAL", "policyVersion": 2 }),
            "PutResource" => self.resource("things/1", 3),
            "PutResources" => json!({ "resources": [self.resource("things/1", 4)] }),
            "SetOwnerPolicies" => json!({ "authPolicies": [] }),
            "DecideAsk" => json!({ "nonce": "n", "effect": "PERMIT" }),
            "SubscribeToResources" => {
                json!({ "events": ["RESOURCE_AUTH_UPDATED"], "notificationDestination": TO })
            }
            "AppendInvocationLog" => {
                let entry = json!({
                    "apiId": self.api, "apiName": self.api_name, "apiVersion": "v1", "resourceName": "things",
                    "protocol": "HTTP_2", "operation": "GET", "result": "200",
                });
                json!({ "aefId": self.aef.id, "apiInvokerId": self.invoker.id, "logs": [entry] })
            }
            _ => return None,
        })
    }

    /// A subscription of the party of `role`.
    async fn subscription(&self, site: &Site, spec: &RouteSpec, role: CertRole) -> String {
        let party = self.party(role);
        let (path, body) = match spec.operation {
            "UnsubscribeFromResources" => {
                ("/capif-resource-auth/v1/subscriptions".to_owned(), "SubscribeToResources")
            }
            _ => (format!("/capif-events/v1/{}/subscriptions", party.id), "SubscribeToEvents"),
        };
        let url = site.path("ccf", &path);
        let body = self.body(body).expect("a body");
        send(&party.link, Request::post(url).json(&body), 201).await.created_id().expect("an id")
    }
}

fn description(name: &str, aef: &str) -> Value {
    let profile = json!({
        "aefId": aef, "versions": [{ "apiVersion": "v1" }], "securityMethods": ["OAUTH"],
        "interfaceDescriptions": [{ "fqdn": "aef.example", "port": 443 }],
    });
    json!({ "apiName": name, "aefProfiles": [profile] })
}

/// A role of the parties of a realm that opens a route.
fn right_of(roles: &[CertRole]) -> CertRole {
    if roles.contains(&CertRole::Function) { CertRole::Aef } else { roles[0] }
}

impl World {
    pub(crate) async fn new(site: &Site) -> Self {
        let (own, other) = (Realm::make(site, "things").await, Realm::make(site, "others").await);
        let ended = Realm::make(site, "bygones").await;
        ended.end(site).await;
        Self { own, other, ended }
    }

    /// Everything that must not open a route.
    pub(super) async fn spoiled(&self, site: &Site, spec: &RouteSpec, roles: &[CertRole]) -> Vec<String> {
        let right = right_of(roles);
        let asked = || self.own.request(site, spec, right, "SUBnothing");
        let mut faults = Vec::new();
        // Those are kept out by the handshake.
        let foreign_root = site.identity("admin", "operator", "someone");
        let kept_out = [
            ("a root that nobody trusts", site.forged_identity(right.as_str(), &self.own.party(right).id)),
            ("another root of ours", foreign_root),
            ("a role of another root", site.identity("capif", "client", "vs-1")),
        ];
        for (what, identity) in kept_out {
            if let Ok(answer) = site.link_as(Some(&identity)).send(asked()).await {
                faults.push(format!("{what} got an answer: {}", answer.status));
            }
        }
        let nobody = site.link_as(None);
        let mut links: Vec<(String, &HttpsClient, Refused)> =
            vec![("no certificate".into(), &nobody, NOBODY)];
        let val_server = site.link("vs-1");
        links.push(("a VAL server".into(), &val_server, NOBODY));
        let stranger = site.link_as(Some(&site.identity("capif", "ccf", "CCFX")));
        links.push(("a core function that is no partner".into(), &stranger, NOBODY));
        for role in [CertRole::Invoker, CertRole::Aef, CertRole::Apf, CertRole::Amf] {
            if !roles.contains(&role) {
                links.push((format!("role {}", role.as_str()), &self.own.party(role).link, NOBODY));
            }
        }
        // Behind the gate: the record of the certificate.
        let unknown = if spec.operation == "ObtainAccessToken" { NO_CLIENT } else { NOBODY };
        let unrecorded = site.identity("capif", right.as_str(), &self.own.party(right).id);
        let unrecorded = site.link_as(Some(&unrecorded));
        links.push(("a certificate that is not on record".into(), &unrecorded, unknown));
        links.push(("a certificate that was withdrawn".into(), &self.ended.party(right).link, unknown));
        for (what, link, want) in &links {
            faults.extend(expect(site, what, link, asked(), *want).await);
        }
        let want = FOREIGN.iter().find(|(operation, _)| *operation == spec.operation);
        match want {
            Some((_, want)) => {
                let what = "another one's";
                faults.extend(expect(site, what, &self.other.party(right).link, asked(), *want).await);
            }
            None if NOBODYS
                .iter()
                .any(|(operation, why)| *operation == spec.operation && !why.is_empty()) => {}
            None => faults.push("nothing says what becomes of another one's".into()),
        }
        faults
    }

    /// A token of the core function at a server that it is not for.
    pub(super) async fn at_server(&self, site: &Site, listener: &str, spec: &RouteSpec) -> Vec<String> {
        let asked = self.own.request(site, &TOKEN, CertRole::Invoker, "");
        let answer = send(&self.own.invoker.link, asked, 200).await;
        let token = text(&json_of(&answer)["access_token"]);
        let nobody = site.link_as(None);
        // The facade takes tokens of the SIM-S alone, and has no certificates of the core function.
        let (link, reason) = match listener {
            "san" | "sm" => (&self.own.invoker.link, "AUDIENCE_WRONG"),
            _ => (&nobody, "ISSUER_WRONG"),
        };
        let asked = with_bearer(request(site, listener, spec, "victim"), &token);
        let want = refused(401, "INVALID_TOKEN", reason);
        expect(site, "a token of the core function", link, asked, want).await.into_iter().collect()
    }

    /// The status that the rightful caller gets. What ends something ends something of its own.
    pub(super) async fn rightful(&self, site: &Site, spec: &RouteSpec, roles: &[CertRole]) -> u16 {
        let right = right_of(roles);
        let subscribed = spec.path.contains("{subscriptionId}");
        let subscription =
            if subscribed { self.own.subscription(site, spec, right).await } else { String::new() };
        let brief;
        let realm = match spec.operation {
            "DeregisterProvider"
            | "OffboardInvoker"
            | "UnpublishServiceApi"
            | "RemoveSecurityContext"
            | "RevokeAuthorization" => {
                brief = Realm::make(site, &format!("brief-{}", spec.operation)).await;
                &brief
            }
            _ => &self.own,
        };
        let request = realm.request(site, spec, right, &subscription);
        let answer = realm.party(right).link.send(request).await.expect("an answer");
        if spec.operation == "ConnectToNotifications" {
            // A plain GET is no handshake, and that is all that is wrong with it.
            assert_eq!(json_of(&answer)["invalidParams"][0]["param"], "upgrade", "{}", answer.status);
            return 200;
        }
        answer.status
    }

    /// What refused requests could have changed.
    pub(super) async fn state(&self, site: &Site) -> Vec<(String, Value)> {
        let apf = &self.own.apf;
        let url = site.path("ccf", &format!("/published-apis/v1/{}/service-apis", apf.id));
        let published = json_of(&send(&apf.link, Request::get(url), 200).await);
        let mut url =
            site.path("ccf", &format!("/capif-security/v1/trustedInvokers/{}", self.own.invoker.id));
        url.set_query(Some("authenticationInfo=true&authorizationInfo=true"));
        let context = json_of(&send(&self.own.aef.link, Request::get(url), 200).await);
        vec![("published APIs".to_owned(), published), ("security context".to_owned(), context)]
    }

    /// The certificate of somebody who may use a route, for requests with another thing wrong.
    pub(crate) fn link(&self, roles: &[CertRole]) -> HttpsClient {
        self.own.party(right_of(roles)).link.clone()
    }

    /// As [`World::state`], without names.
    pub(crate) async fn records(&self, site: &Site) -> Vec<Value> {
        self.state(site).await.into_iter().map(|(_, value)| value).collect()
    }
}

/// Secrets of enrolments that open nothing, at the two routes where one is shown.
pub(super) async fn enrolled(site: &Site, spec: &RouteSpec, link: &HttpsClient) -> Vec<String> {
    const WRONG: Refused = refused(401, "INVALID_TOKEN", "CREDENTIALS_WRONG");
    let (own, other, onboards) = match spec.operation {
        "OnboardInvoker" => ("api_invoker", "api_provider", true),
        _ => ("api_provider", "api_invoker", false),
    };
    let request = |secret: Option<&str>| {
        let csr = key_and_csr().1;
        let asked = Request::post(site.path("ccf", spec.path));
        if onboards {
            let body = json!({ "onboardingInformation": { "apiInvokerPublicKey": csr }, "notificationDestination": TO });
            let asked = asked.json(&body);
            return secret.map(str::to_owned).map_or(asked, |secret| {
                Request::post(site.path("ccf", spec.path))
                    .json(&body)
                    .header("authorization", &format!("Bearer {secret}"))
            });
        }
        let mut body =
            json!({ "apiProvFuncs": [{ "regInfo": { "apiProvPubKey": csr }, "apiProvFuncRole": "AMF" }] });
        if let Some(secret) = secret {
            body["regSec"] = json!(secret);
        }
        asked.json(&body)
    };
    let used = secret(site, own).await;
    send(link, request(Some(&used)), 201).await;
    let absent = match onboards {
        true => refused(401, "TOKEN_MISSING", "TOKEN_MISSING"),
        false => refused(400, "MANDATORY_IE_MISSING", "MEMBER_MISSING"),
    };
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no secret",                None,                                absent),
        ("an unknown secret",        Some("x".repeat(43)),                WRONG),
        ("a secret of the other kind", Some(secret(site, other).await),   WRONG),
        ("a used secret",            Some(used),                          WRONG),
    ];
    let mut faults = Vec::new();
    for (what, secret, want) in rows {
        faults.extend(expect(site, what, link, request(secret.as_deref()), want).await);
    }
    faults
}
