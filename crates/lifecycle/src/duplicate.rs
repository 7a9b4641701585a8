//! Duplicate certificates: the manual workflow (rule D4) and the wizard's list of orders (rules
//! D9 and D10).

use domain::model::{OrderFile, Profile};
use domain::rules::{
    DuplicateCandidates, DuplicateNames, candidates_for_certificate, candidates_for_names,
    check_names_listed,
};
use domain::{NameSet, OrderNumber};

use crate::ask::{listed, note, read_csr};
use crate::order_new::take;
use crate::place::check_visible;
use crate::submitted::Submitted;
use crate::{Actor, Ask, FieldFault, Lifecycle, LifecycleError, Outcome, Result, What};

/// "Request duplicate" as a person fills it in.
#[derive(Debug, Clone, Default)]
pub struct DuplicateForm {
    /// The CSR in PEM, for the other server's own key.
    pub csr: String,
    /// Names to add, where the product's duplicates take any (rule D6).
    pub extra_names: String,
    /// The common name that a program expects; empty for the order's.
    pub common_name: String,
    /// All names that a program expects, and those to add; empty for the order's.
    pub names: String,
    /// Words to the reviewer.
    pub note: String,
    /// A token of the form: sent twice, it makes one request.
    pub submit_token: String,
}

impl Lifecycle {
    /// Certificates > Orders > order > Certificate actions > "Request duplicate": issued at once,
    /// or held while requests must be approved.
    pub async fn request_duplicate(
        &self,
        actor: &Actor,
        order: OrderNumber,
        form: &DuplicateForm,
    ) -> Result<Outcome> {
        let existing = self.store().reader().await?.order(order).await?;
        let existing = existing.ok_or(LifecycleError::NotFound { what: "order" })?;
        check_visible(actor, &existing)?;
        let mut faults: Vec<FieldFault> = Vec::new();
        let csr = take(&mut faults, read_csr(form.csr.as_bytes()));
        let typed = NameSet::parse_dns_list(&form.extra_names)
            .map_err(|error| LifecycleError::field("extra_names", error.to_string()));
        let typed = take(&mut faults, typed);
        let common_name = take(&mut faults, listed("common_name", &form.common_name));
        let names = take(&mut faults, listed("names", &form.names));
        let note = take(&mut faults, note(&form.note)).flatten();
        let (Some(csr), Some(typed), Some(common_name), Some(names)) =
            (csr, typed, common_name, names)
        else {
            return Err(LifecycleError::Invalid(faults));
        };
        if !faults.is_empty() {
            return Err(LifecycleError::Invalid(faults));
        }
        check_names_listed(&existing, common_name.iter().next(), &names)?;
        // Names that only the CSR holds are asked for as well: the rules say whether they may be.
        let typed = typed.into_iter().chain(names);
        let wanted: NameSet = typed.chain(csr.names.iter().cloned()).collect();
        let extra: NameSet = wanted.missing_from(&existing.names).cloned().collect();
        let names = DuplicateNames::adding(extra);
        let sent = Submitted {
            act: "duplicate",
            target: order.to_string(),
            token: &form.submit_token,
            content: &[&form.csr, &form.extra_names, &form.common_name, &form.names, &form.note],
        };
        let idempotency_key = sent.key(actor);
        let what = What::Duplicate { order, names };
        self.ask(actor, Ask { note, idempotency_key, ..Ask::new(what, csr) }).await
    }

    /// The wizard's list for "Request a certificate": latest orders that hold the typed names and
    /// have the profile's product and organization.
    pub async fn duplicate_candidates(
        &self,
        actor: &Actor,
        profile: &Profile,
        typed: &NameSet,
    ) -> Result<(Vec<OrderFile>, DuplicateCandidates)> {
        self.candidates(actor, profile, typed, candidates_for_names).await
    }

    /// The wizard's list for "Renew" and "Switch": by the names of the certificate in place.
    pub async fn duplicate_candidates_for(
        &self,
        actor: &Actor,
        profile: &Profile,
        in_place: &NameSet,
    ) -> Result<(Vec<OrderFile>, DuplicateCandidates)> {
        self.candidates(actor, profile, in_place, candidates_for_certificate).await
    }

    async fn candidates(
        &self,
        actor: &Actor,
        profile: &Profile,
        names: &NameSet,
        judge: fn(&Profile, &NameSet, &[OrderFile], domain::Timestamp) -> DuplicateCandidates,
    ) -> Result<(Vec<OrderFile>, DuplicateCandidates)> {
        let mut tx = self.store().reader().await?;
        let mut files = crate::orders::find::holding(&mut tx, profile, names).await?;
        files.retain(|file| check_visible(actor, &file.order).is_ok());
        let judged = judge(profile, names, &files, self.clock().now());
        files.retain(|file| judged.orders.contains(&file.number()));
        files.sort_by_key(|file| judged.orders.iter().position(|number| *number == file.number()));
        Ok((files, judged))
    }
}

#[cfg(test)]
mod tests;
