//! tls-alpn-01 (RFC 8737, RFC 8738 section 6): a certificate that only a server under the client's
//! control shows, and only to whoever asks for it by ALPN.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use domain::model::acme::Identifier;
use lifecycle::acme::ValidationTask;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};

use super::reach::first_of_each;
use super::{Failure, Record, Validator, tls};

const PROTOCOL: &[u8] = b"acme-tls/1";
/// id-pe-acmeIdentifier.
const ACME_IDENTIFIER: &str = "1.3.6.1.5.5.7.1.31";
const CONNECT: Duration = Duration::from_secs(5);
const HANDSHAKE: Duration = Duration::from_secs(10);

impl Validator<'_> {
    pub(super) async fn tls_alpn01(
        &self,
        task: &ValidationTask,
        record: &mut Record,
    ) -> Result<(), Failure> {
        let host = &task.identifier.value;
        let addresses = self.reach.addresses(host, record).await?;
        let unreachable =
            || Failure::again("connection", format!("{host} could not be reached on port 443."));
        let mut stream = None;
        for address in first_of_each(&addresses, 1) {
            let target = SocketAddr::new(address, self.reach.config.tlsalpn01_port);
            if let Ok(Ok(connected)) = timeout(CONNECT, TcpStream::connect(target)).await {
                stream = Some(connected);
                break;
            }
        }
        let stream = stream.ok_or_else(unreachable)?;
        let config = tls::unverified(vec![PROTOCOL.to_vec()]).ok_or_else(unreachable)?;
        let name =
            ServerName::try_from(server_name(&task.identifier)).map_err(|_| unreachable())?;
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let tls = timeout(HANDSHAKE, handshake).await.ok().and_then(Result::ok);
        let tls = tls.ok_or_else(|| {
            Failure::again("tls", format!("The TLS handshake for acme-tls/1 with {host} failed."))
        })?;
        let (_, session) = tls.get_ref();
        if session.alpn_protocol() != Some(PROTOCOL) {
            let words = format!(
                "{host} did not choose the protocol acme-tls/1. Is a challenge server listening on port 443?"
            );
            return Err(Failure::again("tls", words));
        }
        let leaf = session.peer_certificates().and_then(|chain| chain.first());
        check(leaf.map_or(&[], |leaf| leaf.as_ref()), &task.identifier, &task.key_authorization)
            .map_err(|words| {
                Failure::again(
                    "incorrectResponse",
                    format!("The challenge certificate of {host} {words}."),
                )
            })
    }
}

/// The SNI value: the name, or an address written backwards (RFC 8738 section 6).
fn server_name(identifier: &Identifier) -> String {
    match identifier.address() {
        None => identifier.value.clone(),
        Some(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Some(IpAddr::V6(address)) => {
            let nibbles =
                address.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            let digits: Vec<String> = nibbles.map(|nibble| format!("{nibble:x}")).collect();
            format!("{}.ip6.arpa", digits.join("."))
        }
    }
}

/// RFC 8737 section 3: exactly one SAN, the identifier, and the critical extension with the digest
/// of the key authorization.
fn check(der: &[u8], identifier: &Identifier, key_authorization: &str) -> Result<(), &'static str> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| "can't be read")?;
    let names = certificate
        .subject_alternative_name()
        .ok()
        .flatten()
        .ok_or("has no subject alternative name, or one that can't be read")?;
    let [name] = names.value.general_names.as_slice() else {
        return Err("must have exactly one subject alternative name");
    };
    let is_identifier = match (name, identifier.address()) {
        (GeneralName::DNSName(name), None) => name.eq_ignore_ascii_case(&identifier.value),
        (GeneralName::IPAddress(bytes), Some(IpAddr::V4(address))) => {
            *bytes == address.octets().as_slice()
        }
        (GeneralName::IPAddress(bytes), Some(IpAddr::V6(address))) => {
            *bytes == address.octets().as_slice()
        }
        _ => false,
    };
    if !is_identifier {
        return Err("is for another name");
    }
    let mut extensions =
        certificate.extensions().iter().filter(|one| one.oid.to_id_string() == ACME_IDENTIFIER);
    let (Some(extension), None) = (extensions.next(), extensions.next()) else {
        return Err("must have the acmeIdentifier extension once");
    };
    if !extension.critical {
        return Err("has an acmeIdentifier extension that is not critical");
    }
    debug_assert!(matches!(
        extension.parsed_extension(),
        ParsedExtension::UnsupportedExtension { .. }
    ));
    // An OCTET STRING of 32 bytes.
    let wanted = [&[4, 32], digest(&SHA256, key_authorization.as_bytes()).as_ref()].concat();
    if extension.value == wanted.as_slice() {
        Ok(())
    } else {
        Err("holds the digest of another key authorization")
    }
}

#[cfg(test)]
mod tests {
    use domain::model::acme::IdentifierKind;

    use super::*;

    #[test]
    fn addresses_are_named_backwards() {
        let of = |text: &str| {
            server_name(&Identifier { kind: IdentifierKind::Ip, value: text.to_owned() })
        };
        assert_eq!(of("192.0.2.7"), "7.2.0.192.in-addr.arpa");
        assert_eq!(
            of("2001:db8::1"),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }

    #[test]
    fn anything_that_is_no_certificate_is_refused() {
        let identifier = Identifier { kind: IdentifierKind::Dns, value: "a.test".to_owned() };
        assert!(check(&[], &identifier, "x").is_err());
        assert!(check(&[0x30, 0x80], &identifier, "x").is_err());
    }
}
