//! User accounts of the SIM-S.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Row, Sql, StoreError, json};
use api_types::ids::{ExternalId, Gpsi, Impu, Supi, UserId, ValServiceId, ValUeId, ValUserId};

/// What an account says about its user. Personal data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// VAL user that the account stands for (TS 23.434 7.2).
    pub val_user_id: ValUserId,
    /// VAL UEs that are bound to the user.
    pub val_ue_ids: Vec<ValUeId>,
    /// Subscriber.
    pub gpsi: Option<Gpsi>,
    /// Name of the subscriber outside the operator.
    pub external_id: Option<ExternalId>,
    /// IMS identity.
    pub impu: Option<Impu>,
    /// Permanent identity; never leaves the core.
    pub supi: Option<Supi>,
    /// VAL services that the user takes part in.
    pub val_services: Vec<ValServiceId>,
    /// Roles of the user, free words.
    pub roles: Vec<String>,
}

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// Name to log in with, and the `sub` of tokens.
    pub user_id: UserId,
    /// The person.
    pub profile: Profile,
    /// Argon2id hash in PHC form; an account without one cannot log in.
    pub password: Option<String>,
    /// Counts the changes.
    pub version: i64,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile")
    }
}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord").field("version", &self.version).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "user_id, profile, password, version";

fn record(row: &Row) -> Result<UserRecord, StoreError> {
    let user_id: String = row.get(0)?;
    let profile: String = row.get(1)?;
    Ok(UserRecord {
        user_id: json::id(user_id, "users.user_id")?,
        profile: json::decode(&profile, "users.profile")?,
        password: row.get(2)?,
        version: row.get(3)?,
    })
}

/// The account of that name.
///
/// # Errors
/// When the store fails.
pub async fn find(tx: &mut dyn Sql, user_id: &str) -> Result<Option<UserRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE user_id = $1");
    tx.query(&sql, &[user_id.into()]).await?.first().map(record).transpose()
}

/// The account of a VAL user.
///
/// # Errors
/// When the store fails.
pub async fn find_val_user(tx: &mut dyn Sql, val_user_id: &str) -> Result<Option<UserRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE val_user_id = $1");
    tx.query(&sql, &[val_user_id.into()]).await?.first().map(record).transpose()
}

/// Writes an account, new or changed, and returns its version.
///
/// # Errors
/// When the store fails.
pub async fn put(tx: &mut dyn Sql, user: &UserRecord, now_s: i64) -> Result<i64, StoreError> {
    let profile = json::encode(&user.profile)?;
    let rows = tx
        .query(
            "INSERT INTO users (user_id, val_user_id, profile, password, version, changed_s)
             VALUES ($1, $2, $3, $4, 1, $5)
             ON CONFLICT (user_id) DO UPDATE SET val_user_id = excluded.val_user_id, profile = excluded.profile,
               password = excluded.password, version = users.version + 1, changed_s = excluded.changed_s
             RETURNING version",
            &[
                user.user_id.as_str().into(),
                user.profile.val_user_id.as_str().into(),
                profile.into(),
                user.password.clone().into(),
                now_s.into(),
            ],
        )
        .await?;
    let user_id = user.user_id.as_str();
    tx.execute("DELETE FROM user_ues WHERE user_id = $1", &[user_id.into()]).await?;
    let ues: Vec<_> =
        user.profile.val_ue_ids.iter().map(|ue| vec![ue.as_str().into(), user_id.into()]).collect();
    let sql = "INSERT INTO user_ues (val_ue_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    tx.execute_many(sql, &ues).await?;
    rows.first().ok_or_else(|| json::corrupt("users.version"))?.get(0)
}

/// Whether a UE of anybody but `user_id` is called so.
///
/// # Errors
/// When the store fails.
pub async fn is_ue_of_another(tx: &mut dyn Sql, name: &str, user_id: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM user_ues WHERE val_ue_id = $1 AND user_id <> $2 LIMIT 1";
    Ok(tx.query_opt(sql, &[name.into(), user_id.into()]).await?.is_some())
}

/// The accounts that a VAL UE is bound to.
///
/// # Errors
/// When the store fails.
pub async fn of_ue(tx: &mut dyn Sql, val_ue_id: &str) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT user_id FROM user_ues WHERE val_ue_id = $1 ORDER BY user_id";
    let rows = tx.query(sql, &[val_ue_id.into()]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Removes an account; `false` when there is none.
///
/// # Errors
/// When the store fails.
pub async fn delete(tx: &mut dyn Sql, user_id: &str) -> Result<bool, StoreError> {
    tx.execute("DELETE FROM user_ues WHERE user_id = $1", &[user_id.into()]).await?;
    Ok(tx.execute("DELETE FROM users WHERE user_id = $1", &[user_id.into()]).await? > 0)
}

/// Up to `limit` accounts whose name follows `after`, by name.
///
/// # Errors
/// When the store fails.
pub async fn page(tx: &mut dyn Sql, after: &str, limit: i64) -> Result<Vec<UserRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE user_id > $1 ORDER BY user_id LIMIT $2");
    tx.query(&sql, &[after.into(), limit.into()]).await?.iter().map(record).collect()
}
