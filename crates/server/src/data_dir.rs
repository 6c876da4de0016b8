//! The data directory: who may use it, and the key that protects what is in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use service_http::ambient::Ambient;
use zeroize::Zeroizing;

use crate::pki::write_private;

/// Marks a directory that a demo made.
const DEMO_MARK: &str = "DEMO";
/// The key-encryption key of everything that is encrypted at rest.
const KEK: &str = "kek";

/// A data directory that this process alone uses.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Takes the directory for this process, creating it if need be.
    ///
    /// # Errors
    /// When another process has it, or when it was made by a demo and `demo` is false.
    pub fn open(path: &Path, demo: bool) -> Result<Self> {
        fs::create_dir_all(path)
            .with_context(|| format!("creating the data directory {}", path.display()))?;
        let path = fs::canonicalize(path)?;
        restrict(&path)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .with_context(|| format!("opening the lock in {}", path.display()))?;
        if lock.try_lock().is_err() {
            bail!("{} is in use by another metaseal; stop it or name another --data", path.display());
        }
        let marked = path.join(DEMO_MARK).exists();
        if demo && !marked {
            let fresh = fs::read_dir(&path)?.filter_map(Result::ok).all(|entry| entry.file_name() == "lock");
            if !fresh {
                bail!("{} holds real data; a demo takes an empty directory", path.display());
            }
            write_private(
                &path.join(DEMO_MARK),
                b"Made by `metaseal demo`: its keys and passwords are worth nothing.\n",
            )?;
        }
        if !demo && marked {
            bail!("{} was made by a demo; take another --data", path.display());
        }
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key-encryption key. Made with a new directory; never made anew for one that holds data.
    ///
    /// # Errors
    /// When the key is lost or damaged: nothing starts without it.
    pub fn kek(&self, ambient: &Ambient) -> Result<Zeroizing<[u8; 32]>> {
        let file = self.path.join(KEK);
        if !file.exists() {
            if self.path.join("pki").exists() {
                bail!(
                    "{} is missing; restore it from a backup, the data cannot be read without it",
                    file.display()
                );
            }
            let mut key = Zeroizing::new([0u8; 32]);
            ambient.entropy.fill(key.as_mut());
            write_private(&file, key.as_ref())?;
        }
        let bytes = Zeroizing::new(fs::read(&file)?);
        let key: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| anyhow!("{} is damaged: not 32 bytes", file.display()))?;
        Ok(Zeroizing::new(key))
    }
}

/// Whether a directory was made by a demo.
#[must_use]
pub fn is_demo(path: &Path) -> bool {
    path.join(DEMO_MARK).exists()
}

fn restrict(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_used_by_one_and_keeps_its_key() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (ambient, _) = Ambient::for_test(1_800_000_000, 1);
        let data = DataDir::open(dir.path(), false).expect("free");
        let key = data.kek(&ambient).expect("made");
        let second = DataDir::open(dir.path(), false).err().expect("taken").to_string();
        assert!(second.contains("in use"), "{second}");
        assert_eq!(*data.kek(&ambient).expect("kept"), *key);
        fs::create_dir(dir.path().join("pki")).expect("writable");
        fs::remove_file(dir.path().join(KEK)).expect("removable");
        assert!(data.kek(&ambient).expect_err("lost").to_string().contains("restore it"));
        fs::write(dir.path().join(KEK), b"short").expect("writable");
        assert!(data.kek(&ambient).expect_err("damaged").to_string().contains("damaged"));
    }

    #[test]
    fn demo_and_real_data_are_kept_apart() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        drop(DataDir::open(dir.path(), true).expect("fresh"));
        assert!(DataDir::open(dir.path(), false).is_err());
        drop(DataDir::open(dir.path(), true).expect("a demo's own"));
        let real = tempfile::tempdir().expect("a temporary directory");
        fs::write(real.path().join("x"), b"").expect("writable");
        assert!(DataDir::open(real.path(), true).is_err());
    }
}
