//! What can go wrong, as the application sees it.

use api_types::{Cause, InvalidParam};

/// Why a call gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// No connection, the TLS handshake included.
    Connect,
    /// A time limit ran out.
    Timeout,
    /// The connection broke.
    Broken,
}

/// Why a call failed. Holds no token and no secret.
#[derive(Debug, thiserror::Error)]
pub enum SdkError {
    /// The server refused, with problem details.
    #[error("refused with status {status}, cause {}", cause.map_or("unknown", Cause::as_str))]
    Problem {
        /// HTTP status.
        status: u16,
        /// Cause; `None` for one that this version does not know.
        cause: Option<Cause>,
        /// Trace, by which the operator finds the decision.
        trace: Option<String>,
        /// Members refused.
        invalid: Vec<InvalidParam>,
    },
    /// An OAuth endpoint refused (RFC 6749 4.1.2.1 and 5.2).
    #[error("the authorization server refused: {error}")]
    OAuth {
        /// HTTP status.
        status: u16,
        /// Registered error code.
        error: String,
        /// Its description.
        description: Option<String>,
        /// Trace.
        trace: Option<String>,
    },
    /// The login form came back: the credentials were not accepted.
    #[error("the login was refused")]
    LoginRefused {
        /// HTTP status.
        status: u16,
        /// Trace.
        trace: Option<String>,
    },
    /// An authorization response whose `state` is not the one of the request; its code must not be used.
    #[error("the state of the authorization response is wrong")]
    StateWrong,
    /// An authorization response or metadata of another issuer (RFC 9207 2.4, RFC 8414 3.3).
    #[error("the issuer is wrong")]
    IssuerWrong,
    /// An answer with a status that the operation does not have.
    #[error("unexpected status {status}")]
    Unexpected {
        /// HTTP status.
        status: u16,
        /// Trace.
        trace: Option<String>,
    },
    /// No answer.
    #[error("no answer: {text}")]
    Transport {
        /// What happened.
        kind: TransportKind,
        /// The text of the layers below, without address or content.
        text: String,
    },
    /// The answer is larger than the caller accepts.
    #[error("the answer is too large")]
    TooLarge,
    /// The answer is not what the specification says.
    #[error("the answer is malformed: {0}")]
    Malformed(&'static str),
    /// The digest of the content is not the one in `Repr-Digest`.
    #[error("the digest of the content is wrong")]
    DigestWrong,
    /// What the caller passed cannot be used.
    #[error("cannot be used: {0}")]
    Unusable(&'static str),
    /// A key cannot be used.
    #[error("key unusable")]
    Key,
}

impl SdkError {
    /// HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem { status, .. }
            | Self::OAuth { status, .. }
            | Self::LoginRefused { status, .. }
            | Self::Unexpected { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Cause, if the server named one.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::Problem { cause, .. } => *cause,
            _ => None,
        }
    }

    /// Trace, by which the operator finds the decision.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        match self {
            Self::Problem { trace, .. }
            | Self::OAuth { trace, .. }
            | Self::LoginRefused { trace, .. }
            | Self::Unexpected { trace, .. } => trace.as_deref(),
            _ => None,
        }
    }
}

impl From<reqwest::Error> for SdkError {
    fn from(error: reqwest::Error) -> Self {
        let kind = if error.is_timeout() {
            TransportKind::Timeout
        } else if error.is_connect() {
            TransportKind::Connect
        } else {
            TransportKind::Broken
        };
        // The address may hold parameters, and is left out.
        let error = error.without_url();
        let mut text = error.to_string();
        let mut below: Option<&dyn std::error::Error> = std::error::Error::source(&error);
        while let Some(source) = below {
            text.push_str(": ");
            text.push_str(&source.to_string());
            below = source.source();
        }
        Self::Transport { kind, text }
    }
}

impl From<jose::JoseError> for SdkError {
    fn from(_: jose::JoseError) -> Self {
        Self::Key
    }
}
