//! What the automation request page shows before anything is done: the same checks as the submit,
//! and what would be decided now.

use domain::model::{EndpointAction, EventMode, Order, OrderFile, Profile, RequestKind};
use domain::rules::{
    ApprovalNeed, Decided, Decision, DuplicateNames, HeldBecause, Requester, approval_needed,
    first_validity, new_coverage, plan_duplicate, plan_renew,
};
use domain::{Days, Name, NameSet, OrderNumber, Product, Timestamp};
use store::Tx;
use store::events::NewEvent;

use super::agents::require_person;
use super::schedule::{Prepared, ScheduleForm, check_form, may_switch, prepare};
use crate::renew::InPlace;
use crate::sessions::SecretToken;
use crate::settings::preferences;
use crate::{Actor, Exact, Lifecycle, LifecycleError, Result};

/// What a filled-in automation request page will do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The profile.
    pub profile: Profile,
    /// The product: the order's where one is duplicated, renewed or reissued, else the profile's.
    pub product: &'static Product,
    /// The organization's name, as the product.
    pub organization: String,
    /// The order that is duplicated, renewed or reissued: its coverage and validity go on.
    pub source: Option<Order>,
    /// How it gets its certificate.
    pub mode: EventMode,
    /// The order that is duplicated, renewed or reissued.
    pub source_order: Option<OrderNumber>,
    /// The common name.
    pub common_name: Name,
    /// All names.
    pub names: NameSet,
    /// When it runs.
    pub scheduled_at: Timestamp,
    /// Last second of the certificate: fixed for a duplicate (rule D8); for others if it is issued
    /// at `scheduled_at`. None where it is not known before.
    pub valid_till: Option<Timestamp>,
    /// Why its request will wait for a reviewer; none where it won't (rule D5's answer).
    pub held: Option<HeldBecause>,
    /// What rules D13 to D15 would decide now, for a certificate that is due.
    pub decided: Option<Decided>,
    /// Auto-renew is on in another person's name, and stays as it is.
    pub keeps_auto_renew: bool,
}

impl Lifecycle {
    /// A random text for one page: sent twice with it, a form makes one event.
    pub fn page_key(&self) -> Result<String> {
        Ok(SecretToken::random("")?.reveal().to_owned())
    }

    /// Checks a request as [`Self::schedule`] does and tells what it would do. Nothing is written.
    pub async fn preview(&self, actor: &Actor, form: &ScheduleForm) -> Result<Preview> {
        require_person(actor)?;
        check_form(form)?;
        let now = self.clock().now();
        let mut tx = self.store().reader().await?;
        let issuer_ends = self.issuer_end();
        let Prepared { event, product, organization } =
            prepare(&mut tx, issuer_ends, now, actor, form).await?;
        let source = match event.source_order {
            Some(number) => tx.order_file(number).await?,
            None => None,
        };
        let decided = match &source {
            Some(file) if event.mode == EventMode::New && event.action == EndpointAction::Renew => {
                let names =
                    Exact { common_name: event.common_name.clone(), names: event.names.clone() };
                let endpoint = tx.endpoint(event.endpoint).await?;
                let until = endpoint.and_then(|endpoint| endpoint.served).map(|one| one.not_after);
                let due = InPlace { names: &names, until, profile: Some(&event.profile) };
                Some(crate::renew::decide(&mut tx, issuer_ends, now, actor, due, file).await?)
            }
            _ => None,
        };
        let need = match actor.role() {
            Some(role) => approval_needed(
                &preferences(&mut tx).await?,
                Requester::person(role),
                RequestKind::New,
            ),
            None => ApprovalNeed::NotNeeded,
        };
        let held = match need {
            ApprovalNeed::Needed { because } => Some(because),
            ApprovalNeed::NotNeeded => None,
        };
        let organization = tx.organization(organization).await?;
        let keeps_auto_renew = !may_switch(&mut tx, actor, form.endpoint).await?;
        Ok(Preview {
            keeps_auto_renew,
            product,
            organization: organization.map(|found| found.name).unwrap_or_default(),
            valid_till: self.valid_till(&mut tx, &event, source.as_ref(), decided.as_ref()).await?,
            source: source.map(|file| file.order),
            profile: event.profile,
            mode: event.mode,
            source_order: event.source_order,
            common_name: event.common_name,
            names: event.names,
            scheduled_at: event.scheduled_at,
            held,
            decided,
        })
    }

    async fn valid_till(
        &self,
        tx: &mut Tx,
        event: &NewEvent,
        source: Option<&OrderFile>,
        decided: Option<&Decided>,
    ) -> Result<Option<Timestamp>> {
        let (at, issuer_ends) = (event.scheduled_at, self.issuer_end());
        let decision = decided.map(|decided| decided.decision);
        let renewed = match (decision, source) {
            (Some(Decision::Duplicate { order }), _) => {
                let file = tx
                    .order_file(order)
                    .await?
                    .ok_or(LifecycleError::NotFound { what: "order" })?;
                return Ok(file.primary().map(|primary| primary.not_after));
            }
            (Some(Decision::Renew { order }), Some(file)) if file.number() != order => {
                tx.order_file(order).await?
            }
            (Some(Decision::Renew { .. }), _) => source.cloned(),
            (None, Some(file)) if event.mode == EventMode::Duplicate => {
                let plan = plan_duplicate(file, &DuplicateNames::Same, at)?.within(issuer_ends)?;
                return Ok(Some(plan.validity.not_after));
            }
            // The next certificate of an order: how long follows from the order when it runs.
            (_, Some(_)) => return Ok(None),
            (_, None) => None,
        };
        let profile = &event.profile;
        let ends_by = profile.ends_by.filter(|_| renewed.is_none());
        let (product, years, asked, days_left) = match &renewed {
            Some(file) => {
                let plan = plan_renew(file, at)?;
                (plan.product, plan.coverage_years, plan.validity_days, plan.days_left)
            }
            None => {
                (profile.product.clone(), profile.coverage_years, profile.validity_days, Days(0))
            }
        };
        let Some(product) = Product::find(product.as_str()) else { return Ok(None) };
        let coverage = new_coverage(product, years, at, days_left)?;
        let validity =
            first_validity(product, coverage, asked, ends_by, days_left, issuer_ends, at);
        Ok(validity.ok().map(|validity| validity.not_after))
    }
}
