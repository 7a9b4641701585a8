//! The bytes of certificates (RFC 5280 section 4.1): `TBSCertificate` of leaves and of our own CAs.

use domain::Timestamp;
use domain::model::{Serial, SignatureHash};
use yasna::{DERWriter, DERWriterSeq, Tag};

use crate::CaError;
use crate::authority::AuthorityOptions;
use crate::chain::CaCertificate;
use crate::der::{self, CertTime, authority_key_identifier, extension, oid};
use crate::issue::{Plan, new_serial};
use crate::key_check::{KeyFacts, key_identifier};
use crate::keys::{SignatureAlgorithm, SigningKey};
use crate::profile::{self, Attribute};

/// What every certificate has, extensions aside.
struct Body<'a> {
    serial: &'a Serial,
    algorithm: SignatureAlgorithm,
    issuer_name: &'a [u8],
    not_before: Timestamp,
    not_after: Timestamp,
    subject_name: &'a [u8],
    spki: &'a [u8],
}

impl Body<'_> {
    fn encode(&self, extensions: impl FnOnce(&mut DERWriterSeq<'_>)) -> Result<Vec<u8>, CaError> {
        let from = CertTime::new(self.not_before)?;
        let until = CertTime::new(self.not_after)?;
        let serial = self.serial.to_bytes().ok_or(CaError::Crypto("write a serial number"))?;
        Ok(yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_tagged(Tag::context(0), |writer| writer.write_u8(2));
                writer.next().write_bigint_bytes(&serial, true);
                self.algorithm.write(writer.next());
                writer.next().write_der(self.issuer_name);
                writer.next().write_sequence(|writer| {
                    from.write(writer.next());
                    until.write(writer.next());
                });
                writer.next().write_der(self.subject_name);
                writer.next().write_der(self.spki);
                writer
                    .next()
                    .write_tagged(Tag::context(3), |writer| writer.write_sequence(extensions));
            });
        }))
    }
}

/// The bytes to be signed for a plan. The issuer's name is copied byte by byte from its
/// certificate, as chain building compares them (RFC 5280 section 7.1).
pub(crate) fn leaf_to_be_signed(
    plan: &Plan,
    key: KeyFacts,
    issuer: &CaCertificate,
    algorithm: SignatureAlgorithm,
) -> Result<Vec<u8>, CaError> {
    let subject = profile::subject_attributes(&plan.subject, plan.validation);
    let body = Body {
        serial: &plan.serial,
        algorithm,
        issuer_name: issuer.subject_der(),
        not_before: plan.not_before,
        not_after: plan.not_after,
        subject_name: &name(&subject),
        spki: &plan.spki_der,
    };
    body.encode(|writer| {
        profile::write_leaf_extensions(writer, plan, key, issuer.key_id(), subject.is_empty());
    })
}

/// A CA certificate that is to be made: a root where there is no issuer.
pub(crate) struct CaPlan<'a> {
    pub(crate) subject: &'a [Attribute],
    pub(crate) key: &'a SigningKey,
    pub(crate) issuer: Option<(&'a [Attribute], &'a SigningKey)>,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

impl CaPlan<'_> {
    pub(crate) fn sign(&self) -> Result<Vec<u8>, CaError> {
        let (issuer_name, issuer_key) = self.issuer.unwrap_or((self.subject, self.key));
        let algorithm = issuer_key.algorithm(SignatureHash::Sha256);
        let unreadable = || CaError::Crypto("read a public key");
        let issuer_key_id = key_identifier(issuer_key.spki_der()).ok_or_else(unreadable)?;
        let key_id = key_identifier(self.key.spki_der()).ok_or_else(unreadable)?;
        let body = Body {
            serial: &new_serial()?,
            algorithm,
            issuer_name: &name(issuer_name),
            not_before: self.not_before,
            not_after: self.not_after,
            subject_name: &name(self.subject),
            spki: self.key.spki_der(),
        };
        let to_be_signed = body.encode(|writer| {
            let is_root = self.issuer.is_none();
            extension(writer, &[2, 5, 29, 19], true, |writer| write_ca(writer, is_root));
            authority_key_identifier(writer, &issuer_key_id);
            extension(writer, &[2, 5, 29, 14], false, |writer| writer.write_bytes(&key_id));
            // The intermediate answers OCSP itself, which takes digitalSignature.
            profile::write_key_usage(writer, if is_root { &[5, 6] } else { &[0, 5, 6] });
            if !is_root {
                write_tls_only(writer);
            }
        })?;
        der::signed(&to_be_signed, issuer_key, algorithm)
    }
}

/// `cA TRUE`; below our intermediate there are no further CAs (`pathLenConstraint 0`).
fn write_ca(writer: DERWriter<'_>, is_root: bool) {
    writer.write_sequence(|writer| {
        writer.next().write_bool(true);
        if !is_root {
            writer.next().write_u8(0);
        }
    });
}

/// An intermediate for TLS servers, under any policy (Baseline Requirements 7.1.2.10.5, 7.1.2.10.6).
fn write_tls_only(writer: &mut DERWriterSeq<'_>) {
    extension(writer, &[2, 5, 29, 37], false, |writer| {
        writer.write_sequence(|writer| writer.next().write_oid(&oid(&[1, 3, 6, 1, 5, 5, 7, 3, 1])));
    });
    extension(writer, &[2, 5, 29, 32], false, |writer| {
        writer.write_sequence(|writer| {
            writer
                .next()
                .write_sequence(|writer| writer.next().write_oid(&oid(&[2, 5, 29, 32, 0])));
        });
    });
}

/// The subject of one of our CAs: country, organization, and a common name with the year, so that
/// a later authority of the same organization has another name.
pub(crate) fn ca_name(options: &AuthorityOptions, role: &str) -> Result<Vec<Attribute>, CaError> {
    let organization = options.organization.trim();
    let fits = !organization.is_empty()
        && organization.chars().count() <= 40
        && !organization.chars().any(char::is_control);
    if !fits {
        return Err(CaError::Name("the organization needs 1 to 40 characters"));
    }
    if options.country.len() != 2 || !options.country.bytes().all(|byte| byte.is_ascii_uppercase())
    {
        return Err(CaError::Name("the country is two capital letters, such as US"));
    }
    let moment = options.not_before.rfc3339();
    let year = moment.split('-').next().unwrap_or_default();
    Ok(vec![
        profile::country(&options.country),
        profile::organization(organization),
        profile::common_name(&format!("{organization} {role} {year}")),
    ])
}

fn name(attributes: &[Attribute]) -> Vec<u8> {
    yasna::construct_der(|writer| profile::write_name(writer, attributes))
}
