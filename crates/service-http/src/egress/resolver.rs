//! Names are resolved once, here; the connection goes to what was looked at and to nothing else, so that a name
//! that changes its address in between (DNS rebinding) gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Name, Resolve, Resolving};

use super::{EgressError, Target, is_public};

/// Which addresses are reached.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    pub(super) allow_private: bool,
    /// Listeners of this deployment, which nobody reaches by way of us.
    pub(super) own: Arc<[SocketAddr]>,
    /// What is reached all the same.
    pub(super) also: Arc<[SocketAddr]>,
}

impl Reach {
    pub(super) fn admits(&self, address: IpAddr) -> bool {
        // Addresses that are not public without being private (0.0.0.0, multicast …) are no places to go to.
        let configured = self.allow_private
            && match address {
                IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
                IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
            };
        is_public(address) || configured
    }

    pub(super) fn is_own(&self, address: IpAddr, port: u16) -> bool {
        is_among(&self.own, address, port)
    }

    /// Whether an address may be connected to.
    fn opens(&self, address: IpAddr, port: u16) -> bool {
        // A listener on all addresses is meant on this machine and nowhere else.
        let here = address.is_loopback() || self.also.iter().any(|also| also.ip() == address);
        let meant = here && is_among(&self.also, address, port);
        meant || self.admits(address) && !self.is_own(address, port)
    }
}

fn is_among(all: &[SocketAddr], address: IpAddr, port: u16) -> bool {
    all.iter().any(|one| one.port() == port && (one.ip() == address || one.ip().is_unspecified()))
}

/// The addresses of a target, each of which may be reached; one bad address spoils the name.
///
/// # Errors
/// [`EgressError::NotResolved`], [`EgressError::AddressRefused`].
pub(super) async fn resolve(reach: &Reach, target: &Target) -> Result<Vec<SocketAddr>, EgressError> {
    let port = target.port;
    let addresses: Vec<SocketAddr> = match (target.literal, target.url.host_str()) {
        (Some(address), _) => vec![SocketAddr::new(address, port)],
        (None, Some(name)) => {
            let found = tokio::net::lookup_host((name, port)).await;
            found.map_err(|_| EgressError::NotResolved)?.collect()
        }
        (None, None) => Vec::new(),
    };
    if addresses.is_empty() {
        return Err(EgressError::NotResolved);
    }
    let good = |address: &SocketAddr| reach.opens(address.ip(), port);
    if addresses.iter().all(good) { Ok(addresses) } else { Err(EgressError::AddressRefused) }
}

/// A resolver for the client that knows no name: only what [`resolve`] found is connected to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nothing;

impl Resolve for Nothing {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Err(EgressError::NotResolved.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_reached_where_configured_and_our_own_never() {
        let own = Arc::from([SocketAddr::from(([127, 0, 0, 1], 8444))]);
        let open = Reach { allow_private: true, own, also: Arc::default() };
        let strict = Reach { allow_private: false, ..open.clone() };
        for private in ["127.0.0.1", "10.0.0.1", "192.168.0.1", "::1", "fd00::1"] {
            assert!(open.admits(private.parse().unwrap()), "{private}");
            assert!(!strict.admits(private.parse().unwrap()), "{private}");
        }
        for never in ["0.0.0.0", "169.254.169.254", "224.0.0.1", "fe80::1", "::", "::ffff:10.0.0.1"] {
            assert!(!open.admits(never.parse().unwrap()), "{never}");
        }
        assert!(open.is_own("127.0.0.1".parse().unwrap(), 8444));
        assert!(!open.is_own("127.0.0.1".parse().unwrap(), 8443));
        // What is meant is reached though it is private and our own, and nothing beside it.
        let meant = Reach { also: Arc::from([SocketAddr::from(([127, 0, 0, 1], 8444))]), ..strict };
        let opens = |address: &str, port| meant.opens(address.parse().unwrap(), port);
        assert!(opens("127.0.0.1", 8444) && !opens("127.0.0.1", 8443) && !opens("10.0.0.1", 8444));
        let all = Reach { also: Arc::from([SocketAddr::from(([0, 0, 0, 0], 8444))]), ..meant.clone() };
        let opens = |address: &str| all.opens(address.parse().unwrap(), 8444);
        assert!(opens("127.0.0.1") && !opens("169.254.169.254") && !opens("10.0.0.1"));
    }

    #[tokio::test]
    async fn a_name_is_looked_at_by_its_addresses() {
        let target = Target::parse("https://localhost:4711/", &["localhost"]).unwrap();
        let strict = Reach::default();
        assert_eq!(resolve(&strict, &target).await, Err(EgressError::AddressRefused));
        let open = Reach { allow_private: true, ..Reach::default() };
        assert!(resolve(&open, &target).await.unwrap().iter().all(|found| found.port() == 4711));
        let all = Arc::from([SocketAddr::from(([0, 0, 0, 0], 4711))]);
        let own = Reach { allow_private: true, own: all, ..Reach::default() };
        assert_eq!(resolve(&own, &target).await, Err(EgressError::AddressRefused));
        let metadata = Target::parse("https://169.254.169.254/latest", &["169.254.169.254"]).unwrap();
        assert_eq!(resolve(&open, &metadata).await, Err(EgressError::AddressRefused));
    }
}
