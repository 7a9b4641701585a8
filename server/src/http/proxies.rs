//! Where a request comes from when a proxy passes it on: `X-Forwarded-For`, believed only from
//! proxies that the operator named. Rate limits and the audit log see the client, not the proxy.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use acme::Network;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Proxies that one request can pass; entries further away are not looked at.
const MOST_HOPS: usize = 16;

/// The networks of the operator's proxies.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Arc<[Network]>);

impl From<Vec<Network>> for Proxies {
    fn from(networks: Vec<Network>) -> Self {
        Self(networks.into())
    }
}

impl Proxies {
    fn are(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client that our proxies name: each appends the address that it was reached from, so the
    /// last one that is no proxy of ours is right, and whatever stands before it is hearsay.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.are(peer) {
            return None;
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.rsplit(','));
        let mut nearest = None;
        for hop in hops.take(MOST_HOPS) {
            let Some(address) = address(hop.trim()) else { break };
            nearest = Some(address);
            if !self.are(address) {
                break;
            }
        }
        nearest
    }
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.parse().or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip()));
    plain.ok().map(|address| address.to_canonical())
}

/// Puts the client's address in the place of the proxy's.
pub async fn see_through(
    State(proxies): State<Proxies>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if let Some(client) = peer.and_then(|peer| proxies.client(peer, request.headers())) {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, 0)));
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(peer: &str, lines: &[&'static str]) -> Option<String> {
        let networks: Vec<Network> =
            ["10.0.0.0/8", "2001:db8:1::/48"].map(|text| text.parse().unwrap()).into();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
        }
        let found = Proxies::from(networks).client(peer.parse().unwrap(), &headers);
        found.map(|address| address.to_string())
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_client() {
        let of_proxy = |lines| client("10.0.0.1", lines);
        assert_eq!(of_proxy(&["192.0.2.7"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(of_proxy(&["192.0.2.7, 10.2.3.4"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(of_proxy(&["192.0.2.7", "10.2.3.4"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(of_proxy(&["6.6.6.6, 192.0.2.7:4711"]).as_deref(), Some("192.0.2.7"), "forged");
        assert_eq!(of_proxy(&["[2001:db8::9]:443"]).as_deref(), Some("2001:db8::9"));
        assert_eq!(of_proxy(&["::ffff:192.0.2.7"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(client("2001:db8:1::5", &["192.0.2.7"]).as_deref(), Some("192.0.2.7"));
    }

    #[test]
    fn strangers_and_nonsense_are_not_believed() {
        assert_eq!(client("203.0.113.9", &["192.0.2.7"]), None, "not a proxy of ours");
        assert_eq!(client("10.0.0.1", &[]), None);
        assert_eq!(client("10.0.0.1", &["unknown"]), None);
        assert_eq!(client("10.0.0.1", &["192.0.2.7, unknown"]), None, "hearsay behind nonsense");
        assert_eq!(client("10.0.0.1", &["10.0.0.2"]).as_deref(), Some("10.0.0.2"), "a proxy's own");
    }
}
