//! Who may log in here, and who is logged in.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use api_types::secret::Secret;
use authorization::Reason;
use http::HeaderMap;
use jose::sha256;
use service_http::ambient::Ambient;
use service_http::call::{Actor, Ctx};
use service_http::oauth::keys::KeyStoreError;
use service_http::password::{MAX_PASSWORD, PasswordError, PasswordPool};
use service_http::refusal::Refusal;
use service_http::throttle::{LoginLimits, Throttle};
use store::StoreError;
use store::capif::compat_users;

use super::{ADMIN, ADMIN_ID, MAX_NAME, SESSION_S, User};
use crate::ccf::compat::basic;
use crate::ccf::identifier::fresh;
use crate::ccf::{CcfServer, enrolment};

/// Passwords that are checked at once, and requests that wait for it. Own values.
const WORKERS: usize = 2;
const QUEUE: usize = 32;

/// Wrong passwords of a name from one source, and logins from one source, per minute. Own values.
const LIMITS: LoginLimits = LoginLimits { failed_per_minute: 5, per_minute: 60 };

/// Administrators that are logged in at once; the oldest has to go. Own value.
const MOST_SESSIONS: usize = 16;

/// What logging in needs.
pub(in crate::ccf::compat) struct Accounts {
    passwords: PasswordPool,
    throttle: Arc<Throttle>,
    /// Digest of a session's token and when it ends.
    sessions: Mutex<BTreeMap<[u8; 32], i64>>,
}

impl Accounts {
    pub(in crate::ccf::compat) fn new(ambient: &Ambient) -> Self {
        Self {
            passwords: PasswordPool::new(WORKERS, QUEUE, ambient),
            throttle: Arc::new(Throttle::new(LIMITS)),
            sessions: Mutex::default(),
        }
    }

    /// The hash of a password.
    pub(super) async fn hash(&self, password: &Secret, ambient: &Ambient) -> Result<String, Refusal> {
        self.passwords.hash(password, ambient).await.map_err(refused)
    }

    /// Gives the administrator the password that was configured, or a drawn one at the first start, which is answered.
    ///
    /// # Errors
    /// The store or the hashing fails.
    pub(in crate::ccf::compat) async fn set_admin(
        &self,
        ccf: &CcfServer,
        configured: Option<&Secret>,
    ) -> Result<Option<Secret>, KeyStoreError> {
        let failed = |_| StoreError::Damaged("the password of the administrator cannot be hashed");
        let read = ccf.kit().store.read(|tx| Box::pin(async move { compat_users::find(tx, ADMIN_ID).await }));
        let known = read.await?.map(|document| read_user(&document.body)).transpose()?;
        let ambient = &ccf.kit().ambient;
        let (password, drawn) = match (configured, &known) {
            (None, Some(_)) => return Ok(None),
            (Some(configured), Some(known)) => {
                if self.passwords.verify(configured, Some(&known.password)).await.map_err(failed)? {
                    return Ok(None);
                }
                (configured.clone(), None)
            }
            (Some(configured), None) => (configured.clone(), None),
            (None, None) => {
                let drawn = Secret::new(ambient.random_secret());
                (drawn.clone(), Some(drawn))
            }
        };
        let hash = self.passwords.hash(&password, ambient).await.map_err(failed)?;
        let admin = User { uuid: fresh("USR", ambient), password: hash, created_s: ccf.now_s() };
        put(ccf, ADMIN_ID, &admin).await?;
        Ok(drawn)
    }

    /// The user behind name and password; the administrator by the name that OpenCAPIF gives him.
    ///
    /// # Errors
    /// `TOKEN_MISSING`, `CREDENTIALS_WRONG`, `LOGIN_THROTTLED`, `OVERLOADED`.
    pub(super) async fn user(
        &self,
        ccf: &CcfServer,
        ctx: &Ctx,
        headers: &HeaderMap,
        admin: bool,
    ) -> Result<(String, User), Refusal> {
        const EXPECTED: &str = "name and password of a user";
        let (name, password) = basic::credentials(headers)?;
        let id = match (admin, name.as_str()) {
            (true, ADMIN) => ADMIN_ID,
            // Nobody else administers, and the administrator enrols nobody: both are tried like unknown names.
            (true, _) => "",
            (false, name) if is_name(name) => name,
            (false, _) => "",
        };
        let id = id.to_owned();
        let source = ctx.peer().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.addr.ip());
        let monotonic = ccf.kit().ambient.monotonic();
        let braked = |wait_s| Refusal::open(Reason::LoginThrottled).retry_after(wait_s);
        self.throttle.admit(&id, source, monotonic).map_err(braked)?;
        let wanted = id.clone();
        let read = ccf.kit().store.read(|tx| {
            Box::pin(async move {
                if wanted.is_empty() { Ok(None) } else { compat_users::find(tx, &wanted).await }
            })
        });
        let user = read.await?.map(|document| read_user(&document.body)).transpose()?;
        let password = if password.expose().len() <= MAX_PASSWORD { password } else { Secret::new("") };
        let hash = user.as_ref().map(|user| user.password.as_str());
        let (begin, forgive) = ((self.throttle.clone(), id.clone()), (self.throttle.clone(), id.clone()));
        let begin = move || begin.0.attempt(&begin.1, source, monotonic);
        let forgive = move || forgive.0.forgive(&forgive.1, source, monotonic);
        let checked = self.passwords.verify_braked(&password, hash, begin, forgive).await;
        let right = checked.map_err(refused)?.map_err(braked)?;
        match user.filter(|_| right) {
            Some(user) => {
                ctx.pass("password", EXPECTED, "held");
                ctx.set_actor(actor(&user.uuid));
                Ok((id, user))
            }
            None => {
                ctx.fail("password", EXPECTED, "not so");
                Err(Refusal::open(Reason::CredentialsWrong))
            }
        }
    }

    /// Logs the administrator in: a token of `SESSION_S`, kept as its digest.
    pub(super) fn begin_session(&self, ccf: &CcfServer) -> Secret {
        let (token, now_s) = (ccf.kit().ambient.random_secret(), ccf.now_s());
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, end| *end > now_s);
        if sessions.len() >= MOST_SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|(_, end)| **end).map(|(key, _)| *key)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(sha256(token.as_bytes()), now_s.saturating_add(SESSION_S));
        Secret::new(token)
    }

    /// Decides whether an administrator asks.
    ///
    /// # Errors
    /// `TOKEN_MISSING`, `SESSION_UNKNOWN`.
    pub(super) fn session(&self, ccf: &CcfServer, ctx: &Ctx, headers: &HeaderMap) -> Result<(), Refusal> {
        const EXPECTED: &str = "the token of an administrator who is logged in";
        let token = enrolment::bearer(headers)?;
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let end = sessions.get(&sha256(token.expose().as_bytes()));
        if end.is_some_and(|end| ccf.now_s() < *end) {
            ctx.pass("session", EXPECTED, "held");
            ctx.set_actor(Actor { label: "administrator", ..Actor::client("opencapif-admin") });
            return Ok(());
        }
        ctx.fail("session", EXPECTED, "none such");
        Err(Refusal::open(Reason::SessionUnknown))
    }
}

/// How audit names a user.
pub(super) fn actor(uuid: &str) -> Actor {
    Actor { label: "user", ..Actor::client(uuid) }
}

/// Whether a text can be the name of a user.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'@');
    !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(fits)
}

/// A user as it is kept.
pub(super) fn read_user(body: &str) -> Result<User, StoreError> {
    serde_json::from_str(body).map_err(|_| StoreError::Damaged("a user"))
}

async fn put(ccf: &CcfServer, id: &'static str, user: &User) -> Result<(), StoreError> {
    let body = serde_json::to_string(user).map_err(|_| StoreError::Damaged("a user"))?;
    let at_ms = ccf.kit().ambient.now_ms();
    ccf.kit()
        .store
        .write(move |tx| Box::pin(async move { compat_users::put(tx, id, &body, at_ms).await.map(drop) }))
        .await
}

fn refused(error: PasswordError) -> Refusal {
    match error {
        PasswordError::Overloaded => Refusal::open(Reason::Overloaded),
        PasswordError::Failed => Refusal::open(Reason::DependencyDown),
    }
}
