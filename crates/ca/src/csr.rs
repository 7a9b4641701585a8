//! Reads certificate signing requests (PKCS#10, RFC 2986).
//!
//! Requests come from strangers: every byte may be wrong, and every fault has words that say what
//! to do. Extensions that the profile decides on (key usage, must-staple, Microsoft's template)
//! are read over; names of kinds that are not issued are refused.

use std::net::IpAddr;

use domain::{DnsName, Name, NameError, NameSet};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME;
use x509_parser::prelude::FromDer;
use x509_parser::x509::AttributeTypeAndValue;

use crate::der::{pem, sha256};
use crate::key_check::{self, KeyFacts, KeyFault};
use crate::self_signature;

/// Longest request, in PEM or DER: room for 1,000 names.
pub const MAX_BYTES: usize = 128 * 1024;
/// Most names in a request.
pub const MAX_NAMES: usize = 1000;

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsrFacts {
    /// The common name, where there is one.
    pub common_name: Option<Name>,
    /// The DNS names and IP addresses, with the common name counted in.
    pub names: NameSet,
    /// The organization that the subject names; what is issued comes from the order instead.
    pub organization: Option<String>,
    /// The country that the subject names.
    pub country: Option<String>,
    /// The public key: `SubjectPublicKeyInfo` in DER.
    pub public_key_der: Vec<u8>,
    /// What the key is.
    pub key: KeyFacts,
    /// SHA-256 of the public key, lower-case hex: equal for requests with the same key.
    pub key_fingerprint: String,
    /// SHA-256 of the request, lower-case hex.
    pub fingerprint: String,
    /// The request in DER.
    pub der: Vec<u8>,
}

impl CsrFacts {
    /// The request in PEM.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE REQUEST", &self.der)
    }
}

/// Why a request is refused. The text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsrFault {
    /// Nothing was given.
    #[error("Paste the certificate signing request (CSR).")]
    Empty,
    /// More than [`MAX_BYTES`].
    #[error(
        "This is too long for a CSR. Paste only the text from BEGIN to END CERTIFICATE REQUEST."
    )]
    TooLong,
    /// A private key was pasted: it is no secret any more.
    #[error(
        "This is a private key, not a CSR. Treat the key as exposed: make a new one, and paste its CSR."
    )]
    PrivateKey,
    /// Another kind of PEM block.
    #[error("This is a {0}, not a CSR. Paste the text from BEGIN to END CERTIFICATE REQUEST.")]
    OtherPem(String),
    /// Damaged PEM.
    #[error(
        "The CSR's text is damaged. Paste all of it, with the BEGIN and END lines and nothing changed between."
    )]
    BrokenPem,
    /// Not PKCS#10.
    #[error(
        "This can't be read as a CSR. Make it again, for example with: openssl req -new -key KEY.pem."
    )]
    Malformed,
    /// Signed with an algorithm that isn't supported (SHA-1, MD5, DSA).
    #[error(
        "The CSR is signed with an algorithm that is not accepted ({0}). Make it again with SHA-256."
    )]
    SignatureAlgorithm(String),
    /// The signature doesn't fit: changed after signing, or the key isn't the requester's.
    #[error(
        "The CSR's signature does not fit its key: it was changed, or made with another key. Make it again."
    )]
    BadSignature,
    /// The key is weak or unsupported.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// A name that can't be issued.
    #[error("{0}")]
    BadName(#[from] NameError),
    /// An IP address where a DNS name belongs: in the common name or a dNSName.
    #[error(
        "{0} is an IP address, but the CSR gives it as a domain name. Make the CSR again with the server's domain name, or with the address as a subject alternative name of the type IP."
    )]
    IpAsDns(String),
    /// More than one common name.
    #[error(
        "The CSR has several common names. Make it again with one, and put the other names into the subject alternative names."
    )]
    SeveralCommonNames,
    /// A SAN that is neither a DNS name nor an IP address.
    #[error(
        "The CSR asks for a name of the kind {0}, which TLS certificates can't hold. Make it again with DNS names and IP addresses only."
    )]
    OtherSanType(&'static str),
    /// The SAN extension can't be read.
    #[error("The CSR's subject alternative names can't be read. Make it again.")]
    BadSan,
    /// More than [`MAX_NAMES`].
    #[error("The CSR asks for more than 1000 names. Split them over several certificates.")]
    TooManyNames,
    /// Neither common name nor SAN.
    #[error("The CSR names no server. Make it again with the server's domain name as common name.")]
    NoNames,
}

/// Reads a request in PEM or DER.
pub fn read(input: &[u8]) -> Result<CsrFacts, CsrFault> {
    if input.len() > MAX_BYTES {
        return Err(CsrFault::TooLong);
    }
    let der = unarmoured(input)?;
    let (rest, request) =
        X509CertificationRequest::from_der(&der).map_err(|_| CsrFault::Malformed)?;
    if !rest.is_empty() {
        return Err(CsrFault::Malformed);
    }
    let info = &request.certification_request_info;
    let key = key_check::check(info.subject_pki.raw)?;
    self_signature::verify(&request, key)?;

    let mut found = Found::default();
    for general_name in san_names(&request)? {
        found.take(general_name)?;
    }
    let common_name = found.take_common_names(info.subject.iter_common_name())?;
    if found.names.is_empty() {
        return Err(CsrFault::NoNames);
    }
    let first = |attribute: Option<&AttributeTypeAndValue<'_>>| {
        attribute.and_then(|value| value.as_str().ok()).map(|text| text.chars().take(200).collect())
    };
    Ok(CsrFacts {
        common_name,
        names: found.names,
        organization: first(info.subject.iter_organization().next()),
        country: first(info.subject.iter_country().next()),
        public_key_der: info.subject_pki.raw.to_vec(),
        key,
        key_fingerprint: hex::encode(sha256(info.subject_pki.raw)),
        fingerprint: hex::encode(sha256(&der)),
        der: der.clone(),
    })
}

/// The DER within: as it is, or out of its PEM armour.
fn unarmoured(input: &[u8]) -> Result<Vec<u8>, CsrFault> {
    if input.first() == Some(&0x30) && !input.starts_with(b"0-----") {
        return Ok(input.to_vec());
    }
    // Windows tools put a byte order mark before it.
    let text = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let text = std::str::from_utf8(text).map_err(|_| CsrFault::BrokenPem)?.trim();
    if text.is_empty() {
        return Err(CsrFault::Empty);
    }
    if text.contains("PRIVATE KEY-----") {
        return Err(CsrFault::PrivateKey);
    }
    let block = pem::parse(text).map_err(|_| CsrFault::BrokenPem)?;
    match block.tag() {
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Ok(block.into_contents()),
        other => Err(CsrFault::OtherPem(other.chars().take(40).collect::<String>().to_lowercase())),
    }
}

/// The names of every SAN extension that the request holds; all else in it is read over.
fn san_names<'a>(
    request: &'a X509CertificationRequest<'_>,
) -> Result<Vec<&'a GeneralName<'a>>, CsrFault> {
    let attributes = request.certification_request_info.iter_attributes();
    let extensions = attributes.flat_map(|attribute| match attribute.parsed_attribute() {
        ParsedCriAttribute::ExtensionRequest(requested) => requested.extensions.as_slice(),
        _ => &[],
    });
    let mut names = Vec::new();
    for extension in extensions.filter(|one| one.oid == OID_X509_EXT_SUBJECT_ALT_NAME) {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(san) => names.extend(&san.general_names),
            _ => return Err(CsrFault::BadSan),
        }
    }
    if names.len() > MAX_NAMES {
        return Err(CsrFault::TooManyNames);
    }
    Ok(names)
}

#[derive(Default)]
struct Found {
    names: NameSet,
}

impl Found {
    fn take(&mut self, name: &GeneralName<'_>) -> Result<(), CsrFault> {
        match name {
            GeneralName::DNSName(text) => {
                self.names.insert(dns_name(text)?);
            }
            GeneralName::IPAddress(bytes) => {
                let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                let v6 = <[u8; 16]>::try_from(*bytes).map(IpAddr::from);
                self.names.insert(v4.or(v6).map_err(|_| CsrFault::BadSan)?.into());
            }
            GeneralName::Invalid(..) => return Err(CsrFault::BadSan),
            other => return Err(CsrFault::OtherSanType(kind_of(other))),
        }
        Ok(())
    }

    /// Counts the common name in. It may be an IP address that is among the SANs; an empty one
    /// stands for none.
    fn take_common_names<'a>(
        &mut self,
        names: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>,
    ) -> Result<Option<Name>, CsrFault> {
        let mut taken = None;
        for attribute in names {
            let text = attribute
                .as_str()
                .map_err(|_| CsrFault::BadName(NameError::Characters(String::new())))?;
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            let name = match text.parse::<IpAddr>().map(Name::from) {
                Ok(address) if self.names.contains(&address) => address,
                _ => dns_name(text)?,
            };
            if taken.as_ref().is_some_and(|other| *other != name) {
                return Err(CsrFault::SeveralCommonNames);
            }
            self.names.insert(name.clone());
            taken = Some(name);
        }
        Ok(taken)
    }
}

fn dns_name(text: &str) -> Result<Name, CsrFault> {
    DnsName::parse(text).map(Name::Dns).map_err(|error| match error {
        NameError::IpAddress(text) => CsrFault::IpAsDns(text),
        error => CsrFault::BadName(error),
    })
}

fn kind_of(name: &GeneralName<'_>) -> &'static str {
    match name {
        GeneralName::RFC822Name(_) => "e-mail address",
        GeneralName::URI(_) => "URI",
        GeneralName::DirectoryName(_) => "directory name",
        GeneralName::OtherName(..) => "otherName",
        GeneralName::RegisteredID(_) => "registered ID",
        _ => "X.400 or EDI name",
    }
}
