//! SAn-C: the client side of the spatial anchors server (TS 29.437 `ssan-sanm`, `ssan-disc`).

use api_types::faces::arf005::WorldAnchor;
use api_types::geo::ServiceArea;
use api_types::ids::{AnchorsListId, SpatialAnchorId};
use api_types::san::{
    SpatialAnchorGroup, SpatialAnchorUsageReportReq, SpatialAnchorsDiscResp, SpatialAnchorsList,
    SpatialAnchorsSub, SpatialAnchorsUsageInfo, SpatialAnchorsUsageInfoSub,
};
use serde::Serialize;
use url::Url;

use crate::authorized::{Authorized, Credential};
use crate::error::SdkError;
use crate::https::HttpsClient;
use crate::link;
use crate::request::{Answer, Created, Request, Versioned, at, https_url};
use crate::resources::Resources;

/// Most pages that [`SanClient::discover_all`] reads. Own value.
pub const MAX_PAGES: usize = 1_000;

/// What anchors are looked for; all filters must hold.
#[derive(Debug, Clone, Default)]
pub struct AnchorQuery {
    /// Anchors.
    pub anchor_ids: Vec<SpatialAnchorId>,
    /// Area.
    pub area_int: Option<ServiceArea>,
    /// VAL service.
    pub svc_id: Option<String>,
    /// Application specific information, base64.
    pub anch_inf: Option<String>,
    /// Whether our own members are wanted (`supp-feats=1`).
    pub own_members: bool,
    /// Items of a page.
    pub limit: Option<u32>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// The user for whom discovery is made, `Ue-Id`.
    pub ue_id: Option<String>,
}

/// A page of discovered anchors.
#[derive(Debug, Clone)]
pub struct AnchorPage {
    /// The answer.
    pub found: SpatialAnchorsDiscResp,
    /// The next page.
    pub next: Option<Url>,
    /// Trace of the decision.
    pub trace: Option<String>,
}

/// A client of one spatial anchors server with one credential.
#[derive(Debug, Clone)]
pub struct SanClient {
    base: Url,
    https: HttpsClient,
    wire: Authorized,
}

impl SanClient {
    /// A client of the server at `base`.
    ///
    /// # Errors
    /// The address is not https.
    pub fn new(https: HttpsClient, base: &str, credential: Credential) -> Result<Self, SdkError> {
        Ok(Self { base: https_url(base)?, wire: Authorized::new(https.clone(), credential), https })
    }

    /// The same client with another credential.
    #[must_use]
    pub fn with(&self, credential: Credential) -> Self {
        let wire = Authorized::new(self.https.clone(), credential);
        Self { base: self.base.clone(), https: self.https.clone(), wire }
    }

    /// Sends a request of the caller with the credential of the client.
    ///
    /// # Errors
    /// No answer.
    pub async fn send(&self, request: Request) -> Result<Answer, SdkError> {
        self.wire.send(request).await
    }

    fn lists(&self, id: Option<&AnchorsListId>) -> Result<Url, SdkError> {
        let mut segments = vec!["ssan-sanm", "v1", "anchors-lists"];
        segments.extend(id.map(AnchorsListId::as_str));
        at(&self.base, &segments)
    }

    /// Creates a list (`SS_SAnManagement_Create`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn create_list(
        &self,
        list: &SpatialAnchorsList,
    ) -> Result<Created<AnchorsListId, SpatialAnchorsList>, SdkError> {
        let answer = self.wire.send(Request::post(self.lists(None)?).json(list)).await?.expect(&[201])?;
        let id = answer.created_id()?.try_into().map_err(|_| SdkError::Malformed("Location"))?;
        let Versioned { value, etag, trace } = answer.versioned()?;
        Ok(Created { id, value, etag, trace })
    }

    /// Reads a list, as far as the caller may (`SS_SAnManagement_Get`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn list(
        &self,
        id: &AnchorsListId,
        own_members: bool,
    ) -> Result<Versioned<SpatialAnchorsList>, SdkError> {
        let mut url = self.lists(Some(id))?;
        if own_members {
            url.query_pairs_mut().append_pair("supp-feats", "1");
        }
        self.wire.send(Request::get(url)).await?.expect(&[200])?.versioned()
    }

    /// Replaces a list (`SS_SAnManagement_Update`); `None` where the server answers 204.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn replace_list(
        &self,
        id: &AnchorsListId,
        list: &SpatialAnchorsList,
        if_match: Option<&str>,
    ) -> Result<Option<Versioned<SpatialAnchorsList>>, SdkError> {
        let request = Request::put(self.lists(Some(id))?).json(list).opt_header("if-match", if_match);
        changed(&self.wire.send(request).await?.expect(&[200, 204])?)
    }

    /// Changes a list by a merge patch (RFC 7396): a `SpatialAnchorsListPatch` or any JSON.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn patch_list(
        &self,
        id: &AnchorsListId,
        patch: &impl Serialize,
        if_match: Option<&str>,
    ) -> Result<Option<Versioned<SpatialAnchorsList>>, SdkError> {
        let request = Request::patch(self.lists(Some(id))?)
            .json_as("application/merge-patch+json", patch)
            .opt_header("if-match", if_match);
        changed(&self.wire.send(request).await?.expect(&[200, 204])?)
    }

    /// Deletes a list (`SS_SAnManagement_Delete`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn delete_list(&self, id: &AnchorsListId, if_match: Option<&str>) -> Result<(), SdkError> {
        let request = Request::delete(self.lists(Some(id))?).opt_header("if-match", if_match);
        self.wire.send(request).await?.expect(&[204]).map(|_| ())
    }

    /// Groups of anchors of one's own (own interface `ssan-grpm`); a body sets `suppFeat` to 1.
    #[must_use]
    pub fn groups(&self) -> Resources<'_, SpatialAnchorGroup> {
        Resources::new(&self.wire, &self.base, &["ssan-grpm", "v1", "groups"]).own()
    }

    /// Subscriptions to anchors (`SS_SAnManagement_Subscribe` and the like).
    #[must_use]
    pub fn subscriptions(&self) -> Resources<'_, SpatialAnchorsSub> {
        Resources::new(&self.wire, &self.base, &["ssan-sanm", "v1", "subscriptions"])
    }

    /// Subscriptions to the usage of anchors (`SS_SAnUsageInfo_Subscribe` and the like).
    #[must_use]
    pub fn usage_subscriptions(&self) -> Resources<'_, SpatialAnchorsUsageInfoSub> {
        Resources::new(&self.wire, &self.base, &["ssan-usg", "v1", "subscriptions"])
    }

    /// Asks once how anchors of one's own are used (`SS_SAnUsageInfo_Request`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn usage(
        &self,
        question: &SpatialAnchorsUsageInfoSub,
    ) -> Result<SpatialAnchorsUsageInfo, SdkError> {
        let url = at(&self.base, &["ssan-usg", "v1", "subscriptions"])?;
        self.wire.send(Request::post(url).json(question)).await?.expect(&[200])?.json()
    }

    /// Reports accesses to anchors (`SS_SAnUsageReport_Request`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn report_usage(&self, report: &SpatialAnchorUsageReportReq) -> Result<(), SdkError> {
        let url = at(&self.base, &["ssan-usg", "v1", "report"])?;
        self.wire.send(Request::post(url).json(report)).await?.expect(&[204]).map(|_| ())
    }

    /// Those of up to 100 world anchors (ETSI GS ARF 005) that may be discovered.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn world_anchors(&self, uuids: &[&str]) -> Result<Vec<WorldAnchor>, SdkError> {
        let mut url = at(&self.base, &["arf005", "v1", "worldAnchors"])?;
        let limit = uuids.len().max(1).to_string();
        onto(&mut url, &[("UUID", Some(uuids.join(","))), ("limit", Some(limit))]);
        self.wire.send(Request::get(url)).await?.expect(&[200])?.json()
    }

    /// Discovers anchors, one page (`SS_SAnDiscovery_Request`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn discover(&self, query: &AnchorQuery) -> Result<AnchorPage, SdkError> {
        let mut url = at(&self.base, &["ssan-disc", "v1", "spatial-anchors"])?;
        query.onto(&mut url)?;
        self.page(url, query.ue_id.as_deref()).await
    }

    /// Reads another page of a discovery.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn page(&self, url: Url, ue_id: Option<&str>) -> Result<AnchorPage, SdkError> {
        if url.origin() != self.base.origin() {
            return Err(SdkError::Unusable("page of another server"));
        }
        let request = Request::get(url.clone()).opt_header("ue-id", ue_id);
        let answer = self.wire.send(request).await?.expect(&[200])?;
        let next = answer.header("link").and_then(|header| link::target(header, "next", &url));
        Ok(AnchorPage { found: answer.json()?, next, trace: answer.trace() })
    }

    /// Discovers anchors, all pages.
    ///
    /// # Errors
    /// The refusal of the server, no answer, or more than [`MAX_PAGES`] pages.
    pub async fn discover_all(&self, query: &AnchorQuery) -> Result<SpatialAnchorsDiscResp, SdkError> {
        let AnchorPage { mut found, mut next, .. } = self.discover(query).await?;
        for _ in 1..MAX_PAGES {
            let Some(url) = next else { return Ok(found) };
            let page = self.page(url, query.ue_id.as_deref()).await?;
            found.results.extend(page.found.results);
            next = page.next;
        }
        if next.is_none() { Ok(found) } else { Err(SdkError::TooLarge) }
    }
}

/// The new representation, where one came along.
pub(crate) fn changed<T: serde::de::DeserializeOwned>(
    answer: &Answer,
) -> Result<Option<Versioned<T>>, SdkError> {
    if answer.status == 204 { Ok(None) } else { answer.versioned().map(Some) }
}

impl AnchorQuery {
    fn onto(&self, url: &mut Url) -> Result<(), SdkError> {
        let area = self.area_int.as_ref().map(serde_json::to_string).transpose();
        let area = area.map_err(|_| SdkError::Unusable("area"))?;
        let text = |text: &String| serde_json::Value::from(text.as_str()).to_string();
        let ids: Vec<_> = self.anchor_ids.iter().map(ToString::to_string).collect();
        let pairs = [
            ("anchor-ids", (!ids.is_empty()).then(|| ids.join(","))),
            ("area-int", area),
            ("svc-id", self.svc_id.clone()),
            ("anch-inf", self.anch_inf.as_ref().map(text)),
            ("supp-feats", self.own_members.then(|| "1".to_owned())),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("cursor", self.cursor.clone()),
        ];
        onto(url, &pairs);
        Ok(())
    }
}

/// Adds the parameters that are there.
pub(crate) fn onto(url: &mut Url, pairs: &[(&str, Option<String>)]) {
    for (name, value) in pairs {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use api_types::geo::{GeographicArea, GeographicalCoordinates};
    use api_types::query::Query;

    use super::*;

    #[test]
    fn the_server_reads_what_the_client_writes() {
        let area = ServiceArea::of(vec![GeographicArea::Point {
            point: GeographicalCoordinates { lon: 2.35, lat: 48.85 },
        }]);
        let query = AnchorQuery {
            anchor_ids: vec![SpatialAnchorId(1), SpatialAnchorId(2)],
            area_int: Some(area.clone()),
            svc_id: Some("museum".into()),
            anch_inf: Some("+/8=".into()),
            own_members: true,
            limit: Some(5),
            ..AnchorQuery::default()
        };
        let mut url = Url::parse("https://localhost/x").unwrap();
        query.onto(&mut url).unwrap();
        let read = Query::parse(url.query().unwrap()).unwrap();
        assert_eq!(read.csv_u32("anchor-ids").unwrap(), Some(vec![1, 2]));
        assert_eq!(read.valid::<ServiceArea>("area-int").unwrap(), Some(area));
        assert_eq!(read.text("svc-id").unwrap().as_deref(), Some("museum"));
        assert_eq!(read.base64("anch-inf").unwrap().as_deref(), Some("+/8="));
        assert_eq!(read.integer("limit").unwrap(), Some(5));
        assert_eq!(read.raw("cursor"), None);
    }
}
