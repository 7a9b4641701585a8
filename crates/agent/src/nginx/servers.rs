//! Which TLS endpoints a configuration describes.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::Path;

use super::syntax::Directive;
use crate::site::Files;

/// One address of one `server` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TlsServer {
    pub address: SocketAddr,
    /// The name to ask for.
    pub server_name: Option<String>,
    /// All its names as written.
    pub names: Vec<String>,
    /// Its files; the reason where the agent can't install into them.
    pub files: Result<Files, String>,
}

impl TlsServer {
    pub(super) fn alias(&self) -> String {
        match &self.server_name {
            Some(name) => format!("nginx {name} {}", self.address),
            None => format!("nginx {}", self.address),
        }
    }
}

/// Ports of one range in a `listen`.
const MAX_RANGE: u16 = 64;

/// The TLS servers of the `http` and `stream` blocks, each address and name once: nginx itself
/// ignores all but the first of several servers with the same address and name.
pub(super) fn tls_servers(
    directives: &[Directive],
    folder: &Path,
    local: IpAddr,
) -> Vec<TlsServer> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for part in directives.iter().filter(|part| matches!(part.name.as_str(), "http" | "stream")) {
        let outer = part.block.as_deref().unwrap_or_default();
        for block in outer.iter().filter(|inner| inner.name == "server") {
            let server = Block { own: block.block.as_deref().unwrap_or_default(), outer };
            for server in server.addresses(folder, local) {
                if seen.insert((server.address, server.server_name.clone())) {
                    found.push(server);
                }
            }
        }
    }
    found
}

/// A `server` block within `http` or `stream`, whose settings it inherits.
struct Block<'a> {
    own: &'a [Directive],
    outer: &'a [Directive],
}

impl<'a> Block<'a> {
    fn addresses(&self, folder: &Path, local: IpAddr) -> Vec<TlsServer> {
        let names = self.names();
        let server_name = names.iter().find_map(|name| name_to_ask(name));
        let files = self.files(folder);
        listens(self.own, self.inherited("ssl") == ["on"])
            .into_iter()
            .map(|listen| TlsServer {
                address: listen.address(local),
                server_name: server_name.clone(),
                names: names.clone(),
                files: files.clone(),
            })
            .collect()
    }

    /// First arguments of the directive `name`: the block's own, else those around it.
    fn inherited(&self, name: &str) -> Vec<&'a str> {
        let given = |block: &'a [Directive]| -> Vec<&'a str> {
            let named = block.iter().filter(|directive| directive.name == name);
            named.filter_map(|directive| directive.arguments.first().map(String::as_str)).collect()
        };
        let own = given(self.own);
        if own.is_empty() { given(self.outer) } else { own }
    }

    fn names(&self) -> Vec<String> {
        let given = self.own.iter().filter(|directive| directive.name == "server_name");
        let mut names: Vec<String> = Vec::new();
        for name in given.flat_map(|directive| &directive.arguments) {
            let meant = !name.is_empty() && name != "_" && !name.starts_with('~');
            if meant && name.len() <= 255 && names.len() < 250 && !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    fn files(&self, folder: &Path) -> Result<Files, String> {
        let certificate = single("ssl_certificate", &self.inherited("ssl_certificate"))?;
        let key = single("ssl_certificate_key", &self.inherited("ssl_certificate_key"))?;
        let (fullchain, key) = (folder.join(certificate), folder.join(key));
        Ok(if fullchain == key {
            Files::Combined { combined: fullchain }
        } else {
            Files::Fullchain { fullchain, key }
        })
    }
}

/// The one plain path that a directive gives.
fn single<'a>(directive: &str, values: &[&'a str]) -> Result<&'a str, String> {
    match values {
        [] => Err(format!(
            "The server has no {directive}. Add the directive with the path where the agent \
             shall write."
        )),
        [path] if path.contains('$') => Err(format!(
            "{directive} holds a variable ({path}), so the agent can't know the file. Describe \
             the endpoint by its files in the agent's configuration."
        )),
        [path] if ["data:", "engine:", "store:"].iter().any(|scheme| path.starts_with(scheme)) => {
            Err(format!("{directive} names no file ({path}). Install by hand, or use files."))
        }
        [path] => Ok(path),
        _ => Err(format!(
            "The server has several {directive} directives (several key types). Describe each \
             pair of files as an endpoint in the agent's configuration."
        )),
    }
}

/// The name to send in a handshake so that the server with this `server_name` answers. A wildcard
/// stands for any name under it.
fn name_to_ask(name: &str) -> Option<String> {
    let name = match name.strip_prefix("*.") {
        Some(base) => format!("www.{base}"),
        None => name.strip_prefix('.').unwrap_or(name).to_owned(),
    };
    let usable = name.contains('.')
        && rustls::pki_types::DnsName::try_from(name.as_str()).is_ok()
        && name.parse::<IpAddr>().is_err();
    usable.then(|| name.to_ascii_lowercase())
}

/// Where a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Listen {
    ip: IpAddr,
    port: u16,
}

impl Listen {
    /// The address for screens and handshakes: "all addresses" is the host's own, or loopback
    /// where that is of the other family.
    fn address(self, local: IpAddr) -> SocketAddr {
        let ip = match (self.ip, local) {
            (ip, _) if !ip.is_unspecified() => ip,
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => local,
            (IpAddr::V4(_), _) => Ipv4Addr::LOCALHOST.into(),
            (IpAddr::V6(_), _) => Ipv6Addr::LOCALHOST.into(),
        };
        SocketAddr::new(ip, self.port)
    }
}

/// The TLS listens of a server block, those on all IPv6 addresses left out where the same port is
/// open on all IPv4 addresses.
fn listens(server: &[Directive], all_tls: bool) -> Vec<Listen> {
    let mut found: Vec<Listen> = Vec::new();
    for directive in server.iter().filter(|directive| directive.name == "listen") {
        let Some((place, options)) = directive.arguments.split_first() else { continue };
        let has = |option: &str| options.iter().any(|given| given == option);
        // `quic` listens on UDP.
        if (all_tls || has("ssl")) && !has("quic") {
            found.extend(places(place));
        }
    }
    let mut seen = HashSet::new();
    found.retain(|listen| seen.insert(*listen));
    let everywhere = |listen: &Listen| {
        listen.ip.is_ipv6() && listen.ip.is_unspecified() && {
            seen.contains(&Listen { ip: Ipv4Addr::UNSPECIFIED.into(), port: listen.port })
        }
    };
    found.retain(|listen| !everywhere(listen));
    found
}

/// The addresses of a `listen`'s first argument: `443`, `*:443`, `10.0.0.1`, `[::]:443`,
/// `localhost:8000-8005`. UNIX sockets have none.
fn places(text: &str) -> Vec<Listen> {
    if text.starts_with("unix:") {
        return Vec::new();
    }
    let (host, ports) = match text.rsplit_once(':') {
        Some((host, ports)) if !ports.contains(']') => (host, ports),
        None if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
            ("*", text)
        }
        _ => (text, "80"),
    };
    let Some(ports) = port_range(ports) else { return Vec::new() };
    let ips = host_ips(host);
    ports.flat_map(|port| ips.iter().map(move |&ip| Listen { ip, port })).collect()
}

fn port_range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
    (first > 0 && last >= first && last - first < MAX_RANGE).then_some(first..=last)
}

fn host_ips(host: &str) -> Vec<IpAddr> {
    if host == "*" {
        return vec![Ipv4Addr::UNSPECIFIED.into()];
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse() {
        return vec![ip];
    }
    // nginx resolves a host name at start and listens on all its addresses.
    let resolved = (bare, 0).to_socket_addrs();
    resolved.map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nginx::syntax::parse;

    fn fullchain(folder: &str, certificate: &str, key: &str) -> Files {
        let folder = Path::new(folder);
        Files::Fullchain { fullchain: folder.join(certificate), key: folder.join(key) }
    }

    fn read(text: &str) -> Vec<TlsServer> {
        tls_servers(&parse(text).unwrap(), Path::new("/etc/nginx"), "192.0.2.9".parse().unwrap())
    }

    fn addresses(text: &str) -> Vec<String> {
        read(text).iter().map(|server| server.address.to_string()).collect()
    }

    #[test]
    fn finds_tls_servers_with_their_names_and_files() {
        let found = read(
            "http { server { listen 80; server_name plain.test; }
               server { listen 443 ssl http2; listen [::]:443 ssl; listen 10.0.0.1:8443 ssl;
                 server_name _ ~^x www.Example.test example.test;
                 ssl_certificate tls/full.pem; ssl_certificate_key /keys/k.pem; } }",
        );
        let first = &found[0];
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(first.address.to_string(), "192.0.2.9:443");
        assert_eq!(found[1].address.to_string(), "10.0.0.1:8443");
        assert_eq!(first.server_name.as_deref(), Some("www.example.test"));
        assert_eq!(first.names, ["www.Example.test", "example.test"]);
        assert_eq!(first.files, Ok(fullchain("/etc/nginx", "tls/full.pem", "/keys/k.pem")));
    }

    #[test]
    fn reads_every_form_of_listen() {
        let listen = |text: &str| addresses(&format!("http {{ server {{ listen {text} ssl; }} }}"));
        assert_eq!(listen("8443"), ["192.0.2.9:8443"]);
        assert_eq!(listen("*:8443"), ["192.0.2.9:8443"]);
        assert_eq!(listen("10.1.1.1"), ["10.1.1.1:80"]);
        assert_eq!(listen("[::]:443"), ["[::1]:443"]);
        assert_eq!(listen("[2001:db8::1]:443"), ["[2001:db8::1]:443"]);
        assert_eq!(listen("127.0.0.1:9000-9001"), ["127.0.0.1:9000", "127.0.0.1:9001"]);
        assert_eq!(listen("unix:/run/x.sock"), Vec::<String>::new());
        assert_eq!(listen("443 quic"), Vec::<String>::new());
    }

    #[test]
    fn inherits_from_the_block_around() {
        let found = read(
            "http { ssl_certificate a.pem; ssl_certificate_key a.key; ssl on;
               server { listen 443; server_name .one.test; }
               server { listen 443; server_name *.two.test; ssl_certificate both.pem;
                        ssl_certificate_key both.pem; } }
             stream { server { listen 993 ssl; ssl_certificate s.pem; ssl_certificate_key s.key; } }",
        );
        let [one, two, stream] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(one.server_name.as_deref(), Some("one.test"));
        assert_eq!(one.files, Ok(fullchain("/etc/nginx", "a.pem", "a.key")));
        assert_eq!(two.server_name.as_deref(), Some("www.two.test"));
        assert!(matches!(two.files, Ok(Files::Combined { .. })));
        assert_eq!(stream.server_name, None);
    }

    #[test]
    fn merges_what_nginx_ignores() {
        let server = "server { listen 443 ssl; listen *:443 ssl; server_name a.test; }";
        assert_eq!(read(&format!("http {{ {server} {server} }}")).len(), 1);
    }

    #[test]
    fn says_why_it_cannot_install() {
        for (files, word) in [
            ("", "no ssl_certificate"),
            ("ssl_certificate /x/$ssl_server_name.pem; ssl_certificate_key k;", "variable"),
            ("ssl_certificate a; ssl_certificate b; ssl_certificate_key k;", "several"),
            ("ssl_certificate data:x; ssl_certificate_key k;", "no file"),
            ("ssl_certificate a; ssl_certificate_key engine:pkcs11:x;", "no file"),
        ] {
            let found = read(&format!("http {{ server {{ listen 443 ssl; {files} }} }}"));
            let reason = found[0].files.clone().unwrap_err();
            assert!(reason.contains(word), "{reason}");
        }
    }
}
