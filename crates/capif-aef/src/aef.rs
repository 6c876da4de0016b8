//! The API exposing function itself.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use api_types::capif::security::{RevocationCause, SecurityNotification};
use api_types::capif::{AefId, ApiInvokerId, ServiceApiId};
use async_trait::async_trait;
use authorization::capif::access_control::{Limits, OverLimit};
use authorization::token::LEEWAY_S;
use authorization::{AccessClaims, Reason};
use service_http::ambient::Ambient;
use service_http::exposure::{Exposure, Invocation};
use service_http::verifier::{Following, IssuerState, Verifier};
use store::StoreError;
use store::aef::WithdrawnRow;
use tokio::sync::Notify;

use crate::context::InvokerContext;
use crate::control::{Control, Copy, Said};
use crate::core_function::{CoreFunction, NotTaken, Unavailable};
use crate::logs::{self, Buffer};
use crate::records::Records;

/// How long a policy is relied on that the core function did not say to be another. Own value: of a core function that
/// says nothing of changes, this is how late one counts.
pub(crate) const COPY_AGE: Duration = Duration::from_secs(60);

/// How long what has ended may be in memory only. Own value.
const KEEP_EVERY: Duration = Duration::from_millis(200);

/// Logs that are sent in one go, and how long they are ours. Own values.
const SEND: u32 = 16;
const SEND_MS: i64 = 30_000;

/// First and longest wait before a log is sent again, in milliseconds. Own values.
const AGAIN_MS: i64 = 500;
const AGAIN_MAX_MS: i64 = 60_000;

/// Tokens live no longer than this, in seconds: what was withdrawn is remembered so long. Own value; ours live 300 s.
const TOKEN_MAX_S: i64 = 24 * 3_600;

/// How often memory is asked again after something was learnt. Own value.
const ROUNDS: usize = 8;

/// A service API as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceApi {
    /// Its identifier at the core function.
    pub id: ServiceApiId,
    /// Its version, which is the second segment of its paths.
    pub version: String,
}

/// What happens when the total of an API invoker is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverLimitUsage {
    /// Its invocations are refused until the policy is another.
    #[default]
    Refuse,
    /// And the core function is told to withdraw the service API from it (`OVERLIMIT_USAGE`).
    Withdraw,
}

/// What [`Aef::new`] is given.
pub struct AefConfig {
    /// Its identifier at the core function.
    pub id: AefId,
    /// The service APIs that it exposes, by name.
    pub apis: BTreeMap<String, ServiceApi>,
    /// The core function.
    pub core: Arc<dyn CoreFunction>,
    /// The name in the certificate with which the core function comes (`urn:metaseal:ccf:<name>`); `None`: any that the
    /// root vouches for.
    pub core_name: Option<String>,
    /// The core function as issuer of tokens.
    pub issuer: Arc<IssuerState>,
    /// The verifier of its tokens, where requests are not verified by a guard.
    pub verifier: Option<Arc<Verifier>>,
    /// Where is kept what has to survive.
    pub records: Arc<dyn Records>,
    /// Clock and randomness.
    pub ambient: Ambient,
    /// What happens when a total is used up.
    pub over_limit: OverLimitUsage,
}

/// An API exposing function. Cheap to clone; its tasks end with the last clone.
#[derive(Clone)]
pub struct Aef(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: AefConfig,
    control: Control,
    buffer: Buffer,
    waker: Arc<Notify>,
    /// Withdrawn: API invoker to service APIs, with the last second of issue that is good no more.
    withdrawn: Mutex<HashMap<String, HashMap<String, i64>>>,
    /// Whatever has to live as long.
    pub(crate) follower: Mutex<Option<service_http::feed::Follower>>,
}

impl Aef {
    /// Takes up what is on record and begins to report. Needs a runtime.
    ///
    /// # Errors
    /// The records cannot be read.
    pub async fn new(config: AefConfig) -> Result<Self, StoreError> {
        let rows = config.records.withdrawn(config.ambient.now_s()).await?;
        let inner = Arc::new(Inner {
            config,
            control: Control::default(),
            buffer: Buffer::default(),
            waker: Arc::default(),
            withdrawn: Mutex::default(),
            follower: Mutex::default(),
        });
        inner.remember(&rows);
        tokio::spawn(report(Arc::downgrade(&inner)));
        Ok(Self(inner))
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> &AefId {
        &self.0.config.id
    }

    /// What the core function says of an API invoker; `None`: it has no security context with this function.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn invoker(&self, invoker: &ApiInvokerId) -> Result<Option<InvokerContext>, Unavailable> {
        let context = self.0.config.core.context(invoker).await?;
        Ok(context.as_ref().map(InvokerContext::of))
    }
}

impl Inner {
    fn api(&self, name: &str) -> Option<&ServiceApi> {
        self.config.apis.get(name)
    }

    fn remember(&self, rows: &[WithdrawnRow]) {
        let mut withdrawn = self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let apis = withdrawn.entry(row.invoker_id.clone()).or_default();
            let until = apis.entry(row.api_name.clone()).or_insert(row.until_s);
            *until = row.until_s.max(*until);
        }
    }

    /// Whether a token was withdrawn by a core function that has no feed: where there is one, it says so more exactly.
    fn is_withdrawn(&self, claims: &AccessClaims, api: &str) -> bool {
        if self.config.issuer.following() != Following::ExpOnly
            || claims.iss != self.config.issuer.row().issuer
        {
            return false;
        }
        let withdrawn = self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner);
        let until = withdrawn.get(&claims.sub).and_then(|apis| apis.get(api));
        until.is_some_and(|until| claims.iat.0 <= *until)
    }

    /// What memory says; `None`: the API is none that is published, or the token of another core function: no policy is of it.
    fn said(&self, claims: &AccessClaims, name: &str) -> Option<Said> {
        if self.is_withdrawn(claims, name) {
            return Some(Said::Decided(Err(refused(Reason::RevokedToken))));
        }
        let api = self.api(name).filter(|_| claims.iss == self.config.issuer.row().issuer)?;
        let epoch = self.config.issuer.policy_epoch(api.id.as_str());
        let (wall_s, now) = (self.config.ambient.now_s(), self.config.ambient.monotonic());
        Some(self.control.admit((&claims.sub, name), epoch, wall_s, now))
    }

    async fn learn(&self, invoker: &ApiInvokerId, name: &str, api: &ServiceApi) -> Result<(), OverLimit> {
        let at = (invoker.as_str(), name);
        // Before it is asked: whatever is said of a change meanwhile makes the answer an old one.
        let epoch = self.config.issuer.policy_epoch(api.id.as_str());
        let until = self.config.ambient.monotonic().saturating_add(COPY_AGE);
        let policy = self.config.core.policy(&self.config.id, &api.id, invoker).await;
        let policy = policy.map_err(|_| refused(Reason::DependencyDown))?;
        let made = match self.control.knows(at) {
            true => 0,
            false => self.config.records.made(at.0, at.1).await.map_err(failed)?,
        };
        let limits = policy.as_ref().map(Limits::from).unwrap_or_default();
        self.control.learn(at, limits, Copy { epoch, until }, made);
        Ok(())
    }

    /// A decision, and what follows when a total is used up.
    fn decided(
        &self,
        claims: &AccessClaims,
        name: &str,
        decided: Result<(), OverLimit>,
    ) -> Result<(), OverLimit> {
        if let Err(over) = &decided
            && self.config.over_limit == OverLimitUsage::Withdraw
            && self.control.tell((&claims.sub, name), over)
            && let (Some(api), Ok(invoker)) = (self.api(name), ApiInvokerId::try_from(claims.sub.as_str()))
        {
            let (core, apis) = (Arc::clone(&self.config.core), vec![api.id.clone()]);
            tokio::spawn(async move {
                let done = core.withdraw(&invoker, &apis, RevocationCause::OverlimitUsage).await;
                if let Err(error) = done {
                    tracing::warn!(%error, "what was used up could not be withdrawn; it stays refused here");
                }
            });
        }
        decided
    }

    /// Writes what has ended, and what is to be counted. `all`: nothing comes after it.
    async fn keep(&self, all: bool) {
        let ambient = &self.config.ambient;
        let (invocations, counts) = (self.buffer.take(), self.control.take_loose(all, ambient.monotonic()));
        if invocations.is_empty() && counts.is_empty() {
            return;
        }
        let written = |log| serde_json::to_string(&log).ok().map(|body| (ambient.record_id(), body));
        let logs = logs::logs_of(&self.config.id, &self.config.apis, &invocations);
        let logs: Vec<_> = logs.into_iter().filter_map(written).collect();
        match self.config.records.keep(counts.clone(), logs, ambient.now_ms()).await {
            Ok(0) => {}
            Ok(lost) => lose("the core function has not taken logs for long", lost),
            Err(error) => {
                tracing::error!(%error, "invocations cannot be recorded; it is tried again");
                self.control.put_back(counts);
                self.buffer.put_back(invocations);
            }
        }
    }

    /// Sends logs that are due. Whether there may be more.
    async fn send(&self) -> Result<bool, StoreError> {
        let (records, now_ms) = (&self.config.records, self.config.ambient.now_ms());
        let due = records.due(now_ms, now_ms.saturating_add(SEND_MS), SEND).await?;
        let mut taken = 0;
        for log in &due {
            let sent = match serde_json::from_str(&log.body) {
                Ok(body) => self.config.core.report(&body).await,
                Err(_) => Err(NotTaken::Ever(0)),
            };
            match sent {
                Ok(()) => {
                    taken += 1;
                    records.settle(&log.id, None).await?;
                }
                Err(NotTaken::Ever(status)) => {
                    tracing::error!(status, "the core function refuses a log of invocations");
                    lose("refused", 1);
                    records.settle(&log.id, None).await?;
                }
                Err(NotTaken::Now) => {
                    let wait = AGAIN_MS.saturating_mul(1 << log.attempts.min(16)).min(AGAIN_MAX_MS);
                    let again_ms = self.config.ambient.now_ms().saturating_add(wait);
                    records.settle(&log.id, Some(again_ms)).await?;
                }
            }
        }
        Ok(taken > 0 && due.len() == usize::try_from(SEND).unwrap_or(usize::MAX))
    }
}

fn lose(why: &'static str, how_many: usize) {
    let count = u64::try_from(how_many).unwrap_or(u64::MAX);
    metrics::counter!("metaseal_invocation_logs_lost_total").increment(count);
    tracing::error!(why, count, "logs of invocations are lost");
}

fn refused(reason: Reason) -> OverLimit {
    OverLimit { reason, retry_after_s: None }
}

fn failed(error: StoreError) -> OverLimit {
    tracing::error!(%error, "invocations cannot be counted");
    refused(Reason::StoreFailed)
}

/// Keeps and sends as long as there is anybody to do it for.
async fn report(inner: Weak<Inner>) {
    loop {
        let Some(aef) = inner.upgrade() else { return };
        aef.keep(false).await;
        let more = aef.send().await.unwrap_or_else(|error| {
            tracing::error!(%error, "logs of invocations cannot be read");
            false
        });
        let waker = Arc::clone(&aef.waker);
        drop(aef);
        if more {
            continue;
        }
        tokio::select! {
            () = waker.notified() => {}
            () = tokio::time::sleep(KEEP_EVERY) => {}
        }
    }
}

#[async_trait]
impl Exposure for Aef {
    fn admit(&self, claims: &AccessClaims, api: &str) -> Option<Result<(), OverLimit>> {
        match self.0.said(claims, api) {
            None => Some(Ok(())),
            Some(Said::Decided(decided)) => Some(self.0.decided(claims, api, decided)),
            Some(Said::NoPolicy) => None,
            Some(Said::NoBlock { more, .. }) => {
                self.0.control.put_back(vec![(claims.sub.clone(), api.to_owned(), more)]);
                None
            }
        }
    }

    async fn admit_asked(&self, claims: &AccessClaims, name: &str) -> Result<(), OverLimit> {
        let Ok(invoker) = ApiInvokerId::try_from(claims.sub.as_str()) else {
            return Err(refused(Reason::SubjectWrong));
        };
        let _turn = self.0.control.turn(invoker.as_str()).await;
        for _ in 0..ROUNDS {
            let (Some(said), Some(api)) = (self.0.said(claims, name), self.0.api(name)) else {
                return Ok(());
            };
            match said {
                Said::Decided(decided) => return self.0.decided(claims, name, decided),
                Said::NoPolicy => self.0.learn(&invoker, name, api).await?,
                Said::NoBlock { more, limit } => {
                    match self.0.config.records.reserve(invoker.as_str(), name, more, limit).await {
                        Ok(block) => self.0.control.reserved((invoker.as_str(), name), block),
                        Err(error) => {
                            self.0.control.put_back(vec![(claims.sub.clone(), name.to_owned(), more)]);
                            return Err(failed(error));
                        }
                    }
                }
            }
        }
        // Others are faster each time; or the policy changes all the time.
        Err(OverLimit { reason: Reason::Overloaded, retry_after_s: Some(1) })
    }

    fn ended(&self, invocation: Invocation) {
        if invocation.issuer != self.0.config.issuer.row().issuer {
            return;
        }
        match self.0.buffer.push(invocation) {
            None => lose("the records take none", 1),
            Some(waiting) if waiting == logs::ENOUGH => self.0.waker.notify_one(),
            Some(_) => {}
        }
    }

    async fn check_authentication(&self, invoker: &str) -> Result<(), Reason> {
        let id = ApiInvokerId::try_from(invoker).map_err(|_| Reason::NotFound)?;
        let known = self.invoker(&id).await.map_err(|_| Reason::DependencyDown)?;
        self.0.control.distrust(invoker);
        match known {
            None => Err(Reason::NotFound),
            Some(known) if !known.negotiated => Err(Reason::MethodNotNegotiated),
            Some(_) => Ok(()),
        }
    }

    async fn revoked(&self, by: &str, notification: &SecurityNotification) -> Result<(), Reason> {
        let config = &self.0.config;
        if config.core_name.as_ref().is_some_and(|name| name != by) {
            return Err(Reason::PeerRefused);
        }
        if notification.aef_id.as_ref().is_some_and(|named| *named != config.id) {
            return Err(Reason::NotOwner);
        }
        let named = config.apis.iter().filter(|(_, api)| notification.api_ids.contains(&api.id));
        let now_s = config.ambient.now_s();
        let row = |(name, _): (&String, &ServiceApi)| WithdrawnRow {
            invoker_id: notification.api_invoker_id.as_str().to_owned(),
            api_name: name.clone(),
            until_s: now_s,
            forget_s: now_s.saturating_add(TOKEN_MAX_S).saturating_add(LEEWAY_S),
        };
        let rows: Vec<_> = named.map(row).collect();
        if rows.is_empty() {
            return Err(Reason::NotFound);
        }
        if config.issuer.following() == Following::ExpOnly {
            config.records.withdraw(rows.clone()).await.map_err(|error| failed(error).reason)?;
            self.0.remember(&rows);
        }
        self.0.control.distrust(notification.api_invoker_id.as_str());
        Ok(())
    }

    async fn flush(&self) {
        self.0.keep(true).await;
        if let Err(error) = self.0.send().await {
            tracing::error!(%error, "logs of invocations cannot be read");
        }
    }
}

impl std::fmt::Debug for Aef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aef").field("id", self.id()).finish_non_exhaustive()
    }
}
