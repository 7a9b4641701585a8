//! Organizations, their domains, and people with their roles.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::{DnsName, DomainId, OrganizationId, Timestamp, UserId};

/// An organization that certificates are issued to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its legal name, as certificates hold it.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Town, as OV and EV certificates hold it.
    #[serde(default)]
    pub locality: Option<String>,
    /// Number in the country's register of companies, as EV certificates hold it.
    #[serde(default)]
    pub registration_number: Option<String>,
    /// Until when its validation holds; none where it was never validated.
    pub validated_until: Option<Timestamp>,
}

impl Organization {
    /// Whether the organization's validation is current.
    pub fn is_validated(&self, now: Timestamp) -> bool {
        self.validated_until.is_some_and(|until| now <= until)
    }
}

coded! {
    /// How control of a domain was shown.
    DomainProof {
        /// Its token was found in a TXT record.
        DnsTxt = "dns-txt",
        /// Its token was found in a file on its web server.
        HttpFile = "http-file",
        /// An administrator vouches for it.
        Administrator = "administrator",
    }
}

impl DomainProof {
    /// What showed control, on screens and in the audit log.
    pub const fn label(self) -> &'static str {
        match self {
            Self::DnsTxt => "a TXT record in the DNS",
            Self::HttpFile => "a file on the web server",
            Self::Administrator => "an administrator's decision",
        }
    }

    /// Whether the proof is good for wildcards and for the names below the domain too. A file is
    /// not (Baseline Requirements 3.2.2.4.18): who fills one host need not run those below it.
    pub const fn covers_below(self) -> bool {
        match self {
            Self::DnsTxt | Self::Administrator => true,
            Self::HttpFile => false,
        }
    }
}

/// A domain that an organization has shown control of, or wants to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// The domain; what its validation covers besides is the proof's to say.
    pub name: DnsName,
    /// Whose domain it is.
    pub organization: OrganizationId,
    /// Until when its validation holds; none where it was never validated.
    pub validated_until: Option<Timestamp>,
    /// How control was shown; none where it was not.
    pub proof: Option<DomainProof>,
}

impl Domain {
    /// Whether the domain's validation is current.
    pub fn is_validated(&self, now: Timestamp) -> bool {
        self.validated_until.is_some_and(|until| now <= until)
    }
}

coded! {
    /// What a person may do.
    Role {
        /// Everything, settings and people included.
        Administrator = "administrator",
        /// Requests without approval, approves the requests of others.
        Manager = "manager",
        /// Requests, with approval (rule D16).
        Standard = "standard",
        /// Requests, with approval, and sees their own orders only.
        Limited = "limited",
    }
}

impl Role {
    /// The role's label on screens.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Manager => "Manager",
            Self::Standard => "Standard User",
            Self::Limited => "Limited User",
        }
    }

    /// Whether the role reviews the requests of others.
    pub const fn is_approver(self) -> bool {
        matches!(self, Self::Administrator | Self::Manager)
    }
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// The address they sign in with, lower-case.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Disabled people can't sign in, and their auto-renewals stop (as "Action required").
    pub disabled: bool,
    /// IANA time zone in which screens show times.
    pub time_zone: String,
}
