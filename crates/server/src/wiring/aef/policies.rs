//! What our servers tell the core function of their anchors and maps (TR 33.721 6.3.2.1 step 4; decision 0075): the core
//! function behind the seam of `spatial_localization::shared::publication`, by the certificate of the API exposing function,
//! and the task that tells, tries again and compares.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use api_types::capif::resource_auth::{
    AuthPolicy, ResourceAuthBatch, ResourceAuthBatchItem, ResourceAuthEvent, ResourceAuthInfo,
    ResourceAuthPage, ResourceAuthSubscription, ResourceOwner,
};
use api_types::capif::{AefId, ResourceId};
use async_trait::async_trait;
use sdk::capif::ResourceQuery;
use sdk::{CapifClient, HttpsClient, SdkError};
use spatial_localization::shared::publication::{
    CoreFunction, NOTIFICATIONS, Publishing, ResourceAuthorizationSink, SinkError, resync, round,
};
use store::StoreError;
use tokio::task::JoinHandle;

use super::Aef;
use crate::wiring::CORE_NAME;
use crate::wiring::function::Common;

/// Longest sleep between two looks; other nodes may have marked something. Own value.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time between two questions whether the core function still knows what it was told. Own value.
const ASK_EVERY: Duration = Duration::from_secs(30);
/// Times as long as a turn took is rested before the next, while there is only something to catch up with. Own value.
const CATCHING_UP: u32 = 9;
/// First and longest pause after the core function did not answer. Own values.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// What serves the objects of a server, among its service APIs: the first of these that is published.
const SERVING: [&str; 4] = ["ssan-sanm", "ssm-smm", "ssan-disc", "ssm-disc"];

/// The core function as the server of `aef` tells it of its objects; `None`: no interface of it takes its tokens.
pub(in crate::wiring) fn core_function(aef: Option<&Aef>) -> Result<Option<CoreFunction>> {
    let Some(aef) = aef else { return Ok(None) };
    let serving = SERVING.iter().find_map(|name| aef.api_ids.get(*name));
    let Some(api_id) = serving.or_else(|| aef.api_ids.values().next()) else { return Ok(None) };
    Ok(Some(CoreFunction {
        issuer: aef.issuer.clone(),
        name: CORE_NAME.to_owned(),
        aef_id: aef.id.as_str().try_into()?,
        api_id: api_id.clone(),
    }))
}

/// The core function, by the certificate of an API exposing function.
pub(in crate::wiring) struct Sink {
    client: CapifClient,
    aef: AefId,
    /// Where it tells of policies that owners keep there.
    callback: String,
}

/// In the records of a server: its subscription at the core function.
const SUBSCRIPTION: &str = "resource-auth-subscription";

impl Sink {
    /// # Errors
    /// Certificates or url cannot be used.
    pub(in crate::wiring) fn new(common: &Common<'_>, aef: &Aef, origin: &str) -> Result<Self> {
        let https = HttpsClient::new(&common.foreign_pem()?, Some(&aef.identity))?;
        Ok(Self {
            client: CapifClient::new(https, &aef.issuer)?,
            aef: aef.id.as_str().try_into()?,
            callback: format!("{}{NOTIFICATIONS}", origin.trim_end_matches('/')),
        })
    }

    /// Subscribes, in place of the subscription of before; which one that is, is kept before it could be forgotten.
    async fn subscribe(&self, server: &Arc<dyn Publishing>) -> Result<()> {
        let store = server.store();
        let before =
            store.read(|tx| Box::pin(async move { store::meta::find(tx, SUBSCRIPTION).await })).await?;
        if let Some(before) = before {
            match self.client.unsubscribe_from_resources(&before).await {
                Ok(()) => {}
                Err(error) if matches!(error.status(), Some(403 | 404)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let wanted = ResourceAuthSubscription {
            subscription_id: None,
            events: vec![ResourceAuthEvent::Updated],
            notification_destination: self.callback.clone(),
        };
        let id = self.client.subscribe_to_resources(&wanted).await?.id;
        let kept: Result<(), StoreError> = store
            .write(move |tx| Box::pin(async move { store::meta::put(tx, SUBSCRIPTION, &id).await }))
            .await;
        Ok(kept?)
    }
}

/// Tells for as long as the process runs.
pub(in crate::wiring) fn keep_told(server: Arc<dyn Publishing>, sink: Sink) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut state = State { compared: false, pause: PAUSE, last: None };
        loop {
            if let Some(wait) = state.turn(&server, &sink).await {
                // A change, or time.
                let _ = tokio::time::timeout(wait, server.changed().notified()).await;
            }
        }
    })
}

/// How far the telling is.
struct State {
    /// Whether everything was compared since the core function last did not answer.
    compared: bool,
    pause: Duration,
    /// What was told last, to ask whether it is still known, and when that was asked last.
    last: Option<(ResourceId, tokio::time::Instant)>,
}

impl State {
    /// One turn; how long to wait for the next, unless it is due now.
    async fn turn(&mut self, server: &Arc<dyn Publishing>, sink: &Sink) -> Option<Duration> {
        let began = tokio::time::Instant::now();
        match self.tell(server, sink, began).await {
            Ok(next) => {
                self.pause = PAUSE;
                next
            }
            Err(error) => {
                tracing::warn!(%error, "the core function cannot be told of anchors or maps; it is tried again");
                // Whatever it knows by the time that it answers again.
                self.compared = false;
                let pause = self.pause;
                self.pause = pause.saturating_mul(2).min(PAUSE_MAX);
                tokio::time::sleep(pause).await;
                None
            }
        }
    }

    /// How long to wait for the next turn; `None`: not at all.
    async fn tell(
        &mut self,
        server: &Arc<dyn Publishing>,
        sink: &Sink,
        began: tokio::time::Instant,
    ) -> Result<Option<Duration>> {
        if let Some((resource, asked)) = &self.last
            && asked.elapsed() >= ASK_EVERY
        {
            // It may have been restored from a backup, or begun anew, while nothing was to be told.
            let is_known = sink.version(resource).await?.is_some();
            self.compared &= is_known;
            self.last = is_known.then(|| (resource.clone(), tokio::time::Instant::now()));
        }
        if !self.compared {
            // Before the comparison: what changes from here on is told.
            sink.subscribe(server).await?;
            let repaired = resync(server, sink).await?;
            tracing::info!(
                told_again = repaired.told_again,
                withdrawn = repaired.withdrawn,
                "anchors or maps were compared with what the core function knows"
            );
            self.compared = true;
        }
        let done = round(server, sink).await?;
        if let Some(last) = done.last {
            self.last = Some((last, tokio::time::Instant::now()));
        }
        Ok(match (done.more, done.urgent) {
            (false, _) => Some(LOOK_EVERY),
            (true, true) => None,
            // What nobody waits for takes a small part of the time, however much it is.
            (true, false) => Some(began.elapsed().saturating_mul(CATCHING_UP).min(LOOK_EVERY)),
        })
    }
}

#[async_trait]
impl ResourceAuthorizationSink for Sink {
    async fn put(
        &self,
        resources: Vec<ResourceAuthInfo>,
        cause: Option<&str>,
    ) -> Result<Vec<ResourceAuthBatchItem>, SinkError> {
        let batch = ResourceAuthBatch { resources };
        let client = cause.map_or_else(|| self.client.clone(), |trace| self.client.in_trace(trace));
        match client.put_resources(&self.aef, &batch).await.map_err(why) {
            Ok(done) => Ok(done.results),
            // One that it cannot read spoils the whole: each by itself then.
            Err(SinkError::Refused(_)) => {
                let mut results = Vec::with_capacity(batch.resources.len());
                for info in &batch.resources {
                    let status = match self.client.put_resource(info).await {
                        Ok(_) => 204,
                        Err(error) => match why(error) {
                            SinkError::Refused(status) => status.parse().unwrap_or(400),
                            unreachable @ SinkError::Unreachable => return Err(unreachable),
                        },
                    };
                    let resource_id = info.resource_id.clone();
                    results.push(ResourceAuthBatchItem { resource_id, status, cause: None });
                }
                Ok(results)
            }
            Err(unreachable) => Err(unreachable),
        }
    }

    async fn delete(&self, resource: &ResourceId) -> Result<(), SinkError> {
        match self.client.delete_resource(&self.aef, resource).await.map_err(why) {
            // What it cannot have, it has not.
            Ok(()) | Err(SinkError::Refused(_)) => Ok(()),
            unreachable => unreachable,
        }
    }

    async fn page(&self, cursor: Option<String>) -> Result<ResourceAuthPage, SinkError> {
        let query = ResourceQuery { cursor, ..ResourceQuery::default() };
        self.client.resources(&self.aef, &query).await.map_err(why)
    }

    async fn kept_by_owner(&self, resource: &ResourceAuthInfo) -> Result<(u64, Vec<AuthPolicy>), SinkError> {
        let ResourceOwner::ApiInvokerId(owner) = &resource.owner else { return Ok((0, Vec::new())) };
        let kept = self.client.owner_policies(owner, (&self.aef, &resource.resource_id)).await;
        match kept.map_err(why) {
            Ok(kept) => Ok((kept.policy_version.unwrap_or_default(), kept.auth_policies)),
            // Gone meanwhile.
            Err(SinkError::Refused(_)) => Ok((0, Vec::new())),
            Err(unreachable) => Err(unreachable),
        }
    }

    async fn version(&self, resource: &ResourceId) -> Result<Option<u64>, SinkError> {
        match self.client.resource_told(&self.aef, resource).await {
            Ok(info) => Ok(Some(info.policy_version)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(why(error)),
        }
    }
}

/// What a refusal means: what is wrong with the request stays wrong; everything else passes, also that our registration
/// is not known, for a restored core function knows it again.
fn why(error: SdkError) -> SinkError {
    match error.status() {
        Some(status @ (400 | 404 | 409 | 413 | 422)) => SinkError::Refused(status.to_string()),
        status => {
            tracing::warn!(?status, %error, "the core function cannot be told now");
            SinkError::Unreachable
        }
    }
}
