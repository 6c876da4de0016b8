//! What goes into a backup, and where it goes when it is restored.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Component, Path};

use anyhow::{Context, Result, bail};
use service_http::ambient::Ambient;
use store::Store;

use super::sealed::{Opener, Sealer};
use crate::data_dir::is_demo;

/// Files and directories of a data directory that are copied as they are; the databases are copied through their
/// engine, so that a running program does not disturb the copy.
const PLAIN: [&str; 3] = ["kek", "pki", "blobs"];

/// What a restore did.
#[derive(Debug)]
pub struct Restored {
    /// Files written.
    pub files: usize,
}

/// Writes a backup of `data` into a new `file`. The databases come first, then what they refer to.
///
/// # Errors
/// When `file` exists, the key is too short, or something cannot be read.
pub async fn backup(
    data: &Path,
    stores: &[(String, Store)],
    file: &Path,
    key_file: &[u8],
    ambient: &Ambient,
) -> Result<usize> {
    if is_demo(data) {
        bail!("{} was made by a demo; there is nothing in it to keep", data.display());
    }
    let copies = tempfile::tempdir_in(data)?;
    for (name, store) in stores {
        store.backup_to(&copies.path().join(format!("{name}.sqlite"))).await?;
    }
    let target =
        File::options().write(true).create_new(true).open(file).with_context(|| {
            format!("{} cannot be made; a backup never overwrites a file", file.display())
        })?;
    let mut archive = tar::Builder::new(Sealer::new(BufWriter::new(target), key_file, ambient)?);
    let mut count = 0;
    for entry in fs::read_dir(copies.path())? {
        let entry = entry?;
        archive.append_path_with_name(entry.path(), Path::new("records").join(entry.file_name()))?;
        count += 1;
    }
    for name in PLAIN {
        let path = data.join(name);
        if path.is_dir() {
            archive.append_dir_all(name, &path)?;
        } else if path.exists() {
            archive.append_path_with_name(&path, name)?;
        }
        count += usize::from(path.exists());
    }
    let mut out = archive.into_inner()?.finish()?;
    out.flush()?;
    out.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    Ok(count)
}

/// Makes a new data directory of a backup.
///
/// # Errors
/// When the directory is not empty, the key is wrong, or the file is damaged; nothing is left behind then.
pub fn restore(file: &Path, key_file: &[u8], data: &Path) -> Result<Restored> {
    if data.exists() && fs::read_dir(data)?.next().is_some() {
        bail!("{} is not empty; a restore makes a new directory", data.display());
    }
    let source = File::open(file).with_context(|| format!("opening {}", file.display()))?;
    let mut archive = tar::Archive::new(Opener::new(BufReader::new(source), key_file)?);
    let parent = data.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let staging = tempfile::Builder::new().prefix(".metaseal-restore-").tempdir_in(parent)?;
    let mut files = 0;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !inside || !(entry.header().entry_type().is_file() || entry.header().entry_type().is_dir()) {
            bail!("the backup holds {}, which does not belong into one", path.display());
        }
        let target = staging.path().join(&path);
        if let Some(dir) = target.parent() {
            fs::create_dir_all(dir)?;
        }
        entry.unpack(&target)?;
        files += 1;
    }
    if is_demo(staging.path()) {
        bail!("this is the data of a demo; it is not restored into real use");
    }
    if !staging.path().join("kek").exists() {
        bail!("the backup has no key; it is not complete");
    }
    let _ = fs::remove_dir(data);
    fs::rename(staging.keep(), data)?;
    Ok(Restored { files })
}
