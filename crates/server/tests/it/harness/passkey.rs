//! An authenticator with one passkey (W3C Web Authentication level 2), for a browser without script.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::{EcKey, Signer as _, sha256};
use sdk::{Answer, Request};
use serde_json::{Value, json};
use service_http::testkit;

use super::{Browser, Site};

/// A passkey of an account at the SIM-S.
pub(crate) struct Passkey {
    key: EcKey,
    id: Vec<u8>,
    handle: String,
    count: u32,
}

/// The value of an attribute of a page.
fn attribute(page: &Answer, name: &str) -> String {
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let (_, rest) = text.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("{name}: {text}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

fn interaction(page: &Answer) -> String {
    attribute(page, "name=\"interaction\" value")
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// r‖s as an ASN.1 sequence of two integers (SEC 1 C.5).
fn der(fixed: &[u8]) -> Vec<u8> {
    let integer = |half: &[u8]| {
        let start = half.iter().position(|byte| *byte != 0).unwrap_or(31);
        let pad = usize::from(half[start] & 0x80 != 0);
        let digits = [&vec![0; pad][..], &half[start..]].concat();
        [&[2, u8::try_from(digits.len()).expect("short")][..], &digits].concat()
    };
    let both = [integer(&fixed[..32]), integer(&fixed[32..])].concat();
    [&[0x30, u8::try_from(both.len()).expect("short")][..], &both].concat()
}

impl Passkey {
    fn client_data(site: &Site, page: &Answer, type_: &str) -> Vec<u8> {
        let challenge = attribute(page, "data-challenge");
        json!({ "type": type_, "challenge": challenge, "origin": site.at("sim"), "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn data(&self, page: &Answer, flags: u8) -> Vec<u8> {
        let relying_party = attribute(page, "data-relying-party");
        [&sha256(relying_party.as_bytes())[..], &[flags], &self.count.to_be_bytes()].concat()
    }

    fn create(&self, site: &Site, page: &Answer) -> Value {
        let jwk = self.key.public_jwk().to_value();
        let half = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().expect("text")).expect("base64url");
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        let length = u16::try_from(self.id.len()).expect("short").to_be_bytes();
        let key = [&head[..], &half("x"), &[0x22, 0x58, 0x20], &half("y")].concat();
        let data = [&self.data(page, 0x45)[..], &[0; 16], &length, &self.id, &key].concat();
        json!({
            "clientDataJSON": text(&Self::client_data(site, page, "webauthn.create")),
            "authenticatorData": text(&data),
        })
    }

    fn get(&mut self, site: &Site, page: &Answer) -> Value {
        self.count += 1;
        let (client_data, data) = (Self::client_data(site, page, "webauthn.get"), self.data(page, 0x05));
        let signed = self.key.sign(&[&data[..], &sha256(&client_data)].concat()).expect("a signature");
        json!({
            "id": text(&self.id), "clientDataJSON": text(&client_data), "authenticatorData": text(&data),
            "signature": text(&der(&signed)), "userHandle": self.handle,
        })
    }
}

impl Browser {
    /// Adds the first passkey of an account, by its password.
    pub(crate) async fn add_passkey(&mut self, site: &Site, user: &str) -> Passkey {
        let url = || site.path("sim", "/passkeys");
        let page = self.fetch(Request::get(url())).await;
        let id = interaction(&page);
        let form = [("interaction", id.as_str()), ("username", user), ("password", site.password(user))];
        let page = self.fetch(Request::post(url()).form(form)).await;
        let ambient = site.time.ambient_at(site.time.now_s());
        let passkey = Passkey {
            key: testkit::key(&ambient),
            id: ambient.random_bytes::<16>().to_vec(),
            handle: attribute(&page, "data-user-handle"),
            count: 0,
        };
        let (id, created) = (interaction(&page), passkey.create(site, &page).to_string());
        let form = [("interaction", id.as_str()), ("passkey", created.as_str()), ("label", "test")];
        let added = self.fetch(Request::post(url()).form(form)).await;
        assert!(String::from_utf8_lossy(&added.body).contains("The passkey was added."), "{}", added.status);
        passkey
    }

    /// Logs in at the console as it asks when an act needs a passkey.
    pub(crate) async fn step_up(&mut self, site: &Site, passkey: &mut Passkey) {
        let begun = self.get("/login?next=%23/keys&acr=phr").await;
        assert_eq!(begun.status, 303, "the login does not begin");
        let authorize: url::Url = begun.header("location").expect("a redirect").parse().expect("a url");
        let page = self.fetch(Request::get(authorize.clone())).await;
        assert!(!String::from_utf8_lossy(&page.body).contains("name=\"password\""), "a password will do");
        let (id, used) = (interaction(&page), passkey.get(site, &page).to_string());
        let target = authorize.join("/authorize").expect("a url");
        let answer = self
            .fetch(Request::post(target).form([("interaction", id.as_str()), ("passkey", used.as_str())]))
            .await;
        let callback = answer.header("location").expect("a redirect").parse().expect("a url");
        assert_eq!(self.fetch(Request::get(callback)).await.status, 200, "no session");
        self.open().await;
    }
}
