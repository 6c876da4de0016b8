//! Starting and stopping a process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use api_types::function::Function;
use api_types::secret::Secret;
use axum::Router;
use seal_security::sim_s::{Partner, PartnerKeys, SealedKeys, SimConfig, SimServer};
use service_http::ambient::{Ambient, OffsetClock};
use service_http::edge::{self, EdgeHandle, EdgeLimits, Shutdown, ShutdownSwitch};
use service_http::feed::{self, Follower, HttpKeys, RevocationLog};
use service_http::kit::FunctionKit;
use service_http::tls::{self, ClientRoot, RootKind};
use spatial_localization::lm::{Behind, LmServer, Tokens};
use spatial_localization::san::{SanConfig, SanServer};
use spatial_localization::shared::publication::Publishing;
use spatial_localization::sm::{
    AnchorSource, ExchangedAnchors, LocationSource, SmConfig, SmLimits, SmServer,
};
use store::blobs::{Blobs, Kek};
use tokio::task::JoinHandle;

use super::aef::policies::{self, Sink};
use super::aef::{self, Aef, CcfAt};
use super::ccf::ccf_server;
use super::federation::partner_roots;
use super::function::{Common, Following, SimAt};
use super::opencapif;
use super::ports::Bound;
use super::role::{LISTENERS, Role};
use super::udm::udm_server;
use super::{BLOBS, SbiCertificates};
use crate::admin::{self, Admin, AdminParts};
use crate::cli::redacted;
use crate::config::{Config, PartnerSection, Profile};
use crate::console::{Console, ConsoleParts};
use crate::data_dir::DataDir;
use crate::pki::{CsrIssuer, Pki, Purpose};
use crate::ready::KeyFiles;

/// Time between two rounds of upkeep. Own value.
pub(super) const UPKEEP: Duration = Duration::from_secs(1);

/// Time between two looks for acts that were cut off. Own value.
const CUT_OFF_LOOK: Duration = Duration::from_secs(30);
/// Longest wait for the keys and revocations of an issuer at start. Own value.
const START_WAIT: Duration = Duration::from_secs(30);

/// What a process is started with.
pub struct Assembly {
    /// The configuration.
    pub config: Config,
    /// The data directory.
    pub data: DataDir,
    /// The clock that everything is judged by; a demo can move it.
    pub clock: Arc<OffsetClock>,
    /// Clock and randomness.
    pub ambient: Ambient,
    /// Whether this is a demo.
    pub demo: bool,
}

/// A process at work.
pub struct Running {
    /// Origin of each listener.
    pub urls: BTreeMap<String, String>,
    /// The roots.
    pub pki: Arc<Pki>,
    /// Certificate of an operator.
    pub operator: KeyFiles,
    /// The functions, as the admin API sees them.
    pub admin: Admin,
    /// The servers that a CAPIF core function knows.
    pub exposed: Vec<Exposed>,
    /// The data directory.
    pub data: PathBuf,
    /// Password of the administrator of the listener for OpenCAPIF clients, where it was drawn at this start.
    pub opencapif_admin: Option<Secret>,
    switch: ShutdownSwitch,
    edges: Vec<EdgeHandle>,
    followers: Vec<Follower>,
    upkeep: Vec<JoinHandle<()>>,
    _data: DataDir,
}

/// A server that is registered at a CAPIF core function.
#[derive(Debug, Clone)]
pub struct Exposed {
    /// Its name there.
    pub aef_id: String,
    /// Which one it is.
    pub function: Function,
    /// Names of its service APIs.
    pub apis: Vec<String>,
}

/// Starts the functions of `assembly` and returns when every listener accepts and every verifier is ready.
///
/// # Errors
/// Whatever keeps a function from being complete; nothing runs then.
pub async fn start(assembly: Assembly) -> Result<Running> {
    let Assembly { config, data, clock, ambient, demo } = assembly;
    let roles = roles(&config)?;
    if config.server.profile != Profile::Both {
        tracing::warn!("server.profile changes nothing yet: no procedure that is built differs by it");
    }
    let kek = data.kek(&ambient)?;
    let pki = Arc::new(Pki::open(data.path(), &ambient)?);
    let mut bound = Bound::bind(&config.server, &roles, config.compat.clients.is_some()).await?;
    let own = bound.addresses()?;
    let common =
        Common { config: &config, data: &data, pki: &pki, kek: &kek, ambient: &ambient, demo, own: &own };
    let peers = &config.peers;
    let sim_url = at(&bound.urls, "sim", peers.sim.as_deref());
    let mtls_url = at(&bound.urls, "sim_mtls", peers.sim_mtls.as_deref());
    let mut routers: Vec<(&'static str, Router)> = Vec::new();
    let mut followers = Following { own: Vec::new(), abroad: Vec::new() };
    let mut functions: Vec<FunctionKit> = Vec::new();
    let (switch, shutdown) = edge::shutdown();

    let sim = if roles.contains(&Role::Sim) {
        let (sim, kit) = sim_server(&common, &bound.urls, peers).await?;
        routers.push(("sim", sim.router()?));
        routers.push(("sim_mtls", sim.mtls_router()?));
        functions.push(kit);
        Some(sim)
    } else {
        None
    };
    let sim_at = || -> Result<SimAt<'_>> {
        let missing = "this process runs no sim: name it in peers.sim and peers.sim_mtls";
        Ok(SimAt {
            issuer: sim_url.as_deref().ok_or_else(|| anyhow!(missing))?,
            mtls: mtls_url.as_deref().ok_or_else(|| anyhow!(missing))?,
        })
    };
    let mut edges = Vec::new();
    let mut opencapif_admin = None;
    let ccf = if roles.contains(&Role::Ccf) {
        let (ccf, kit) = ccf_server(&common, &bound.urls).await?;
        // The servers below register there before they begin.
        edges.push(listen(&common, &mut bound, "ccf", ccf.router()?, &[], shutdown.clone())?);
        functions.push(kit);
        if let Some(listener) = bound.take(opencapif::LISTENER) {
            let origin = bound.urls.get(opencapif::LISTENER).context("its listener")?;
            let (hosts, limits) = (own_hosts(&common), edge_limits(&common));
            let opened =
                opencapif::open(&common, &ccf, origin, (listener, &hosts), (limits, shutdown.clone()))
                    .await?;
            edges.push(opened.edge);
            opencapif_admin = opened.drawn;
        }
        Some(ccf)
    } else {
        None
    };
    let ccf_url = at(&bound.urls, "ccf", peers.ccf.as_deref());
    let ccf_at = aef::ccf_for(&common, ccf_url.as_deref(), ccf.as_ref())?;
    let mut exposed = Vec::new();
    let mut publishing = Vec::new();
    let san = if roles.contains(&Role::San) {
        let aef = api_exposing(&common, Function::San, &bound.urls, ccf_at.as_ref(), &mut exposed).await?;
        let servers = (&bound.urls, &sim_at()?, aef.as_ref());
        let kit = resource_server(&common, Function::San, servers, &mut followers).await?;
        let hosts = common.hosts(Function::San, &sim_at()?)?;
        let hosts = aef::expose(&common, &kit, aef.as_ref(), hosts).await?;
        let core = policies::core_function(aef.as_ref())?;
        let config = SanConfig { hosts: Some(hosts), core, ..SanConfig::default() };
        let san = SanServer::new(kit.clone(), config);
        publishing.extend(publisher(
            &common,
            &bound.urls,
            Arc::new(san.clone()),
            (Function::San, aef.as_ref()),
        )?);
        routers.push(("san", san.router()?));
        functions.push(kit);
        Some(san)
    } else {
        None
    };
    let sm = if roles.contains(&Role::Sm) {
        let aef = api_exposing(&common, Function::Sm, &bound.urls, ccf_at.as_ref(), &mut exposed).await?;
        let servers = (&bound.urls, &sim_at()?, aef.as_ref());
        let kit = resource_server(&common, Function::Sm, servers, &mut followers).await?;
        let blobs =
            Blobs::open(&data.path().join(BLOBS), Kek::new("kek-1", common.derive("blobs"))?, vec![])?;
        let limits = SmLimits { content_octets: config.limits.payload, ..SmLimits::default() };
        let san = anchor_source(&common, &bound.urls, peers.san.as_deref(), &sim_at()?)?;
        let hosts = common.hosts(Function::Sm, &sim_at()?)?;
        let hosts = aef::expose(&common, &kit, aef.as_ref(), hosts).await?;
        let lm = peers.location.as_deref().map(|lm| location_source(&common, lm)).transpose()?;
        let core = policies::core_function(aef.as_ref())?;
        let sm = SmServer::new(kit.clone(), SmConfig { san, lm, hosts, blobs, limits, core });
        publishing.extend(publisher(
            &common,
            &bound.urls,
            Arc::new(sm.clone()),
            (Function::Sm, aef.as_ref()),
        )?);
        routers.push(("sm", sm.router()?));
        functions.push(kit);
        Some(sm)
    } else {
        None
    };

    if roles.contains(&Role::Lm) {
        let sim_at = sim_at()?;
        let kit =
            resource_server(&common, Function::Lm, (&bound.urls, &sim_at, None), &mut followers).await?;
        let behind = [(Function::San, peers.san.as_deref()), (Function::Sm, peers.sm.as_deref())];
        let behind = behind.into_iter().filter_map(|(function, elsewhere)| {
            Some(Behind { function, origin: at(&bound.urls, function.as_str(), elsewhere)? })
        });
        let (https, ambient) = client_of(&common, Function::Lm)?;
        let tokens = Tokens::new(https, sim_at.issuer, Function::Lm.as_str(), ambient);
        let lm = LmServer::new(kit.clone(), tokens, behind.collect());
        routers.push(("lm", lm.router()?));
        functions.push(kit);
    }

    let udm = if roles.contains(&Role::Udm) {
        let (udm, kit) = udm_server(&common, &bound.urls).await?;
        routers.push(("udm", udm.router()?));
        functions.push(kit);
        Some(udm)
    } else {
        None
    };

    if roles.contains(&Role::Console) {
        let (router, kit) = console(&common, &bound.urls, peers, sim_url.as_deref()).await?;
        routers.push(("console", router));
        functions.push(kit);
    }

    let origin = bound.urls.get("admin").cloned().unwrap_or_default();
    // Without console and SIM-S there are no operators' tokens, and certificates alone open `admin`.
    let with_console = bound.urls.contains_key("console") || peers.console.is_some();
    let admin_kit = match sim_at() {
        Ok(sim) if with_console => {
            let (verifier, follower) = common.verifier(Function::Admin, &origin, &sim)?;
            followers.own.push(follower);
            common.kit(Function::Admin, &origin, Some(verifier), vec![sim.issuer.to_owned()]).await?
        }
        _ => common.kit(Function::Admin, &origin, None, Vec::new()).await?,
    };
    functions.insert(0, admin_kit.clone());
    admin::reconcile(&functions).await?;
    let mut upkeep = vec![look_for_cut_off_acts(admin_kit.clone())];
    upkeep.extend(sim.clone().map(keep_up));
    upkeep.extend(ccf.clone().map(super::ccf::keep_up));
    upkeep.extend(udm.clone().map(super::udm::keep_up));
    let admin = Admin::new(AdminParts {
        kit: admin_kit,
        functions,
        sim,
        ccf,
        san,
        sm,
        udm,
        clock: demo.then_some(clock),
        config: serde_json::to_value(redacted(&config))?,
    });
    routers.push(("admin", admin::router(admin.clone())?));

    let (_, cert, key) =
        pki.issue_to_files("admin", ("admin", "operator"), Purpose::Client, &[], &ambient)?;
    for (name, router) in routers {
        edges.push(listen(&common, &mut bound, name, router, &exposed, shutdown.clone())?);
    }
    for follower in &mut followers.own {
        tokio::time::timeout(START_WAIT, follower.ready()).await.map_err(|_| {
            let issuers: Vec<&str> =
                [mtls_url.as_deref(), ccf_url.as_deref()].into_iter().flatten().collect();
            anyhow!("an issuer does not answer; is {} right?", issuers.join(" or "))
        })?;
    }
    upkeep.extend(publishing.into_iter().map(|(server, sink)| policies::keep_told(server, sink)));
    let path = data.path().to_path_buf();
    let operator = KeyFiles { cert, key };
    Ok(Running {
        urls: bound.urls,
        pki,
        operator,
        admin,
        exposed,
        data: path,
        opencapif_admin,
        switch,
        edges,
        followers: followers.own.into_iter().chain(followers.abroad).collect(),
        upkeep,
        _data: data,
    })
}

impl Running {
    /// Stops: no new connection, requests in hand end, records are written.
    pub async fn stop(self) {
        self.switch.throw();
        // What is in hand ends within the lease; a follower would only see its issuer go.
        drop(self.followers);
        for edge in self.edges {
            edge.drained().await;
        }
        for task in self.upkeep {
            task.abort();
        }
        for kit in &self.admin.functions {
            kit.flush().await;
        }
    }
}

fn roles(config: &Config) -> Result<Vec<Role>> {
    if config.server.roles.is_empty() {
        return Ok(Role::UNNAMED.to_vec());
    }
    let mut roles = Vec::new();
    for name in &config.server.roles {
        let role = Role::parse(name).map_err(|known| anyhow!("{name} is not one of {known}"))?;
        if roles.contains(&role) {
            bail!("{name} stands twice in the roles");
        }
        roles.push(role);
    }
    Ok(roles)
}

fn at(urls: &BTreeMap<String, String>, name: &str, elsewhere: Option<&str>) -> Option<String> {
    urls.get(name).cloned().or_else(|| elsewhere.map(str::to_owned))
}

async fn sim_server(
    common: &Common<'_>,
    urls: &BTreeMap<String, String>,
    peers: &crate::config::PeersSection,
) -> Result<(SimServer, FunctionKit)> {
    let origin = urls.get("sim").context("the sim listener")?;
    let kit = common.kit(Function::Sim, origin, None, vec![origin.clone()]).await?;
    let keys = SealedKeys::new(kit.store.clone(), common.kek, common.ambient.clone())?;
    let section = &common.config.sim;
    let ambient = common.ambient.clone();
    let log = RevocationLog::open(kit.store.clone(), ambient, origin.clone(), None, Vec::new()).await?;
    let mut config = SimConfig::new(log, Arc::new(keys));
    config.mtls_origin = urls.get("sim_mtls").cloned();
    let admin = if urls.contains_key("console") || peers.console.is_some() { &peers.admin } else { &None };
    for (function, elsewhere) in [
        (Function::San, &peers.san),
        (Function::Sm, &peers.sm),
        (Function::Lm, &peers.lm),
        (Function::Console, &peers.console),
        (Function::Admin, admin),
    ] {
        config.servers.extend(at(urls, function.as_str(), elsewhere.as_deref()).map(|url| (function, url)));
    }
    let seconds = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    config.access_token_s = seconds(section.access_token_s);
    config.id_token_s = seconds(section.id_token_s);
    config.code_s = seconds(section.code_s);
    config.refresh_idle_s = seconds(section.refresh_idle_s);
    config.refresh_max_s = seconds(section.refresh_max_s);
    config.see_other = section.see_other;
    config.dpop_nonce_required = section.dpop_nonce_required;
    config.key_rotation_s = seconds(section.key_rotation_s);
    config.logins.failed_per_minute = section.failed_logins_per_minute;
    config.logins.per_minute = if common.demo { DEMO_LOGINS_PER_MINUTE } else { section.logins_per_minute };
    config.partners = partners(common)?;
    let issuer = CsrIssuer::new(common.pki.clone(), common.ambient.clone());
    let sim = SimServer::new(kit.clone(), config, Arc::new(SbiCertificates(Arc::new(issuer))));
    sim.start().await?;
    Ok((sim, kit))
}

/// Partner SIM-S, whose keys are fetched over TLS by the roots of egress.
fn partners(common: &Common<'_>) -> Result<Vec<Partner>> {
    let section = &common.config.sim;
    if section.partners.is_empty() {
        return Ok(Vec::new());
    }
    let client = feed::client(common.foreign_tls()?)?;
    let one = |partner: &PartnerSection| {
        let jwks = partner.jwks.clone().unwrap_or_else(|| format!("{}/jwks", partner.issuer));
        let services = partner.val_services.iter().map(|service| service.as_str().try_into());
        Ok(Partner {
            name: partner.name.clone(),
            issuer: partner.issuer.clone(),
            val_services: services.collect::<Result<_, _>>()?,
            keys: Arc::new(PartnerKeys::new(Arc::new(HttpKeys::new(client.clone(), jwks)))),
        })
    };
    section.partners.iter().map(one).collect()
}

/// Logins a minute that a demo admits (contract section 2).
const DEMO_LOGINS_PER_MINUTE: u32 = 1_000;

/// Registers a server at the core function, where there is one.
async fn api_exposing(
    common: &Common<'_>,
    function: Function,
    urls: &BTreeMap<String, String>,
    ccf: Option<&CcfAt<'_>>,
    exposed: &mut Vec<Exposed>,
) -> Result<Option<Aef>> {
    let Some(ccf) = ccf else { return Ok(None) };
    let origin = urls.get(function.as_str()).context("the listener of the function")?;
    let aef = aef::register(common, function, origin, ccf).await?;
    exposed.push(Exposed { aef_id: aef.id.clone(), function, apis: aef.apis.clone() });
    Ok(Some(aef))
}

/// What tells the core function of the objects of a server, where it is registered at one.
fn publisher(
    common: &Common<'_>,
    urls: &BTreeMap<String, String>,
    server: Arc<dyn Publishing>,
    (function, aef): (Function, Option<&Aef>),
) -> Result<Option<(Arc<dyn Publishing>, Sink)>> {
    let origin = urls.get(function.as_str()).context("the listener of the function")?;
    aef.map(|aef| Ok((server, Sink::new(common, aef, origin)?))).transpose()
}

async fn resource_server(
    common: &Common<'_>,
    function: Function,
    (urls, sim, aef): (&BTreeMap<String, String>, &SimAt<'_>, Option<&Aef>),
    followers: &mut Following,
) -> Result<FunctionKit> {
    let origin = urls.get(function.as_str()).context("the listener of the function")?;
    // The facade passes tokens on and takes those of the SIM-S alone.
    let abroad = match function {
        Function::San | Function::Sm => aef::abroad(common, function, origin, aef).await?,
        _ => Vec::new(),
    };
    let (verifier, following) = common.verifier_of_all(function, origin, sim, (aef, &abroad))?;
    followers.own.extend(following.own);
    followers.abroad.extend(following.abroad);
    let issuers =
        aef.map(|aef| aef.issuer.clone()).into_iter().chain(abroad.into_iter().map(|ccf| ccf.issuer));
    let issuers = std::iter::once(sim.issuer.to_owned()).chain(issuers).collect();
    common.kit(function, origin, Some(verifier), issuers).await
}

fn listen(
    common: &Common<'_>,
    bound: &mut Bound,
    name: &'static str,
    router: Router,
    exposed: &[Exposed],
    shutdown: Shutdown,
) -> Result<EdgeHandle> {
    let listener = bound.take(name).with_context(|| format!("the {name} listener"))?;
    let hosts = own_hosts(common);
    // Browsers and UEs meet the web root; functions and operators meet their own.
    let root = match name {
        "sim" | "console" => "web",
        "admin" => "admin",
        _ => "sbi",
    };
    let issued =
        common.pki.authority(root)?.issue(("function", name), Purpose::Server, &hosts, common.ambient)?;
    let identity = tls::Identity::from_pem(&issued.cert_pem, &issued.key_pem)?;
    let clients = |root: &str, kind| -> Result<ClientRoot> {
        let pem = common.pki.authority(root)?.cert_pem().to_owned();
        Ok(ClientRoot::new(tls::certificates_from_pem(&pem)?, kind))
    };
    let config = match name {
        // Browsers are not asked for certificates (design section 3).
        "sim" | "console" => tls::server_config(identity, None, false)?,
        // Operators by their certificates, and the console for operators who have logged in there.
        "admin" => {
            let roots = [clients("admin", RootKind::Admin)?, clients("sbi", RootKind::Console)?];
            tls::server_config(identity, &roots, true)?
        }
        // Without a certificate nobody gets as far as a request.
        "sim_mtls" | "udm" => tls::server_config(identity, Some(&clients("sbi", RootKind::Sbi)?), true)?,
        // Functions follow the feed, whoever was onboarded or registered does the rest.
        "ccf" => {
            let mut roots = vec![clients("capif", RootKind::Capif)?, clients("sbi", RootKind::Sbi)?];
            roots.extend(partner_roots(common)?);
            tls::server_config(identity, &roots, false)?
        }
        // API invokers have certificates of the core function; its other parties have no route here.
        _ if exposed.iter().any(|server| server.function.as_str() == name) => {
            let mut roots = vec![clients("sbi", RootKind::Sbi)?, clients("capif", RootKind::Capif)?];
            roots.extend(aef::invokers_abroad(common)?);
            tls::server_config(identity, &roots, false)?
        }
        _ => tls::server_config(identity, Some(&clients("sbi", RootKind::Sbi)?), false)?,
    };
    debug_assert!(LISTENERS.iter().any(|listener| listener.name == name));
    Ok(edge::serve(listener, config, router, edge_limits(common), shutdown)?)
}

/// The names of this machine in server certificates.
fn own_hosts(common: &Common<'_>) -> Vec<String> {
    let section = &common.config.server;
    let mut hosts = vec![section.host.clone()];
    hosts.extend(section.also_known_as.iter().filter(|host| **host != section.host).cloned());
    hosts
}

fn edge_limits(common: &Common<'_>) -> EdgeLimits {
    EdgeLimits {
        connections: common.config.limits.connections,
        connections_per_source: common.config.limits.connections_per_source,
        drain: Duration::from_secs(common.config.server.drain_s),
        ..EdgeLimits::default()
    }
}

/// The SAn server over its own interface, whether it runs here or elsewhere.
fn anchor_source(
    common: &Common<'_>,
    urls: &BTreeMap<String, String>,
    elsewhere: Option<&str>,
    sim: &SimAt<'_>,
) -> Result<Option<Arc<dyn AnchorSource>>> {
    let Some(san) = at(urls, "san", elsewhere) else { return Ok(None) };
    let (https, ambient) = client_of(common, Function::Sm)?;
    let client = Function::Sm.as_str();
    Ok(Some(Arc::new(ExchangedAnchors::new(https, sim.issuer, san, client, ambient))))
}

/// A location management server, which may be another operator's.
fn location_source(common: &Common<'_>, lm: &str) -> Result<Arc<dyn LocationSource>> {
    let limits = sdk::HttpsLimits { connect: LM_PATIENCE, read: LM_PATIENCE, total: LM_PATIENCE };
    let identity = identity_of(common, Function::Sm)?;
    let https = sdk::HttpsClient::with_limits(&common.foreign_pem()?, Some(&identity), limits)?;
    Ok(Arc::new(sdk::LmClient::new(https, lm)?))
}

/// Longest wait for the location management server, while somebody waits for the map server. Own value.
const LM_PATIENCE: Duration = Duration::from_secs(2);

/// The certificate by which others know a function.
fn identity_of(common: &Common<'_>, function: Function) -> Result<sdk::Identity> {
    let authority = common.pki.authority("sbi")?;
    let issued = authority.issue(("function", function.as_str()), Purpose::Client, &[], common.ambient)?;
    Ok(sdk::Identity { cert_pem: issued.cert_pem, key_pem: issued.key_pem })
}

/// How a function asks others in the name of whoever asked it: with its own certificate.
fn client_of(common: &Common<'_>, function: Function) -> Result<(sdk::HttpsClient, sdk::Ambient)> {
    let identity = identity_of(common, function)?;
    let https = sdk::HttpsClient::new(&common.pki.bundle(), Some(&identity))?;
    let (clock, entropy) = (common.ambient.clock.clone(), common.ambient.entropy.clone());
    let ambient = sdk::Ambient::new(move || clock.now_s(), move |bytes: &mut [u8]| entropy.fill(bytes));
    Ok((https, ambient))
}

/// Audits the acts of operators that a crash cut off.
fn look_for_cut_off_acts(kit: FunctionKit) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            if let Err(error) = admin::find_cut_off(&kit).await {
                tracing::error!(%error, "acts that were cut off could not be looked for; it is tried again");
            }
            tokio::time::sleep(CUT_OFF_LOOK).await;
        }
    })
}

/// The console, for the functions of this process or of others.
async fn console(
    common: &Common<'_>,
    urls: &BTreeMap<String, String>,
    peers: &crate::config::PeersSection,
    sim: Option<&str>,
) -> Result<(Router, FunctionKit)> {
    let origin = urls.get("console").context("the console listener")?;
    let sim = sim.context(
        "the console needs a SIM-S for its operators: run sim here, or name peers.sim and peers.sim_mtls",
    )?;
    // The admin API of this process, unless another one is named.
    let admin = peers.admin.clone().or_else(|| urls.get("admin").cloned()).context("the admin listener")?;
    let kit = common.kit(Function::Console, origin, None, Vec::new()).await?;
    let console = Console::new(ConsoleParts {
        kit: kit.clone(),
        https: common.https(Function::Console)?,
        ambient: common.client_ambient(),
        issuer: sim.to_owned(),
        admin,
        san: at(urls, "san", peers.san.as_deref()),
        sm: at(urls, "sm", peers.sm.as_deref()),
    });
    Ok((console.router()?, kit))
}

/// Scheduled rotation and the forgetting of what has expired.
fn keep_up(sim: SimServer) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            if let Err(error) = sim.maintain().await {
                tracing::error!(%error, "upkeep of the SIM-S failed; it is tried again");
            }
        }
    })
}
