//! Endpoints, automation profiles and ACME Directory URLs.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::model::{KeyType, SignatureHash};
use crate::{AcmeUrlId, Days, DnsName, OrganizationId, ProductId, ProfileId, Timestamp};

coded! {
    /// Automation status of an endpoint, as *Automated IPs* shows it.
    EndpointStatus {
        /// Nothing planned.
        Configured = "configured",
        /// An event waits for its time.
        Scheduled = "scheduled",
        /// Auto-renew is on and waits for its day.
        AutoRenewScheduled = "auto_renew_scheduled",
        /// An event is being worked on.
        InProgress = "in_progress",
        /// The event's request waits for a reviewer.
        ApprovalPending = "approval_pending",
        /// The event's request was refused.
        ApprovalDenied = "approval_denied",
        /// The last event ended well.
        Renewed = "renewed",
        /// A person must decide.
        ActionRequired = "action_required",
        /// No certificate could be had.
        Failed = "failed",
        /// The certificate could not be installed.
        InstallFailed = "install_failed",
        /// The certificate was installed but is not served.
        ValidationFailed = "validation_failed",
        /// The agent has not been heard of.
        AgentError = "agent_error",
    }
}

impl EndpointStatus {
    /// The exact label on screens.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Configured => "Configured",
            Self::Scheduled => "Automation scheduled",
            Self::AutoRenewScheduled => "Auto-renew scheduled",
            Self::InProgress => "In progress",
            Self::ApprovalPending => "Approval pending",
            Self::ApprovalDenied => "Approval denied",
            Self::Renewed => "Successfully renewed",
            Self::ActionRequired => "Action required",
            Self::Failed => "Automation failed",
            Self::InstallFailed => "Install failed",
            Self::ValidationFailed => "Install validation failed",
            Self::AgentError => "Agent error",
        }
    }

    /// Whether the endpoint's last event came to nothing, and nothing goes on before a person acts.
    pub const fn needs_a_person(self) -> bool {
        matches!(
            self,
            Self::ApprovalDenied
                | Self::ActionRequired
                | Self::Failed
                | Self::InstallFailed
                | Self::ValidationFailed
        )
    }

    /// Whether the agent has to be there for what is planned: while it is silent, people see
    /// [`Self::AgentError`] in the place of this.
    pub const fn waits_for_the_agent(self) -> bool {
        matches!(self, Self::Scheduled | Self::InProgress | Self::AutoRenewScheduled)
    }

    /// Whether nothing is under way: what is wrong with the certificate in place stays so.
    pub const fn is_at_rest(self) -> bool {
        matches!(self, Self::Configured | Self::AutoRenewScheduled | Self::Renewed)
    }
}

coded! {
    /// Whose certificate an endpoint serves.
    ServedIssuer {
        /// Nothing is served.
        None = "none",
        /// Issued by this portal.
        Ours = "ours",
        /// Issued by another CA.
        Other = "other",
    }
}

coded! {
    /// What is asked of an endpoint: the buttons of the *Action* column.
    EndpointAction {
        /// "Request a certificate".
        Request = "request",
        /// "Renew".
        Renew = "renew",
        /// "Switch to DigiCert": from another CA's certificate to ours.
        Switch = "switch",
        /// "Reissue".
        Reissue = "reissue",
        /// "Get your next certificate": of a multi-year plan.
        NextCertificate = "next_certificate",
    }
}

impl EndpointAction {
    /// The label on screens; the brand word of "Switch to …" is a setting.
    pub fn label(self, brand: &str) -> String {
        match self {
            Self::Request => "Request a certificate".to_owned(),
            Self::Renew => "Renew".to_owned(),
            Self::Switch => format!("Switch to {brand}"),
            Self::Reissue => "Reissue".to_owned(),
            Self::NextCertificate => "Get your next certificate".to_owned(),
        }
    }
}

/// An automation profile: everything but the names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Its name, unique.
    pub name: String,
    /// What is ordered.
    pub product: ProductId,
    /// For whom.
    pub organization: OrganizationId,
    /// Years of a multi-year plan; none for one certificate's lifetime.
    pub coverage_years: Option<u8>,
    /// Validity to ask for; none for the product's longest.
    pub validity_days: Option<Days>,
    /// The last second that its certificates may be valid in.
    pub ends_by: Option<Timestamp>,
    /// Subject key that agents make.
    pub key_type: KeyType,
    /// Signature hash.
    pub signature_hash: SignatureHash,
    /// Defaults for endpoints that use the profile; none where auto-renew is off.
    pub auto_renew: Option<AutoRenew>,
    /// "Make this the default automation profile".
    pub is_default: bool,
    /// "Allow duplicates".
    pub allow_duplicates: bool,
    /// Additional e-mail addresses.
    pub emails: Vec<String>,
}

/// When auto-renew acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoRenew {
    /// Days before expiry; at least 1, less than the certificate's lifetime; standard 30.
    pub days_before: Days,
    /// Minute of the day, 0 to 1439, in `time_zone`.
    pub minute_of_day: u16,
    /// IANA time zone.
    pub time_zone: String,
}

/// An ACME Directory URL: what its credential's orders are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "four independent permissions, each a checkbox")]
pub struct AcmeUrl {
    /// Its id.
    pub id: AcmeUrlId,
    /// Its name, unique.
    pub name: String,
    /// What is ordered.
    pub product: ProductId,
    /// For whom.
    pub organization: OrganizationId,
    /// Years of a multi-year plan; none for one certificate's lifetime.
    pub coverage_years: Option<u8>,
    /// Validity to ask for; none for the product's longest.
    pub validity_days: Option<Days>,
    /// Key types that CSRs may have; empty for all.
    pub key_types: Vec<KeyType>,
    /// Domains that may be ordered, with all below; empty for all of the organization's.
    pub allowed_domains: Vec<DnsName>,
    /// Renewals may be made.
    pub may_renew: bool,
    /// Reissues may be made.
    pub may_reissue: bool,
    /// Duplicates may be made.
    pub may_duplicate: bool,
    /// "Duplicate automatically when an order matches" (rule A7).
    pub duplicate_automatically: bool,
}

coded! {
    /// How an automation event gets its certificate.
    EventMode {
        /// "Issue a new certificate".
        New = "new",
        /// "Issue a duplicate certificate using an existing order".
        Duplicate = "duplicate",
        /// Auto-renew: what rules D13 to D15 decide when it runs.
        AutoRenew = "auto_renew",
    }
}

coded! {
    /// Where an automation event stands.
    EventStatus {
        /// Waits for its time, or for its agent.
        Scheduled = "scheduled",
        /// An agent has begun.
        InProgress = "in_progress",
        /// Its request waits for a reviewer.
        ApprovalPending = "approval_pending",
        /// Its request was refused.
        ApprovalDenied = "approval_denied",
        /// The endpoint serves the new certificate.
        Succeeded = "succeeded",
        /// A person must decide (rule D17, for one).
        ActionRequired = "action_required",
        /// No certificate could be had.
        Failed = "failed",
        /// The certificate could not be installed; the old files are back.
        InstallFailed = "install_failed",
        /// The certificate was installed but is not served; the old files are back.
        ValidationFailed = "validation_failed",
        /// A person withdrew it.
        Canceled = "canceled",
    }
}

impl EventStatus {
    /// Whether nothing more will happen by itself.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Scheduled | Self::InProgress | Self::ApprovalPending)
    }

    /// What the endpoint shows while this is its latest event.
    pub const fn on_endpoint(self) -> EndpointStatus {
        match self {
            Self::Scheduled => EndpointStatus::Scheduled,
            Self::InProgress => EndpointStatus::InProgress,
            Self::ApprovalPending => EndpointStatus::ApprovalPending,
            Self::ApprovalDenied => EndpointStatus::ApprovalDenied,
            Self::Succeeded => EndpointStatus::Renewed,
            Self::ActionRequired => EndpointStatus::ActionRequired,
            Self::Failed => EndpointStatus::Failed,
            Self::InstallFailed => EndpointStatus::InstallFailed,
            Self::ValidationFailed => EndpointStatus::ValidationFailed,
            Self::Canceled => EndpointStatus::Configured,
        }
    }

    /// The label on screens.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Succeeded => "Successfully installed",
            Self::Canceled => "Canceled",
            other => other.on_endpoint().label(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EndpointStatus;

    /// The words of *Automated IPs*, in their order: people and their scripts know them by these.
    #[test]
    fn the_statuses_of_endpoints_have_their_exact_labels() {
        let labels: Vec<&str> = EndpointStatus::ALL.iter().map(|status| status.label()).collect();
        assert_eq!(
            labels,
            [
                "Configured",
                "Automation scheduled",
                "Auto-renew scheduled",
                "In progress",
                "Approval pending",
                "Approval denied",
                "Successfully renewed",
                "Action required",
                "Automation failed",
                "Install failed",
                "Install validation failed",
                "Agent error",
            ]
        );
    }
}
