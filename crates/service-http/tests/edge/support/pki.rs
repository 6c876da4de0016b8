//! Roots and certificates that live as long as a test.

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use service_http::peer::{CertRole, identity_uri};
use service_http::tls::{ClientRoot, Identity, RootKind};

/// A root.
pub(crate) struct Root {
    pub(crate) der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, for as many connections as a test needs.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Leaf {
    pub(crate) fn identity(&self) -> Identity {
        let key = PrivateKeyDer::try_from(self.key.clone()).expect("key");
        Identity { chain: self.chain.clone(), key }
    }
}

/// What stands in a certificate.
pub(crate) struct Wanted {
    pub(crate) dns: Vec<String>,
    pub(crate) uris: Vec<String>,
    pub(crate) until: i32,
    pub(crate) usage: Vec<ExtendedKeyUsagePurpose>,
}

impl Wanted {
    /// A client certificate with these identities.
    pub(crate) fn client(uris: &[String]) -> Self {
        Self {
            dns: Vec::new(),
            uris: uris.to_vec(),
            until: 2100,
            usage: vec![ExtendedKeyUsagePurpose::ClientAuth],
        }
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::new(self.dns.clone()).expect("names");
        for uri in &self.uris {
            let uri = Ia5String::try_from(uri.as_str()).expect("ascii");
            params.subject_alt_names.push(SanType::URI(uri));
        }
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(self.until, 1, 1);
        params.extended_key_usages.clone_from(&self.usage);
        params
    }
}

impl Root {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("key");
        let mut params = CertificateParams::new(Vec::new()).expect("names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).expect("root").der().clone();
        Self { der, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn issue(&self, wanted: &Wanted) -> Leaf {
        let key = KeyPair::generate().expect("key");
        let leaf = wanted.params().signed_by(&key, &self.issuer).expect("leaf");
        Leaf { chain: vec![leaf.der().clone()], key: key.serialize_der() }
    }

    /// A certificate for `localhost`.
    pub(crate) fn server(&self) -> Leaf {
        self.issue(&Wanted {
            dns: vec!["localhost".into()],
            uris: Vec::new(),
            until: 2100,
            usage: vec![ExtendedKeyUsagePurpose::ServerAuth],
        })
    }

    /// A client certificate with one identity.
    pub(crate) fn client(&self, role: CertRole, name: &str) -> Leaf {
        self.issue(&Wanted::client(&[identity_uri(role, name)]))
    }

    pub(crate) fn as_client_root(&self, kind: RootKind) -> ClientRoot {
        ClientRoot::new(vec![self.der.clone()], kind)
    }
}

/// A certificate that vouches for itself.
pub(crate) fn self_signed(role: CertRole, name: &str) -> Leaf {
    let key = KeyPair::generate().expect("key");
    let params = Wanted::client(&[identity_uri(role, name)]).params();
    let leaf = params.self_signed(&key).expect("leaf");
    Leaf { chain: vec![leaf.der().clone()], key: key.serialize_der() }
}
