//! What an agent reports on the steps of an event. Each report may be repeated.

use domain::model::Serial;
use serde::{Deserialize, Serialize};

use crate::bounds::{Bounded, MAX_CSR, MAX_LONG_TEXT, MAX_PEM, MAX_TEXT, OutOfBounds, text};

/// `POST` [`crate::paths::EVENT_CSR`]. The same CSR again is answered as before; another one
/// takes the first one's place as long as nothing was issued for it. Agents also repeat it to learn
/// whether the event goes on: after a failure, after a restart, and every few hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsrReport {
    /// The PKCS #10 request (RFC 2986), PEM.
    pub csr_pem: String,
}

/// `POST` [`crate::paths::EVENT_INSTALLED`]: the files are in place and the server was told to
/// read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledReport {
    /// The certificate that was installed.
    pub serial: Serial,
}

/// `POST` [`crate::paths::EVENT_VERIFIED`]: what a handshake showed. After an installation the
/// leaf has the expected serial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedReport {
    /// The served certificates, PEM, leaf first.
    pub chain_pem: String,
}

/// `POST` [`crate::paths::EVENT_FAILED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedReport {
    /// What was being done.
    pub stage: Stage,
    /// What happened and why, in words.
    pub cause: String,
    /// What a person can do about it, in words.
    pub solution: String,
    /// Whether the host is as before: nothing was changed, or the old files are back and a handshake
    /// shows a certificate that is not the new one, or none where none was shown before.
    pub rolled_back: bool,
    /// Whether the same step again, with the same key and certificate, may help: the agent keeps
    /// the key until the event is over.
    pub may_retry: bool,
}

/// The part of an event that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Making or keeping the private key.
    Key,
    /// Making the CSR.
    Csr,
    /// Checking the certificate or writing the files.
    Install,
    /// The server's own check of its configuration.
    ConfigTest,
    /// Telling the server to read its files.
    Reload,
    /// The handshake that should show the new certificate.
    Verify,
    /// A stage of a newer agent.
    #[serde(other)]
    Other,
}

/// What the portal answers to each report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventAnswer {}

impl Bounded for CsrReport {
    fn check(&self) -> Result<(), OutOfBounds> {
        text("csr_pem", &self.csr_pem, MAX_CSR)
    }
}

impl Bounded for InstalledReport {
    fn check(&self) -> Result<(), OutOfBounds> {
        text("serial", &self.serial.0, MAX_TEXT)
    }
}

impl Bounded for VerifiedReport {
    fn check(&self) -> Result<(), OutOfBounds> {
        text("chain_pem", &self.chain_pem, MAX_PEM)
    }
}

impl Bounded for FailedReport {
    fn check(&self) -> Result<(), OutOfBounds> {
        text("cause", &self.cause, MAX_LONG_TEXT)?;
        text("solution", &self.solution, MAX_LONG_TEXT)
    }
}
