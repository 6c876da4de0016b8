//! Filling a demo: accounts by the admin API, anchors and maps by the VAL servers, over the same sockets as anybody.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use api_types::admin::{Client, Policy, User};
use api_types::ids::SpatialMapId;
use bytes::Bytes;
use rcgen::{CertificateParams, KeyPair};
use sdk::{AdminClient, Ambient, HttpsClient, Identity, SanClient, SmClient};
use serde_json::{Value, json};

use super::campus::{self, OPERATORS, SERVICES, USERS};
use super::sample::{DemoClient, Sample};
use super::{Recording, Table, capif, glb};
use crate::pki::write_private;
use crate::wiring::Running;

/// Scopes of a VAL server (contract section 2).
const VAL_SERVER_SCOPES: [&str; 2] = ["3gpp:seal:san", "3gpp:seal:sm"];
/// Side of the floor in a map's payload, metres.
pub(super) const FLOOR_M: u16 = 40;

/// Fills the functions of `running`.
///
/// # Errors
/// When any of them refuses.
pub async fn seed(running: &Running, recording: Option<Arc<Recording>>, table: Table) -> Result<Sample> {
    let kit = &running.admin.kit;
    let (clock, entropy) = (kit.ambient.clone(), kit.ambient.clone());
    let ambient = Ambient::new(move || clock.now_s(), move |bytes: &mut [u8]| entropy.entropy.fill(bytes));
    let operator = Identity {
        cert_pem: std::fs::read_to_string(&running.operator.cert)?,
        key_pem: std::fs::read_to_string(&running.operator.key)?,
    };
    let mut sample = Sample {
        urls: running.urls.clone(),
        ca: running.pki.bundle(),
        operator,
        users: BTreeMap::new(),
        clients: BTreeMap::new(),
        invokers: Vec::new(),
        aefs: capif::aefs(&running.exposed),
        keys: issuer_keys(running)?,
        lists: BTreeMap::new(),
        anchor_ids: Vec::new(),
        maps: BTreeMap::new(),
        ambient,
        recording,
    };
    let admin = sample.admin()?;
    table.note("Registering 20 users, 2 operators, 6 clients and their rules");
    users(&admin, &mut sample).await?;
    clients(&admin, &mut sample, &running.data).await?;
    rules(&admin, &sample).await?;
    capif::invokers(&admin, &mut sample, &running.data).await?;
    table.note("Placing 500 anchors of three VAL services and 3 maps with their payload");
    for service in SERVICES {
        anchors(&mut sample, &service).await.with_context(|| format!("anchors of {}", service.id))?;
        map(&mut sample, &service).await.with_context(|| format!("map of {}", service.id))?;
    }
    Ok(sample)
}

/// The signing keys as PEM files, so that a test can spoil one claim at a time.
fn issuer_keys(running: &Running) -> Result<Vec<Value>> {
    use jose::Signer as _;
    let sim = running.admin.sim.iter().map(|sim| ("sim", sim.ring().keys()));
    let ccf = running.admin.ccf.iter().map(|ccf| ("ccf", ccf.signing().ring().keys()));
    let mut entries = Vec::new();
    for (issuer, keys) in sim.chain(ccf) {
        for signing in keys.iter() {
            let path = running.data.join("demo").join(format!("{issuer}-{}.pem", signing.key.kid()));
            write_private(&path, signing.key.to_pem()?.as_bytes())?;
            entries.push(json!({ "issuer": issuer, "alg": "ES256", "kid": signing.key.kid(), "key": path }));
        }
    }
    Ok(entries)
}

async fn users(admin: &AdminClient, sample: &mut Sample) -> Result<()> {
    for (number, name) in USERS.iter().enumerate() {
        let password = sample.ambient.unguessable();
        let body = campus::user(name, number, &password);
        user(admin, sample, name, body, &password).await?;
    }
    for (name, role) in OPERATORS {
        let password = sample.ambient.unguessable();
        let body = campus::operator(name, role, &password);
        user(admin, sample, name, body, &password).await?;
    }
    Ok(())
}

async fn user(
    admin: &AdminClient,
    sample: &mut Sample,
    name: &str,
    body: Value,
    password: &str,
) -> Result<()> {
    let user: User = serde_json::from_value(body.clone())?;
    admin.put_user(name, &user, Some(password)).await.with_context(|| format!("user {name}"))?;
    if let (Some(gpsi), Some(supi), true) = (&user.gpsi, &user.supi, sample.urls.contains_key("udm")) {
        let put = admin.put_subscriber(gpsi, supi, user.external_id.as_ref()).await;
        put.with_context(|| format!("subscriber {name}"))?;
    }
    sample.users.insert(name.to_owned(), body);
    Ok(())
}

async fn clients(admin: &AdminClient, sample: &mut Sample, data: &Path) -> Result<()> {
    let services = SERVICES.map(|service| service.id);
    for (id, bearer) in [("ue-1", false), ("ue-bearer", true)] {
        let body = json!({
            "kind": "sim_c", "auth": "client_secret_basic", "redirectUris": ["http://127.0.0.1/cb"],
            "scopes": ["openid", "3gpp:seal:san.read", "3gpp:seal:san.discover", "3gpp:seal:sm.read", "3gpp:seal:sm.localize"],
            "valServices": services, "bearer": bearer,
        });
        let created = admin.put_client(id, &serde_json::from_value::<Client>(body)?).await?;
        let secret = created.secret.map(|secret| secret.expose().to_owned());
        let client = DemoClient { kind: "sim_c", secret, bearer, ..DemoClient::default() };
        sample.clients.insert(id.into(), client);
    }
    for service in SERVICES {
        let body = json!({
            "kind": "val_server", "auth": "tls_client_auth", "scopes": VAL_SERVER_SCOPES,
            "valServices": [service.id], "callbackHosts": ["localhost", "127.0.0.1"],
        });
        let client = certified(admin, service.client, body, "val_server", data).await?;
        sample.clients.insert(service.client.into(), client);
    }
    let body = json!({ "kind": "xr_as", "auth": "tls_client_auth", "scopes": ["3gpp:seal:san.discover", "3gpp:seal:sm.read"] });
    let client = certified(admin, "xras-1", body, "xr_as", data).await?;
    sample.clients.insert("xras-1".into(), client);
    Ok(())
}

/// Registers a client that makes its own key and has it certified.
async fn certified(
    admin: &AdminClient,
    id: &str,
    mut body: Value,
    kind: &'static str,
    data: &Path,
) -> Result<DemoClient> {
    let key = KeyPair::generate()?;
    body["csr"] = json!(CertificateParams::new(Vec::<String>::new())?.serialize_request(&key)?.pem()?);
    let created = admin.put_client(id, &serde_json::from_value::<Client>(body)?).await?;
    let cert_pem = created.cert.with_context(|| format!("{id} got no certificate"))?;
    let identity = Identity { cert_pem, key_pem: key.serialize_pem() };
    let file = |suffix: &str| -> PathBuf { data.join("demo").join(format!("{id}.{suffix}")) };
    let (cert_file, key_file) = (file("pem"), file("key"));
    write_private(&cert_file, identity.cert_pem.as_bytes())?;
    write_private(&key_file, identity.key_pem.as_bytes())?;
    Ok(DemoClient {
        kind,
        identity: Some(identity),
        files: Some((cert_file, key_file)),
        ..DemoClient::default()
    })
}

/// Everybody may use the spatial services, `eve` none of them: a rule that denies wins.
async fn rules(admin: &AdminClient, sample: &Sample) -> Result<()> {
    let eve = sample.users.get("eve").map(|eve| eve["valUserId"].clone()).unwrap_or_default();
    let rules = [
        ("campus-everybody", json!({ "class": "local", "effect": "PERMIT" })),
        ("campus-not-eve", json!({ "class": "local", "effect": "DENY", "subjects": [eve] })),
    ];
    for (id, body) in rules {
        admin.put_policy(id, &serde_json::from_value::<Policy>(body)?).await?;
    }
    Ok(())
}

async fn anchors(sample: &mut Sample, service: &campus::ValService) -> Result<()> {
    let credential = sample.val_server(service.client, "san", "3gpp:seal:san").await?;
    let https: HttpsClient = sample.https(service.client, None)?;
    let san = SanClient::new(https, sample.url("san")?, credential)?;
    for list in campus::lists(service) {
        let created = san.create_list(&serde_json::from_value(list)?).await?;
        if sample.anchor_ids.is_empty() {
            let ids = created.value.anchors.values().filter_map(|anchor| anchor.anchor_id).map(|id| id.0);
            sample.anchor_ids = ids.collect();
        }
        sample.lists.entry(service.client.into()).or_default().push(created.id.as_str().to_owned());
    }
    Ok(())
}

async fn map(sample: &mut Sample, service: &campus::ValService) -> Result<()> {
    let credential = sample.val_server(service.client, "sm", "3gpp:seal:sm").await?;
    let sm = SmClient::new(sample.https(service.client, None)?, sample.url("sm")?, credential)?;
    let created = sm.create_map(&serde_json::from_value(campus::map(service))?).await?;
    let id: SpatialMapId = created.id();
    let payload = Bytes::from(glb::floor_plan(service.map, FLOOR_M));
    sm.put_content(id, "model/gltf-binary", payload, None).await?;
    sample.maps.insert(service.client.into(), id.0);
    Ok(())
}
