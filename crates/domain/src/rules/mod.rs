//! The rules, each a function that answers with a plan or a [`crate::Refusal`].
//!
//! Every number of the rules' table (D1–D19, A1–A9) stands in exactly one `///` comment in this
//! folder, at the function that keeps it; `docs/RULES.md` is the table number → function → test.
//! Inputs are facts that the caller has read (orders with their certificates, settings) and the
//! moment; nothing here looks at a clock or assumes that it was shown every order.

pub mod acme;
pub mod approval;
pub mod automation;
pub mod caa;
mod candidates;
pub mod detect;
pub mod directory;
pub mod duplicate;
pub mod endpoint;
pub mod explanation;
pub mod keys;
pub mod lineage;
pub mod name_match;
pub mod profile;
pub mod reissue;
pub mod renew;
pub mod revoke;
pub mod schedule;
pub mod validation;
pub mod validity;
pub mod wildcard;
pub mod window;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod properties;

pub use acme::{AcmeRequest, decide_acme, issued_common_name};
pub use approval::{
    ACME_REQUEST_WAITS, ApprovalNeed, HeldBecause, Requester, acme_request_waits_until,
    approval_needed, check_may_review,
};
pub use automation::{
    AutomationRequest, auto_renew_action, check_auto_renew_owner, check_bulk, check_issued_names,
    check_served_names, decide_automation, goes_on, may_switch_auto_renew, offer_in_automation,
    recheck_scheduled_duplicate,
};
pub use caa::{CaaIssuance, CaaRecord, judge_caa};
pub use candidates::{
    DuplicateCandidates, candidates_for_certificate, candidates_for_names, keep_chosen_order,
};
pub use detect::{Detection, DetectionKeys, Wanted, detect, detection_keys};
pub use directory::{
    DirectoryAction, parse_directory, parse_directory_path, parse_directory_query,
};
pub use duplicate::{
    DuplicateNames, DuplicatePlan, ManualDuplicate, check_names_listed, names_to_add,
    plan_duplicate, plan_manual_duplicate,
};
pub use endpoint::{
    EndpointFacts, Offer, OfferedAction, check_offered, is_lost, may_come_back, names_in_place,
    offered_actions, status_after,
};
pub use explanation::{Action, CandidateVerdict, Decided, Decision, Explanation};
pub use keys::check_product_key;
pub use lineage::{chain, newest_issued};
pub use name_match::{NameMismatch, match_names};
pub use profile::{
    FieldFault, ProfileState, check_acme_names, check_acme_url, check_product_names, check_profile,
    profile_state,
};
pub use reissue::{
    ReissuePlan, ReissueRequest, ScheduledRevocation, plan_reissue, reissue_warning,
};
pub use renew::{
    RenewPlan, RenewalTurn, check_not_renewed, check_renewal_names, plan_renew, renewal_key,
    renewal_turn,
};
pub use revoke::{RevocationPlan, plan_revocation};
pub use schedule::{
    AutoRenewOutlook, auto_renew_at, auto_renew_outlook, is_due_at_once, scheduled_at,
};
pub use validation::{
    check_challenged, check_proof, check_token, check_validation, is_challenged, is_covered,
    token_ends,
};
pub use validity::{
    Limits, Validity, first_validity, longest_lifetime, new_coverage, plan_validity,
};
pub use wildcard::check_wildcards;
pub use window::{
    Window, WindowKind, certificate_window, check_windows, order_window, renewal_window,
};
