//! What a registered server keeps below the data directory, in `capif/<role>/`: a key for each function of its domain, and
//! `registration.json` with identifiers and certificates, which is there as a whole or not at all. Mode 0600.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use api_types::capif::provider::{APIProviderEnrolmentDetails, ApiProviderFuncRole};
use api_types::function::Function;
use rcgen::{CertificateParams, KeyPair};
use sdk::Identity;
use serde::{Deserialize, Serialize};

use crate::pki::write_private;

/// The functions of a domain, in the order in which they register.
pub(super) const PARTIES: [(&str, ApiProviderFuncRole); 3] =
    [("amf", ApiProviderFuncRole::Amf), ("apf", ApiProviderFuncRole::Apf), ("aef", ApiProviderFuncRole::Aef)];

const REGISTRATION: &str = "registration.json";

/// Where a server keeps what it needs at the core function.
pub(super) struct Files {
    dir: PathBuf,
}

/// The keys of a domain, by function.
pub(super) struct Keys(BTreeMap<&'static str, KeyPair>);

/// One function of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Party {
    /// Its identifier.
    pub(super) id: String,
    /// Its certificate, PEM.
    pub(super) cert: String,
}

/// A domain as the core function has answered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registration {
    /// Origin of the core function.
    pub(super) ccf: String,
    /// The registration.
    pub(super) registration_id: String,
    /// Name of the provider.
    pub(super) name: Option<String>,
    /// Management function.
    pub(super) amf: Party,
    /// Publishing function.
    pub(super) apf: Party,
    /// Exposing function.
    pub(super) aef: Party,
}

impl Files {
    /// Of a server, below the data directory.
    pub(super) fn of(data: &Path, function: Function) -> Self {
        Self { dir: data.join("capif").join(function.as_str()) }
    }

    /// Likewise, for a core function of another domain.
    pub(super) fn of_foreign(data: &Path, function: Function, issuer: &str) -> Self {
        let host: String =
            issuer.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
        Self { dir: data.join("capif").join(format!("{}.{host}", function.as_str())) }
    }

    /// The keys; those that are not there yet are made and kept before anybody is shown them.
    ///
    /// # Errors
    /// A key cannot be read or written.
    pub(super) fn keys(&self) -> Result<Keys> {
        let mut keys = BTreeMap::new();
        for (name, _) in PARTIES {
            let path = self.dir.join(format!("{name}.key"));
            let key = match fs::read_to_string(&path) {
                Ok(pem) => {
                    KeyPair::from_pem(&pem).with_context(|| format!("{} is no key in PEM", path.display()))?
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let key = KeyPair::generate()?;
                    write_private(&path, key.serialize_pem().as_bytes())?;
                    key
                }
                Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
            };
            keys.insert(name, key);
        }
        Ok(Keys(keys))
    }

    /// The registration, if one was kept.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn registration(&self) -> Result<Option<Registration>> {
        let path = self.dir.join(REGISTRATION);
        match fs::read(&path) {
            Ok(text) => Ok(Some(
                serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))?,
            )),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// Keeps a registration in the place of the one before.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn keep(&self, registration: &Registration) -> Result<()> {
        write_private(&self.dir.join(REGISTRATION), &serde_json::to_vec_pretty(registration)?)
    }
}

impl Keys {
    fn key(&self, party: &str) -> Result<&KeyPair> {
        self.0.get(party).ok_or_else(|| anyhow!("there is no key of {party}"))
    }

    /// A signing request for the key of a function.
    ///
    /// # Errors
    /// It cannot be signed.
    pub(super) fn csr(&self, party: &str) -> Result<String> {
        let params = CertificateParams::new(Vec::<String>::new())?;
        Ok(params.serialize_request(self.key(party)?)?.pem()?)
    }

    /// Certificate and key of a function.
    ///
    /// # Errors
    /// There is no such function.
    pub(super) fn identity(&self, party: &str, of: &Party) -> Result<Identity> {
        Ok(Identity { cert_pem: of.cert.clone(), key_pem: self.key(party)?.serialize_pem() })
    }
}

impl Registration {
    /// What was answered to a registration.
    ///
    /// # Errors
    /// A function of it has no identifier or no certificate.
    pub(super) fn of(ccf: &str, id: &str, answered: &APIProviderEnrolmentDetails) -> Result<Self> {
        let party = |role: &ApiProviderFuncRole| -> Result<Party> {
            let mut functions = answered.api_prov_funcs.iter().flatten();
            let function = functions.find(|function| function.api_prov_func_role == *role);
            let id = function.and_then(|function| function.api_prov_func_id.clone());
            let cert = function.and_then(|function| function.reg_info.api_prov_cert.clone());
            let (Some(id), Some(cert)) = (id, cert) else {
                return Err(anyhow!(
                    "the core function has not certified the {} of the domain",
                    role.as_str()
                ));
            };
            Ok(Party { id, cert })
        };
        Ok(Self {
            ccf: ccf.to_owned(),
            registration_id: id.to_owned(),
            name: answered.api_prov_name.clone(),
            amf: party(&ApiProviderFuncRole::Amf)?,
            apf: party(&ApiProviderFuncRole::Apf)?,
            aef: party(&ApiProviderFuncRole::Aef)?,
        })
    }

    /// The functions in the order of [`PARTIES`].
    pub(super) fn parties(&self) -> [&Party; 3] {
        [&self.amf, &self.apf, &self.aef]
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_made_once_and_are_their_owners_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let files = Files::of(dir.path(), Function::San);
        assert_eq!(files.registration().expect("readable"), None);
        let pem = |keys: &Keys, name: &str| keys.key(name).expect("a key").serialize_pem();
        let first = files.keys().expect("made");
        let lost = dir.path().join("capif/san/apf.key");
        assert_eq!(fs::metadata(&lost).expect("a file").permissions().mode() & 0o777, 0o600);
        // Cut off before the last of them: the others stay.
        fs::remove_file(&lost).expect("removed");
        let second = files.keys().expect("made");
        assert_eq!((pem(&first, "amf"), pem(&first, "aef")), (pem(&second, "amf"), pem(&second, "aef")));
        assert_ne!(pem(&first, "apf"), pem(&second, "apf"));
        fs::write(&lost, "x").expect("written");
        assert!(files.keys().is_err(), "a damaged key is never replaced in silence");
    }

    #[test]
    fn a_registration_is_kept_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let files = Files::of(dir.path(), Function::Sm);
        let function = |role: &str| {
            serde_json::json!({
                "apiProvFuncId": format!("{role}1"), "apiProvFuncRole": role,
                "regInfo": { "apiProvPubKey": "csr", "apiProvCert": format!("cert of {role}") },
            })
        };
        let functions = ["AMF", "APF", "AEF"].map(function);
        let mut body = serde_json::json!({ "regSec": "used", "apiProvFuncs": functions });
        let read = |body: &serde_json::Value| {
            Registration::of(
                "https://ccf.example",
                "REG1",
                &serde_json::from_value(body.clone()).expect("a body"),
            )
        };
        let registration = read(&body).expect("whole");
        files.keep(&registration).expect("written");
        assert_eq!(files.registration().expect("readable"), Some(registration));
        body["apiProvFuncs"][2]["regInfo"].as_object_mut().expect("an object").remove("apiProvCert");
        assert!(read(&body).is_err(), "a function without a certificate");
        fs::write(dir.path().join("capif/sm").join(REGISTRATION), "{").expect("written");
        assert!(files.registration().is_err());
    }
}
