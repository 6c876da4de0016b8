//! The anchors of the anchor server, asked for in the reader's name: token exchange at the SIM-S (RFC 8693), then
//! `ssan-disc` with the token that came of it. The SM server adds no right of its own.

use std::collections::BTreeSet;

use api_types::geo::ServiceArea;
use api_types::ids::SpatialAnchorId;
use async_trait::async_trait;
use authorization::Reason;
use sdk::sim::ACCESS_TOKEN_TYPE;
use sdk::{
    Ambient, AnchorQuery, ClientAuth, Credential, Exchange, HttpsClient, SanClient, SdkError, SimClient,
};
use service_http::call::Call;
use service_http::refusal::Refusal;
use tokio::sync::OnceCell;

use super::anchor_source::AnchorSource;
use super::view::MAX_EMBEDDED;

/// Scope of the token that is asked for: discovery, and nothing else.
const SCOPE: &str = "3gpp:seal:san.discover";

/// World anchors of one question.
const NAMED: usize = 100;

/// Anchors of one page.
const PAGE: u32 = 1_000;

/// The anchor server at a url, behind the SIM-S of an issuer.
#[derive(Debug)]
pub struct ExchangedAnchors {
    https: HttpsClient,
    issuer: String,
    san: String,
    client_id: String,
    ambient: Ambient,
    sim: OnceCell<SimClient>,
}

impl ExchangedAnchors {
    /// `https` has the certificate of the SM server, by which it authenticates as `client_id` and to which the exchanged
    /// token is bound. `san` is the url of the anchor server, which is also the audience of that token.
    #[must_use]
    pub fn new(
        https: HttpsClient,
        issuer: impl Into<String>,
        san: impl Into<String>,
        client_id: impl Into<String>,
        ambient: Ambient,
    ) -> Self {
        Self {
            https,
            issuer: issuer.into(),
            san: san.into(),
            client_id: client_id.into(),
            ambient,
            sim: OnceCell::new(),
        }
    }

    /// The SIM-S, found when it is needed first: it may start after this server.
    async fn sim(&self) -> Result<&SimClient, SdkError> {
        let auth = ClientAuth::mutual_tls(self.client_id.as_str());
        self.sim
            .get_or_try_init(|| {
                SimClient::discover(self.https.clone(), &self.issuer, auth, self.ambient.clone())
            })
            .await
    }

    /// A token for the anchor server in the caller's name; `None` when the caller may not have one.
    async fn credential(&self, call: &Call) -> Result<Option<Credential>, SdkError> {
        let sim = self.sim().await?;
        let exchange = Exchange {
            subject_token: call.presented().clone(),
            subject_token_type: ACCESS_TOKEN_TYPE.to_owned(),
            resource: self.san.clone(),
            scope: SCOPE.to_owned(),
        };
        match sim.exchange(&exchange).await {
            Ok(token) => sim.credential(&token).map(Some),
            Err(error) if is_no(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn visible(&self, call: &Call, area: &ServiceArea) -> Result<Vec<SpatialAnchorId>, SdkError> {
        let Some(credential) = self.credential(call).await? else { return Ok(Vec::new()) };
        let san = SanClient::new(self.https.clone(), &self.san, credential)?;
        let query = AnchorQuery { area_int: Some(area.clone()), limit: Some(PAGE), ..AnchorQuery::default() };
        let mut ids = Vec::new();
        let mut page = match san.discover(&query).await {
            Ok(page) => page,
            Err(error) if error.status() == Some(403) => return Ok(ids),
            Err(error) => return Err(error),
        };
        loop {
            ids.extend(page.found.results.iter().filter_map(|found| found.anch_info.anchor_id));
            match page.next {
                Some(next) if ids.len() < MAX_EMBEDDED => page = san.page(next, None).await?,
                _ => return Ok(ids),
            }
        }
    }
}

impl ExchangedAnchors {
    async fn world_anchors(
        &self,
        call: &Call,
        uuids: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, SdkError> {
        let mut open = BTreeSet::new();
        let Some(credential) = self.credential(call).await? else { return Ok(open) };
        let san = SanClient::new(self.https.clone(), &self.san, credential)?;
        let all: Vec<&str> = uuids.iter().map(String::as_str).collect();
        for some in all.chunks(NAMED) {
            match san.world_anchors(some).await {
                Ok(found) => open.extend(found.into_iter().filter_map(|anchor| anchor.uuid)),
                Err(error) if error.status() == Some(403) => return Ok(BTreeSet::new()),
                Err(error) => return Err(error),
            }
        }
        Ok(open)
    }
}

/// The SIM-S answered, and the answer is no for this caller: not a fault of the SM server.
fn is_no(error: &SdkError) -> bool {
    let for_the_caller = ["access_denied", "invalid_grant", "invalid_scope", "invalid_target"];
    matches!(error, SdkError::OAuth { error, .. } if for_the_caller.contains(&error.as_str()))
}

#[async_trait]
impl AnchorSource for ExchangedAnchors {
    async fn world_anchors_for(
        &self,
        caller: &Call,
        uuids: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Refusal> {
        let answered = self.world_anchors(caller, uuids).await;
        answered.map_err(|error| {
            tracing::warn!(error = %error, "the anchor server cannot be asked");
            Refusal::open(Reason::DependencyDown)
        })
    }

    async fn anchors_for(&self, caller: &Call, area: &ServiceArea) -> Result<Vec<SpatialAnchorId>, Refusal> {
        match self.visible(caller, area).await {
            Ok(ids) => {
                caller.ctx.pass(
                    "anchors of the map",
                    "the anchor server answers for this reader",
                    "answered",
                );
                Ok(ids)
            }
            Err(error) => {
                tracing::warn!(error = %error, "the anchor server cannot be asked");
                Err(Refusal::open(Reason::DependencyDown))
            }
        }
    }
}
