//! AEF_PSK: the key for TLS-PSK between an API invoker and an API exposing function (TS 33.122 6.5.2.1 and A.1).
//!
//! Derivation only, with vectors. It is never negotiated ([`super::negotiation`]): it needs the master secret and the
//! session identifier of the TLS 1.2 handshake at the core function, which TLS 1.3 does not have and TLS libraries do not
//! give. TS 33.122 says that P0 is the information about the interface of the service API and not how it is written; here
//! it is `host:port` in ASCII, in one function, and the vectors say so.

use std::fmt;

/// Function code of the derivation (TS 33.122 A.1).
pub const FC: u8 = 0x7A;
/// Length of a TLS 1.2 master secret, in bytes (RFC 5246 8.1).
pub const MASTER_SECRET: usize = 48;
/// Longest session identifier, in bytes (RFC 5246 7.4.1.2).
pub const MAX_SESSION_ID: usize = 32;
/// Longest information about an interface, in bytes: a name of the DNS, the colon and a port.
pub const MAX_INTERFACE: usize = 253 + 6;

/// Why no key is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDerived {
    /// The master secret has another length than that of TLS 1.2.
    #[error("the master secret is not of TLS 1.2")]
    MasterSecret,
    /// No session identifier, or too long a one: a resumed or a TLS 1.3 session.
    #[error("the session has no identifier of its own")]
    SessionId,
    /// Not `host:port`.
    #[error("the interface is not host:port in ASCII")]
    Interface,
}

/// The key. `Debug` shows nothing.
#[derive(Clone)]
pub struct AefPsk([u8; 32]);

impl AefPsk {
    /// The key itself, for the one place that needs it.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// In constant time.
impl PartialEq for AefPsk {
    fn eq(&self, other: &Self) -> bool {
        jose::equal(self.0, other.0)
    }
}

impl Eq for AefPsk {}

impl fmt::Debug for AefPsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AefPsk")
    }
}

/// P0 of an interface: `host:port`, an IPv6 address in brackets.
///
/// # Errors
/// [`NotDerived::Interface`].
pub fn interface_information(host: &str, port: u16) -> Result<String, NotDerived> {
    let information = match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    let good = !host.is_empty()
        && information.len() <= MAX_INTERFACE
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    if good { Ok(information) } else { Err(NotDerived::Interface) }
}

/// Derives the key: HMAC-SHA-256 under the master secret over FC ‖ P0 ‖ L0 ‖ P1 ‖ L1, lengths in two octets, the higher
/// first (TS 33.220 B.2).
///
/// # Errors
/// What is missing for it.
pub fn derive(master_secret: &[u8], interface: &str, session_id: &[u8]) -> Result<AefPsk, NotDerived> {
    if master_secret.len() != MASTER_SECRET {
        return Err(NotDerived::MasterSecret);
    }
    if session_id.is_empty() || session_id.len() > MAX_SESSION_ID {
        return Err(NotDerived::SessionId);
    }
    if interface.is_empty() || interface.len() > MAX_INTERFACE || !interface.is_ascii() {
        return Err(NotDerived::Interface);
    }
    let mut input = vec![FC];
    for parameter in [interface.as_bytes(), session_id] {
        // At most MAX_INTERFACE, so that two octets hold it.
        let length = u16::try_from(parameter.len()).map_err(|_| NotDerived::Interface)?;
        input.extend_from_slice(parameter);
        input.extend_from_slice(&length.to_be_bytes());
    }
    Ok(AefPsk(jose::hmac_sha256(master_secret, &input)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Computed with another implementation of HMAC-SHA-256.
    #[test]
    fn vectors() {
        let counting: Vec<u8> = (0..48).collect();
        let session: Vec<u8> = (0x20..0x40).collect();
        type Row<'a> = (&'a [u8], &'a str, u16, &'a str, &'a [u8], &'a str);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row<'_>; 3] = [
            (&counting, "san.example", 8_446, "san.example:8446", &session, "b67f1ddf69d70fcd12cd233c13d03fc42f77e36806481404a70c2660d5d52ad4"),
            (&[0xFF; 48], "2001:db8::1", 443, "[2001:db8::1]:443", &[1], "4189eb3c5d64d9633a8728f3334a388432ba3d7fa7ca7b2a222c623c9b78afc6"),
            (&counting, "192.0.2.7", 65_535, "192.0.2.7:65535", &[0; 32], "11f0247c931361654b1fe9d7bc8d92d10c0bf022ad2248c904b828ae9af556df"),
        ];
        for (master_secret, host, port, p0, session_id, key) in rows {
            let interface = interface_information(host, port).unwrap();
            assert_eq!(interface, p0);
            assert_eq!(hex(derive(master_secret, &interface, session_id).unwrap().expose()), key, "{p0}");
        }
    }

    #[test]
    fn whatever_differs_gives_another_key() {
        let secret = [7; MASTER_SECRET];
        let key = derive(&secret, "san.example:443", &[1, 2]).unwrap();
        assert_eq!(derive(&secret, "san.example:443", &[1, 2]), Ok(key.clone()));
        let mut other_secret = secret;
        other_secret[47] ^= 1;
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &[u8], &str, &[u8]); 5] = [
            ("secret", &other_secret, "san.example:443", &[1, 2]), ("host", &secret, "sam.example:443", &[1, 2]), ("port", &secret, "san.example:444", &[1, 2]),
            ("session", &secret, "san.example:443", &[1, 3]), ("longer session", &secret, "san.example:443", &[1, 2, 0]),
        ];
        for (what, secret, interface, session_id) in rows {
            assert_ne!(derive(secret, interface, session_id).unwrap(), key, "{what}");
        }
        assert_eq!(format!("{key:?}"), "AefPsk");
    }

    #[test]
    fn what_is_not_of_tls_1_2_derives_nothing() {
        let secret = [7; MASTER_SECRET];
        let long = "x".repeat(MAX_INTERFACE + 1);
        type Row<'a> = (&'a str, &'a [u8], &'a str, &'a [u8], NotDerived);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row<'_>; 7] = [
            ("no secret", &[], "a:1", &[1], NotDerived::MasterSecret), ("secret of TLS 1.3", &[7; 32], "a:1", &[1], NotDerived::MasterSecret),
            ("no session", &secret, "a:1", &[], NotDerived::SessionId), ("long session", &secret, "a:1", &[1; 33], NotDerived::SessionId),
            ("no interface", &secret, "", &[1], NotDerived::Interface), ("long interface", &secret, &long, &[1], NotDerived::Interface), ("not ASCII", &secret, "ä:1", &[1], NotDerived::Interface),
        ];
        for (what, secret, interface, session_id, fault) in rows {
            assert_eq!(derive(secret, interface, session_id), Err(fault), "{what}");
        }
        for host in ["", "a b", "ä", "a/b", "a@b", &"x".repeat(254)] {
            assert_eq!(interface_information(host, 65_535), Err(NotDerived::Interface), "{host}");
        }
        assert!(interface_information(&"x".repeat(253), 65_535).is_ok());
    }
}
