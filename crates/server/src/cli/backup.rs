//! `metaseal backup FILE`, `metaseal restore FILE`

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use store::{Migrations, Store, StoreConfig};
use zeroize::Zeroizing;

use super::admin_link::data_path;
use super::arguments::{Backup, Common, Restore};
use super::config;
use crate::config::Backend;
use crate::wiring::{RECORDS, migrations_of};
use crate::{ambient, backup as archive};

pub(super) async fn backup(common: Common, command: Backup) -> Result<ExitCode> {
    let data = data_path(&common);
    if !data.exists() {
        bail!("{} does not exist; name the data directory with --data", data.display());
    }
    if config::load(&common)?.storage.backend != Backend::Sqlite {
        bail!("records are in PostgreSQL: back them up with pg_dump, and the data directory as files");
    }
    let key = key_file(&command.key_file)?;
    let mut stores = Vec::new();
    for function in api_types::function::Function::ALL.iter().copied() {
        if data.join(RECORDS).join(format!("{}.sqlite", function.as_str())).exists() {
            let place = StoreConfig::Sqlite { dir: data.join(RECORDS) };
            let migrations: Migrations = migrations_of(function);
            stores.push((function.as_str().to_owned(), Store::open(&place, function, migrations).await?));
        }
    }
    let count = archive::backup(&data, &stores, &command.file, &key, &ambient::system()).await?;
    if common.json {
        crate::out!("{}", serde_json::json!({ "file": command.file, "parts": count }));
    } else {
        crate::out!(
            "{} written. Without {} nobody can restore it.",
            command.file.display(),
            command.key_file.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(common: Common, command: Restore) -> Result<ExitCode> {
    let data = data_path(&common);
    let key = key_file(&command.key_file)?;
    let restored = tokio::task::block_in_place(|| archive::restore(&command.file, &key, &data))?;
    if common.json {
        crate::out!("{}", serde_json::json!({ "data": data, "files": restored.files }));
    } else {
        crate::out!(
            "{} files restored; start with `metaseal serve --data {}`.",
            restored.files,
            data.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn key_file(path: &std::path::Path) -> Result<Zeroizing<Vec<u8>>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading the key file {}", path.display()))?;
    Ok(Zeroizing::new(bytes))
}
