//! What each kind of certificate holds: subject and extensions by validation.
//!
//! RFC 5280 section 4.2 and the CA/Browser Forum's Baseline Requirements, section 7.1.2.7
//! (subscriber certificates). Private products follow the same profile with a policy of their own.

use domain::{Name, NameSet, Validation};
use serde::{Deserialize, Serialize};
use yasna::{DERWriter, DERWriterSeq, Tag};

use crate::der::{authority_key_identifier, extension, oid};
use crate::issue::Plan;
use crate::key_check::KeyFacts;

/// X.520 `ub-common-name`: a longer name stands in the SAN extension only.
const MAX_COMMON_NAME: usize = 64;

/// Whom a certificate is for. What is given beyond the product's validation is left out of the
/// certificate: a DV certificate holds no organization, only an EV certificate the registration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The common name; none where the certificate is for IP addresses only.
    pub common_name: Option<Name>,
    /// The organization; needed for OV and EV.
    pub organization: Option<SubjectOrganization>,
}

/// The organization in a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectOrganization {
    /// Legal name, at most 64 characters.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// State or province. The Baseline Requirements want this or the locality.
    pub state_or_province: Option<String>,
    /// City.
    pub locality: Option<String>,
    /// Where and how it is registered: EV.
    pub registration: Option<Registration>,
}

/// EV Guidelines section 7.1.4.2: how the organization is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// What kind of organization it is.
    pub category: BusinessCategory,
    /// Registration number (`serialNumber`).
    pub number: String,
    /// Country of the register, ISO 3166-1 alpha-2.
    pub country: String,
    /// State or province of the register.
    pub state_or_province: Option<String>,
    /// City of the register.
    pub locality: Option<String>,
}

/// EV Guidelines section 7.1.4.2.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BusinessCategory {
    /// Companies and the like.
    PrivateOrganization,
    /// Public bodies.
    GovernmentEntity,
    /// Partnerships, sole proprietors and the like.
    BusinessEntity,
    /// International organizations.
    NonCommercialEntity,
}

impl BusinessCategory {
    /// The text in certificates.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrivateOrganization => "Private Organization",
            Self::GovernmentEntity => "Government Entity",
            Self::BusinessEntity => "Business Entity",
            Self::NonCommercialEntity => "Non-Commercial Entity",
        }
    }
}

/// The addresses that a certificate names; they should be `http://`, since a client that checks
/// them has no trust yet (Baseline Requirements 7.1.2.7.7, RFC 5280 section 8).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Urls {
    /// Where the CRL is.
    pub crl: Option<String>,
    /// Where the OCSP responder is.
    pub ocsp: Option<String>,
    /// Where the issuer's certificate is, in DER.
    pub issuer: Option<String>,
}

/// One attribute of a name.
pub(crate) struct Attribute {
    /// What it is called in faults.
    pub(crate) field: &'static str,
    id: &'static [u64],
    pub(crate) text: String,
    /// Longest text in characters (RFC 5280 appendix A.1).
    pub(crate) max: usize,
    printable: bool,
}

fn attribute(field: &'static str, id: &'static [u64], text: &str, max: usize) -> Attribute {
    let printable = matches!(field, "country" | "jurisdiction country" | "registration number");
    Attribute { field, id, text: text.to_owned(), max, printable }
}

pub(crate) fn country(text: &str) -> Attribute {
    attribute("country", &[2, 5, 4, 6], text, 2)
}

pub(crate) fn organization(text: &str) -> Attribute {
    attribute("organization", &[2, 5, 4, 10], text, 64)
}

pub(crate) fn common_name(text: &str) -> Attribute {
    attribute("common name", &[2, 5, 4, 3], text, MAX_COMMON_NAME)
}

/// The subject's attributes in the order of Baseline Requirements 7.1.4.2.
pub(crate) fn subject_attributes(subject: &Subject, validation: Validation) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    let organization = subject.organization.as_ref().filter(|_| validation != Validation::Dv);
    if let Some(holder) = organization {
        if let Some(registration) =
            holder.registration.as_ref().filter(|_| validation == Validation::Ev)
        {
            attributes.extend(registration_attributes(registration));
        }
        attributes.push(country(&holder.country));
        let state = holder.state_or_province.as_deref();
        let locality = holder.locality.as_deref();
        attributes
            .extend(state.map(|text| attribute("state or province", &[2, 5, 4, 8], text, 128)));
        attributes.extend(locality.map(|text| attribute("locality", &[2, 5, 4, 7], text, 128)));
        attributes.push(self::organization(&holder.name));
    }
    let name = subject.common_name.as_ref().map(Name::as_str);
    attributes.extend(name.filter(|name| name.len() <= MAX_COMMON_NAME).map(common_name));
    attributes
}

fn registration_attributes(registration: &Registration) -> Vec<Attribute> {
    let mut attributes = vec![attribute(
        "jurisdiction country",
        &[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 3],
        &registration.country,
        2,
    )];
    let state = registration.state_or_province.as_deref();
    let locality = registration.locality.as_deref();
    attributes.extend(state.map(|text| {
        attribute(
            "jurisdiction state or province",
            &[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 2],
            text,
            128,
        )
    }));
    attributes.extend(locality.map(|text| {
        attribute("jurisdiction locality", &[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 1], text, 128)
    }));
    attributes.push(attribute(
        "business category",
        &[2, 5, 4, 15],
        registration.category.as_str(),
        128,
    ));
    attributes.push(attribute("registration number", &[2, 5, 4, 5], &registration.number, 64));
    attributes
}

/// Writes a name, one attribute per RDN.
pub(crate) fn write_name(writer: DERWriter<'_>, attributes: &[Attribute]) {
    writer.write_sequence(|writer| {
        for attribute in attributes {
            writer.next().write_set(|writer| {
                writer.next().write_sequence(|writer| {
                    writer.next().write_oid(&oid(attribute.id));
                    let printable = attribute.printable && is_printable(&attribute.text);
                    if printable {
                        writer.next().write_printable_string(&attribute.text);
                    } else {
                        writer.next().write_utf8_string(&attribute.text);
                    }
                });
            });
        }
    });
}

/// X.680 section 41.4.
pub(crate) fn is_printable(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c))
}

/// The extensions of a subscriber certificate.
pub(crate) fn write_leaf_extensions(
    writer: &mut DERWriterSeq<'_>,
    plan: &Plan,
    key: KeyFacts,
    issuer_key_id: &[u8],
    subject_is_empty: bool,
) {
    extension(writer, &[2, 5, 29, 19], true, |writer| writer.write_sequence(|_| {}));
    authority_key_identifier(writer, issuer_key_id);
    if let Some(key_id) = crate::key_check::key_identifier(&plan.spki_der) {
        extension(writer, &[2, 5, 29, 14], false, |writer| writer.write_bytes(&key_id));
    }
    extension(writer, &[2, 5, 29, 17], subject_is_empty, |writer| write_names(writer, &plan.names));
    write_key_usage(writer, if key.is_rsa() { &[0, 2] } else { &[0] });
    extension(writer, &[2, 5, 29, 37], false, |writer| {
        writer.write_sequence(|writer| writer.next().write_oid(&oid(&[1, 3, 6, 1, 5, 5, 7, 3, 1])));
    });
    extension(writer, &[2, 5, 29, 32], false, |writer| write_policy(writer, plan.validation));
    write_urls(writer, &plan.urls);
}

/// `KeyUsage` with these bits (0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign).
pub(crate) fn write_key_usage(writer: &mut DERWriterSeq<'_>, bits: &[u8]) {
    let byte = bits.iter().fold(0u8, |byte, bit| byte | (0x80 >> bit));
    let length = bits.iter().max().map_or(0, |bit| usize::from(*bit) + 1);
    extension(writer, &[2, 5, 29, 15], true, |writer| writer.write_bitvec_bytes(&[byte], length));
}

fn write_names(writer: DERWriter<'_>, names: &NameSet) {
    writer.write_sequence(|writer| {
        for name in names.iter() {
            let (tag, bytes) = match name {
                Name::Dns(name) => (2, name.as_str().as_bytes().to_vec()),
                Name::Ip(address) => match address.address() {
                    std::net::IpAddr::V4(address) => (7, address.octets().to_vec()),
                    std::net::IpAddr::V6(address) => (7, address.octets().to_vec()),
                },
            };
            writer
                .next()
                .write_tagged_implicit(Tag::context(tag), |writer| writer.write_bytes(&bytes));
        }
    });
}

/// The policy of private products, under the enterprise number that is reserved for examples
/// (RFC 5612): private roots have no registered one, and linters refuse the long arcs of 2.25.
const PRIVATE_POLICY: [u64; 9] = [1, 3, 6, 1, 4, 1, 32473, 1, 1];

/// Baseline Requirements 7.1.6.1: the reserved policy of the validation.
fn write_policy(writer: DERWriter<'_>, validation: Validation) {
    writer.write_sequence(|writer| {
        let policy: &[u64] = match validation {
            Validation::Dv => &[2, 23, 140, 1, 2, 1],
            Validation::Ov => &[2, 23, 140, 1, 2, 2],
            Validation::Ev => &[2, 23, 140, 1, 1],
            Validation::Private => &PRIVATE_POLICY,
        };
        writer.next().write_sequence(|writer| writer.next().write_oid(&oid(policy)));
    });
}

/// CRL distribution point (RFC 5280 section 4.2.1.13) and authority information access (4.2.2.1).
fn write_urls(writer: &mut DERWriterSeq<'_>, urls: &Urls) {
    if let Some(crl) = &urls.crl {
        extension(writer, &[2, 5, 29, 31], false, |writer| {
            writer.write_sequence(|writer| {
                writer.next().write_sequence(|writer| {
                    writer.next().write_tagged(Tag::context(0), |writer| {
                        writer.write_tagged_implicit(Tag::context(0), |writer| {
                            writer.write_sequence(|writer| write_uri(writer.next(), crl));
                        });
                    });
                });
            });
        });
    }
    let access = [(&urls.ocsp, 1), (&urls.issuer, 2)];
    if access.iter().any(|(url, _)| url.is_some()) {
        extension(writer, &[1, 3, 6, 1, 5, 5, 7, 1, 1], false, |writer| {
            writer.write_sequence(|writer| {
                for (url, method) in access {
                    let Some(url) = url else { continue };
                    writer.next().write_sequence(|writer| {
                        writer.next().write_oid(&oid(&[1, 3, 6, 1, 5, 5, 7, 48, method]));
                        write_uri(writer.next(), url);
                    });
                }
            });
        });
    }
}

fn write_uri(writer: DERWriter<'_>, url: &str) {
    writer.write_tagged_implicit(Tag::context(6), |writer| writer.write_bytes(url.as_bytes()));
}
