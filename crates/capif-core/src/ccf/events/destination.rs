//! Where notifications go: the address that a party named, by a request that its certificate stands behind (decision
//! 0051). Parties of CAPIF register no hosts at the SIM-S.

use api_types::problem::InvalidParam;
use authorization::Reason;
use service_http::call::Ctx;
use service_http::egress::Target;
use service_http::refusal::Refusal;
use url::Url;

/// The hosts that a notification to `uri` may go to: that of the address, at 443 or a port that is nobody's by default.
/// `None`: nothing is sent to such an address.
pub(crate) fn hosts(uri: &str) -> Option<Vec<String>> {
    let host = Url::parse(uri).ok()?.host_str()?.to_owned();
    let hosts = vec![host];
    Target::parse(uri, &hosts).is_ok().then_some(hosts)
}

/// Decides whether a party may be notified at an address that it names in the member `param`. Which network addresses are
/// reached is decided when something goes (`egress`).
///
/// # Errors
/// `ADDRESS_REFUSED`.
pub(crate) fn check(ctx: &Ctx, uri: &str, param: &str) -> Result<(), Refusal> {
    const EXPECTED: &str = "https, without user, at 443 or a port from 1024 on";
    if hosts(uri).is_some() {
        ctx.pass("callback address", EXPECTED, "held");
        return Ok(());
    }
    ctx.fail("callback address", EXPECTED, "not so");
    let fault = InvalidParam::new(param, "is not an https address that notifications are sent to");
    Err(Refusal::open(Reason::AddressRefused).with_invalid(vec![fault]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_go_to_the_host_that_was_named() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("https://inv.example/n",         Some("inv.example")),
            ("HTTPS://Inv.Example/n?x=1",     Some("inv.example")),
            ("https://inv.example:9443/n",    Some("inv.example")),
            ("https://192.0.2.7/n",           Some("192.0.2.7")),
            ("https://[2001:db8::1]:9443/n",  Some("[2001:db8::1]")),
            ("http://inv.example/n",          None),
            ("https://inv.example:22/n",      None),
            ("https://inv.example:0/n",       None),
            ("https://user@inv.example/n",    None),
            ("https://inv.example/n#part",    None),
            ("https://inv.example/a b",       None),
            ("notificationDestination",       None),
            ("file:///etc/passwd",            None),
            ("",                              None),
        ];
        for (uri, host) in rows {
            assert_eq!(hosts(uri), host.map(|host| vec![host.to_owned()]), "{uri}");
        }
    }
}
