//! "Automation > Automated IPs": where certificates are served, and what can be done there.

mod actions;
pub mod api;
mod auto_renew;
mod bulk;
mod bulk_api;
mod detail;
#[cfg(feature = "ssr")]
pub mod files;
mod list;
#[cfg(feature = "ssr")]
pub(crate) mod reading;

pub use bulk::BulkPage;
pub use detail::EndpointPage;
pub use list::EndpointsPage;

pub(crate) use auto_renew::{RenewDefaults, ZoneField, renew_fields};

/// In the filter of the status: all endpoints where nothing goes on before a person acts.
pub(crate) const NEEDS_ACTION: &str = "needs_action";

/// Address and port as people write them; IPv6 in brackets.
#[cfg(feature = "ssr")]
pub(crate) fn address(ip: &str, port: u16) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    #[test]
    fn addresses_of_both_kinds() {
        assert_eq!(super::address("192.0.2.1", 443), "192.0.2.1:443");
        assert_eq!(super::address("2001:db8::1", 8443), "[2001:db8::1]:8443");
    }
}
