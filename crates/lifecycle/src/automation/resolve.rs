//! What an event will ask for, on an endpoint as it is.

use domain::model::{EndpointAction, EventMode, Order, OrderFile, OrderStatus, Profile, Role};
use domain::rules::profile::renewal_lifetime;
use domain::rules::{
    Decision, DuplicateNames, EndpointFacts, Explanation, ReissueRequest,
    candidates_for_certificate, candidates_for_names, check_product_names, names_in_place,
    names_to_add, offer_in_automation, plan_duplicate, plan_reissue,
};
use domain::{Days, Name, NameSet, OrderNumber, OrganizationId, Product, Refusal, Timestamp};
use store::Tx;
use store::endpoints::EndpointRecord;

use super::agents::require_person;
use super::schedule::{Obtain, ScheduleForm};
use crate::issue::product_of;
use crate::orders::find::successors;
use crate::settings::preferences;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// What an event will ask for.
pub(super) struct Resolved {
    pub mode: EventMode,
    pub source_order: Option<OrderNumber>,
    pub organization: OrganizationId,
    pub product: &'static Product,
    /// How long the next renewal lives.
    pub renewal_lifetime: Option<Days>,
    pub common_name: Name,
    pub names: NameSet,
    pub extra_names: NameSet,
    /// Why it is this; none where rules D13 to D15 decide when it runs.
    pub explanation: Option<Explanation>,
}

/// When an event runs, which an order must reach.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub at: Timestamp,
    /// The last second of the issuing certificate, which nothing outlives.
    pub issuer_ends: Timestamp,
}

/// What a form asks for.
pub(super) async fn resolve(
    tx: &mut Tx,
    run: Run,
    actor: &Actor,
    form: &ScheduleForm,
    endpoint: &EndpointRecord,
    in_place: Option<&OrderFile>,
    profile: &Profile,
) -> Result<Resolved> {
    match &form.obtain {
        Obtain::Duplicate { order, extra_names } => {
            let role = actor.role().unwrap_or(Role::Limited);
            offer_in_automation(&preferences(tx).await?, role, Some(profile))?;
            resolve_duplicate(tx, run, *order, extra_names, endpoint, form.action, profile).await
        }
        Obtain::New { common_name, names } => {
            check_next(form.action, in_place, run)?;
            resolve_new(
                run.at,
                form.action,
                common_name.as_ref(),
                names,
                endpoint,
                in_place,
                profile,
            )
        }
    }
}

/// Whether the order in place gives its next certificate. What is refused is told before anything
/// is scheduled, not on the night when it runs.
fn check_next(action: EndpointAction, in_place: Option<&OrderFile>, run: Run) -> Result<()> {
    match (action, in_place) {
        (EndpointAction::Reissue | EndpointAction::NextCertificate, Some(file)) => {
            plan_reissue(file, &ReissueRequest::Same, run.issuer_ends, run.at)?;
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn resolve_duplicate(
    tx: &mut Tx,
    run: Run,
    order: OrderNumber,
    extra_names: &NameSet,
    endpoint: &EndpointRecord,
    action: EndpointAction,
    profile: &Profile,
) -> Result<Resolved> {
    if !matches!(action, EndpointAction::Request | EndpointAction::Renew | EndpointAction::Switch) {
        return Err(LifecycleError::field(
            "obtain",
            "A duplicate can be issued for Request, Renew and Switch only.",
        ));
    }
    let source = tx.order_file(order).await?.ok_or_else(|| {
        LifecycleError::field("order", "There is no such order. Choose one from the list.")
    })?;
    // For a certificate in place its names are the ones to match (rule D10), else those typed are
    // the order's own (rule D9); product and organization are the profile's in either case.
    let in_place = match (&endpoint.served, action) {
        (Some(served), EndpointAction::Renew | EndpointAction::Switch) => Some(&served.names),
        _ => None,
    };
    let wanted = in_place.unwrap_or(&source.order.names).clone();
    let sources = std::slice::from_ref(&source);
    let judged = match action {
        EndpointAction::Request => candidates_for_names(profile, &wanted, sources, run.at),
        _ => candidates_for_certificate(profile, &wanted, sources, run.at),
    };
    if judged.orders.is_empty() {
        let why = judged.verdicts.first().map(|verdict| verdict.why.clone()).unwrap_or_default();
        let rule = if matches!(action, EndpointAction::Request) { "D9" } else { "D10" };
        return Err(Refusal::new(
            rule,
            "order_does_not_match",
            format!("Order {order} can't be chosen here. {why} Choose another order."),
        )
        .into());
    }
    // Kept with the event: they are what is judged again when it runs (rule D17).
    let extra_names = names_to_add(&source.order, in_place, extra_names);
    let names = DuplicateNames::adding(extra_names.clone());
    let plan = plan_duplicate(&source, &names, run.at)?.within(run.issuer_ends)?;
    Ok(Resolved {
        mode: EventMode::Duplicate,
        source_order: Some(order),
        organization: source.order.organization,
        product: product_of(&source.order)?,
        renewal_lifetime: renewal_lifetime(Some(&source.order), profile, run.at),
        common_name: plan.common_name,
        names: plan.names,
        extra_names,
        explanation: Some(Explanation::chosen(
            Decision::Duplicate { order },
            judged.verdicts,
            format!(
                "A duplicate of order {order} was chosen: same order ID, same end of validity \
                 (rules D8 and D11). Whether it is still allowed is checked again when it runs \
                 (rule D17)."
            ),
        )),
    })
}

fn resolve_new(
    at: Timestamp,
    action: EndpointAction,
    common_name: Option<&Name>,
    names: &NameSet,
    endpoint: &EndpointRecord,
    in_place: Option<&OrderFile>,
    profile: &Profile,
) -> Result<Resolved> {
    let order = in_place.map(|file| &file.order);
    let typed = || {
        let first = common_name.or_else(|| names.iter().next()).cloned();
        first.map(|first| (first, names.clone()))
    };
    let (common_name, names) = names_of(action, endpoint, order)
        .or_else(typed)
        .ok_or_else(|| LifecycleError::field("common_name", "Enter the common name."))?;
    let names = NameSet::with_common_name(&common_name, names);
    // What goes on is the order: the profile gives neither product nor organization then.
    let source = order.filter(|_| action != EndpointAction::Request);
    let product = source.map_or_else(|| product_sold(profile), product_of)?;
    if !matches!(action, EndpointAction::Reissue | EndpointAction::NextCertificate) {
        check_product_names(product, &names)?;
    }
    Ok(Resolved {
        mode: EventMode::New,
        source_order: source.map(|order| order.number),
        organization: source.map_or(profile.organization, |order| order.organization),
        product,
        renewal_lifetime: renewal_lifetime(source, profile, at),
        common_name,
        names,
        extra_names: NameSet::default(),
        explanation: chosen(action, source.map(|order| order.number)),
    })
}

/// Why a person's wish is carried out as it is; none where it is decided when it runs.
fn chosen(action: EndpointAction, source: Option<OrderNumber>) -> Option<Explanation> {
    let (decision, why) = match (action, source) {
        (EndpointAction::Renew, Some(_)) => return None,
        (EndpointAction::Reissue | EndpointAction::NextCertificate, Some(order)) => {
            let why = format!("The next certificate of order {order} was chosen: same order ID.");
            (Decision::Reissue { order }, why)
        }
        _ => {
            let why = "A new certificate was chosen: a new order with an order ID of its own.";
            (Decision::Enroll { like: None }, why.to_owned())
        }
    };
    Some(Explanation::chosen(decision, Vec::new(), why))
}

fn product_sold(profile: &Profile) -> Result<&'static Product> {
    Product::find(profile.product.as_str()).ok_or_else(|| {
        LifecycleError::field(
            "profile",
            "The profile's product is no longer sold. Choose another profile.",
        )
    })
}

impl Lifecycle {
    /// Common name and names that an action takes from what is in place on an endpoint; none where a
    /// person types them.
    pub async fn names_in_place(
        &self,
        actor: &Actor,
        endpoint: &EndpointRecord,
        action: EndpointAction,
    ) -> Result<Option<(Name, NameSet)>> {
        require_person(actor)?;
        // Those of a new certificate are typed.
        let order = match endpoint.order.filter(|_| action != EndpointAction::Request) {
            Some(number) => self.store().reader().await?.order(number).await?,
            None => None,
        };
        Ok(names_of(action, endpoint, order.as_ref()))
    }
}

/// Common name and names that an action takes from what is in place.
pub(super) fn names_of(
    action: EndpointAction,
    endpoint: &EndpointRecord,
    order: Option<&Order>,
) -> Option<(Name, NameSet)> {
    let served = endpoint.served.as_ref();
    let served = served.and_then(|served| Some((served.name()?, &served.names)));
    names_in_place(action, served, order)
}

/// The names of the certificate in place, or of the last one of ours that was there.
pub(super) async fn names_held(tx: &mut Tx, endpoint: &EndpointRecord) -> Result<Option<NameSet>> {
    if let Some(served) = &endpoint.served {
        return Ok(Some(served.names.clone()));
    }
    let last = match endpoint.certificate {
        Some(certificate) => tx.certificate(certificate).await?,
        None => None,
    };
    Ok(last.map(|record| record.certificate.names))
}

/// The order of the certificate in place, or of the last one that was there.
pub(super) async fn order_in_place(
    tx: &mut Tx,
    endpoint: &EndpointRecord,
) -> Result<Option<OrderFile>> {
    match endpoint.order {
        Some(number) => Ok(tx.order_file(number).await?),
        None => Ok(None),
    }
}

/// The same, renewed only where something came of that: revoking the order that renewed it leaves the
/// mark of it.
pub(super) async fn order_to_renew(
    tx: &mut Tx,
    endpoint: &EndpointRecord,
) -> Result<Option<OrderFile>> {
    let Some(mut file) = order_in_place(tx, endpoint).await? else { return Ok(None) };
    let successors = successors(tx, &file.order).await?;
    if !successors.iter().any(|one| one.is_standing() || one.order.status == OrderStatus::Pending) {
        file.order.renewed_by = None;
    }
    Ok(Some(file))
}

pub(super) fn facts<'a>(
    endpoint: &EndpointRecord,
    order: Option<&'a OrderFile>,
    now: Timestamp,
) -> EndpointFacts<'a> {
    let certificate = order
        .and_then(|file| file.certificates.iter().find(|one| Some(one.id) == endpoint.certificate));
    EndpointFacts { issuer: endpoint.issuer_kind, certificate, order, status: endpoint.status, now }
}
