//! A browser without script: cookies, redirects, and the login form of the SIM-S.

use sdk::sim::login_form;
use sdk::{Answer, HttpsClient, Request};
use url::Url;

use super::Site;

/// A browser. Cookies are kept by origin.
pub(crate) struct Browser {
    link: HttpsClient,
    console: String,
    cookies: Vec<(String, String, String)>,
    /// Everything that the browser was sent so far, headers included.
    pub(crate) seen: String,
    /// What requests that change something show.
    pub(crate) csrf: String,
}

impl Browser {
    pub(crate) fn new(site: &Site) -> Self {
        Self {
            link: site.link_as(None),
            console: site.at("console").to_owned(),
            cookies: Vec::new(),
            seen: String::new(),
            csrf: String::new(),
        }
    }

    /// Likewise, logged in at the console.
    pub(crate) async fn logged_in(site: &Site, user: &str) -> Self {
        let mut browser = Self::new(site);
        let answer = browser.login(site, user).await;
        assert_eq!(answer.status, 200, "{user} cannot log in");
        browser.open().await;
        browser
    }

    /// Reads what requests that change something show.
    pub(super) async fn open(&mut self) {
        let session = self.get("/api/session").await;
        assert_eq!(session.status, 200, "no session");
        let session: serde_json::Value = serde_json::from_slice(&session.body).expect("JSON");
        self.csrf = session["csrf"].as_str().expect("a token").to_owned();
    }

    /// Logs in from `/login` to the answer of `/callback`.
    pub(crate) async fn login(&mut self, site: &Site, user: &str) -> Answer {
        let callback = self.callback_of(site, user).await;
        self.fetch(Request::get(callback)).await
    }

    /// As far as the address to which the SIM-S sends the browser.
    pub(crate) async fn callback_of(&mut self, site: &Site, user: &str) -> Url {
        let begun = self.get("/login?next=%23/keys").await;
        assert_eq!(begun.status, 303, "the login does not begin");
        let authorize: Url = begun.header("location").expect("a redirect").parse().expect("a url");
        let page = self.fetch(Request::get(authorize.clone())).await;
        let form = login_form(std::str::from_utf8(&page.body).expect("text")).expect("a form");
        let mut pairs: Vec<(&str, &str)> =
            form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        pairs.push(("username", user));
        pairs.push(("password", site.password(user)));
        let target = authorize.join(&form.action).expect("a url");
        let answer = self.fetch(Request::post(target).form(pairs)).await;
        answer.header("location").expect("a redirect").parse().expect("a url")
    }

    /// A page or a call of the console.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let url = format!("{}{path}", self.console).parse().expect("a url");
        self.fetch(Request::get(url)).await
    }

    /// A request with the cookies of its origin.
    pub(crate) async fn fetch(&mut self, request: Request) -> Answer {
        let origin = request.url().origin().ascii_serialization();
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .filter(|(known, ..)| *known == origin)
            .map(|(_, name, value)| format!("{name}={value}"))
            .collect();
        let cookies = (!pairs.is_empty()).then(|| pairs.join("; "));
        let answer =
            self.link.send(request.opt_header("cookie", cookies.as_deref())).await.expect("an answer");
        for value in answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()) {
            let pair = value.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            self.cookies.retain(|(known, one, _)| (known.as_str(), one.as_str()) != (&origin, name));
            self.cookies.push((origin.clone(), name.to_owned(), value.to_owned()));
        }
        self.seen.push_str(&format!("{:?}\n{}\n", answer.headers, String::from_utf8_lossy(&answer.body)));
        answer
    }

    /// The value of the session cookie.
    pub(crate) fn session(&self) -> &str {
        let cookie =
            self.cookies.iter().find(|(origin, name, _)| *origin == self.console && name == "__Host-console");
        cookie.map(|(_, _, value)| value.as_str()).expect("a session cookie")
    }
}
