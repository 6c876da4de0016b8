//! The hosts at which a client may be called back, as the SIM-S keeps them (`callbackHosts`): asked for over the SIM-S's
//! own interface, by TLS with the certificate of the function, wherever the SIM-S runs.
//!
//! A copy is relied on for one second, counted from sending the question: the SIM-S answers a change that takes a host
//! away when that second is over, so that a write has taken effect when it is answered.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api_types::callback::CallbackHosts;
use api_types::problem::InvalidParam;
use api_types::strict_json;
use async_trait::async_trait;
use authorization::Reason;
use http::StatusCode;

use crate::ambient::Ambient;
use crate::call::Ctx;
use crate::egress::Target;
use crate::refusal::Refusal;

/// How long a copy is relied on: as long as a lease of the revocation feed.
pub const COPY: Duration = authorization::revocation::LEASE;

/// Time for a question. Own value.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most bytes of an answer. Own value: every host as long as hosts can be.
const ANSWER_MAX: usize = 64 * 1024;

/// Deepest JSON of an answer. Own value.
const DEPTH: usize = 4;

/// Copies that are kept at once. Own value.
const COPIES: usize = 4_096;

/// What stands before the name of an API invoker, where hosts are asked for: no client of the SIM-S has a slash in its name.
const INVOKER: &str = "capif/";

/// How the hosts of an API invoker are asked for, which is a client of the core function `issuer` and none of the SIM-S.
#[must_use]
pub fn of_invoker(issuer: &str, invoker: &str) -> String {
    format!("{INVOKER}{issuer}#{invoker}")
}

/// Core function and API invoker that are asked for; `None`: a client of the SIM-S.
#[must_use]
pub fn invoker_of(client: &str) -> Option<(&str, &str)> {
    client.strip_prefix(INVOKER)?.rsplit_once('#')
}

/// Who is asked does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hosts of a client cannot be had")]
pub struct Unavailable;

/// Who knows the hosts of clients.
#[async_trait]
pub trait HostSource: Send + Sync + 'static {
    /// The hosts that a client has registered; `None`: there is no such client. A copy will do, as long as it may be
    /// relied on.
    async fn of_client(&self, client: &str) -> Result<Option<Vec<String>>, Unavailable>;

    /// As [`HostSource::of_client`], asked anew.
    async fn anew(&self, client: &str) -> Result<Option<Vec<String>>, Unavailable> {
        self.of_client(client).await
    }
}

/// The hosts of a client, asked anew where a copy does not let `uri` pass: a host that was just registered counts at
/// once. `None`: there is no such client.
///
/// # Errors
/// [`Unavailable`].
pub async fn hosts_for(
    source: &dyn HostSource,
    client: &str,
    uri: &str,
) -> Result<Option<Vec<String>>, Unavailable> {
    match source.of_client(client).await? {
        Some(hosts) if Target::parse(uri, &hosts).is_ok() => Ok(Some(hosts)),
        _ => source.anew(client).await,
    }
}

/// Decides whether a client may be called back at an address that a request of the client names in `param`.
///
/// # Errors
/// `ADDRESS_REFUSED`; `DEPENDENCY_DOWN` when the SIM-S does not answer.
pub async fn check(
    source: &dyn HostSource,
    ctx: &Ctx,
    client: &str,
    uri: &str,
    param: &str,
) -> Result<(), Refusal> {
    const EXPECTED: &str = "https, host registered for this client";
    let hosts = hosts_for(source, client, uri).await.map_err(|unavailable| {
        ctx.fail("callback address", EXPECTED, unavailable.to_string());
        // No object is at hand that this could tell of.
        Refusal::open(Reason::DependencyDown)
    })?;
    if Target::parse(uri, &hosts.unwrap_or_default()).is_err() {
        ctx.fail("callback address", EXPECTED, "not so");
        let fault = InvalidParam::new(param, "is not an https address of a registered host");
        return Err(Refusal::open(Reason::AddressRefused).with_invalid(vec![fault]));
    }
    ctx.pass("callback address", EXPECTED, "held");
    Ok(())
}

/// Whether a text can be registered: it is a host exactly when a url of it is a target.
pub fn is_host(host: &str) -> bool {
    let url = match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("https://[{address}]/"),
        Err(_) => format!("https://{host}/"),
    };
    Target::parse(&url, &[host]).is_ok()
}

/// The SIM-S over its listener for mutual TLS.
pub struct HttpHosts {
    client: reqwest::Client,
    base: String,
    ambient: Ambient,
    copies: Mutex<HashMap<String, Copy>>,
}

#[derive(Clone)]
struct Copy {
    hosts: Option<Arc<[String]>>,
    until: Duration,
}

impl HttpHosts {
    /// The SIM-S at `base`, the origin of its listener for mutual TLS; `client` as of [`crate::feed::client`].
    pub fn new(client: reqwest::Client, base: &str, ambient: Ambient) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { client, base, ambient, copies: Mutex::default() }
    }

    fn copy(&self, client: &str, now: Duration) -> Option<Copy> {
        let copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        copies.get(client).filter(|copy| now < copy.until).cloned()
    }

    fn keep(&self, client: &str, hosts: Option<&[String]>, sent: Duration) {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        if copies.len() >= COPIES {
            copies.retain(|_, copy| sent < copy.until);
        }
        if copies.len() < COPIES {
            let copy = Copy { hosts: hosts.map(Arc::from), until: sent.saturating_add(COPY) };
            copies.insert(client.to_owned(), copy);
        }
    }

    async fn ask(&self, client: &str) -> Option<Option<Vec<String>>> {
        let mut url = url::Url::parse(&self.base).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend(["clients", client, "callback-hosts"]);
        let mut answer = self.client.get(url).send().await.ok()?;
        match answer.status() {
            StatusCode::NOT_FOUND => return Some(None),
            StatusCode::OK => {}
            _ => return None,
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            if bytes.len() + chunk.len() > ANSWER_MAX {
                return None;
            }
            bytes.extend_from_slice(&chunk);
        }
        let told: CallbackHosts = strict_json::from_slice(&bytes, DEPTH).ok()?;
        (told.client_id.as_str() == client).then_some(Some(told.callback_hosts))
    }
}

#[async_trait]
impl HostSource for HttpHosts {
    async fn of_client(&self, client: &str) -> Result<Option<Vec<String>>, Unavailable> {
        match self.copy(client, self.ambient.monotonic()) {
            Some(copy) => Ok(copy.hosts.map(|hosts| hosts.to_vec())),
            None => self.anew(client).await,
        }
    }

    async fn anew(&self, client: &str) -> Result<Option<Vec<String>>, Unavailable> {
        let sent = self.ambient.monotonic();
        let asked = tokio::time::timeout(PATIENCE, self.ask(client)).await;
        let hosts = asked.ok().flatten().ok_or(Unavailable)?;
        self.keep(client, hosts.as_deref(), sent);
        Ok(hosts)
    }
}

impl fmt::Debug for HttpHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpHosts").field("base", &self.base).finish_non_exhaustive()
    }
}

/// Takes any bytes as an answer, or as a host to be registered; never panics.
pub fn fuzz_callback_hosts(bytes: &[u8]) {
    let _ = strict_json::from_slice::<CallbackHosts>(bytes, DEPTH);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = is_host(text);
    }
}
