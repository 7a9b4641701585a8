//! Account settings that rules look at.

use serde::{Deserialize, Serialize};

use crate::Days;
use crate::coded::coded;

coded! {
    /// Settings > Preferences > Advanced Settings > Certificate Requests > Approval Steps (rule D5).
    ApprovalStep {
        /// "One step: certificate requests must be approved" (default).
        OneStep = "one_step",
        /// "Skip approval step: remove the approval step from your certificate order processes".
        Skip = "skip",
    }
}

/// The account's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// Whether requests wait for a reviewer.
    pub approval_step: ApprovalStep,
    /// "Automatically approve certificate requests when the requester is also an approver".
    pub auto_approve_approvers: bool,
    /// "Enable duplicate certificates in Automation" (rule D3).
    pub duplicates_in_automation: bool,
    /// Both renewal windows (rule A9).
    pub windows: Windows,
}

/// How long before the end renewal is due (rule A9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// Before a certificate's expiry; standard 32 days.
    pub certificate: Days,
    /// Before a multi-year plan's end; standard 90 days.
    pub order: Days,
}

impl Default for Windows {
    fn default() -> Self {
        Self { certificate: Days(32), order: Days(90) }
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            approval_step: ApprovalStep::OneStep,
            auto_approve_approvers: false,
            duplicates_in_automation: false,
            windows: Windows::default(),
        }
    }
}
