//! Passkeys (W3C Web Authentication): registered by a user, used instead of the password, each check with its own reason.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::{EcKey, Signer as _, sha256};
use serde_json::{Value, json};
use service_http::testkit;

use crate::harness::{Answer, ISSUER, PASSWORD, Params, Sim, asks, claims, redeems, sim, sim_with};

/// An authenticator with one passkey.
struct Device {
    key: EcKey,
    id: Vec<u8>,
    handle: Vec<u8>,
    count: u32,
}

/// What both ceremonies say, to be spoiled.
#[derive(Clone)]
struct Says {
    type_: &'static str,
    challenge: String,
    origin: String,
    cross_origin: bool,
    relying_party: String,
    flags: u8,
    count: u32,
}

type Spoil = fn(&mut Says);

/// The value of an attribute on a page.
fn attribute(page: &Answer, name: &str) -> String {
    let (_, rest) =
        page.body.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("{name}: {}", page.body));
    rest.split('"').next().unwrap().to_owned()
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
        [&[2, u8::try_from(digits.len()).unwrap()][..], &digits].concat()
    };
    let both = [integer(&fixed[..32]), integer(&fixed[32..])].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()][..], &both].concat()
}

impl Says {
    fn on(page: &Answer, type_: &'static str, flags: u8, count: u32) -> Self {
        Self {
            type_,
            challenge: attribute(page, "data-challenge"),
            origin: ISSUER.to_owned(),
            cross_origin: false,
            relying_party: attribute(page, "data-relying-party"),
            flags,
            count,
        }
    }

    fn client_data(&self) -> Vec<u8> {
        json!({
            "type": self.type_, "challenge": self.challenge, "origin": self.origin, "crossOrigin": self.cross_origin,
            "other_keys_can_be_added_here": "as browsers do",
        })
        .to_string()
        .into_bytes()
    }

    fn authenticator_data(&self) -> Vec<u8> {
        [&sha256(self.relying_party.as_bytes())[..], &[self.flags], &self.count.to_be_bytes()].concat()
    }
}

impl Device {
    fn new(sim: &Sim) -> Self {
        let id = sim.ambient.random_secret().into_bytes();
        Self { key: testkit::key(&sim.ambient), id, handle: Vec::new(), count: 0 }
    }

    /// What `navigator.credentials.create` gives on a page.
    fn create(&self, page: &Answer, spoil: Spoil) -> Value {
        let mut says = Says::on(page, "webauthn.create", 0x45, self.count);
        spoil(&mut says);
        let jwk = self.key.public_jwk().to_value();
        let half = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let key = [&head[..], &half("x"), &[0x22, 0x58, 0x20], &half("y")].concat();
        let attested = if says.flags & 0x40 == 0 {
            Vec::new()
        } else {
            [&[0; 16][..], &length, &self.id, &key].concat()
        };
        let data = [says.authenticator_data(), attested].concat();
        json!({ "clientDataJSON": text(&says.client_data()), "authenticatorData": text(&data) })
    }

    /// What `navigator.credentials.get` gives on a page.
    fn get(&mut self, page: &Answer, spoil: Spoil) -> Value {
        self.count += 1;
        let mut says = Says::on(page, "webauthn.get", 0x05, self.count);
        spoil(&mut says);
        let (client_data, data) = (says.client_data(), says.authenticator_data());
        let message = [&data[..], &sha256(&client_data)].concat();
        json!({
            "id": text(&self.id), "clientDataJSON": text(&client_data), "authenticatorData": text(&data),
            "signature": text(&der(&self.key.sign(&message).unwrap())), "userHandle": text(&self.handle),
        })
    }
}

impl Sim {
    /// The page of an account without passkeys that has just signed in.
    async fn passkeys(&self, user: &str) -> Answer {
        let page = self.get("/passkeys", &[]).await;
        assert_eq!(page.status, 200, "{}", page.body);
        self.post("/passkeys", &[], &signs_in(&page, user, PASSWORD)).await
    }

    async fn add(&self, page: &Answer, created: &Value) -> Answer {
        let form = on(page).with("passkey", &created.to_string()).with("label", "phone");
        self.post("/passkeys", &[], &form).await
    }

    /// The page of the account of a device.
    async fn passkeys_by(&self, device: &mut Device) -> Answer {
        let page = self.get("/passkeys", &[]).await;
        let form = on(&page).with("passkey", &device.get(&page, |_| {}).to_string());
        let account = self.post("/passkeys", &[], &form).await;
        assert_eq!(account.status, 200, "{}", account.body);
        account
    }

    /// The device that alice has registered first, by her password.
    async fn device(&self) -> Device {
        let page = self.passkeys("alice").await;
        self.device_on(&page).await
    }

    /// One more.
    async fn another(&self, device: &mut Device) -> Device {
        let page = self.passkeys_by(device).await;
        self.device_on(&page).await
    }

    async fn device_on(&self, page: &Answer) -> Device {
        let mut device = Device::new(self);
        device.handle = URL_SAFE_NO_PAD.decode(attribute(page, "data-user-handle")).unwrap();
        let added = self.add(page, &device.create(page, |_| {})).await;
        assert!(added.status == 200 && added.body.contains("The passkey was added."), "{}", added.body);
        device
    }

    async fn use_on(&self, page: &Answer, asserted: &Value) -> Answer {
        self.post("/authorize", &[], &on(page).with("passkey", &asserted.to_string())).await
    }
}

fn on(page: &Answer) -> Params {
    Params::of(&[("interaction", &page.interaction())])
}

fn signs_in(page: &Answer, user: &str, password: &str) -> Params {
    on(page).with("username", user).with("password", password)
}

#[tokio::test]
async fn a_passkey_is_good_instead_of_a_password() {
    let sim = sim().await;
    let mut device = sim.device().await;
    for acr in ["3gpp:acr:password", "phr", "phr 3gpp:acr:password"] {
        let page = sim.form(&asks().with("acr_values", acr)).await;
        assert_eq!(page.body.contains("name=\"password\""), acr != "phr", "{acr}");
        let answer = sim.use_on(&page, &device.get(&page, |_| {})).await;
        let code = answer.query("code").unwrap_or_else(|| panic!("{acr}: {} {}", answer.status, answer.body));
        let tokens = sim.token_of("ue-1", &redeems(&code)).await.json();
        let id = claims(&tokens["id_token"]);
        assert_eq!((&id["acr"], &id["amr"]), (&json!("phr"), &json!(["mfa", "user"])), "{acr}");
        // A form is answered once.
        assert_eq!(sim.use_on(&page, &device.get(&page, |_| {})).await.status, 400);
    }
    // A password is no passkey: neither where one is wanted, nor in a session that began with it.
    let strong = asks().with("acr_values", "phr");
    let page = sim.form(&strong).await;
    assert_eq!(sim.post("/authorize", &[], &signs_in(&page, "alice", PASSWORD)).await.status, 401);
    let page = sim.form(&asks()).await;
    let weak = sim.post("/authorize", &[], &signs_in(&page, "alice", PASSWORD)).await;
    let session = [(http::header::COOKIE, weak.cookie().unwrap())];
    let silently = strong.with("prompt", "none");
    let answer = sim.get(&format!("/authorize?{}", silently.text()), &session).await;
    assert_eq!(answer.query("error").as_deref(), Some("login_required"));
    let password_will_do = asks().with("prompt", "none");
    let answer = sim.get(&format!("/authorize?{}", password_will_do.text()), &session).await;
    assert!(answer.query("code").is_some());
}

#[tokio::test]
async fn one_spoiled_part_of_a_login_is_refused() {
    let sim = sim().await;
    let mut device = sim.device().await;
    let other = sim.another(&mut device).await;
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, &str); 9] = [
        ("the other ceremony",  |says| says.type_ = "webauthn.create",                        "of another ceremony"),
        ("another challenge",   |says| says.challenge = "x".repeat(43),                       "another challenge"),
        ("another site",        |says| says.origin = "https://sim.example.evil".to_owned(),   "another origin"),
        ("without TLS",         |says| says.origin = "http://sim.example".to_owned(),         "another origin"),
        ("in a frame",          |says| says.cross_origin = true,                              "another origin"),
        ("another server's",    |says| says.relying_party = "example".to_owned(),             "another relying party"),
        ("nobody there",        |says| says.flags = 0x04,                                     "user not verified"),
        ("nobody recognised",   |says| says.flags = 0x01,                                     "user not verified"),
        ("a count of before",   |says| says.count = 1,                                        "counter did not advance"),
    ];
    let page = sim.form(&asks()).await;
    assert_eq!(sim.use_on(&page, &device.get(&page, |_| {})).await.status, 302);
    for (what, spoil, seen) in rows {
        let page = sim.form(&asks()).await;
        let answer = sim.use_on(&page, &device.get(&page, spoil)).await;
        assert_eq!((answer.status, answer.location()), (401, None), "{what}");
        assert_eq!(
            (sim.last_reason().await.as_str(), sim.last_seen().await.as_str()),
            ("CREDENTIALS_WRONG", seen),
            "{what}"
        );
    }
    let page = sim.form(&asks()).await;
    let good = device.get(&page, |_| {});
    let with = |name: &str, value: Value| {
        let mut sent = good.clone();
        sent[name] = value;
        sent
    };
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("another passkey",  with("id", json!(text(&other.id))),                         "wrong signature"),
        ("an unknown one",   with("id", json!("AAAA")),                                  "another user"),
        ("another handle",   with("userHandle", json!(text(b"somebody else"))),          "another user"),
        ("no signature",     with("signature", json!("")),                               "wrong signature"),
        ("another's",        with("signature", json!(text(&[0x30, 6, 2, 1, 1, 2, 1, 1]))), "wrong signature"),
        ("no base64url",     with("authenticatorData", json!("+/+/")),                   "malformed"),
        ("more members",     with("more", json!(1)),                                     "malformed"),
        ("no object",        json!("x"),                                                 "malformed"),
    ];
    for (what, sent, seen) in rows {
        let answer = sim.use_on(&page, &sent).await;
        assert_eq!((answer.status, sim.last_seen().await.as_str()), (401, seen), "{what}");
    }
    assert_eq!(sim.use_on(&page, &good).await.status, 302, "the form still takes the right one");
}

#[tokio::test]
async fn one_spoiled_part_of_a_registration_is_refused() {
    let sim = sim().await;
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, &str); 7] = [
        ("the other ceremony", |says| says.type_ = "webauthn.get",                    "of another ceremony"),
        ("another challenge",  |says| says.challenge = "x".repeat(43),                "another challenge"),
        ("another site",       |says| says.origin = "https://evil.example".to_owned(), "another origin"),
        ("in a frame",         |says| says.cross_origin = true,                       "another origin"),
        ("another server's",   |says| says.relying_party = "example".to_owned(),      "another relying party"),
        ("nobody recognised",  |says| says.flags = 0x41,                              "user not verified"),
        ("no credential",      |says| says.flags = 0x05,                              "malformed"),
    ];
    let mut page = sim.passkeys("alice").await;
    for (what, spoil, seen) in rows {
        let refused = sim.add(&page, &Device::new(&sim).create(&page, spoil)).await;
        assert_eq!((refused.status, sim.last_seen().await.as_str()), (400, seen), "{what}");
        assert!(refused.body.contains("There is none yet."), "{what}");
        // The page of the refusal is ready for another try.
        page = refused;
    }
    let device = Device::new(&sim);
    let created = device.create(&page, |_| {});
    assert!(sim.add(&page, &created).await.body.contains("The passkey was added."));
    assert_eq!(sim.add(&page, &created).await.status, 400, "a page is answered once");
    // A credential is one account's.
    let page = sim.passkeys("bob").await;
    let taken = sim.add(&page, &device.create(&page, |_| {})).await;
    assert!(taken.status == 400 && taken.body.contains("This passkey is here already."), "{}", taken.body);
}

#[tokio::test]
async fn a_passkey_that_is_removed_is_good_no_more() {
    let sim = sim().await;
    let mut kept = sim.device().await;
    let mut gone = sim.another(&mut kept).await;
    assert_eq!(kept.handle, gone.handle, "an account has one handle");
    let page = sim.passkeys("bob").await;
    let not_his = sim.post("/passkeys", &[], &on(&page).with("remove", &text(&gone.id))).await;
    assert!(not_his.status == 400 && not_his.body.contains("There is no such passkey."));
    let page = sim.passkeys_by(&mut kept).await;
    let removed = sim.post("/passkeys", &[], &on(&page).with("remove", &text(&gone.id))).await;
    assert!(removed.body.contains("The passkey was removed."), "{}", removed.body);
    let page = sim.form(&asks()).await;
    assert_eq!(sim.use_on(&page, &gone.get(&page, |_| {})).await.status, 401);
    assert_eq!(sim.use_on(&page, &kept.get(&page, |_| {})).await.status, 302);
    // They end with their account, also for one who gets its name later.
    sim.server.delete_user(&"alice".try_into().unwrap()).await.unwrap();
    sim.put_user("alice", "ue-alice").await;
    let page = sim.form(&asks()).await;
    assert_eq!(sim.use_on(&page, &kept.get(&page, |_| {})).await.status, 401);
    assert!(sim.passkeys("alice").await.body.contains("There is none yet."));
}

#[tokio::test]
async fn the_page_is_kept_to_its_user() {
    let sim = sim_with(|config| config.logins.failed_per_minute = 3).await;
    let page = sim.get("/passkeys", &[]).await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let good = signs_in(&page, "alice", PASSWORD);
    let from = |site: &str| [(http::HeaderName::from_static("sec-fetch-site"), site.to_owned())];
    assert_eq!(sim.post("/passkeys", &from("cross-site"), &good).await.status, 400);
    assert_eq!(sim.last_reason().await, "CROSS_SITE");
    // A form of a login is none of this page, and the other way round.
    let login = sim.form(&asks()).await;
    assert_eq!(sim.post("/passkeys", &[], &signs_in(&login, "alice", PASSWORD)).await.status, 400);
    assert_eq!(sim.post("/authorize", &[], &good).await.status, 400);
    let account = sim.post("/passkeys", &from("same-origin"), &good).await;
    assert!(account.status == 200 && account.body.contains("<strong>alice</strong>"), "{}", account.body);
    assert_eq!(sim.post("/authorize", &[], &signs_in(&account, "alice", PASSWORD)).await.status, 400);
    for spoiled in [
        on(&account),
        on(&account).with("passkey", "{").with("remove", "x"),
        on(&account).with("passkey", "{"),
    ] {
        assert_eq!(sim.post("/passkeys", &[], &spoiled).await.status, 400);
    }
    let long = on(&account).with("passkey", "{}").with("label", &"x".repeat(65));
    assert_eq!(sim.post("/passkeys", &[], &long).await.status, 400);
    // Guessing is braked as at the login.
    let mut answers = Vec::new();
    for _ in 0..4 {
        let page = sim.get("/passkeys", &[]).await;
        answers.push(sim.post("/passkeys", &[], &signs_in(&page, "bob", "wrong password")).await.status);
    }
    assert_eq!(answers, [401, 401, 401, 429]);
}

#[tokio::test]
async fn an_account_has_so_many() {
    let sim = sim().await;
    let mut first = sim.device().await;
    for _ in 1..20 {
        sim.another(&mut first).await;
    }
    let page = sim.passkeys_by(&mut first).await;
    let more = sim.add(&page, &Device::new(&sim).create(&page, |_| {})).await;
    assert!(more.status == 400 && more.body.contains("You have 20 passkeys."), "{}", more.body);
}

/// Decision 0060: a passkey is worth more than the password that it was added with.
#[tokio::test]
async fn a_password_adds_the_first_passkey_and_no_other() {
    let sim = sim().await;
    // Whoever knows the password opens a page before there is a passkey, and keeps it open.
    let early = sim.passkeys("alice").await;
    let page = sim.passkeys("alice").await;
    let mut device = sim.device_on(&page).await;
    let late = sim.add(&early, &Device::new(&sim).create(&early, |_| {})).await;
    assert_eq!((late.status, sim.last_seen().await.as_str()), (400, "a password"), "{}", late.body);
    // Nor does the password open a page any more.
    let page = sim.get("/passkeys", &[]).await;
    let refused = sim.post("/passkeys", &[], &signs_in(&page, "alice", PASSWORD)).await;
    assert_eq!((refused.status, sim.last_reason().await.as_str()), (401, "CREDENTIALS_WRONG"));
    assert!(refused.body.contains("This account has a passkey.") && !refused.body.contains("Remove"));
    // A wrong password is told nothing of passkeys, an unknown passkey nothing of accounts.
    let wrong = sim.post("/passkeys", &[], &signs_in(&page, "alice", "wrong password")).await;
    assert!(wrong.status == 401 && wrong.body.contains("User name or password is wrong."));
    let unknown = Device::new(&sim).get(&page, |_| {}).to_string();
    let unknown = sim.post("/passkeys", &[], &on(&page).with("passkey", &unknown)).await;
    assert!(unknown.status == 401 && unknown.body.contains("This passkey is not known here."));
    // The form still takes the passkey, once.
    let good = on(&page).with("passkey", &device.get(&page, |_| {}).to_string());
    assert!(sim.post("/passkeys", &[], &good).await.body.contains("phone"));
    assert_eq!(sim.post("/passkeys", &[], &good).await.status, 400);

    // Who added the first goes on without another login, and who has lost all of them is helped by an administrator.
    let page = sim.passkeys_by(&mut device).await;
    let device = sim.device_on(&page).await;
    let alice = "alice".try_into().unwrap();
    sim.server.remove_passkeys(&alice).await.unwrap();
    let mut device = device;
    let page = sim.form(&asks()).await;
    assert_eq!(sim.use_on(&page, &device.get(&page, |_| {})).await.status, 401);
    let page = sim.passkeys("alice").await;
    assert!(page.body.contains("There is none yet."), "{}", page.body);
    let added = sim.add(&page, &Device::new(&sim).create(&page, |_| {})).await;
    let more = sim.add(&added, &Device::new(&sim).create(&added, |_| {})).await;
    assert!(more.body.contains("The passkey was added."), "{}", more.body);
    assert!(sim.server.remove_passkeys(&"nobody".try_into().unwrap()).await.is_err());
}
