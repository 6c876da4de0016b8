//! A SIM-C that sends exactly what it is told, so that one parameter can be spoiled at a time.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sdk::sim::login_form;
use sdk::{Answer, HttpsClient, Request, SdkError};
use url::Url;

use super::holder::{Prover, at};
use super::redirected;
use crate::demo::Sample;
use crate::demo::sample::{REDIRECT, UE_SCOPES};

/// Parameters of a request.
pub(super) type Pairs = Vec<(String, String)>;

/// What came of a request.
pub(super) type Outcome = Result<Answer, SdkError>;

/// The SIM-C.
pub(super) struct SimC<'a> {
    pub(super) sample: &'a Sample,
    pub(super) https: HttpsClient,
    pub(super) client: &'static str,
    pub(super) prover: Prover,
    /// PKCE verifier of every login.
    pub(super) verifier: String,
}

impl<'a> SimC<'a> {
    pub(super) fn new(sample: &'a Sample, client: &'static str) -> Result<Self> {
        let (https, prover) = (sample.https(client, None)?, Prover::new(&sample.ambient)?);
        Ok(Self { sample, https, client, prover, verifier: sample.ambient.unguessable() })
    }

    /// A good authentication request of a user.
    pub(super) fn request(&self, user: &str) -> Result<Pairs> {
        let ue =
            self.sample.users.get(user).and_then(|user| user["valUeIds"][0].as_str()).context("no user")?;
        let challenge = jose::pkce::s256(&self.verifier);
        let pairs = [
            ("response_type", "code"),
            ("client_id", self.client),
            ("scope", UE_SCOPES),
            ("redirect_uri", REDIRECT),
            ("state", "STATE"),
            ("nonce", "NONCE"),
            ("acr_values", "3gpp:acr:password"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", self.sample.url("san")?),
            ("resource", self.sample.url("sm")?),
            ("val_ue_id", ue),
        ];
        Ok(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// `Authorization: Basic` of a client.
    pub(super) fn basic(client: &str, secret: &str) -> String {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(client), encode(secret))))
    }

    pub(super) fn secret(&self) -> Result<&str> {
        self.sample.client(self.client)?.secret.as_deref().context("no secret")
    }

    /// Sends a form to an endpoint, without client authentication and proof.
    pub(super) fn bare(&self, path: &str, pairs: &Pairs) -> Result<Request> {
        let url = at(self.sample, "sim", path)?;
        Ok(Request::post(url).form(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }

    /// Sends a form to an endpoint, as the client does it.
    pub(super) async fn post(&self, path: &str, pairs: &Pairs) -> Result<Outcome> {
        let request =
            self.bare(path, pairs)?.header("authorization", &Self::basic(self.client, self.secret()?));
        Ok(self.https.send(self.proven(request, path)?).await)
    }

    /// With a proof for the endpoint, where the client binds its tokens.
    pub(super) fn proven(&self, request: Request, path: &str) -> Result<Request> {
        if self.sample.client(self.client)?.bearer {
            return Ok(request);
        }
        let proof = self.prover.proof("POST", &at(self.sample, "sim", path)?, None)?;
        Ok(request.header("dpop", &proof))
    }

    /// `GET /authorize`.
    pub(super) async fn authorize(&self, pairs: &Pairs) -> Result<Outcome> {
        let mut url = at(self.sample, "sim", "/authorize")?;
        url.query_pairs_mut().extend_pairs(pairs);
        Ok(self.https.send(Request::get(url)).await)
    }

    /// Answers the login form of `page`.
    pub(super) async fn log_in(
        &self,
        page: &Answer,
        user: &str,
        password: &str,
        origin: &str,
    ) -> Result<Outcome> {
        let start = at(self.sample, "sim", "/authorize")?;
        let form = login_form(&String::from_utf8_lossy(&page.body)).context("no login form")?;
        let target: Url = start.join(&form.action)?;
        let mut pairs: Vec<(&str, &str)> =
            form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        pairs.extend([("username", user), ("password", password)]);
        let request = Request::post(target).form(pairs).header("origin", origin);
        let cookie = page.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        Ok(self.https.send(request.opt_header("cookie", cookie)).await)
    }

    /// Shows the form for a request and answers it.
    pub(super) async fn login(&self, pairs: &Pairs, user: &str, password: &str) -> Result<Outcome> {
        let page = self.authorize(pairs).await??;
        let origin = self.sample.url("sim")?;
        self.log_in(&page, user, password, origin).await
    }

    /// A code for a user.
    pub(super) async fn code(&self, user: &str) -> Result<String> {
        let answer = self.login(&self.request(user)?, user, self.sample.password(user)?).await??;
        redirected(&answer, "code").with_context(|| format!("no code for {user}"))
    }

    /// The token request for a code.
    pub(super) fn redemption(&self, code: &str) -> Result<Pairs> {
        let san = self.sample.url("san")?;
        Ok(pairs(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", &self.verifier),
            ("resource", san),
        ]))
    }
}

/// Parameters as they stand.
pub(super) fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Leaves a parameter out.
pub(super) fn without(pairs: &mut Pairs, name: &str) {
    pairs.retain(|(known, _)| known != name);
}

/// Replaces a parameter.
pub(super) fn set(pairs: &mut Pairs, name: &str, value: &str) {
    without(pairs, name);
    pairs.push((name.to_owned(), value.to_owned()));
}
