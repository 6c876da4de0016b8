//! The roots as files of the data directory: `pki/<root>/{root.pem,root.key}`, keys with mode 0600.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use service_http::ambient::Ambient;

use super::{Authority, Identity, Purpose, ROOTS};

/// All roots of a deployment.
pub struct Pki {
    dir: PathBuf,
    authorities: BTreeMap<&'static str, Authority>,
}

impl Pki {
    /// Loads the roots of `data`, or makes them when there are none yet.
    ///
    /// # Errors
    /// When only some of the files are there: a root that is lost is restored from a backup, never replaced.
    pub fn open(data: &Path, ambient: &Ambient) -> Result<Self> {
        let dir = data.join("pki");
        let mut authorities = BTreeMap::new();
        for name in ROOTS {
            let (cert, key) = (dir.join(name).join("root.pem"), dir.join(name).join("root.key"));
            let authority = match (cert.exists(), key.exists()) {
                (true, true) => Authority::load(fs::read_to_string(&cert)?, &fs::read_to_string(&key)?)
                    .with_context(|| format!("reading the {name} root in {}", dir.display()))?,
                (false, false) => {
                    let (authority, key_pem) = Authority::create(name, ambient)?;
                    write_private(&key, key_pem.as_bytes())?;
                    write_private(&cert, authority.cert_pem().as_bytes())?;
                    authority
                }
                _ => bail!("{} has half of the {name} root; restore it from a backup", dir.display()),
            };
            authorities.insert(name, authority);
        }
        let pki = Self { dir, authorities };
        write_private(&pki.bundle_path(), pki.bundle().as_bytes())?;
        Ok(pki)
    }

    /// A root by its name.
    ///
    /// # Errors
    /// When there is no such root.
    pub fn authority(&self, name: &str) -> Result<&Authority> {
        self.authorities.get(name).ok_or_else(|| anyhow!("there is no root named {name}"))
    }

    /// All root certificates in one PEM text.
    #[must_use]
    pub fn bundle(&self) -> String {
        ROOTS.iter().filter_map(|name| self.authorities.get(name)).map(Authority::cert_pem).collect()
    }

    /// Where the bundle stands.
    #[must_use]
    pub fn bundle_path(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// Where the certificate of a root stands.
    #[must_use]
    pub fn root_path(&self, name: &str) -> PathBuf {
        self.dir.join(name).join("root.pem")
    }

    /// Issues an identity and stores it as `<subdir>/<name>.{pem,key}`. Returns the two paths.
    ///
    /// # Errors
    /// When it cannot be signed or written.
    pub fn issue_to_files(
        &self,
        root: &str,
        (role, name): (&str, &str),
        purpose: Purpose,
        hosts: &[String],
        ambient: &Ambient,
    ) -> Result<(Identity, PathBuf, PathBuf)> {
        let identity = self.authority(root)?.issue((role, name), purpose, hosts, ambient)?;
        let dir = self.dir.join(role);
        let (cert, key) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
        write_private(&key, identity.key_pem.as_bytes())?;
        write_private(&cert, identity.cert_pem.as_bytes())?;
        Ok((identity, cert, key))
    }
}

/// Writes a file that only its owner may read, atomically: a crash leaves the old file or the new one.
///
/// # Errors
/// Those of the file system.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let dir = path.parent().ok_or_else(|| anyhow!("{} has no directory", path.display()))?;
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    let file_name = path.file_name().ok_or_else(|| anyhow!("{} names no file", path.display()))?;
    let temporary = dir.join(format!(".{}.new", file_name.to_string_lossy()));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .with_context(|| format!("writing {}", temporary.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    fs::File::open(dir)?.sync_all()?;
    Ok(())
}
