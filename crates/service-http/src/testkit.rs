//! What tests of this crate and of the functions are made of: an issuer with a key of its own, tokens, proofs, peers.
//!
//! For tests only: everything is predictable, and it panics where a server would answer with an error.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use api_types::function::Function;
use async_trait::async_trait;
use authorization::IssuerRow;
use axum::body::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request};
use jose::dpop::ProofFor;
use jose::{EcKey, Jwks, Signer};
use serde_json::{Value, json};
use store::Store;

use crate::ambient::Ambient;
use crate::callback_hosts::{HostSource, Unavailable};
use crate::egress::Egress;
use crate::kit::{FunctionKit, KitConfig, Settings};
use crate::limits::{RateLimits, RateSettings};
use crate::peer::{CertRole, Peer, PeerCertificate, x5t_s256};
use crate::verifier::{Following, IssuerState, Verifier};

/// Issuer of [`TestIssuer::sim`].
pub const SIM: &str = "https://sim.example:8444";

/// A new key of `ambient`'s randomness.
pub fn key(ambient: &Ambient) -> EcKey {
    EcKey::generate_with(|bytes| {
        ambient.entropy.fill(bytes);
        Ok(())
    })
    .expect("a key")
}

/// An issuer whose key the test holds and whose revocations and lease the test moves.
pub struct TestIssuer {
    /// Its signing key.
    pub key: EcKey,
    /// What verifiers know of it.
    pub state: Arc<IssuerState>,
    ambient: Ambient,
}

impl TestIssuer {
    /// A SIM-S that is followed by the feed; its lease was renewed just now.
    pub fn sim(ambient: &Ambient) -> Self {
        Self::new(IssuerRow::sim(SIM, format!("{SIM}/jwks")), Following::Feed, ambient)
    }

    /// Another issuer.
    pub fn new(row: IssuerRow, following: Following, ambient: &Ambient) -> Self {
        let key = key(ambient);
        let state = IssuerState::new(row, following, None);
        let issuer = Self { key, state, ambient: ambient.clone() };
        issuer.publish(&[&issuer.key]);
        issuer.renew();
        issuer
    }

    /// Publishes these keys and no other.
    pub fn publish(&self, keys: &[&EcKey]) {
        self.state.set_keys(&Jwks::new(keys.iter().map(|key| key.public_jwk())).expect("a key set"));
    }

    /// Renews the lease.
    pub fn renew(&self) {
        self.state.renew(self.ambient.monotonic());
    }

    /// Claims that are good at `audience` for 300 s, of the VAL server `client`; bound to nothing.
    pub fn claims_of_server(&self, audience: &str, client: &str, scope: &str) -> Value {
        let now = self.ambient.now_s();
        json!({
            "iss": self.state.row().issuer, "sub": client, "aud": audience, "iat": now, "exp": now + 300,
            "jti": self.ambient.random_id(), "client_id": client, "scope": scope, "sub_type": "client",
            "val_service_id": ["val-service-1"], "rev": self.state.epoch(),
        })
    }

    /// Claims of the user `user` in the client `client`; bound to nothing.
    pub fn claims_of_user(&self, audience: &str, user: &str, client: &str, scope: &str) -> Value {
        let mut claims = self.claims_of_server(audience, client, scope);
        let more = json!({
            "sub": user, "sub_type": "user", "val_user_id": user, "val_ue_id": format!("{user}-ue"),
            "gpsi": format!("msisdn-{user}"),
        });
        for (name, value) in more.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims
    }

    /// Signs claims as an access token.
    pub fn token(&self, claims: &Value) -> String {
        self.token_typ("at+jwt", claims)
    }

    /// Signs claims as a token of another type.
    pub fn token_typ(&self, typ: &str, claims: &Value) -> String {
        jose::jwt::sign(&self.key, typ, claims).expect("a token")
    }
}

/// Binds claims to a DPoP key.
pub fn bind_dpop(claims: &mut Value, key: &EcKey) {
    claims["cnf"] = json!({ "jkt": key.public_jwk().thumbprint() });
}

/// Binds claims to a certificate.
pub fn bind_certificate(claims: &mut Value, certificate: &PeerCertificate) {
    claims["cnf"] = json!({ "x5t#S256": certificate.x5t_s256 });
}

/// A certificate as the edge would show it after a handshake; its bytes are no certificate.
pub fn certificate(role: CertRole, name: &str) -> PeerCertificate {
    let der = Bytes::from(format!("certificate of {role} {name}"));
    let x5t_s256 = x5t_s256(&der);
    PeerCertificate { der, x5t_s256, role, name: name.to_owned() }
}

/// A peer on loopback.
pub fn peer(certificate: Option<PeerCertificate>) -> Peer {
    Peer { addr: ([127, 0, 0, 1], 40_000).into(), certificate: certificate.map(Arc::new) }
}

/// A request of `peer`, as the edge would pass it on.
pub fn request(method: Method, path: &str, peer: Peer) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header(HOST, "localhost").extension(peer);
    request.body(Body::empty()).expect("a request")
}

/// Adds `Authorization: Bearer`.
pub fn bearer(request: &mut Request<Body>, token: &str) {
    request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse().expect("a header"));
}

/// Adds `Authorization: DPoP` and a fresh proof for `origin` and the request's path.
pub fn dpop(request: &mut Request<Body>, token: &str, key: &EcKey, origin: &str, ambient: &Ambient) {
    let proof = proof(request, token, key, origin, ambient);
    request.headers_mut().insert(AUTHORIZATION, format!("DPoP {token}").parse().expect("a header"));
    request.headers_mut().insert("dpop", proof.parse().expect("a header"));
}

/// A fresh proof.
pub fn proof(request: &Request<Body>, token: &str, key: &EcKey, origin: &str, ambient: &Ambient) -> String {
    let htu = format!("{origin}{}", request.uri().path());
    let proof = ProofFor {
        jti: &ambient.random_id(),
        htm: request.method().as_str(),
        htu: &htu,
        iat: ambient.now_s(),
        access_token: Some(token),
        nonce: None,
    };
    jose::dpop::sign(key, &proof).expect("a proof")
}

/// Callback hosts as a test sets them.
#[derive(Debug, Default)]
pub struct TestHosts(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    hosts: HashMap<String, Vec<String>>,
    down: bool,
}

impl TestHosts {
    /// Clients and the one host of each.
    pub fn of(hosts: &[(&str, &str)]) -> Arc<Self> {
        let known = Self::default();
        hosts.iter().for_each(|(client, host)| known.set(client, &[*host]));
        Arc::new(known)
    }

    /// Replaces the hosts of a client; none forgets the client.
    pub fn set(&self, client: &str, hosts: &[&str]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match hosts {
            [] => drop(known.hosts.remove(client)),
            hosts => {
                let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
                known.hosts.insert(client.to_owned(), hosts);
            }
        }
    }

    /// Whether it answers.
    pub fn set_down(&self, down: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).down = down;
    }
}

#[async_trait]
impl HostSource for TestHosts {
    async fn of_client(&self, client: &str) -> Result<Option<Vec<String>>, Unavailable> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.down { Err(Unavailable) } else { Ok(known.hosts.get(client).cloned()) }
    }
}

/// The surroundings of a function that trusts `issuers`; nothing leaves, nothing is rate limited.
pub fn kit(
    function: Function,
    store: Store,
    ambient: &Ambient,
    origin: &str,
    issuers: &[&TestIssuer],
) -> FunctionKit {
    let states = issuers.iter().map(|issuer| issuer.state.clone()).collect();
    FunctionKit::new(KitConfig {
        function,
        store,
        ambient: ambient.clone(),
        origin: origin.to_owned(),
        verifier: Some(Arc::new(Verifier::new(origin, ambient.clone(), states))),
        egress: Egress::closed(),
        limits: Arc::new(RateLimits::new(&RateSettings::demo(), ambient)),
        pseudonym_key: [7; 32],
        settings: Settings {
            issuers: issuers.iter().map(|issuer| issuer.state.row().issuer.clone()).collect(),
            ..Settings::default()
        },
    })
}
