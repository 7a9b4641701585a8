//! From an ask to a reserved certificate or a held request: the one decision behind all doors.
//!
//! Everything happens in the caller's transaction: it is read, decided by the rules, and written,
//! with the order's row locked, so that two acts on one order follow one another.

use std::sync::Arc;

use domain::model::{
    Approval, CertificateKind, Coverage, Order, OrderFile, OrderStatus, Origin, Preferences,
    RequestKind, Role, Serial,
};
use domain::rules::{
    ApprovalNeed, HeldBecause, Requester, Validity, approval_needed, check_issued_names,
    check_product_key, plan_duplicate, plan_reissue,
};
use domain::{
    AcmeAccountId, AcmeUrlId, EndpointId, NameSet, OrderNumber, Refusal, RequestId, Timestamp,
    UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Tx;
use store::requests::{NewRequest, RequestRecord, Wish};

use crate::audit::{self, AuditEntry};
use crate::caa::CaaRounds;
use crate::issue::{
    Draft, Reserved, Signing, StoredPlan, check_key, product_of, put_on_record, reserve, sign_now,
};
use crate::suffixes::check_wildcards;
use crate::{
    Actor, Ask, Exact, Issued, Issuer, Lifecycle, LifecycleError, Outcome, Result, What, fault,
    settings, submitted,
};

/// What placing an ask came to.
#[derive(Debug)]
pub(crate) enum Placed {
    /// It will be issued as soon as the transaction is on disk.
    Reserved(Box<Reserved>),
    /// There is nothing to sign: it is held, or an earlier ask with the same key was answered.
    Done(Outcome),
    /// An earlier ask with the same key is being signed right now.
    Signing(Serial),
    /// The order that should be renewed was renewed meanwhile: decide again.
    Superseded {
        /// By this order.
        by: OrderNumber,
    },
}

/// Who asks, as the rules and the records see them.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    /// None for the operator, whose acts need no approval: whoever holds the database and the
    /// keys is not kept out by a form.
    pub(crate) requester: Option<Requester>,
    pub(crate) user: Option<UserId>,
    pub(crate) name: Option<String>,
    pub(crate) acme_account: Option<AcmeAccountId>,
    pub(crate) acme_url: Option<AcmeUrlId>,
    pub(crate) origin: Origin,
}

impl Asker {
    /// The asker behind an actor. A worker acts in the name of the person who set the automation
    /// up, with the role that they have now.
    pub(crate) async fn of(tx: &mut Tx, actor: &Actor) -> Result<Self> {
        let plain = Self {
            requester: None,
            user: None,
            name: None,
            acme_account: None,
            acme_url: None,
            origin: Origin::Portal,
        };
        Ok(match actor {
            Actor::Operator => Self { name: Some("operator".to_owned()), ..plain },
            Actor::Person(person) => Self {
                requester: Some(Requester::person(person.role)),
                user: Some(person.user.id),
                name: Some(person.user.name.clone()),
                ..plain
            },
            Actor::Acme { account, url, .. } => Self {
                requester: Some(Requester::AcmeClient),
                acme_account: Some(*account),
                acme_url: *url,
                name: Some(format!("ACME account {account}")),
                origin: Origin::Acme,
                ..plain
            },
            Actor::Worker { on_behalf_of } => {
                let account = match on_behalf_of {
                    Some(id) => tx.account(*id).await?,
                    None => None,
                };
                let user = account.map(|account| account.user).filter(|user| !user.disabled);
                let user = user.ok_or_else(nobody_behind_it)?;
                Self {
                    requester: Some(Requester::person(user.role)),
                    user: Some(user.id),
                    name: Some(user.name),
                    origin: Origin::Automation,
                    ..plain
                }
            }
        })
    }

    /// The asker of a request that is carried out now.
    pub(crate) fn of_request(
        record: &RequestRecord,
        acme_account: Option<AcmeAccountId>,
        acme_url: Option<AcmeUrlId>,
    ) -> Self {
        Self {
            requester: None,
            user: record.request.requester,
            name: record.requester_name.clone(),
            acme_account,
            acme_url,
            origin: if acme_account.is_some() { Origin::Acme } else { Origin::Portal },
        }
    }

    /// Whether an act of this kind waits for a reviewer.
    pub(crate) fn approval(&self, preferences: &Preferences, kind: RequestKind) -> ApprovalNeed {
        self.requester.map_or(ApprovalNeed::NotNeeded, |requester| {
            approval_needed(preferences, requester, kind)
        })
    }

    /// The role that rules on automation look at.
    pub(crate) const fn role(&self) -> Role {
        match self.requester {
            Some(Requester::Person { role }) => role,
            Some(Requester::AcmeClient) => Role::Standard,
            None => Role::Administrator,
        }
    }
}

fn nobody_behind_it() -> Refusal {
    Refusal::new(
        "auto_renew",
        "requester_gone",
        "The person who set this automation up can no longer request certificates. Someone who \
         can has to set it up again.",
    )
}

/// What a held request keeps beside its columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) what: What,
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) acme_account: Option<AcmeAccountId>,
    pub(crate) acme_url: Option<AcmeUrlId>,
    pub(crate) challenged: NameSet,
}

/// Whether a person may see an order: Limited Users see their own.
pub(crate) fn check_visible(actor: &Actor, order: &Order) -> Result<()> {
    match actor.person() {
        Some(person) if person.role == Role::Limited && order.requester != Some(person.user.id) => {
            Err(LifecycleError::NotFound { what: "order" })
        }
        _ => Ok(()),
    }
}

/// The order with its certificates, its row locked, if the actor may see it.
pub(crate) async fn locked_file(
    tx: &mut Tx,
    actor: &Actor,
    number: OrderNumber,
) -> Result<OrderFile> {
    tx.lock_order(number).await?;
    let file = tx.order_file(number).await?.ok_or(LifecycleError::NotFound { what: "order" })?;
    check_visible(actor, &file.order)?;
    Ok(file)
}

/// One ask on its way: what every branch of the decision looks at.
pub(crate) struct Placing<'a> {
    pub(crate) issuer: &'a Issuer,
    pub(crate) now: Timestamp,
    pub(crate) actor: &'a Actor,
    pub(crate) asker: &'a Asker,
    pub(crate) ask: &'a Ask,
    pub(crate) need: ApprovalNeed,
    /// The request that was approved.
    pub(crate) request: Option<RequestId>,
    pub(crate) signing: Signing,
}

/// Reads, decides and writes one ask.
pub(crate) async fn place(
    tx: &mut Tx,
    issuer: &Issuer,
    now: Timestamp,
    actor: &Actor,
    ask: &Ask,
) -> Result<Placed> {
    if let Some(earlier) = earlier(tx, ask).await? {
        return Ok(earlier);
    }
    let preferences = settings::preferences(tx).await?;
    place_new(tx, issuer, now, actor, ask, &preferences, Signing::Afterwards).await
}

/// The same where the ask's key is known not to be used yet, under preferences that were read in
/// the same transaction.
pub(crate) async fn place_new(
    tx: &mut Tx,
    issuer: &Issuer,
    now: Timestamp,
    actor: &Actor,
    ask: &Ask,
    preferences: &Preferences,
    signing: Signing,
) -> Result<Placed> {
    let asker = Asker::of(tx, actor).await?;
    let need = asker.approval(preferences, ask.what.kind());
    let placing = Placing { issuer, now, actor, asker: &asker, ask, need, request: None, signing };
    match &ask.what {
        What::New(new) => placing.new_order(tx, new).await,
        What::Renew { order, names } => {
            let file = locked_file(tx, actor, *order).await?;
            placing.renewal(tx, &file, names.as_ref()).await
        }
        What::Duplicate { order, .. } | What::Reissue { order, .. } => {
            let file = locked_file(tx, actor, *order).await?;
            placing.on_order(tx, &file).await
        }
    }
}

/// What an earlier ask with the same key came to.
pub(crate) async fn earlier(tx: &mut Tx, ask: &Ask) -> Result<Option<Placed>> {
    let Some(key) = &ask.idempotency_key else { return Ok(None) };
    submitted::claim(tx, key).await?;
    if !tx.key_was_used(key).await? {
        return Ok(None);
    }
    if let Some(record) = tx.request_by_key(key).await? {
        let because = record.held_because.as_deref().and_then(|code| code.parse().ok());
        return Ok(Some(Placed::Done(Outcome::Held {
            request: record.request.id,
            order: record.request.order,
            because: because.unwrap_or(HeldBecause::ApprovalStep),
        })));
    }
    Ok(tx.issuance_by_key(key).await?.map(|issuance| Placed::Signing(issuance.serial)))
}

impl Placing<'_> {
    /// A duplicate or a reissue of an existing order.
    pub(crate) async fn on_order(&self, tx: &mut Tx, file: &OrderFile) -> Result<Placed> {
        // Drafted for its refusal also where the request is held: what can't be issued now should
        // not wait for a reviewer.
        let draft = self.draft_on_order(file)?;
        check_settled(tx, file.number()).await?;
        // A certificate that is being signed is not among those whose revocation is announced.
        if draft.revocation.is_some() && tx.order_has_open_issuance(file.number()).await? {
            return Err(being_issued(file.number()));
        }
        let ApprovalNeed::Needed { because } = self.need else {
            return self.reserve(tx, draft).await;
        };
        if matches!(self.ask.what, What::Reissue { .. }) {
            tx.move_order(file.number(), OrderStatus::Issued, OrderStatus::ReissuePending).await?;
        }
        let names = draft.names;
        self.hold(tx, &file.order, &names, because).await
    }

    /// Reserves a draft's certificate, and issues it where it is signed here.
    pub(crate) async fn reserve(&self, tx: &mut Tx, draft: Draft<'_>) -> Result<Placed> {
        let reserved = reserve(tx, self.issuer, self.now, draft, self.signing).await?;
        if self.signing == Signing::Afterwards {
            return Ok(Placed::Reserved(Box::new(reserved)));
        }
        let signed = sign_now(self.issuer.authority(), reserved)?;
        let issued = put_on_record(tx, self.now, self.actor, &signed).await?;
        Ok(Placed::Done(Outcome::Issued(issued)))
    }

    /// A draft with what all kinds share, unless it has names that the ask may not get.
    pub(crate) fn draft<'a>(
        &'a self,
        order: &'a Order,
        kind: CertificateKind,
        names: Exact,
        validity: Validity,
    ) -> Result<Draft<'a>> {
        if let Some(chosen) = &self.ask.at_most {
            check_issued_names(chosen, &names.names)?;
        }
        Ok(Draft {
            order,
            kind,
            names,
            validity,
            csr: &self.ask.csr,
            requester: self.asker.user,
            acme_account: self.asker.acme_account,
            endpoint: self.ask.endpoint,
            request: self.request,
            idempotency_key: self.ask.idempotency_key.clone(),
            revocation: None,
            changes_order: false,
            challenged: &self.ask.challenged,
            counted: false,
        })
    }

    fn draft_on_order<'a>(&'a self, file: &'a OrderFile) -> Result<Draft<'a>> {
        match &self.ask.what {
            What::Duplicate { names, .. } => {
                let plan =
                    plan_duplicate(file, names, self.now)?.within(self.issuer.not_after())?;
                let names = Exact { common_name: plan.common_name, names: plan.names };
                self.draft(&file.order, CertificateKind::Duplicate, names, plan.validity)
            }
            What::Reissue { names, .. } => {
                let plan = plan_reissue(file, names, self.issuer.not_after(), self.now)?;
                let names = Exact { common_name: plan.common_name, names: plan.names };
                let mut draft =
                    self.draft(&file.order, CertificateKind::Reissue, names, plan.validity)?;
                draft.revocation = plan.revocation;
                draft.changes_order = plan.changes_order;
                Ok(draft)
            }
            What::New(_) | What::Renew { .. } => {
                Err(LifecycleError::Internal("a new order was placed as an old one".to_owned()))
            }
        }
    }

    /// Keeps the ask as a request that waits for a reviewer.
    pub(crate) async fn hold(
        &self,
        tx: &mut Tx,
        order: &Order,
        names: &Exact,
        because: HeldBecause,
    ) -> Result<Placed> {
        check_key(tx, &self.ask.csr.key_fingerprint, self.asker.acme_account).await?;
        let validation = product_of(order)?.validation;
        check_wildcards(validation, names.names.iter())?;
        check_product_key(validation, self.ask.csr.key.is_edwards())?;
        let kind = self.ask.what.kind();
        let new = NewRequest {
            kind,
            order: order.number,
            revocation: None,
            requester: self.asker.user,
            requester_name: self.asker.name.clone(),
            approval: Approval::Pending,
            created_at: self.now,
            comment: self.ask.note.clone(),
            held_because: Some(because.as_str().to_owned()),
            wish: wish(self.ask, order, names),
            payload: self.payload()?,
            idempotency_key: self.ask.idempotency_key.clone(),
        };
        let Some(request) = tx.insert_request(&new).await? else {
            return Err(LifecycleError::Conflict {
                message: "The same was asked for at the same moment. Reload the page.".to_owned(),
            });
        };
        let what = match kind {
            RequestKind::New => "new certificate",
            RequestKind::Renew => "renewal",
            RequestKind::Duplicate | RequestKind::Reissue | RequestKind::Revoke => kind.as_str(),
        };
        let words = format!("Asked for a {what} (order {}); it waits for approval.", order.number);
        let facts = json!({ "order": order.number, "kind": kind, "because": because });
        let entry = AuditEntry::new("request.held", "request", request, words);
        audit::record(tx, self.now, self.actor, entry.changing(json!(null), facts)).await?;
        Ok(Placed::Done(Outcome::Held { request, order: order.number, because }))
    }

    fn payload(&self) -> Result<String> {
        let payload = Payload {
            what: self.ask.what.clone(),
            endpoint: self.ask.endpoint,
            acme_account: self.asker.acme_account,
            acme_url: self.asker.acme_url,
            challenged: self.ask.challenged.clone(),
        };
        serde_json::to_string(&payload).map_err(|error| {
            LifecycleError::Internal(format!("a request can't be stored: {error}"))
        })
    }
}

fn wish(ask: &Ask, order: &Order, names: &Exact) -> Wish {
    Wish {
        product: Some(order.product.clone()),
        organization: Some(order.organization),
        common_name: Some(names.common_name.clone()),
        names: Some(names.names.clone()),
        csr_pem: Some(ask.csr.pem()),
        spki_sha256: Some(ask.csr.key_fingerprint.clone()),
        coverage_years: match order.coverage {
            Coverage::MultiYear { years, .. } => Some(years),
            Coverage::Single => None,
        },
        validity_days: order.validity_days,
        key_type: ask.csr.key.key_type(),
        signature_hash: Some(order.signature_hash),
    }
}

/// Refuses while a reissue is being signed that changes the order's names: what it leaves of them is not
/// on record yet.
pub(crate) async fn check_settled(tx: &mut Tx, order: OrderNumber) -> Result<()> {
    for plan in tx.open_reissues(order).await? {
        if StoredPlan::read(&plan)?.changes_order() {
            return Err(being_issued(order));
        }
    }
    Ok(())
}

/// Something that all certificates of an order take part in can't be done to one that is not there yet.
pub(crate) fn being_issued(order: OrderNumber) -> LifecycleError {
    LifecycleError::Conflict {
        message: format!(
            "A certificate of order {order} is being issued at this moment. Try again in a minute."
        ),
    }
}

/// Somebody else's renewal was faster.
pub(crate) fn superseded(by: OrderNumber) -> LifecycleError {
    let message = format!(
        "The order was already renewed by order {by}. Duplicate or renew order {by} instead."
    );
    Refusal::new("D13", "already_renewed", message).into()
}

impl Lifecycle {
    /// Carries out one ask, for whichever door: decides, and issues where nobody must approve.
    ///
    /// A renewal that somebody else placed meanwhile is refused with the order that won; callers
    /// that follow it use [`Lifecycle::renew_due`].
    pub async fn ask(&self, actor: &Actor, ask: Ask) -> Result<Outcome> {
        let (issuer, now) = (self.issuer_arc()?, self.clock().now());
        let mut rounds = CaaRounds::default();
        loop {
            let (issuer, acting, ask) = (Arc::clone(&issuer), actor.clone(), ask.clone());
            let placed = self
                .store()
                .write(move |tx| {
                    Box::pin(async move { place(tx, &issuer, now, &acting, &ask).await })
                })
                .await;
            match placed {
                Ok(placed) => return self.settle(actor, placed).await,
                Err(error) => rounds.again(self, error).await?,
            }
        }
    }

    /// Signs and stores what was placed, or waits for whoever is doing that.
    pub(crate) async fn settle(&self, actor: &Actor, placed: Placed) -> Result<Outcome> {
        fault::point("issue.after_place");
        match placed {
            Placed::Reserved(reserved) => Ok(Outcome::Issued(self.finish(actor, *reserved).await?)),
            Placed::Done(outcome) => Ok(outcome),
            Placed::Signing(serial) => Ok(Outcome::Issued(self.wait_for(&serial).await?)),
            Placed::Superseded { by } => Err(superseded(by)),
        }
    }

    /// Waits, for a short while, until a reserved certificate is on record.
    pub(crate) async fn wait_for(&self, serial: &Serial) -> Result<Issued> {
        for _ in 0..100 {
            let record = self.store().reader().await?.certificate_by_serial(serial).await?;
            if let Some(record) = record {
                return self.issued(record).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Err(LifecycleError::Conflict {
            message: "The certificate is being issued. Look again in a minute.".to_owned(),
        })
    }
}
