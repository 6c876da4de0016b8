//! Sessions of operators and logins under way, in memory: a restart ends them, and no token of an operator is ever
//! written down (decision 0010).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jose::sha256;
use sdk::Pending;

use super::tokens::Tokens;

/// Longest time without a request. Own value.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// Longest session in all: a working day. Own value.
const LONGEST: Duration = Duration::from_secs(8 * 3600);
/// Time to answer the login form; that of the SIM-S.
const LOGIN: Duration = Duration::from_secs(600);
/// Most sessions, and most logins under way. Own value.
const MOST: usize = 10_000;

type Key = [u8; 32];

/// An operator with a live session.
#[derive(Clone)]
pub(super) struct Operator {
    /// Account at the SIM-S.
    pub(super) user: String,
    /// Roles at the login, for the pages; what is allowed is decided by each server.
    pub(super) roles: Vec<String>,
    /// When the password was given, in seconds since 1970.
    pub(super) auth_time_s: i64,
    /// What requests that change something must show.
    pub(super) csrf: String,
    /// The operator's tokens.
    pub(super) tokens: Arc<tokio::sync::Mutex<Tokens>>,
    key: Key,
}

struct Session {
    operator: Operator,
    began: Duration,
    used: Duration,
}

/// A login that was begun.
pub(super) struct Login {
    /// What its answer is compared with.
    pub(super) pending: Pending,
    /// Where in the pages to go on.
    pub(super) next: String,
    /// The session that it replaces.
    pub(super) replaces: Option<String>,
    began: Duration,
}

/// Every session and login. Cookies are kept as hashes.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<HashMap<Key, Session>>,
    logins: Mutex<HashMap<Key, Login>>,
}

/// Who logged in.
pub(super) struct LoggedIn {
    pub(super) user: String,
    pub(super) roles: Vec<String>,
    pub(super) auth_time_s: i64,
    pub(super) csrf: String,
    pub(super) tokens: Tokens,
}

impl Sessions {
    /// Notes a login that begins in the browser with this cookie. `false`: too many at once.
    pub(super) fn begin(
        &self,
        cookie: &str,
        pending: Pending,
        next: String,
        replaces: Option<String>,
        now: Duration,
    ) -> bool {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        logins.retain(|_, login| now.saturating_sub(login.began) < LOGIN);
        if logins.len() >= MOST {
            return false;
        }
        logins.insert(sha256(cookie.as_bytes()), Login { pending, next, replaces, began: now });
        true
    }

    /// Takes out the login of the browser with this cookie: it is answered once.
    pub(super) fn take_login(&self, cookie: &str, now: Duration) -> Option<Login> {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let login = logins.remove(&sha256(cookie.as_bytes()))?;
        (now.saturating_sub(login.began) < LOGIN).then_some(login)
    }

    /// Opens a session for the browser that gets this cookie. `false`: too many at once.
    pub(super) fn open(&self, cookie: &str, who: LoggedIn, now: Duration) -> bool {
        let key = sha256(cookie.as_bytes());
        let operator = Operator {
            user: who.user,
            roles: who.roles,
            auth_time_s: who.auth_time_s,
            csrf: who.csrf,
            tokens: Arc::new(tokio::sync::Mutex::new(who.tokens)),
            key,
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| session.is_live(now));
        if open.len() >= MOST {
            return false;
        }
        open.insert(key, Session { operator, began: now, used: now });
        true
    }

    /// The operator of the session with this cookie, if it is live; it is used by that.
    pub(super) fn find(&self, cookie: &str, now: Duration) -> Option<Operator> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = open.get_mut(&sha256(cookie.as_bytes()))?;
        if !session.is_live(now) {
            return None;
        }
        session.used = now;
        Some(session.operator.clone())
    }

    /// Ends a session.
    pub(super) fn close(&self, operator: &Operator) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&operator.key);
    }
}

impl Session {
    fn is_live(&self, now: Duration) -> bool {
        now.saturating_sub(self.used) < IDLE && now.saturating_sub(self.began) < LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(sessions: &Sessions, cookie: &str, now: Duration) {
        let who = LoggedIn {
            user: "olga".into(),
            roles: vec!["admin".into()],
            auth_time_s: 0,
            csrf: "c".into(),
            tokens: Tokens::default(),
        };
        assert!(sessions.open(cookie, who, now));
    }

    #[test]
    fn a_session_ends_by_idleness_by_age_and_by_logout() {
        let sessions = Sessions::default();
        let at = Duration::from_secs;
        open(&sessions, "one", at(0));
        assert!(sessions.find("two", at(1)).is_none(), "another cookie");
        let operator = sessions.find("one", at(1)).expect("a session");
        assert_eq!(operator.user, "olga");
        assert!(sessions.find("one", at(1) + IDLE - at(1)).is_some(), "used in time");
        assert!(sessions.find("one", at(3 * 3600)).is_none(), "idle");
        let mut now = at(0);
        open(&sessions, "busy", now);
        while now + at(600) < LONGEST {
            now += at(600);
            assert!(sessions.find("busy", now).is_some());
        }
        assert!(sessions.find("busy", LONGEST).is_none(), "too old");
        open(&sessions, "out", at(0));
        sessions.close(&sessions.find("out", at(1)).expect("a session"));
        assert!(sessions.find("out", at(2)).is_none(), "logged out");
    }
}
