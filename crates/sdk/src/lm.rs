//! LM-C: the client side of a SEAL location management server (TS 29.549 `ss-lair`).

use api_types::geo::LocationInfo;
use api_types::lm::LMInformation;
use api_types::strict_json;
use api_types::validate::Validate as _;
use url::Url;

use crate::error::SdkError;
use crate::https::HttpsClient;
use crate::request::{Request, at, https_url};

/// Largest answer, in octets. Own value.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Deepest nesting of an answer. Own value.
const DEPTH: usize = 16;

/// A client of one location management server, known there by its certificate.
#[derive(Debug, Clone)]
pub struct LmClient {
    base: Url,
    https: HttpsClient,
}

impl LmClient {
    /// A client of the server at `base`.
    ///
    /// # Errors
    /// The address is not https.
    pub fn new(https: HttpsClient, base: &str) -> Result<Self, SdkError> {
        Ok(Self { base: https_url(base)?, https })
    }

    /// The UEs within `range_m` metres of a location (`RetrieveUeLocInfo`).
    ///
    /// # Errors
    /// The refusal of the server, no answer, or one that is not as TS 29.549 has it.
    pub async fn ues_around(
        &self,
        location: &LocationInfo,
        range_m: f64,
    ) -> Result<Vec<LMInformation>, SdkError> {
        let mut url = at(&self.base, &["ss-lair", "v1", "location-retrievals"])?;
        let location = serde_json::to_string(location).map_err(|_| SdkError::Unusable("location"))?;
        url.query_pairs_mut()
            .append_pair("location-info", &location)
            .append_pair("range", &range_m.to_string());
        let answer = self.https.send(Request::get(url).accept_up_to(MAX_ANSWER)).await?.expect(&[200])?;
        read_ues(&answer.body).ok_or(SdkError::Unusable("answer of the location management server"))
    }
}

/// An answer of `ss-lair`; `None`: it is none.
pub fn read_ues(bytes: &[u8]) -> Option<Vec<LMInformation>> {
    let ues: Vec<LMInformation> = strict_json::from_slice(bytes, DEPTH).ok()?;
    ues.iter().all(|ue| ue.validate("").is_ok()).then_some(ues)
}

/// For a fuzz target: no answer panics.
pub fn fuzz_lm_ues(bytes: &[u8]) {
    let _ = read_ues(bytes);
}
