//! What the forms of "Certificate actions" do. Their fields are named as the use cases' faults.

#[cfg(feature = "ssr")]
use domain::OrderNumber;
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use lifecycle::Outcome;

use crate::fault::PortalError;

/// "Request duplicate".
#[server(prefix = "/api", endpoint = "orders/duplicate")]
pub async fn request_duplicate(
    number: i64,
    #[server(default)] csr: String,
    #[server(default)] extra_names: String,
    #[server(default)] note: String,
    #[server(default)] submit_token: String,
) -> Result<(), PortalError> {
    use lifecycle::duplicate::DuplicateForm;

    let desk = crate::desk::Desk::open()?;
    let form = DuplicateForm { csr, extra_names, note, submit_token, ..DuplicateForm::default() };
    let outcome = desk.lifecycle.request_duplicate(&desk.actor(), OrderNumber(number), &form).await;
    let outcome = outcome.map_err(|error| match PortalError::from(error) {
        // The names that are too many were typed, or else the CSR holds them.
        PortalError::Refused { rule, message, .. } if rule == "D6" => {
            let field = if form.extra_names.trim().is_empty() { "csr" } else { "extra_names" };
            PortalError::field(field, message)
        }
        other => other,
    })?;
    go_on(&outcome, "The duplicate was issued.");
    Ok(())
}

/// "Reissue certificate".
#[server(prefix = "/api", endpoint = "orders/reissue")]
pub async fn request_reissue(
    number: i64,
    #[server(default)] csr: String,
    #[server(default)] common_name: String,
    #[server(default)] names: String,
    #[server(default)] confirmed: Option<String>,
    #[server(default)] note: String,
    #[server(default)] submit_token: String,
) -> Result<(), PortalError> {
    use crate::pages::names::at_names;
    use lifecycle::reissue::ReissueForm;

    let desk = crate::desk::Desk::open()?;
    let form =
        ReissueForm { csr, common_name, names, confirmed: confirmed.is_some(), note, submit_token };
    let outcome = desk.lifecycle.request_reissue(&desk.actor(), OrderNumber(number), &form).await;
    let outcome = outcome.map_err(|error| match PortalError::from(error) {
        // The words belong to the box that was not ticked.
        PortalError::Refused { code, message, .. } if code == "confirm_revocation" => {
            PortalError::field("confirmed", message)
        }
        other => at_names(other, &[("common_name", &form.common_name), ("names", &form.names)]),
    })?;
    go_on(&outcome, "The certificate was reissued.");
    Ok(())
}

/// "Renew certificate".
#[server(prefix = "/api", endpoint = "orders/renew")]
pub async fn request_renew(
    number: i64,
    #[server(default)] csr: String,
    #[server(default)] note: String,
    #[server(default)] submit_token: String,
) -> Result<(), PortalError> {
    use lifecycle::renew::RenewForm;

    let desk = crate::desk::Desk::open()?;
    let form = RenewForm { csr, note, submit_token, ..RenewForm::default() };
    let outcome = desk.lifecycle.request_renew(&desk.actor(), OrderNumber(number), &form).await?;
    go_on(&outcome, "The order was renewed: this is the new one.");
    Ok(())
}

/// "Revoke certificate".
#[server(prefix = "/api", endpoint = "orders/revoke")]
pub async fn request_revoke(
    number: i64,
    #[server(default)] target: String,
    #[server(default)] reason: String,
    #[server(default)] note: String,
    #[server(default)] submit_token: String,
) -> Result<(), PortalError> {
    use crate::browser;
    use domain::model::RevocationTarget;
    use lifecycle::revoke::{Revocation, RevokeForm};

    let desk = crate::desk::Desk::open()?;
    let choose = |field, words: &str| PortalError::field(field, words);
    let target = match target.as_str() {
        "order" => RevocationTarget::Order,
        id => RevocationTarget::Certificate {
            id: id.parse().map_err(|_| choose("target", "Choose what to revoke."))?,
        },
    };
    let reason = reason.parse().map_err(|_| choose("reason", "Choose a reason."))?;
    let form = RevokeForm { target, reason, note, submit_token };
    let number = OrderNumber(number);
    match desk.lifecycle.request_revoke(&desk.actor(), number, &form).await? {
        Revocation::Held { request } => {
            browser::flash("The revocation waits for its second step: someone has to approve it.");
            browser::redirect(&crate::paths::request(request));
        }
        Revocation::Done { .. } => {
            browser::flash("Revoked.");
            browser::redirect(&crate::paths::order(number));
        }
    }
    Ok(())
}

/// To the order where it was issued, else to the request that waits.
#[cfg(feature = "ssr")]
pub(crate) fn go_on(outcome: &Outcome, done: &str) {
    use crate::{browser, paths};

    match outcome {
        Outcome::Issued(issued) => {
            browser::flash(done);
            browser::redirect(&paths::order(issued.order));
        }
        Outcome::Held { request, because, .. } => {
            browser::flash(&format!(
                "The request was submitted and waits for approval. {}",
                because.words()
            ));
            browser::redirect(&paths::request(*request));
        }
        Outcome::Wait { order } => {
            browser::flash(&format!(
                "The order is being renewed already: order {order} waits for approval."
            ));
            browser::redirect(&paths::order(*order));
        }
    }
}
