//! What OV and EV certificates say of an organization besides name and country: its town, and its
//! number in the country's register of companies.

use domain::{OrganizationId, Timestamp};
use serde_json::json;
use store::Tx;

use super::NO_ORGANIZATION;
use crate::accounts::require_administrator;
use crate::audit::{self, AuditEntry};
use crate::{Actor, FieldFault, Lifecycle, LifecycleError, Result};

/// The longest locality and serial number of a subject, in characters (X.520 upper bounds).
const MAX_LOCALITY: usize = 128;
const MAX_REGISTRATION: usize = 64;

/// Both as certificates hold them; none where there is nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Details {
    locality: Option<String>,
    registration_number: Option<String>,
}

impl Details {
    /// Reads what was typed; what is wrong goes to `faults`, at its field.
    pub(super) fn read(
        locality: &str,
        registration_number: &str,
        faults: &mut Vec<FieldFault>,
    ) -> Self {
        Self {
            locality: checked("locality", locality, MAX_LOCALITY, faults),
            registration_number: checked(
                "registration_number",
                registration_number,
                MAX_REGISTRATION,
                faults,
            ),
        }
    }

    /// Whether there is nothing to keep.
    pub(super) const fn is_empty(&self) -> bool {
        self.locality.is_none() && self.registration_number.is_none()
    }

    /// Keeps them, with their entry in the audit log; in place of what was `seen` only, if that is
    /// given.
    pub(super) async fn keep(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: OrganizationId,
        seen: Option<&Self>,
        now: Timestamp,
    ) -> Result<()> {
        let Self { locality, registration_number } = self;
        let before = tx.organization(id).await?.ok_or(NO_ORGANIZATION)?;
        let current = Self {
            locality: before.locality.clone(),
            registration_number: before.registration_number.clone(),
        };
        if seen.is_some_and(|seen| *seen != current) {
            return Err(current.stale());
        }
        tx.set_organization_details(id, locality.as_deref(), registration_number.as_deref())
            .await?;
        let words = format!("{} changed", before.name);
        let entry = AuditEntry::new("organization.changed", "organization", id, words).changing(
            json!({"locality": before.locality, "registration_number": before.registration_number}),
            json!({"locality": locality, "registration_number": registration_number}),
        );
        audit::record(tx, now, actor, entry).await
    }

    fn stale(&self) -> LifecycleError {
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        LifecycleError::Conflict {
            message: format!(
                "Somebody else saved these details while you had the form open. Saved now: town {}, \
                 registration number {}. Look at the values and save again.",
                shown(&self.locality),
                shown(&self.registration_number)
            ),
        }
    }
}

fn checked(
    field: &'static str,
    text: &str,
    most: usize,
    faults: &mut Vec<FieldFault>,
) -> Option<String> {
    let text = text.trim();
    if !domain::is_line(text, most) {
        let message = format!("Enter at most {most} characters, none of them invisible.");
        faults.push(FieldFault::new(field, message));
    }
    (!text.is_empty()).then(|| text.to_owned())
}

impl Lifecycle {
    /// Changes town and registration number; an empty text takes one away.
    pub async fn set_organization_details(
        &self,
        actor: &Actor,
        id: OrganizationId,
        locality: &str,
        registration_number: &str,
    ) -> Result<()> {
        self.keep_details(actor, id, None, locality, registration_number).await
    }

    /// The same from a form that was opened on `seen`, town and registration number of that time: a
    /// stale one is refused with [`LifecycleError::Conflict`].
    pub async fn save_organization_details(
        &self,
        actor: &Actor,
        id: OrganizationId,
        (seen_locality, seen_number): (&str, &str),
        locality: &str,
        registration_number: &str,
    ) -> Result<()> {
        let seen = Details::read(seen_locality, seen_number, &mut Vec::new());
        self.keep_details(actor, id, Some(seen), locality, registration_number).await
    }

    async fn keep_details(
        &self,
        actor: &Actor,
        id: OrganizationId,
        seen: Option<Details>,
        locality: &str,
        registration_number: &str,
    ) -> Result<()> {
        require_administrator(actor, "Changing organizations")?;
        let mut faults = Vec::new();
        let details = Details::read(locality, registration_number, &mut faults);
        if !faults.is_empty() {
            return Err(LifecycleError::Invalid(faults));
        }
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move { details.keep(tx, &actor, id, seen.as_ref(), now).await })
            })
            .await
    }
}
