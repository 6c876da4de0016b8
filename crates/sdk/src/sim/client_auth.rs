//! How a client shows who it is at the token endpoint and its neighbours.

use std::sync::Arc;

use api_types::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jose::Signer;

use crate::ambient::Ambient;
use crate::error::SdkError;
use crate::request::Request;

/// Life of a client assertion, in seconds. Own value.
const ASSERTION_S: i64 = 60;

/// Type of a client assertion (RFC 7523 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Client authentication, by the names of RFC 7591 and RFC 8705.
#[derive(Clone)]
pub enum ClientAuth {
    /// `client_secret_basic`
    SecretBasic {
        /// The client.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// `client_secret_post`
    SecretPost {
        /// The client.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// `private_key_jwt`
    PrivateKeyJwt {
        /// The client.
        client_id: String,
        /// Its key.
        key: Arc<dyn Signer>,
    },
    /// `tls_client_auth` or `self_signed_tls_client_auth`: the connection has the certificate.
    MutualTls {
        /// The client.
        client_id: String,
    },
}

impl std::fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientAuth({})", self.client_id())
    }
}

impl ClientAuth {
    /// A client with a secret.
    #[must_use]
    pub fn secret(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::SecretBasic { client_id: client_id.into(), secret: Secret::new(secret) }
    }

    /// A client with a certificate.
    #[must_use]
    pub fn mutual_tls(client_id: impl Into<String>) -> Self {
        Self::MutualTls { client_id: client_id.into() }
    }

    /// Identifier of the client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::SecretBasic { client_id, .. }
            | Self::SecretPost { client_id, .. }
            | Self::PrivateKeyJwt { client_id, .. }
            | Self::MutualTls { client_id } => client_id,
        }
    }

    pub(crate) fn is_mutual_tls(&self) -> bool {
        matches!(self, Self::MutualTls { .. })
    }

    /// A form with the authentication of the client.
    pub(crate) fn request(
        &self,
        url: url::Url,
        mut pairs: Vec<(&str, String)>,
        issuer: &str,
        ambient: &Ambient,
    ) -> Result<Request, SdkError> {
        let mut authorization = None;
        match self {
            Self::SecretBasic { client_id, secret } => {
                // RFC 6749 2.3.1: both parts are form-encoded first.
                let part =
                    |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let both = format!("{}:{}", part(client_id), part(secret.expose()));
                authorization = Some(format!("Basic {}", STANDARD.encode(both)));
            }
            Self::SecretPost { client_id, secret } => {
                pairs.push(("client_id", client_id.clone()));
                pairs.push(("client_secret", secret.expose().to_owned()));
            }
            Self::PrivateKeyJwt { client_id, key } => {
                let now_s = ambient.now_s();
                let claims = serde_json::json!({
                    "iss": client_id, "sub": client_id, "aud": issuer, "jti": ambient.unguessable(),
                    "iat": now_s, "exp": now_s + ASSERTION_S,
                });
                pairs.push(("client_id", client_id.clone()));
                pairs.push(("client_assertion_type", ASSERTION_TYPE.to_owned()));
                pairs.push(("client_assertion", jose::jwt::sign(&**key, "JWT", &claims)?));
            }
            Self::MutualTls { client_id } => pairs.push(("client_id", client_id.clone())),
        }
        let request = Request::post(url).form(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        Ok(request.opt_header("authorization", authorization.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::testing::ambient;
    use crate::request::Payload;

    fn sent(auth: &ClientAuth) -> (Option<String>, String) {
        let url = url::Url::parse("https://sim.example/token").unwrap();
        let request =
            auth.request(url, vec![("grant_type", "x".into())], "https://sim.example", &ambient()).unwrap();
        let Payload::Bytes(body) = &request.payload else { panic!("a form has a body") };
        let header = request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        (header, String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn each_method_has_its_place() {
        let (header, body) = sent(&ClientAuth::secret("ue-1", "a:b c"));
        assert_eq!(header.as_deref(), Some(&*format!("Basic {}", STANDARD.encode("ue-1:a%3Ab+c"))));
        assert_eq!(body, "grant_type=x");

        let post = ClientAuth::SecretPost { client_id: "ue-1".into(), secret: Secret::new("s") };
        assert_eq!(sent(&post), (None, "grant_type=x&client_id=ue-1&client_secret=s".into()));

        assert_eq!(sent(&ClientAuth::mutual_tls("vs-1")), (None, "grant_type=x&client_id=vs-1".into()));
    }

    #[test]
    fn an_assertion_is_for_the_issuer() {
        let key = jose::EcKey::generate_with(|bytes| {
            bytes.fill(7);
            Ok(())
        })
        .unwrap();
        let auth = ClientAuth::PrivateKeyJwt { client_id: "rp".into(), key: Arc::new(key) };
        let (_, body) = sent(&auth);
        let pairs: std::collections::HashMap<_, _> = url::form_urlencoded::parse(body.as_bytes()).collect();
        let parsed =
            jose::compact::parse(&pairs["client_assertion"], &jose::HeaderPolicy::client_assertion())
                .unwrap();
        let claims = parsed.unverified_claims();
        assert_eq!(
            (claims["aud"].as_str(), claims["sub"].as_str()),
            (Some("https://sim.example"), Some("rp"))
        );
        assert_eq!(claims["exp"].as_i64(), Some(1_800_000_060));
    }
}
