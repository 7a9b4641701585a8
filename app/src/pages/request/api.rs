//! What the form needs to know, and what it does.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;

/// What can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderChoices {
    /// Organizations: id, name, whether they are validated.
    pub organizations: Vec<(i64, String, bool)>,
    /// Why the request will wait; none where it is issued at once.
    pub held_because: Option<String>,
    /// The form's token.
    pub form_token: String,
}

/// What can be chosen.
#[server(prefix = "/api", endpoint = "request/options")]
pub async fn request_options() -> Result<OrderChoices, PortalError> {
    use domain::model::RequestKind;
    use domain::rules::{ApprovalNeed, Requester, approval_needed};

    let desk = crate::desk::Desk::open()?;
    let found = desk.lifecycle.organizations_to_choose(500).await?;
    let preferences = desk.lifecycle.preferences().await?;
    let need = approval_needed(&preferences, Requester::person(desk.person.role), RequestKind::New);
    let named = |one: domain::model::Organization| {
        let validated = one.is_validated(desk.now);
        (one.id.0, one.name, validated)
    };
    Ok(OrderChoices {
        organizations: found.into_iter().map(named).collect(),
        held_because: match need {
            ApprovalNeed::Needed { because } => Some(because.words().to_owned()),
            ApprovalNeed::NotNeeded => None,
        },
        form_token: lifecycle::ask::form_token(),
    })
}

/// "Request a certificate".
#[server(prefix = "/api", endpoint = "request/certificate")]
pub async fn request_certificate(
    #[server(default)] product: String,
    #[server(default)] organization: String,
    #[server(default)] csr: String,
    #[server(default)] common_name: String,
    #[server(default)] names: String,
    #[server(default)] coverage_years: String,
    #[server(default)] validity_days: String,
    #[server(default)] note: String,
    #[server(default)] submit_token: String,
) -> Result<(), PortalError> {
    use crate::pages::names::at_names;
    use lifecycle::order_new::NewOrderForm;

    let desk = crate::desk::Desk::open()?;
    let form = NewOrderForm {
        product,
        organization,
        csr,
        common_name,
        names,
        coverage_years,
        validity_days,
        ends_by: None,
        note,
        submit_token,
    };
    let outcome = desk.lifecycle.request_new(&desk.actor(), &form).await.map_err(|error| {
        // Names that were not typed are the CSR's.
        let typed = [("common_name", &*form.common_name), ("names", &*form.names)];
        let of_csr = typed.iter().all(|(_, typed)| typed.trim().is_empty());
        at_names(error.into(), if of_csr { &[("csr", "")] } else { &typed })
    })?;
    crate::pages::orders::forms::go_on(&outcome, "The certificate was issued.");
    Ok(())
}
