//! A user who logs in, refreshes, proves possession and logs out while the program is killed.

use api_types::Secret;
use sdk::{AuthorizationRequest, HttpsClient, Request, SdkError, SimClient};
use url::Url;

use super::book::{Book, Spent};
use super::work::{SEARCH, wanted};
use crate::harness::Site;

const USER_SCOPE: &str = "openid 3gpp:seal:san.read 3gpp:seal:san.discover";

/// A user who logs in, refreshes, proves possession and logs out.
pub(crate) struct Tokens {
    client: &'static str,
    sim: SimClient,
    request: AuthorizationRequest,
    password: String,
    san: String,
    search: Url,
    link: HttpsClient,
    book: Book,
    revoke: bool,
}

impl Tokens {
    pub(crate) async fn new(site: &Site, book: &Book, client: &'static str, revoke: bool) -> Self {
        Self {
            client,
            sim: sim_c(site, book, client).await,
            request: site.request("alice", USER_SCOPE),
            password: site.password("alice").to_owned(),
            san: site.at("san").to_owned(),
            search: site.path("san", SEARCH),
            link: site.link(client),
            book: book.clone(),
            revoke,
        }
    }

    pub(crate) async fn work(self) {
        // A refusal here is one of the program: a fault. The end of the connection is the kill.
        let fault = match self.session().await {
            Ok(()) | Err(SdkError::Transport { .. }) => return,
            Err(error) => error,
        };
        self.book.fault(format!("a login went wrong: {fault:?}"));
    }

    async fn session(&self) -> Result<(), SdkError> {
        let pending = self.sim.begin(self.request.clone());
        let code = self.sim.login(&pending, "alice", &self.password).await?;
        let token = self.sim.redeem(&code, Some(&self.san), None).await?;
        let refresh = token.refresh_token.clone().ok_or(SdkError::Malformed("no refresh token"))?;
        let spent = if self.client == "ue-1" {
            if self.revoke {
                self.sim.revoke(&token.access_token).await?;
                self.book.spend(self.client, Spent::Revoked(token.access_token.clone()));
                return Ok(());
            }
            self.prove(token.access_token.expose()).await?;
            // Bound to the key: it stays the same and good.
            Spent::Live(refresh)
        } else {
            let second = self.refresh(&refresh).await?;
            // Its successor is used: from now on the first one is void, also for a client that repeats itself.
            let third = self.refresh(&second).await?;
            Spent::Replaced { old: refresh, new: third }
        };
        self.book.spend(self.client, spent);
        self.book.spend(self.client, Spent::Code(code));
        Ok(())
    }

    async fn refresh(&self, refresh: &Secret) -> Result<Secret, SdkError> {
        let token = self.sim.refresh(refresh, Some(&self.san), None).await?;
        token.refresh_token.ok_or(SdkError::Malformed("no refresh token"))
    }

    async fn prove(&self, token: &str) -> Result<(), SdkError> {
        let proof = self.book.key.proof("GET", &self.search, Some(token))?;
        self.book.asks();
        let answer = self.link.send(proved(&self.search, token, &proof)).await;
        if let Ok(answer) = wanted(&self.book, "discover with a proof", answer, 200) {
            self.book.served("san", answer.trace());
            self.book.spend(self.client, Spent::Proof { token: token.to_owned(), proof });
        }
        Ok(())
    }
}

/// A SIM-C with the key that it had before the restart.
pub(super) async fn sim_c(site: &Site, book: &Book, client: &str) -> SimClient {
    let sim = site.sim_c(client).await;
    if sim.dpop().is_some() { sim.with_dpop(book.key.clone()) } else { sim }
}

pub(super) fn proved(url: &Url, token: &str, proof: &str) -> Request {
    Request::get(url.clone()).header("authorization", &format!("DPoP {token}")).header("dpop", proof)
}
