//! One certificate authority: a self-signed root and what it signs.

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use service_http::ambient::Ambient;
use time::{Duration, OffsetDateTime};

/// Life of a root, in days. Own value.
const ROOT_LIFE_DAYS: i64 = 3650;
/// Life of a certificate of a function or client, in days. Own value; renewed at start when a month is left.
const LEAF_LIFE_DAYS: i64 = 365;
/// Clocks of two machines may differ by this much, in minutes. Own value.
const BACKDATE_MIN: i64 = 5;

/// What a certificate may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// TLS server.
    Server,
    /// TLS client.
    Client,
}

/// A certificate chain with its private key, both PEM.
#[derive(Clone)]
pub struct Identity {
    /// The leaf certificate, PEM.
    pub cert_pem: String,
    /// The private key, PKCS#8 PEM.
    pub key_pem: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// A root with its key.
pub struct Authority {
    cert_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new self-signed root. Returns it with its private key as PEM.
    ///
    /// # Errors
    /// When the key cannot be made or the certificate cannot be signed.
    pub fn create(name: &str, ambient: &Ambient) -> Result<(Self, String)> {
        let key = KeyPair::generate()?;
        let mut params = base_params(&format!("metaseal {name} root"), ROOT_LIFE_DAYS, ambient)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let cert_pem = params.self_signed(&key)?.pem();
        let key_pem = key.serialize_pem();
        Ok((Self { cert_pem, issuer: Issuer::new(params, key) }, key_pem))
    }

    /// Loads a root from its PEM files' texts.
    ///
    /// # Errors
    /// When either is not what it should be.
    pub fn load(cert_pem: String, key_pem: &str) -> Result<Self> {
        let key = KeyPair::from_pem(key_pem).context("the root's key is not a PKCS#8 PEM")?;
        let issuer = Issuer::from_ca_cert_pem(&cert_pem, key).context("the root is not a certificate")?;
        Ok(Self { cert_pem, issuer })
    }

    /// The root certificate, PEM.
    #[must_use]
    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// Makes a key and certifies it as `urn:metaseal:<role>:<name>`.
    ///
    /// # Errors
    /// When a name is not valid in a certificate.
    pub fn issue(
        &self,
        identity: (&str, &str),
        purpose: Purpose,
        hosts: &[String],
        ambient: &Ambient,
    ) -> Result<Identity> {
        let key = KeyPair::generate()?;
        let cert_pem = self.certify(&key, identity, purpose, hosts, ambient)?;
        Ok(Identity { cert_pem, key_pem: key.serialize_pem() })
    }

    /// Certifies a public key as `urn:metaseal:<role>:<name>`. Returns the certificate as PEM.
    ///
    /// # Errors
    /// When a name is not valid in a certificate.
    pub fn certify(
        &self,
        key: &impl PublicKeyData,
        (role, name): (&str, &str),
        purpose: Purpose,
        hosts: &[String],
        ambient: &Ambient,
    ) -> Result<String> {
        self.certify_until(key, (role, name), purpose, hosts, None, ambient)
    }

    /// As [`Authority::certify`], with a certificate that ends no later than a second since 1970.
    ///
    /// # Errors
    /// As [`Authority::certify`].
    pub fn certify_until(
        &self,
        key: &impl PublicKeyData,
        (role, name): (&str, &str),
        purpose: Purpose,
        hosts: &[String],
        until_s: Option<i64>,
        ambient: &Ambient,
    ) -> Result<String> {
        let mut params = base_params(name, LEAF_LIFE_DAYS, ambient)?;
        if let Some(until_s) = until_s {
            params.not_after = params.not_after.min(OffsetDateTime::from_unix_timestamp(until_s)?);
        }
        params.subject_alt_names.push(SanType::URI(format!("urn:metaseal:{role}:{name}").try_into()?));
        for host in hosts {
            params.subject_alt_names.push(match host.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(host.as_str().try_into()?),
            });
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match purpose {
            Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &self.issuer)?.pem())
    }
}

fn base_params(common_name: &str, life_days: i64, ambient: &Ambient) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let now = OffsetDateTime::from_unix_timestamp(ambient.clock.now_s())?;
    params.not_before = now - Duration::minutes(BACKDATE_MIN);
    params.not_after = now + Duration::days(life_days);
    // RFC 5280 4.1.2.2: positive and at most 20 octets; random so that it tells nothing.
    let mut serial = [0u8; 16];
    ambient.entropy.fill(&mut serial);
    serial[0] = (serial[0] & 0x7f) | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}
