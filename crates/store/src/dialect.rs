//! The few fragments in which the engines differ. The only place, beside the two engines and the migrations, that asks
//! which one it is.

/// The engine behind a [`crate::Sql`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// Takes the row lock that orders decisions between nodes; appended to a SELECT. SQLite has one writer and needs none.
    pub const fn for_update(self) -> &'static str {
        self.pick("", " FOR UPDATE")
    }

    /// The type of a primary key that the engine numbers upwards and never uses twice.
    pub const fn bigserial(self) -> &'static str {
        self.pick("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGSERIAL PRIMARY KEY")
    }

    /// The type of a column of bytes.
    pub const fn blob(self) -> &'static str {
        self.pick("BLOB", "BYTEA")
    }

    /// The engine's own clock in seconds. For notes such as the day of a migration, never for a decision.
    pub const fn now_s(self) -> &'static str {
        self.pick("CAST(strftime('%s','now') AS BIGINT)", "CAST(extract(epoch FROM now()) AS BIGINT)")
    }

    /// A fragment of a record's own, such as its spatial index.
    pub const fn pick(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}
