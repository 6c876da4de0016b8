//! Resources of one shape: subscriptions and registrations, which are created in a collection and then have a name.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::authorized::Authorized;
use crate::error::SdkError;
use crate::request::{Created, Request, Versioned, at};
use crate::san::changed;

/// A collection of resources `T`.
#[derive(Debug)]
pub struct Resources<'c, T> {
    wire: &'c Authorized,
    base: &'c Url,
    path: &'static [&'static str],
    own: bool,
    of: PhantomData<T>,
}

impl<'c, T: Serialize + DeserializeOwned> Resources<'c, T> {
    pub(crate) fn new(wire: &'c Authorized, base: &'c Url, path: &'static [&'static str]) -> Self {
        Self { wire, base, path, own: false, of: PhantomData }
    }

    /// Of an interface that is there for peers with feature 1.
    pub(crate) fn own(self) -> Self {
        Self { own: true, ..self }
    }

    fn url(&self, id: Option<&str>) -> Result<Url, SdkError> {
        let mut segments = self.path.to_vec();
        segments.extend(id);
        let mut url = at(self.base, &segments)?;
        if self.own {
            url.query_pairs_mut().append_pair("supp-feats", "1");
        }
        Ok(url)
    }

    /// Creates one.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn create(&self, body: &T) -> Result<Created<String, T>, SdkError> {
        let answer = self.wire.send(Request::post(self.url(None)?).json(body)).await?.expect(&[201])?;
        let id = answer.created_id()?;
        let Versioned { value, etag, trace } = answer.versioned()?;
        Ok(Created { id, value, etag, trace })
    }

    /// Reads one.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn get(&self, id: &str) -> Result<Versioned<T>, SdkError> {
        self.wire.send(Request::get(self.url(Some(id))?)).await?.expect(&[200])?.versioned()
    }

    /// Replaces one; `None` where the server answers 204.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn replace(
        &self,
        id: &str,
        body: &T,
        if_match: Option<&str>,
    ) -> Result<Option<Versioned<T>>, SdkError> {
        let request = Request::put(self.url(Some(id))?).json(body).opt_header("if-match", if_match);
        changed(&self.wire.send(request).await?.expect(&[200, 204])?)
    }

    /// Changes one by a merge patch (RFC 7396).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn patch(
        &self,
        id: &str,
        patch: &impl Serialize,
        if_match: Option<&str>,
    ) -> Result<Option<Versioned<T>>, SdkError> {
        let request = Request::patch(self.url(Some(id))?)
            .json_as("application/merge-patch+json", patch)
            .opt_header("if-match", if_match);
        changed(&self.wire.send(request).await?.expect(&[200, 204])?)
    }

    /// Ends one.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn delete(&self, id: &str, if_match: Option<&str>) -> Result<(), SdkError> {
        let request = Request::delete(self.url(Some(id))?).opt_header("if-match", if_match);
        self.wire.send(request).await?.expect(&[204]).map(|_| ())
    }
}
