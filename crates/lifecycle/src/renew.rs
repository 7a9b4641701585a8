//! Renewals: a new order in an old one's place, once, however many ask for it (rules D12–D15,
//! D18).

use domain::model::{OrderFile, OrderStatus, Profile};
use domain::rules::{
    AutomationRequest, Decided, Decision, DuplicateNames, ReissueRequest, RenewalTurn,
    check_renewal_names, decide_automation, match_names, new_coverage, plan_renew, renewal_key,
    renewal_turn,
};
use domain::{Name, NameSet, OrderNumber, Timestamp};
use store::Tx;

use crate::ask::{listed, note, read_csr};
use crate::caa::CaaRounds;
use crate::order_new::{Terms, sold, take};
use crate::place::{
    Asker, Placed, Placing, check_settled, check_visible, earlier, locked_file, place,
};
use crate::submitted::Submitted;
use crate::{
    Actor, Ask, Exact, Issuer, Lifecycle, LifecycleError, Outcome, Result, What, settings,
};

/// How often a renewal is decided again because another one was faster.
const ROUNDS: usize = 20;

/// "Renew certificate" as a person fills it in.
#[derive(Debug, Clone, Default)]
pub struct RenewForm {
    /// The CSR in PEM.
    pub csr: String,
    /// The common name; empty, or the order's.
    pub common_name: String,
    /// The names, as a list; empty, or the order's.
    pub names: String,
    /// Words to the reviewer.
    pub note: String,
    /// A token of the form: sent twice, it makes one order.
    pub submit_token: String,
}

/// A certificate on an endpoint that is due.
#[derive(Debug, Clone)]
pub struct Due {
    /// The order of the certificate in place.
    pub order: OrderNumber,
    /// The names of the certificate in place.
    pub names: Exact,
    /// The last second of the certificate in place; none where nothing is in place any more.
    pub until: Option<Timestamp>,
    /// The profile of the automation, as it was when that was scheduled.
    pub profile: Option<Profile>,
    /// CSR, endpoint and idempotency key; what it asks for is decided here.
    pub ask: Ask,
}

impl Due {
    fn in_place(&self) -> InPlace<'_> {
        InPlace { names: &self.names, until: self.until, profile: self.profile.as_ref() }
    }
}

impl Placing<'_> {
    /// The renewal of `file`, whose row is locked. The certificate has `names` where given, else
    /// the order's.
    pub(crate) async fn renewal(
        &self,
        tx: &mut Tx,
        file: &OrderFile,
        names: Option<&Exact>,
    ) -> Result<Placed> {
        let successor = match file.order.renewed_by {
            Some(number) => tx.order(number).await?,
            None => None,
        };
        match renewal_turn(successor.as_ref()) {
            RenewalTurn::First => {}
            RenewalTurn::Wait { order } => return Ok(Placed::Done(Outcome::Wait { order })),
            RenewalTurn::Follow { order } => return Ok(Placed::Superseded { by: order }),
        }
        // A successor that came to nothing gives its claim back.
        if let Some(gone) = successor {
            tx.release_order_key(gone.number).await?;
        }
        check_settled(tx, file.number()).await?;
        let plan = plan_renew(file, self.now)?;
        let order_names = Exact { common_name: plan.common_name, names: plan.names };
        let terms = Terms {
            organization: plan.organization,
            product: &plan.product,
            names: &order_names,
            coverage: new_coverage(
                sold(&plan.product)?,
                plan.coverage_years,
                self.now,
                plan.days_left,
            )?,
            validity_days: plan.validity_days,
            signature_hash: plan.signature_hash,
            auto_renew: plan.auto_renew,
            profile: None,
            number: self.ask.renewal_number,
            renews: Some(plan.renews),
            key: Some(renewal_key(plan.renews)),
            certificate_until: None,
        };
        let Some(order) = self.insert(tx, &terms).await? else {
            // Claimed, but not marked: only an order whose lineage was changed by hand looks so.
            let claimed = tx.order_by_idempotency_key(&renewal_key(plan.renews)).await?;
            return Ok(Placed::Superseded { by: claimed.unwrap_or(plan.renews) });
        };
        tx.set_renewed_by(plan.renews, Some(order.number)).await?;
        // Only a wildcard order gives certificates with names of their own (rule A4).
        let product = sold(&plan.product)?;
        let own = names.filter(|own| {
            product.wildcard && match_names(&file.order, &own.names, Some(&own.common_name)).is_ok()
        });
        self.original(tx, &order, own.unwrap_or(&order_names), plan.days_left).await
    }
}

impl Lifecycle {
    /// Certificate actions > "Renew certificate" by a person: refused where the order was renewed
    /// already.
    pub async fn request_renew(
        &self,
        actor: &Actor,
        order: OrderNumber,
        form: &RenewForm,
    ) -> Result<Outcome> {
        let mut faults = Vec::new();
        let csr = take(&mut faults, read_csr(form.csr.as_bytes()));
        let note = take(&mut faults, note(&form.note)).flatten();
        let (Some(csr), true) = (csr, faults.is_empty()) else {
            return Err(LifecycleError::Invalid(faults));
        };
        let existing = self.store().reader().await?.order(order).await?;
        let existing = existing.ok_or(LifecycleError::NotFound { what: "order" })?;
        check_visible(actor, &existing)?;
        let common_name = listed("common_name", &form.common_name)?;
        let names = listed("names", &form.names)?;
        check_renewal_names(&existing, &common_name, &names)
            .map_err(|fault| LifecycleError::Invalid(vec![fault.into()]))?;
        check_csr_names(&csr.names, &existing.names)?;
        let sent = Submitted {
            act: "renew",
            target: order.to_string(),
            token: &form.submit_token,
            content: &[&form.csr, &form.common_name, &form.names, &form.note],
        };
        let idempotency_key = sent.key(actor);
        let what = What::Renew { order, names: None };
        self.ask(actor, Ask { note, idempotency_key, ..Ask::new(what, csr) }).await
    }

    /// What automation does with a certificate that is due (rules D13–D15): a duplicate of the
    /// latest renewed order, else the next certificate of a plan, else the renewal. With the
    /// reasons; none where the same was asked for before, which is not decided twice: what came of it
    /// would be among the orders to duplicate.
    ///
    /// Rule D18: where others are due under the same order at the same moment, on this node or
    /// another, one renews and the rest duplicate its order. [`Outcome::Wait`] says that the
    /// renewal of another is held for approval or not issued yet: ask again later.
    pub async fn renew_due(&self, actor: &Actor, due: &Due) -> Result<(Outcome, Option<Decided>)> {
        let issuer = self.issuer_arc()?;
        let mut caa = CaaRounds::default();
        for round in 0..ROUNDS {
            let (issuer, now) = (issuer.clone(), self.clock().now());
            let (acting, due) = (actor.clone(), due.clone());
            let placed = self
                .store()
                .write(move |tx| {
                    Box::pin(async move { decide_and_place(tx, &issuer, now, &acting, &due).await })
                })
                .await;
            let (decided, placed) = match placed {
                Ok(placed) => placed,
                Err(error) => {
                    caa.again(self, error).await?;
                    continue;
                }
            };
            match placed {
                Placed::Superseded { .. } => {}
                Placed::Done(Outcome::Wait { order })
                    if round + 1 < ROUNDS
                        && !is_held(&mut self.store().reader().await?, order).await? =>
                {
                    // The winner is between its two transactions.
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                placed => return Ok((self.settle(actor, placed).await?, decided)),
            }
        }
        Err(LifecycleError::Conflict {
            message: "Others renewed the same order again and again. Try again.".to_owned(),
        })
    }
}

/// Whether an order waits for a reviewer. The issuance is looked at first: it ends in the
/// transaction that ends the order's waiting, so nobody is taken for held who just was issued.
pub(crate) async fn is_held(tx: &mut Tx, order: OrderNumber) -> Result<bool> {
    let being_issued = tx.order_has_open_issuance(order).await?;
    let status = tx.order(order).await?.map(|order| order.status);
    Ok(!being_issued && status == Some(OrderStatus::Pending))
}

/// Names that the CSR has beyond the order's: a person should know that they won't be issued.
pub(crate) fn check_csr_names(csr: &NameSet, order: &NameSet) -> Result<()> {
    let beyond: Vec<&str> = csr.missing_from(order).map(Name::as_str).take(5).collect();
    if beyond.is_empty() {
        return Ok(());
    }
    let message = format!(
        "The CSR asks for {}, which the order does not hold. Make it again with the order's names \
         only, or request a new certificate.",
        beyond.join(", ")
    );
    Err(LifecycleError::field("csr", message))
}

/// Decides and places in one transaction, with the order's row locked from before the reading.
async fn decide_and_place(
    tx: &mut Tx,
    issuer: &Issuer,
    now: Timestamp,
    actor: &Actor,
    due: &Due,
) -> Result<(Option<Decided>, Placed)> {
    if let Some(earlier) = earlier(tx, &due.ask).await? {
        return Ok((None, earlier));
    }
    let file = locked_file(tx, actor, due.order).await?;
    let decided = decide(tx, issuer.not_after(), now, actor, due.in_place(), &file).await?;
    let exact = || DuplicateNames::Exactly {
        common_name: due.names.common_name.clone(),
        names: due.names.names.clone(),
    };
    let what = match decided.decision {
        Decision::Duplicate { order } => What::Duplicate { order, names: exact() },
        Decision::Reissue { order } => What::Reissue {
            order,
            names: ReissueRequest::Covered {
                common_name: due.names.common_name.clone(),
                names: due.names.names.clone(),
            },
        },
        Decision::Renew { order } => What::Renew { order, names: Some(due.names.clone()) },
        Decision::Enroll { .. } => {
            return Err(LifecycleError::Internal("automation decided to enroll".to_owned()));
        }
    };
    let ask = Ask { what, ..due.ask.clone() };
    let placed = place(tx, issuer, now, actor, &ask).await?;
    Ok((Some(decided), placed))
}

/// The certificate in place, as far as it is looked at, and the profile that it is renewed by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InPlace<'a> {
    pub(crate) names: &'a Exact,
    pub(crate) until: Option<Timestamp>,
    pub(crate) profile: Option<&'a Profile>,
}

/// What automation would do with what is due, as things are now. Reads only.
pub(crate) async fn decide(
    tx: &mut Tx,
    issuer_not_after: Timestamp,
    now: Timestamp,
    actor: &Actor,
    due: InPlace<'_>,
    file: &OrderFile,
) -> Result<Decided> {
    let preferences = settings::preferences(tx).await?;
    let asker = Asker::of(tx, actor).await?;
    let successors = crate::orders::find::successors(tx, &file.order).await?;
    let others = crate::orders::find::alike(tx, &file.order).await?;
    Ok(decide_automation(&AutomationRequest {
        due: file,
        common_name: &due.names.common_name,
        names: &due.names.names,
        until: due.until,
        successors: &successors,
        others: &others,
        profile: due.profile,
        preferences: &preferences,
        requester: asker.role(),
        issuer_not_after,
        now,
    })?)
}

#[cfg(test)]
mod tests;
