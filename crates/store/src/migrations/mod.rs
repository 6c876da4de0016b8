//! Numbered changes of the schema, alike for both engines, never edited once released.
//!
//! Files: `migrations/{common,admin,sim,ccf,san,sm,udm,aef}/NNNN_name.{sqlite,postgres}.sql`. Those of `common` are in every function's
//! schema. Each has its name and SHA-256 in `schema_migrations`; an edited or unknown one is refused at opening.

mod admin;
mod aef;
mod ccf;
mod common;
mod san;
mod sim;
mod sm;
mod udm;

use api_types::function::Function;
use aws_lc_rs::digest::{SHA256, digest};

use crate::{Dialect, StoreError};

/// One change of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// `set/NNNN_name`.
    pub name: &'static str,
    /// Statements for SQLite.
    pub sqlite: &'static str,
    /// Statements for PostgreSQL.
    pub postgres: &'static str,
}

impl Migration {
    pub(crate) fn text(&self, dialect: Dialect) -> &'static str {
        dialect.pick(self.sqlite, self.postgres)
    }

    pub(crate) fn sha256(&self, dialect: Dialect) -> String {
        hex(digest(&SHA256, self.text(dialect).as_bytes()).as_ref())
    }
}

/// Embeds `migrations/<set>/<name>.{sqlite,postgres}.sql`.
macro_rules! migration {
    ($set:literal, $name:literal) => {
        $crate::migrations::Migration {
            name: concat!($set, "/", $name),
            sqlite: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/migrations/",
                $set,
                "/",
                $name,
                ".sqlite.sql"
            )),
            postgres: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/migrations/",
                $set,
                "/",
                $name,
                ".postgres.sql"
            )),
        }
    };
}
pub(crate) use migration;

/// The migrations of one function's schema, in the order in which they run.
#[derive(Clone, Debug, Default)]
pub struct Migrations(Vec<Migration>);

impl Migrations {
    /// Those of every schema, then those of the function.
    pub fn of(function: Function) -> Self {
        let own: &[Migration] = match function {
            Function::Admin => admin::ADMIN,
            Function::Console => &[],
            Function::Sim => sim::SIM,
            Function::Ccf => ccf::CCF,
            Function::San => san::SAN,
            Function::Sm => sm::SM,
            Function::Lm => &[],
            Function::Udm => udm::UDM,
        };
        let of_all = Self::common().with(own);
        match function {
            // They are API exposing functions too.
            Function::San | Function::Sm => of_all.with(aef::AEF),
            _ => of_all,
        }
    }

    /// Those of an API exposing function that keeps nothing else.
    pub fn of_aef() -> Self {
        Self::common().with(aef::AEF)
    }

    /// Those of every schema.
    pub fn common() -> Self {
        Self(common::COMMON.to_vec())
    }

    /// Adds more, to run after the others.
    #[must_use]
    pub fn with(mut self, more: &[Migration]) -> Self {
        self.0.extend_from_slice(more);
        self
    }

    /// Only the first `count`: an older database, for tests of the upgrade.
    #[must_use]
    pub fn first(mut self, count: usize) -> Self {
        self.0.truncate(count);
        self
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &Migration> {
        self.0.iter()
    }

    /// Which of these are still to run, given name and SHA-256 of those that have.
    ///
    /// # Errors
    /// An edited migration; one that this program does not know.
    pub(crate) fn pending(
        &self,
        dialect: Dialect,
        applied: &[(String, String)],
    ) -> Result<Vec<Migration>, StoreError> {
        for (name, sha256) in applied {
            match self.0.iter().find(|migration| migration.name == name) {
                None => return Err(StoreError::MigrationUnknown(name.clone())),
                Some(known) if known.sha256(dialect) != *sha256 => {
                    return Err(StoreError::MigrationEdited(name.clone()));
                }
                Some(_) => {}
            }
        }
        let todo = self.0.iter().filter(|migration| !applied.iter().any(|(name, _)| name == migration.name));
        Ok(todo.copied().collect())
    }
}

/// Lowercase hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}
