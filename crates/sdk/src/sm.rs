//! SM-C: the client side of the spatial map server (TS 29.437 `ssm-smm`, `ssm-disc`) and its map content.

use api_types::common_data::ValTargetUe;
use api_types::geo::{LocationInfo, Pose};
use api_types::ids::SpatialMapId;
use api_types::sm::{
    AugmentLayerList, DataSourceRegReq, SMASReg, SMDataSourceDiscFilter, SMDataSourceDiscResp, SpatialMap,
    SpatialMapCreateReq, SpatialMapLayers, SpatialMapLocalizeResp, SpatialMapRetResp, SpatialMapTempResp,
    SpatialMapsDiscFilter, SpatialMapsDiscResp, SpatialMapsSub,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::Method;
use serde::Serialize;
use url::Url;

use crate::authorized::{Authorized, Credential};
use crate::error::SdkError;
use crate::https::{AnswerStream, HttpsClient};
use crate::link;
use crate::request::{Answer, MAX_ANSWER, Request, Versioned, at, https_url};
use crate::resources::Resources;
use crate::san::{MAX_PAGES, changed, onto};

/// What maps are looked for.
#[derive(Debug, Clone, Default)]
pub struct MapQuery {
    /// VAL service.
    pub app_svc_id: Option<String>,
    /// Layers.
    pub filter: Option<SpatialMapsDiscFilter>,
    /// Where the user is.
    pub loc_info: Option<LocationInfo>,
    /// Pose of the user.
    pub pose: Option<Pose>,
    /// Whether our own members are wanted (`supp-feats=1`).
    pub own_members: bool,
    /// Items of a page.
    pub limit: Option<u32>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// The user for whom discovery is made, `Ue-Id`.
    pub ue_id: Option<String>,
}

/// A page of discovered maps.
#[derive(Debug, Clone)]
pub struct MapPage {
    /// The answer.
    pub found: SpatialMapsDiscResp,
    /// The next page.
    pub next: Option<Url>,
    /// Trace of the decision.
    pub trace: Option<String>,
}

/// What came of a request for a map.
#[derive(Debug, Clone)]
pub enum MapCreation {
    /// The map is there.
    Ready(Box<Versioned<SpatialMap>>),
    /// The map is being built; a notification or a GET tells when it is there.
    Building(SpatialMapTempResp),
}

impl MapCreation {
    /// The map.
    #[must_use]
    pub fn id(&self) -> SpatialMapId {
        match self {
            Self::Ready(map) => map.value.sm_prof.map_id,
            Self::Building(map) => map.map_id,
        }
    }
}

/// What is known of a content without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentHead {
    /// Media type.
    pub media_type: Option<String>,
    /// Length of the whole, in bytes.
    pub length: Option<u64>,
    /// Entity tag.
    pub etag: Option<String>,
    /// `Repr-Digest` (RFC 9530).
    pub digest: Option<String>,
}

impl ContentHead {
    fn of(headers: &reqwest::header::HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            media_type: text("content-type"),
            length: text("content-length").and_then(|length| length.parse().ok()),
            etag: text("etag"),
            digest: text("repr-digest"),
        }
    }

    /// Whether `bytes` are the whole content; `None` where no SHA-256 digest is known.
    #[must_use]
    pub fn fits(&self, bytes: &[u8]) -> Option<bool> {
        let known = sha256_of(self.digest.as_deref()?)?;
        Some(jose::equal(known, jose::sha256(bytes)))
    }
}

/// A client of one spatial map server with one credential.
#[derive(Debug, Clone)]
pub struct SmClient {
    base: Url,
    https: HttpsClient,
    wire: Authorized,
}

impl SmClient {
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

    /// Subscriptions to maps (`SS_SmManagement_Subscribe` and the like).
    #[must_use]
    pub fn subscriptions(&self) -> Resources<'_, SpatialMapsSub> {
        Resources::new(&self.wire, &self.base, &["ssm-smm", "v1", "subscriptions"])
    }

    /// Registered data sources (`SS_SmDataSourceRegistration`); there is no way to read one.
    #[must_use]
    pub fn data_sources(&self) -> Resources<'_, DataSourceRegReq> {
        Resources::new(&self.wire, &self.base, &["sm_smds", "v1", "datasources-reg-lists"])
    }

    /// Registered servers of maps (`SS_SmSmasRegistration`).
    #[must_use]
    pub fn servers(&self) -> Resources<'_, SMASReg> {
        Resources::new(&self.wire, &self.base, &["ssm-smasr", "v1", "registrations"])
    }

    /// Where UEs are in a map (`SS_SmLocalization_Request`); without targets all that the caller may be told of.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn localize(
        &self,
        map: SpatialMapId,
        targets: &[ValTargetUe],
    ) -> Result<SpatialMapLocalizeResp, SdkError> {
        let mut url = at(&self.base, &["ssm-loc", "v1", "localization"])?;
        url.query_pairs_mut().append_pair("map-id", &map.to_string());
        if !targets.is_empty() {
            let text = serde_json::to_string(targets).map_err(|_| SdkError::Unusable("targets"))?;
            url.query_pairs_mut().append_pair("target-ids", &text);
        }
        self.wire.send(Request::get(url)).await?.expect(&[200])?.json()
    }

    /// Profiles of data sources (`SS_SmDataSourceDiscovery_Request`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn data_source_profiles(
        &self,
        filter: Option<&SMDataSourceDiscFilter>,
    ) -> Result<SMDataSourceDiscResp, SdkError> {
        let mut url = at(&self.base, &["ssm-dsdisc", "v1", "datasource-profiles"])?;
        if let Some(filter) = filter {
            let text = serde_json::to_string(filter).map_err(|_| SdkError::Unusable("filter"))?;
            url.query_pairs_mut().append_pair("ds-disc-fltr", &text);
        }
        self.wire.send(Request::get(url)).await?.expect(&[200])?.json()
    }

    fn maps(&self, below: &[&str]) -> Result<Url, SdkError> {
        at(&self.base, &[&["ssm-smm", "v1", "spatial-maps"], below].concat())
    }

    /// Asks for a map (`SS_SmManagement_Create`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn create_map(&self, wanted: &SpatialMapCreateReq) -> Result<MapCreation, SdkError> {
        let answer =
            self.wire.send(Request::post(self.maps(&[])?).json(wanted)).await?.expect(&[201, 202])?;
        match answer.status {
            201 => Ok(MapCreation::Ready(Box::new(answer.versioned()?))),
            _ => Ok(MapCreation::Building(answer.json()?)),
        }
    }

    /// Reads a map (`SS_SmManagement_Get`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn map(&self, id: SpatialMapId, own_members: bool) -> Result<Versioned<SpatialMap>, SdkError> {
        let mut url = self.maps(&[&id.to_string()])?;
        onto(&mut url, &[("supp-feats", own_members.then(|| "1".to_owned()))]);
        self.wire.send(Request::get(url)).await?.expect(&[200])?.versioned()
    }

    /// Reads a map of a service, perhaps augmented (`SS_SmManagement_Get` by query).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn retrieve_map(
        &self,
        svc_id: &str,
        id: SpatialMapId,
        layers: Option<&SpatialMapLayers>,
        augment: Option<&AugmentLayerList>,
        own_members: bool,
    ) -> Result<Versioned<SpatialMapRetResp>, SdkError> {
        let mut url = self.maps(&[])?;
        let pairs = [
            ("svc-id", Some(svc_id.to_owned())),
            ("map-id", Some(id.to_string())),
            ("map-layer-list", json(layers)?),
            ("aug-with", json(augment)?),
            ("supp-feats", own_members.then(|| "1".to_owned())),
        ];
        onto(&mut url, &pairs);
        self.wire.send(Request::get(url)).await?.expect(&[200])?.versioned()
    }

    /// Replaces a map (`SS_SmManagement_Update`); `None` where the server answers 204.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn replace_map(
        &self,
        id: SpatialMapId,
        map: &SpatialMap,
        if_match: Option<&str>,
    ) -> Result<Option<Versioned<SpatialMap>>, SdkError> {
        let request = Request::put(self.maps(&[&id.to_string()])?).json(map).opt_header("if-match", if_match);
        changed(&self.wire.send(request).await?.expect(&[200, 204])?)
    }

    /// Changes a map by a merge patch (RFC 7396): a `SpatialMapPatch` or any JSON.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn patch_map(
        &self,
        id: SpatialMapId,
        patch: &impl Serialize,
        if_match: Option<&str>,
    ) -> Result<Option<Versioned<SpatialMap>>, SdkError> {
        let request = Request::patch(self.maps(&[&id.to_string()])?)
            .json_as("application/merge-patch+json", patch)
            .opt_header("if-match", if_match);
        changed(&self.wire.send(request).await?.expect(&[200, 204])?)
    }

    /// Deletes a map (`SS_SmManagement_Delete`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn delete_map(&self, id: SpatialMapId, if_match: Option<&str>) -> Result<(), SdkError> {
        let request = Request::delete(self.maps(&[&id.to_string()])?).opt_header("if-match", if_match);
        self.wire.send(request).await?.expect(&[204]).map(|_| ())
    }

    /// Discovers maps, one page (`SS_SmDiscovery_Request`).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn discover(&self, query: &MapQuery) -> Result<MapPage, SdkError> {
        let mut url = at(&self.base, &["ssm-disc", "v1", "spatial-maps"])?;
        let pairs = [
            ("app-svc-id", query.app_svc_id.clone()),
            ("map-disc-fltr", json(query.filter.as_ref())?),
            ("loc-info", json(query.loc_info.as_ref())?),
            ("pose", json(query.pose.as_ref())?),
            ("supp-feats", query.own_members.then(|| "1".to_owned())),
            ("limit", query.limit.map(|limit| limit.to_string())),
            ("cursor", query.cursor.clone()),
        ];
        onto(&mut url, &pairs);
        self.page(url, query.ue_id.as_deref()).await
    }

    /// Reads another page of a discovery.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn page(&self, url: Url, ue_id: Option<&str>) -> Result<MapPage, SdkError> {
        if url.origin() != self.base.origin() {
            return Err(SdkError::Unusable("page of another server"));
        }
        let request = Request::get(url.clone()).opt_header("ue-id", ue_id);
        let answer = self.wire.send(request).await?.expect(&[200])?;
        let next = answer.header("link").and_then(|header| link::target(header, "next", &url));
        Ok(MapPage { found: answer.json()?, next, trace: answer.trace() })
    }

    /// Discovers maps, all pages.
    ///
    /// # Errors
    /// The refusal of the server, no answer, or more than [`MAX_PAGES`] pages.
    pub async fn discover_all(&self, query: &MapQuery) -> Result<SpatialMapsDiscResp, SdkError> {
        let MapPage { mut found, mut next, .. } = self.discover(query).await?;
        for _ in 1..MAX_PAGES {
            let Some(url) = next else { return Ok(found) };
            let page = self.page(url, query.ue_id.as_deref()).await?;
            if let Some(maps) = page.found.maps_disc {
                found.maps_disc.get_or_insert_default().extend(maps);
            }
            next = page.next;
        }
        if next.is_none() { Ok(found) } else { Err(SdkError::TooLarge) }
    }

    fn content(&self, id: SpatialMapId) -> Result<Url, SdkError> {
        self.maps(&[&id.to_string(), "content"])
    }

    /// Uploads the content of a map, with its digest (RFC 9530).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn put_content(
        &self,
        id: SpatialMapId,
        media_type: &str,
        bytes: Bytes,
        if_match: Option<&str>,
    ) -> Result<ContentHead, SdkError> {
        let request = Request::put(self.content(id)?)
            .header("repr-digest", &repr_digest(&bytes))
            .bytes(media_type, bytes)
            .opt_header("if-match", if_match);
        let answer = self.wire.send(request).await?.expect(&[200, 201, 204])?;
        Ok(ContentHead::of(&answer.headers))
    }

    /// Uploads the content of a map as a stream whose digest the caller knows.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn put_content_stream(
        &self,
        id: SpatialMapId,
        media_type: &str,
        body: reqwest::Body,
        digest: Option<&str>,
        if_match: Option<&str>,
    ) -> Result<ContentHead, SdkError> {
        let request = Request::put(self.content(id)?)
            .stream(media_type, body)
            .opt_header("repr-digest", digest)
            .opt_header("if-match", if_match);
        let answer = self.wire.open(request).await?.read(MAX_ANSWER).await?.expect(&[200, 201, 204])?;
        Ok(ContentHead::of(&answer.headers))
    }

    /// Reads what is known of the content of a map.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn head_content(&self, id: SpatialMapId) -> Result<ContentHead, SdkError> {
        let answer = self.wire.send(Request::new(Method::HEAD, self.content(id)?)).await?.expect(&[200])?;
        Ok(ContentHead::of(&answer.headers))
    }

    /// Reads the content of a map, up to `max` bytes, and compares its digest.
    ///
    /// # Errors
    /// The refusal of the server, no answer, too large, or [`SdkError::DigestWrong`].
    pub async fn get_content(&self, id: SpatialMapId, max: usize) -> Result<(ContentHead, Bytes), SdkError> {
        let answer = self.open_content(id, None).await?;
        let head = ContentHead::of(&answer.headers);
        let body = answer.read(max).await?.body;
        match head.fits(&body) {
            Some(false) => Err(SdkError::DigestWrong),
            _ => Ok((head, body)),
        }
    }

    /// Reads bytes `first..=last` of the content of a map (RFC 9110 14); the digest is that of the whole.
    ///
    /// # Errors
    /// The refusal of the server, no answer, or a range that was not asked for.
    pub async fn get_content_range(
        &self,
        id: SpatialMapId,
        first: u64,
        last: u64,
    ) -> Result<(ContentHead, Bytes), SdkError> {
        if last < first {
            return Err(SdkError::Unusable("range"));
        }
        let answer = self.open_content(id, Some(&format!("bytes={first}-{last}"))).await?;
        let range =
            answer.headers.get("content-range").and_then(|value| value.to_str().ok()).unwrap_or_default();
        // The last byte may be earlier where the content ends earlier.
        if answer.status != 206 || !range.starts_with(&format!("bytes {first}-")) {
            return Err(SdkError::Malformed("Content-Range"));
        }
        let head = ContentHead::of(&answer.headers);
        let asked = usize::try_from(last - first).unwrap_or(usize::MAX).saturating_add(1);
        Ok((head, answer.read(asked).await?.body))
    }

    /// Opens the content of a map, to be read piece by piece.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn open_content(
        &self,
        id: SpatialMapId,
        range: Option<&str>,
    ) -> Result<AnswerStream, SdkError> {
        let request = Request::get(self.content(id)?).opt_header("range", range);
        let answer = self.wire.open(request).await?;
        match answer.status {
            200 | 206 => Ok(answer),
            _ => Err(answer.read(MAX_ANSWER).await?.refusal()),
        }
    }
}

fn json(value: Option<&impl Serialize>) -> Result<Option<String>, SdkError> {
    value.map(serde_json::to_string).transpose().map_err(|_| SdkError::Unusable("query"))
}

/// `Repr-Digest` of a content (RFC 9530 3).
#[must_use]
pub fn repr_digest(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(jose::sha256(bytes)))
}

/// The SHA-256 in a `Repr-Digest`, among other algorithms.
fn sha256_of(digest: &str) -> Option<Vec<u8>> {
    let member = digest.split(',').find_map(|member| member.trim().strip_prefix("sha-256=:"))?;
    STANDARD.decode(member.split(':').next()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_content_is_compared() {
        let head = |digest: Option<&str>| ContentHead {
            media_type: None,
            length: None,
            etag: None,
            digest: digest.map(str::to_owned),
        };
        // RFC 9530 B.1 has this content and digest.
        let known = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
        assert_eq!(repr_digest(b"{\"hello\": \"world\"}"), known);
        let two = format!("sha-512=:AAAA:, {known}");
        #[rustfmt::skip] // a table stays a table
        let rows = [
            (Some(known), Some(true)), (Some(two.as_str()), Some(true)), (None, None), (Some("md5=:AAAA:"), None),
            (Some("sha-256=:AAAA:"), Some(false)), (Some("sha-256=:?:"), None), (Some("sha-256=x"), None),
        ];
        for (digest, fits) in rows {
            assert_eq!(head(digest).fits(b"{\"hello\": \"world\"}"), fits, "{digest:?}");
        }
    }
}
