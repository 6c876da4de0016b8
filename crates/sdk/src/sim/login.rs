//! The user agent of a login: fetches the form, sends it, reads the redirect (TS 24.547, contract section 4).

use reqwest::header::HeaderMap;
use url::Url;

use super::html::{MAX_PAGE, login_form};
use super::{Code, Pending, SimClient};
use crate::error::SdkError;
use crate::request::{Answer, Request};

/// Most redirects inside the SIM-S. Own value.
const MAX_REDIRECTS: usize = 4;

/// Most cookies kept. Own value.
const MAX_COOKIES: usize = 16;

/// Cookies of one login, for one origin. Only name and value matter in so short a life.
#[derive(Default)]
struct Cookies(Vec<(String, String)>);

impl Cookies {
    fn take(&mut self, headers: &HeaderMap) {
        for value in headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()) {
            let pair = value.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            let name = name.trim().to_owned();
            self.0.retain(|(known, _)| *known != name);
            if !name.is_empty() && self.0.len() < MAX_COOKIES {
                self.0.push((name, value.trim().to_owned()));
            }
        }
    }

    fn header(&self) -> Option<String> {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// Where an answer leads.
enum Leads {
    /// To a page of the SIM-S.
    Page(Url, Answer),
    /// Out of it, which can only be the redirect URI.
    Out(String),
}

impl SimClient {
    /// Logs a user in and gives the authorization code. This is the whole user agent of a test or demo; a real UE hands
    /// [`SimClient::authorization_url`] to its browser (RFC 8252).
    ///
    /// # Errors
    /// [`SdkError::LoginRefused`] when the form comes back, or what [`Pending::response`] says.
    pub async fn login(&self, pending: &Pending, user: &str, password: &str) -> Result<Code, SdkError> {
        let location = self.submit(pending, user, password).await?;
        let announced = self.metadata.authorization_response_iss_parameter_supported;
        pending.response(&location, &self.metadata.issuer, announced)
    }

    /// Likewise, up to the address to which the user agent is sent, unchecked.
    ///
    /// # Errors
    /// [`SdkError::LoginRefused`] when the form comes back, the refusal of the server, or no answer.
    pub async fn submit(&self, pending: &Pending, user: &str, password: &str) -> Result<String, SdkError> {
        let mut cookies = Cookies::default();
        let start = self.authorization_url(pending).await?;
        let (page, answer) = match self.walk(Request::get(start), &mut cookies).await? {
            Leads::Out(location) => return Ok(location),
            Leads::Page(page, answer) => (page, answer.expect(&[200])?),
        };
        let text = String::from_utf8_lossy(&answer.body);
        let form = login_form(&text).ok_or(SdkError::Malformed("no login form"))?;
        let target = page.join(&form.action).map_err(|_| SdkError::Malformed("form"))?;
        // The password goes to the server that was asked, and to no other.
        if target.origin() != page.origin() {
            return Err(SdkError::Malformed("form"));
        }
        let mut pairs: Vec<(&str, &str)> =
            form.hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        pairs.retain(|(name, _)| *name != "username" && *name != "password");
        pairs.extend([("username", user), ("password", password)]);
        let origin = page.origin().ascii_serialization();
        let request = Request::post(target).form(pairs).header("origin", &origin);
        match self.walk(request, &mut cookies).await? {
            Leads::Out(location) => Ok(location),
            Leads::Page(_, answer) if login_form(&String::from_utf8_lossy(&answer.body)).is_some() => {
                Err(SdkError::LoginRefused { status: answer.status, trace: answer.trace() })
            }
            Leads::Page(_, answer) => Err(answer.refusal()),
        }
    }

    /// Sends a request and follows redirects inside the SIM-S.
    async fn walk(&self, mut request: Request, cookies: &mut Cookies) -> Result<Leads, SdkError> {
        for _ in 0..=MAX_REDIRECTS {
            let url = request.url.clone();
            let dressed = request.opt_header("cookie", cookies.header().as_deref()).accept_up_to(MAX_PAGE);
            let answer = self.https.send(dressed).await?;
            cookies.take(&answer.headers);
            if !matches!(answer.status, 302 | 303) {
                return Ok(Leads::Page(url, answer));
            }
            let location = answer.header("location").ok_or(SdkError::Malformed("no Location"))?;
            let next = url.join(location).map_err(|_| SdkError::Malformed("Location"))?;
            if next.origin() != url.origin() {
                return Ok(Leads::Out(next.into()));
            }
            request = Request::get(next);
        }
        Err(SdkError::Malformed("too many redirects"))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_last_cookie_of_a_name_counts() {
        let mut cookies = Cookies::default();
        assert_eq!(cookies.header(), None);
        let mut headers = HeaderMap::new();
        for value in ["__Host-a=1; Path=/; Secure", "b=2", "nothing", "__Host-a=3"] {
            headers.append("set-cookie", HeaderValue::from_static(value));
        }
        cookies.take(&headers);
        assert_eq!(cookies.header().as_deref(), Some("b=2; __Host-a=3"));
    }
}
