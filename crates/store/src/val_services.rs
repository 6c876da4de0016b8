//! Who takes part in a VAL service, as its VAL servers say (TS 29.549 `ss-ipp`).

use crate::{Row, Sql, StoreError, params};

/// Kind of a member: a VAL user or a VAL UE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemberKind {
    /// VAL user.
    User,
    /// VAL UE.
    Ue,
}

impl MemberKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Ue => "ue",
        }
    }
}

/// Somebody who takes part in a VAL service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member {
    /// The VAL service.
    pub val_service: String,
    /// What is named.
    pub kind: MemberKind,
    /// VAL user id or VAL UE id.
    pub member: String,
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its identifier.
    pub conf_id: String,
    /// The VAL server that made it.
    pub val_server: String,
    /// JSON.
    pub body: String,
}

const COLUMNS: &str = "conf_id, val_server, body";

fn config(row: &Row) -> Result<Config, StoreError> {
    Ok(Config { conf_id: row.get(0)?, val_server: row.get(1)?, body: row.get(2)? })
}

/// Makes or replaces a configuration and its members.
///
/// # Errors
/// The engine's.
pub async fn put(tx: &mut dyn Sql, new: &Config, members: &[Member]) -> Result<(), StoreError> {
    let Config { conf_id, val_server, body } = new;
    let sql = "INSERT INTO val_configs (conf_id, val_server, body) VALUES ($1, $2, $3) \
               ON CONFLICT (conf_id) DO UPDATE SET val_server = excluded.val_server, body = excluded.body";
    tx.execute(sql, &params![conf_id, val_server, body]).await?;
    tx.execute("DELETE FROM val_members WHERE conf_id = $1", &params![conf_id]).await?;
    let rows: Vec<_> = members
        .iter()
        .map(|one| {
            params![conf_id, one.val_service.as_str(), one.kind.as_str(), one.member.as_str()].to_vec()
        })
        .collect();
    let sql = "INSERT INTO val_members (conf_id, val_service, kind, member) VALUES ($1, $2, $3, $4) \
               ON CONFLICT DO NOTHING";
    tx.execute_many(sql, &rows).await.map(drop)
}

/// A configuration, locked until the job is kept.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, conf_id: &str) -> Result<Option<Config>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!("SELECT {COLUMNS} FROM val_configs WHERE conf_id = $1{lock}");
    tx.query_opt(&sql, &params![conf_id]).await?.as_ref().map(config).transpose()
}

/// Up to `limit` configurations of a VAL server, by identifier.
///
/// # Errors
/// The engine's.
pub async fn of_server(tx: &mut dyn Sql, val_server: &str, limit: u32) -> Result<Vec<Config>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM val_configs WHERE val_server = $1 ORDER BY conf_id LIMIT $2");
    tx.query(&sql, &params![val_server, limit]).await?.iter().map(config).collect()
}

/// Removes a configuration; `false` when there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, conf_id: &str) -> Result<bool, StoreError> {
    tx.execute("DELETE FROM val_members WHERE conf_id = $1", &params![conf_id]).await?;
    Ok(tx.execute("DELETE FROM val_configs WHERE conf_id = $1", &params![conf_id]).await? == 1)
}

/// The members of a configuration.
///
/// # Errors
/// The engine's.
pub async fn members(tx: &mut dyn Sql, conf_id: &str) -> Result<Vec<Member>, StoreError> {
    let sql = "SELECT val_service, kind, member FROM val_members WHERE conf_id = $1 ORDER BY val_service, kind, member";
    let rows = tx.query(sql, &params![conf_id]).await?;
    rows.iter()
        .map(|row| {
            let kind: String = row.get(1)?;
            let kind = if kind == "ue" { MemberKind::Ue } else { MemberKind::User };
            Ok(Member { val_service: row.get(0)?, kind, member: row.get(2)? })
        })
        .collect()
}

/// The VAL services that somebody takes part in, by any configuration.
///
/// # Errors
/// The engine's.
pub async fn of_member(tx: &mut dyn Sql, kind: MemberKind, member: &str) -> Result<Vec<String>, StoreError> {
    let sql =
        "SELECT DISTINCT val_service FROM val_members WHERE kind = $1 AND member = $2 ORDER BY val_service";
    let rows = tx.query(sql, &params![kind.as_str(), member]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}
