//! Certificates as files, and the chain above them.

use ca::bundle::{self, Depth};
use domain::CertificateId;
use store::certificates::CertificateRecord;

use super::{check_reader, import};
use crate::authority::failed;
use crate::place::check_visible;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// The media type of PEM files.
const PEM: &str = "application/x-pem-file";

/// In what form a certificate is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownloadFormat {
    /// The certificate alone, PEM.
    Leaf,
    /// With the intermediates, PEM.
    Chain,
    /// With the root as well, PEM.
    ChainAndRoot,
    /// The certificate alone, DER.
    Der,
    /// PKCS#7 in PEM (`.p7b`).
    Pkcs7,
}

/// A file to be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its name.
    pub file_name: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl std::str::FromStr for DownloadFormat {
    type Err = LifecycleError;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "pem" => Ok(Self::Leaf),
            "chain" => Ok(Self::Chain),
            "fullchain" => Ok(Self::ChainAndRoot),
            "der" => Ok(Self::Der),
            "p7b" => Ok(Self::Pkcs7),
            _ => Err(LifecycleError::NotFound { what: "format" }),
        }
    }
}

/// A certificate of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainLink {
    /// Its common name; the whole subject where it has none.
    pub common_name: String,
    /// The certificate.
    pub pem: String,
}

/// SHA-1 of a certificate's DER, upper-case hex, by which other programs call it; none where the PEM
/// can't be read.
pub fn thumbprint(pem: &str) -> Option<String> {
    let der = import::der_of(pem)?;
    let algorithm = &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;
    Some(hex::encode_upper(aws_lc_rs::digest::digest(algorithm, &der)))
}

impl Lifecycle {
    /// The certificates above one that the reader may see, its issuer first and the root last.
    pub async fn chain_above(&self, actor: &Actor, id: CertificateId) -> Result<Vec<ChainLink>> {
        let record = self.seen_certificate(actor, id).await?;
        let signer = self.authority_of(record.issuer.as_deref()).await?;
        let link = |one: &ca::CaCertificate| ChainLink {
            common_name: one.common_name().to_owned(),
            pem: one.pem(),
        };
        Ok(signer.get().certificates().map(link).collect())
    }

    async fn seen_certificate(
        &self,
        actor: &Actor,
        id: CertificateId,
    ) -> Result<CertificateRecord> {
        check_reader(actor)?;
        let mut tx = self.store().reader().await?;
        let missing = || LifecycleError::NotFound { what: "certificate" };
        let record = tx.certificate(id).await?.ok_or_else(missing)?;
        let order = tx.order(record.certificate.order).await?.ok_or_else(missing)?;
        check_visible(actor, &order)?;
        Ok(record)
    }

    /// A certificate as a file.
    pub async fn download(
        &self,
        actor: &Actor,
        id: CertificateId,
        format: DownloadFormat,
    ) -> Result<Download> {
        let record = self.seen_certificate(actor, id).await?;
        let pem = record.pem.ok_or(LifecycleError::NotFound { what: "certificate text" })?;
        let signer = self.authority_of(record.issuer.as_deref()).await?;
        let authority = signer.get();
        let name = record.certificate.common_name.as_str().replace('*', "star");
        let pem_of = |depth| bundle::pem(&pem, authority, depth).into_bytes();
        let (bytes, ending, content_type) = match format {
            DownloadFormat::Leaf => (pem_of(Depth::Leaf), ".pem", PEM),
            DownloadFormat::Chain => (pem_of(Depth::Chain), "-chain.pem", PEM),
            DownloadFormat::ChainAndRoot => (pem_of(Depth::ChainAndRoot), "-full.pem", PEM),
            DownloadFormat::Der => {
                let unreadable =
                    || LifecycleError::Internal("a stored PEM can't be read".to_owned());
                (import::der_of(&pem).ok_or_else(unreadable)?, ".cer", "application/pkix-cert")
            }
            DownloadFormat::Pkcs7 => {
                let text = bundle::pkcs7_pem(&pem, authority).map_err(failed)?;
                (text.into_bytes(), ".p7b", "application/x-pkcs7-certificates")
            }
        };
        Ok(Download { file_name: format!("{name}{ending}"), content_type, bytes })
    }
}
