//! A foreign API exposing function, whole: it registers at a CAPIF core function, publishes the service API `museum-hours`,
//! and serves it to API invokers within what the core function allows them.
//!
//! ```sh
//! # $SECRET: POST /v1/enrolments {"kind":"api_provider","name":"museum","apis":["museum-hours"]} on admin
//! cargo run -p capif-aef --example third_party -- $CCF ca.pem capif-root.pem ./museum 127.0.0.1:9444 $SECRET
//! ```
//!
//! The core function verifies `./museum/server-root.pem` when it calls `revoke-authorization`: name that file in its
//! `egress.trusted_roots`. A second start takes up the registration of the first, and its counts.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api_types::Secret;
use api_types::capif::provider::ApiProviderFuncRole;
use axum::routing::get;
use axum::{Extension, Json, Router};
use capif_aef::{Aef, Connect, Grant, OverLimitUsage, ServiceApi};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use sdk::{CapifClient, HttpsClient, Identity};
use serde_json::{Value, json};
use service_http::ambient::Ambient;
use service_http::edge::{self, EdgeHandle, EdgeLimits, ShutdownSwitch};
use service_http::exposure::Exposure as _;
use service_http::tls::{self, ClientRoot, RootKind};
use tokio::net::TcpListener;

/// The service API: its paths are `/museum-hours/v1/…`.
const API: &str = "museum-hours";

type Done<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What it is started with.
#[derive(Clone)]
pub struct Options {
    /// Origin of the core function.
    pub core: String,
    /// What its server certificate is verified by, PEM.
    pub roots_pem: String,
    /// The root of the certificates that it issues, PEM.
    pub capif_root_pem: String,
    /// Where everything is kept.
    pub dir: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Good for one registration; of no use later.
    pub secret: String,
    /// Clock and randomness.
    pub ambient: Ambient,
}

/// The function at work.
pub struct Museum {
    /// Its name at the core function.
    pub aef_id: String,
    /// Of the management function of its domain, which may read the logs.
    pub management: Identity,
    aef: Aef,
    switch: ShutdownSwitch,
    handle: EdgeHandle,
}

impl Museum {
    /// Ends when the requests in hand have ended; what was counted and logged is kept.
    pub async fn end(self) {
        self.switch.throw();
        self.handle.drained().await;
        self.aef.flush().await;
    }
}

/// Registers or takes up the registration, publishes, and serves.
pub async fn start(options: Options) -> Done<Museum> {
    let registration = match fs::read(options.dir.join("registration.json")) {
        Ok(kept) => serde_json::from_slice(&kept)?,
        Err(_) => register(&options).await?,
    };
    let text = |member: &str| registration[member].as_str().unwrap_or_default().to_owned();
    let identity = |function: &str| Identity {
        cert_pem: text(&format!("{function}Cert")),
        key_pem: text(&format!("{function}Key")),
    };
    let api = ServiceApi { id: text("apiId").try_into()?, version: "v1".to_owned() };

    // Keys and revocations of the core function are followed from here on; policies are asked for when they are needed.
    let aef = Aef::connect(Connect {
        core: options.core.clone(),
        roots_pem: options.roots_pem.clone(),
        identity: identity("aef"),
        id: text("aefId").try_into()?,
        apis: [(API.to_owned(), api)].into(),
        dir: options.dir.join("records"),
        feed: true,
        over_limit: OverLimitUsage::Refuse,
        ambient: options.ambient.clone(),
    })
    .await?;

    // Whatever is behind `protect` is asked only by an API invoker that may.
    let api = Router::new().route("/museum-hours/v1/hours", get(hours));
    let router = aef.protect(API, api).merge(aef.security_routes());
    let server = tls::Identity::from_pem(
        &fs::read_to_string(options.dir.join("server.pem"))?,
        &fs::read_to_string(options.dir.join("server.key"))?,
    )?;
    let invokers = ClientRoot::new(tls::certificates_from_pem(&options.capif_root_pem)?, RootKind::Capif);
    let config = tls::server_config(server, Some(&invokers), false)?;
    let (switch, shutdown) = edge::shutdown();
    let listener = TcpListener::bind(options.listen).await?;
    let handle = edge::serve(listener, config, router, EdgeLimits::default(), shutdown)?;
    Ok(Museum { aef_id: text("aefId"), management: identity("amf"), aef, switch, handle })
}

/// The service itself: it only sees requests that were let through, and who sent them.
async fn hours(Extension(grant): Extension<Grant>) -> Json<Value> {
    Json(json!({ "monday": "closed", "tuesday": "10:00-18:00", "askedBy": grant.invoker() }))
}

/// Registers a domain of three functions and publishes the service API (TS 29.222 8.9 and 8.2). The answer is kept as a
/// whole.
async fn register(options: &Options) -> Done<Value> {
    let stranger = CapifClient::new(HttpsClient::new(&options.roots_pem, None)?, &options.core)?;
    let roles = [
        ("amf", ApiProviderFuncRole::Amf),
        ("apf", ApiProviderFuncRole::Apf),
        ("aef", ApiProviderFuncRole::Aef),
    ];
    let keys = [KeyPair::generate()?, KeyPair::generate()?, KeyPair::generate()?];
    let mut functions = Vec::new();
    for ((_, role), key) in roles.iter().zip(&keys) {
        let request = CertificateParams::new(Vec::<String>::new())?.serialize_request(key)?;
        functions.push((role.clone(), request.pem()?));
    }
    let secret = Secret::new(&options.secret);
    let answer = stranger.register_provider(&secret, "museum", &functions).await?;
    let mut kept = json!({ "registrationId": answer.id });
    for function in answer.value.api_prov_funcs.into_iter().flatten() {
        let known = roles.iter().zip(&keys).find(|((_, role), _)| *role == function.api_prov_func_role);
        let ((name, _), key) = known.ok_or("a function that was not asked for")?;
        kept[format!("{name}Id")] = json!(function.api_prov_func_id);
        kept[format!("{name}Cert")] = json!(function.reg_info.api_prov_cert);
        kept[format!("{name}Key")] = json!(key.serialize_pem());
    }

    let text = |member: &str| kept[member].as_str().unwrap_or_default().to_owned();
    let identity = Identity { cert_pem: text("apfCert"), key_pem: text("apfKey") };
    let publisher = stranger.over(HttpsClient::new(&options.roots_pem, Some(&identity))?);
    let description = json!({
        "apiName": API,
        "description": "When the museum is open",
        "aefProfiles": [{
            "aefId": text("aefId"), "protocol": "HTTP_2", "dataFormat": "JSON", "securityMethods": ["OAUTH"],
            "versions": [{ "apiVersion": "v1", "resources": [{
                "resourceName": "hours", "commType": "REQUEST_RESPONSE", "uri": "/hours", "operations": ["GET"],
            }] }],
            "interfaceDescriptions": [{ "ipv4Addr": options.listen.ip(), "port": options.listen.port() }],
        }],
    });
    let apf = text("apfId").try_into()?;
    let published = publisher.publish(&apf, &serde_json::from_value(description)?).await?;
    kept["apiId"] = json!(published.id);
    fs::write(options.dir.join("registration.json"), serde_json::to_vec_pretty(&kept)?)?;
    Ok(kept)
}

/// Makes a root and a server certificate of its own, once. Path of the root.
pub fn server_certificate(dir: &Path, listen: SocketAddr) -> Done<PathBuf> {
    let root_file = dir.join("server-root.pem");
    if root_file.exists() {
        return Ok(root_file);
    }
    fs::create_dir_all(dir)?;
    let (root_key, key) = (KeyPair::generate()?, KeyPair::generate()?);
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root_pem = root.self_signed(&root_key)?.pem();
    let names = vec![listen.ip().to_string(), "localhost".to_owned()];
    let leaf = CertificateParams::new(names)?.signed_by(&key, &Issuer::new(root, root_key))?;
    fs::write(dir.join("server.pem"), leaf.pem())?;
    fs::write(dir.join("server.key"), key.serialize_pem())?;
    fs::write(&root_file, root_pem)?;
    Ok(root_file)
}

#[tokio::main]
async fn main() -> Done<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [core, roots, capif_root, dir, listen, rest @ ..] = arguments.as_slice() else {
        return Err("third_party CCF CA.pem CAPIF-ROOT.pem DIRECTORY ADDRESS [SECRET]".into());
    };
    let (dir, listen) = (PathBuf::from(dir), listen.parse()?);
    server_certificate(&dir, listen)?;
    let museum = start(Options {
        core: core.clone(),
        roots_pem: fs::read_to_string(roots)?,
        capif_root_pem: fs::read_to_string(capif_root)?,
        dir,
        listen,
        secret: rest.first().cloned().unwrap_or_default(),
        ambient: machine::ambient(),
    })
    .await?;
    println!("{API} is served at https://{listen}/{API}/v1/hours by {}", museum.aef_id);
    tokio::signal::ctrl_c().await?;
    museum.end().await;
    Ok(())
}

/// Clock and randomness of the machine, which the library takes as arguments.
mod machine {
    #![allow(clippy::disallowed_methods)]

    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    use aws_lc_rs::rand;
    use service_http::ambient::{Ambient, Clock, Entropy};

    use super::Arc;

    struct Machine(Instant);

    impl Clock for Machine {
        fn now_ms(&self) -> i64 {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        }

        fn monotonic(&self) -> Duration {
            self.0.elapsed()
        }
    }

    impl Entropy for Machine {
        fn fill(&self, out: &mut [u8]) {
            assert!(rand::fill(out).is_ok(), "the system has no randomness");
        }
    }

    pub(super) fn ambient() -> Ambient {
        Ambient::new(Arc::new(Machine(Instant::now())), Arc::new(Machine(Instant::now())))
    }
}
