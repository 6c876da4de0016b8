//! The schema of a function and its migrations.

use std::time::Duration;

use tokio::time::sleep;

use super::connection::Target;
use crate::{Dialect, Migrations, Sql, StoreError, params};

/// Nodes that start at once may collide on the first CREATE; so often it is tried again. Own value.
const ATTEMPTS: u32 = 5;

/// Brings the schema up to date in one transaction. Nodes that start together wait for one another.
pub(super) async fn migrate(target: &Target, migrations: &Migrations) -> Result<(), StoreError> {
    let mut connection = target.connect().await?;
    let create = format!(
        "CREATE SCHEMA IF NOT EXISTS {}; \
         CREATE TABLE IF NOT EXISTS {0}.schema_migrations \
         (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)",
        target.schema
    );
    for attempt in 1.. {
        match connection.control(&create).await {
            Ok(()) => break,
            // IF NOT EXISTS of PostgreSQL does not cover a concurrent CREATE.
            Err(StoreError::Constraint(_) | StoreError::Engine(_)) if attempt < ATTEMPTS => {
                sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(error),
        }
    }
    connection
        .control("BEGIN; SET LOCAL statement_timeout = 0; LOCK TABLE schema_migrations IN EXCLUSIVE MODE")
        .await?;
    let applied = connection.query("SELECT name, sha256 FROM schema_migrations", &[]).await?;
    let applied =
        applied.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<Vec<_>, StoreError>>()?;
    let note = format!(
        "INSERT INTO schema_migrations (name, sha256, applied_at) VALUES ($1, $2, {})",
        Dialect::Postgres.now_s()
    );
    for migration in migrations.pending(Dialect::Postgres, &applied)? {
        connection.control(migration.text(Dialect::Postgres)).await?;
        let params = params![migration.name, migration.sha256(Dialect::Postgres)];
        connection.execute(&note, &params).await?;
    }
    connection.control("COMMIT").await?;
    let fsync: String = connection.query_one("SHOW fsync", &[]).await?.get(0)?;
    if fsync != "on" {
        tracing::warn!("PostgreSQL runs with fsync off: an acknowledged write may be lost");
    }
    Ok(())
}
