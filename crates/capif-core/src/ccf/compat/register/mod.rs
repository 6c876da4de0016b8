//! What OpenCAPIF calls `register`: the part that stands outside of TS 29.222. An administrator makes users; a user gets, for
//! name and password, a credential that onboards an API invoker or registers a domain, once and soon: an enrolment like
//! those of `admin`, of the kind that opens this listener alone.

mod accounts;
mod getauth;
mod login;
mod users;

pub(super) use accounts::Accounts;
pub(super) use getauth::getauth;
pub(super) use login::login;
pub(super) use users::{create_user, delete_user, list_users};

use serde::{Deserialize, Serialize};

/// Name of the administrator on the wire.
const ADMIN: &str = "admin";

/// Where the administrator is kept: no user can have this name.
const ADMIN_ID: &str = ":admin";

/// Most users. Own value.
const MOST_USERS: u64 = 10_000;

/// Longest name of a user, in characters. Own value.
const MAX_NAME: usize = 64;

/// How long what `/getauth` gives can be used, in seconds. Own value.
const GRANT_S: i64 = 600;

/// How long an administrator stays logged in, in seconds. Own value, as long as tokens of OpenCAPIF live.
const SESSION_S: i64 = 600;

/// A user, or the administrator, as it is kept by name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    uuid: String,
    password: String,
    created_s: i64,
}
