//! DER atoms that RFC 5280, 6960 and 5652 share, on top of `yasna`.

use aws_lc_rs::digest;
use domain::Timestamp;
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, DERWriterSeq, Tag};

use crate::CaError;
use crate::keys::{SignatureAlgorithm, SigningKey};

const UTC_TIME: Tag = Tag { tag_class: yasna::TagClass::Universal, tag_number: 23 };
const GENERALIZED_TIME: Tag = Tag { tag_class: yasna::TagClass::Universal, tag_number: 24 };

pub(crate) fn oid(arcs: &[u64]) -> ObjectIdentifier {
    ObjectIdentifier::from_slice(arcs)
}

/// A moment as certificates and CRLs write it: `UTCTime` through 2049, `GeneralizedTime` from 2050 on
/// (RFC 5280 section 4.1.2.5).
pub(crate) struct CertTime {
    tag: Tag,
    text: String,
}

impl CertTime {
    pub(crate) fn new(moment: Timestamp) -> Result<Self, CaError> {
        let generalized = generalized_text(moment)?;
        let short = generalized.get(2..).filter(|_| generalized.as_str() < "2050");
        Ok(match short {
            Some(short) => Self { tag: UTC_TIME, text: short.to_owned() },
            None => Self { tag: GENERALIZED_TIME, text: generalized },
        })
    }

    /// Always `GeneralizedTime`, as OCSP wants it (RFC 6960 section 4.2.1).
    pub(crate) fn generalized(moment: Timestamp) -> Result<Self, CaError> {
        Ok(Self { tag: GENERALIZED_TIME, text: generalized_text(moment)? })
    }

    pub(crate) fn write(&self, writer: DERWriter<'_>) {
        writer.write_tagged_implicit(self.tag, |writer| writer.write_bytes(self.text.as_bytes()));
    }
}

fn generalized_text(moment: Timestamp) -> Result<String, CaError> {
    let utc = jiff::Timestamp::from_second(moment.0).map_err(|_| CaError::Time(moment))?;
    let utc = utc.to_zoned(jiff::tz::TimeZone::UTC);
    if !(1950..=9999).contains(&utc.year()) {
        return Err(CaError::Time(moment));
    }
    Ok(utc.strftime("%Y%m%d%H%M%SZ").to_string())
}

/// One extension: its value is what `value` writes, wrapped in an OCTET STRING.
pub(crate) fn extension(
    writer: &mut DERWriterSeq<'_>,
    id: &[u64],
    critical: bool,
    value: impl FnOnce(DERWriter<'_>),
) {
    writer.next().write_sequence(|writer| {
        writer.next().write_oid(&oid(id));
        if critical {
            writer.next().write_bool(true);
        }
        writer.next().write_bytes(&yasna::construct_der(value));
    });
}

/// `AuthorityKeyIdentifier` with the key's identifier only (RFC 5280 section 4.2.1.1).
pub(crate) fn authority_key_identifier(writer: &mut DERWriterSeq<'_>, key_id: &[u8]) {
    extension(writer, &[2, 5, 29, 35], false, |writer| {
        writer.write_sequence(|writer| {
            let tag = Tag::context(0);
            writer.next().write_tagged_implicit(tag, |writer| writer.write_bytes(key_id));
        });
    });
}

/// `SEQUENCE { to be signed, algorithm, signature }`: certificates and CRLs alike.
pub(crate) fn signed(
    to_be_signed: &[u8],
    key: &SigningKey,
    algorithm: SignatureAlgorithm,
) -> Result<Vec<u8>, CaError> {
    let signature = key.sign(algorithm, to_be_signed)?;
    Ok(yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_der(to_be_signed);
            algorithm.write(writer.next());
            bit_string(writer.next(), &signature);
        });
    }))
}

pub(crate) fn bit_string(writer: DERWriter<'_>, bytes: &[u8]) {
    writer.write_bitvec_bytes(bytes, bytes.len() * 8);
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(label, der), config)
}

/// Bytes as base64 in JSON.
pub(crate) mod base64_text {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_change_their_form_in_2050() {
        for (text, tag, written) in [
            ("2049-12-31T23:59:59Z", UTC_TIME, "491231235959Z"),
            ("2050-01-01T00:00:00Z", GENERALIZED_TIME, "20500101000000Z"),
            ("9999-12-30T00:00:00Z", GENERALIZED_TIME, "99991230000000Z"),
        ] {
            let time = CertTime::new(Timestamp::parse_rfc3339(text).unwrap()).unwrap();
            assert_eq!((time.tag, time.text.as_str()), (tag, written));
        }
        assert!(matches!(CertTime::new(Timestamp(i64::MAX)), Err(CaError::Time(_))));
        assert!(matches!(CertTime::new(Timestamp(-3_000_000_000)), Err(CaError::Time(_))));
    }
}
