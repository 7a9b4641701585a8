//! What the ACME server keeps: accounts, orders, authorizations, challenges (RFC 8555 section 7.1).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::rules::directory::DirectoryAction;
use crate::{
    AcmeAccountId, AcmeOrderId, AcmeUrlId, CertificateId, DnsName, IpName, Name, NameError,
    NameSet, OrderNumber, RequestId, Timestamp,
};

coded! {
    /// Types of identifiers (RFC 8555 section 9.7.7, RFC 8738).
    IdentifierKind {
        /// A DNS name.
        Dns = "dns",
        /// An IP address.
        Ip = "ip",
    }
}

coded! {
    /// Status of an account (RFC 8555 section 7.1.2).
    AccountStatus {
        /// May act.
        Valid = "valid",
        /// Given up by its owner.
        Deactivated = "deactivated",
        /// Taken away: its ACME Directory URL was revoked.
        Revoked = "revoked",
    }
}

coded! {
    /// Status of an order (RFC 8555 section 7.1.6).
    AcmeOrderStatus {
        /// Waits for its authorizations.
        Pending = "pending",
        /// May be finalized.
        Ready = "ready",
        /// Is being issued, or waits for an approval.
        Processing = "processing",
        /// Has its certificate.
        Valid = "valid",
        /// Came to nothing; its error says why.
        Invalid = "invalid",
    }
}

coded! {
    /// Status of an authorization (RFC 8555 section 7.1.6).
    AuthorizationStatus {
        /// Waits for a challenge.
        Pending = "pending",
        /// Control was shown.
        Valid = "valid",
        /// A challenge failed.
        Invalid = "invalid",
        /// Given up by its owner.
        Deactivated = "deactivated",
        /// Its time is over.
        Expired = "expired",
        /// Taken away.
        Revoked = "revoked",
    }
}

coded! {
    /// Status of a challenge (RFC 8555 section 7.1.6).
    ChallengeStatus {
        /// Not answered yet.
        Pending = "pending",
        /// Answered; being validated.
        Processing = "processing",
        /// Validated.
        Valid = "valid",
        /// Failed.
        Invalid = "invalid",
    }
}

coded! {
    /// Ways to show control (RFC 8555 section 8, RFC 8737).
    ChallengeKind {
        /// A file on port 80.
        Http01 = "http-01",
        /// A TXT record.
        Dns01 = "dns-01",
        /// A certificate in a TLS handshake on port 443.
        TlsAlpn01 = "tls-alpn-01",
    }
}

/// An identifier as clients write it (RFC 8555 section 9.7.7).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IdentifierKind,
    /// The name, lower-case, or the address in its canonical text (RFC 8738 section 3).
    pub value: String,
}

impl Identifier {
    /// The identifier of a name.
    pub fn of(name: &Name) -> Self {
        let kind = match name {
            Name::Dns(_) => IdentifierKind::Dns,
            Name::Ip(_) => IdentifierKind::Ip,
        };
        Self { kind, value: name.as_str().to_owned() }
    }

    /// The name that it stands for, if it is one of its type.
    pub fn name(&self) -> Result<Name, NameError> {
        match self.kind {
            IdentifierKind::Dns => DnsName::parse(&self.value).map(Name::Dns),
            IdentifierKind::Ip => IpName::parse(&self.value).map(Name::Ip),
        }
    }

    /// The identifier of its authorization: without `*.`, and whether it was there.
    pub fn authorized(&self) -> (Self, bool) {
        match self.value.strip_prefix("*.") {
            Some(base) if self.kind == IdentifierKind::Dns => {
                (Self { kind: self.kind, value: base.to_owned() }, true)
            }
            _ => (self.clone(), false),
        }
    }

    /// The address, where it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self.kind {
            IdentifierKind::Ip => self.value.parse().ok(),
            IdentifierKind::Dns => None,
        }
    }
}

/// An identifier that a problem is about, as the client wrote it: it may be of any type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultyIdentifier {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its value.
    pub value: String,
}

impl From<Identifier> for FaultyIdentifier {
    fn from(identifier: Identifier) -> Self {
        Self { kind: identifier.kind.as_str().to_owned(), value: identifier.value }
    }
}

/// A problem as it is kept with an order or a challenge (RFC 8555 section 6.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The last part of `urn:ietf:params:acme:error:…`.
    pub code: String,
    /// What happened, why, and what to do next.
    pub detail: String,
    /// What it is about, where it is one of several identifiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<FaultyIdentifier>,
    /// One for each identifier concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subproblems: Vec<Fault>,
}

impl Fault {
    /// A problem without identifiers.
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            detail: detail.into(),
            identifier: None,
            subproblems: Vec::new(),
        }
    }

    /// The same about `identifier`.
    #[must_use]
    pub fn about(self, identifier: impl Into<FaultyIdentifier>) -> Self {
        Self { identifier: Some(identifier.into()), ..self }
    }

    /// One problem for several: itself where it is the only one.
    pub fn of_several(mut faults: Vec<Self>) -> Option<Self> {
        let first = faults.first()?;
        let code = if faults.iter().all(|fault| fault.code == first.code) {
            first.code.clone()
        } else {
            "compound".to_owned()
        };
        let detail = match faults.len() {
            1 => first.detail.clone(),
            count => format!(
                "{count} identifiers have errors; see subproblems. The first: {}",
                first.detail
            ),
        };
        faults.retain(|fault| fault.identifier.is_some());
        Some(Self { code, detail, identifier: None, subproblems: faults })
    }
}

/// An account (RFC 8555 section 7.1.2).
#[derive(Debug, Clone)]
pub struct AcmeAccount {
    /// Its id.
    pub id: AcmeAccountId,
    /// The ACME Directory URL whose credential it is bound to.
    pub url: AcmeUrlId,
    /// Its status.
    pub status: AccountStatus,
    /// Its public key: canonical JSON (RFC 7638).
    pub jwk: String,
    /// RFC 7638, base64url.
    pub thumbprint: String,
    /// `mailto:` URLs.
    pub contacts: Vec<String>,
    /// When the terms were agreed to.
    pub terms_agreed_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An order (RFC 8555 section 7.1.3).
#[derive(Debug, Clone)]
pub struct AcmeOrder {
    /// Its id.
    pub id: AcmeOrderId,
    /// Whose it is.
    pub account: AcmeAccountId,
    /// The ACME Directory URL that it came through.
    pub url: AcmeUrlId,
    /// Its status.
    pub status: AcmeOrderStatus,
    /// What was asked for, in the client's order, `*.` kept.
    pub identifiers: Vec<Identifier>,
    /// The profile that was asked for, or chosen where none was.
    pub profile: String,
    /// The certificate that it replaces (RFC 9773 section 5).
    pub replaces: Option<String>,
    /// What the directory URL asked for (see [`crate::rules::directory`]).
    pub asked: Option<DirectoryAction>,
    /// When it becomes invalid unless it is finished.
    pub expires_at: Timestamp,
    /// Why it came to nothing.
    pub error: Option<Fault>,
    /// Its authorizations, in the order of the identifiers.
    pub authorizations: Vec<i64>,
    /// The certificate that it got.
    pub certificate: Option<CertificateId>,
    /// The portal's order that it made or acted on.
    pub order_number: Option<OrderNumber>,
    /// The request that waits for an approval, or was approved.
    pub request: Option<RequestId>,
    /// Whether it waits for a renewal by somebody else, which is held for a reviewer (rule D18).
    pub waits: bool,
    /// When finalize took it from ready to processing.
    pub claimed_at: Option<Timestamp>,
    /// How its action was chosen, in words, as JSON.
    pub explanation: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl AcmeOrder {
    /// The names that were asked for.
    pub fn names(&self) -> NameSet {
        names(&self.identifiers)
    }
}

fn names(identifiers: &[Identifier]) -> NameSet {
    identifiers.iter().filter_map(|identifier| identifier.name().ok()).collect()
}

/// The profile that every ACME Directory URL has: what its administrator chose
/// (draft-aaron-acme-profiles).
pub const DEFAULT_PROFILE: &str = "default";

/// What newOrder asks for.
#[derive(Debug, Clone)]
pub struct NewAcmeOrder {
    /// In the client's order, lower-case, without repetition.
    pub identifiers: Vec<Identifier>,
    /// One of the directory's profiles: [`DEFAULT_PROFILE`] where the client names none.
    pub profile: String,
    /// RFC 9773 section 4.1: the certificate that the new one replaces.
    pub replaces: Option<String>,
    /// From the directory URL.
    pub asked: Option<DirectoryAction>,
}

impl NewAcmeOrder {
    /// The names that are asked for.
    pub fn names(&self) -> NameSet {
        names(&self.identifiers)
    }
}

/// An authorization (RFC 8555 section 7.1.4) with its challenges.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// Its id.
    pub id: i64,
    /// Whose it is.
    pub account: AcmeAccountId,
    /// Without `*.`.
    pub identifier: Identifier,
    /// Whether it is for `*.` and the identifier.
    pub wildcard: bool,
    /// Its status.
    pub status: AuthorizationStatus,
    /// Until when it holds.
    pub expires_at: Timestamp,
    /// Whether the organization's validated domain made it valid, without a challenge.
    pub prevalidated: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its challenges.
    pub challenges: Vec<Challenge>,
}

impl Authorization {
    /// The name that it is for, with `*.` where it is for a wildcard.
    pub fn name(&self) -> Result<Name, NameError> {
        if !self.wildcard {
            return self.identifier.name();
        }
        let value = format!("*.{}", self.identifier.value);
        Identifier { kind: self.identifier.kind, value }.name()
    }
}

/// A challenge (RFC 8555 section 8).
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Its id.
    pub id: i64,
    /// The authorization that it belongs to.
    pub authorization: i64,
    /// Its kind.
    pub kind: ChallengeKind,
    /// Its status.
    pub status: ChallengeStatus,
    /// 256 random bits in base64url.
    pub token: String,
    /// When it was validated.
    pub validated_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Fault>,
    /// What must be found, as it was when the challenge was answered; none before.
    pub key_authorization: Option<String>,
    /// Attempts so far.
    pub attempts: i64,
}
