//! Reading orders, and moving them along with their authorizations (RFC 8555 section 7.1.6).

use ca::bundle::Depth;
use domain::model::Approval;
use domain::model::acme::{AcmeAccount, AcmeOrder, AcmeOrderStatus, Fault};
use domain::{AcmeAccountId, AcmeOrderId, AcmeUrlId, RequestId, Timestamp};
use store::{StoreError, Tx};

use super::authorizations::Vouching;
use super::{AcmeDesk, AcmeError, AcmeResult};
use crate::Actor;
use crate::approve::withdraw_within;

/// Orders on one page of an account's list.
const PAGE: i64 = 50;

/// Keeps all others who would move this order waiting until the transaction ends.
pub(super) async fn lock(tx: &mut Tx, order: AcmeOrderId) -> AcmeResult<()> {
    Ok(tx.lock(&lock_of(order)).await?)
}

fn lock_of(order: AcmeOrderId) -> String {
    format!("acme-order/{order}")
}

/// Ends all orders that rest on an authorization and were not finalized yet. One that was, rightly,
/// since they were looked for, is issued.
pub(super) async fn fail_all_on(
    tx: &mut Tx,
    authorization: i64,
    fault: &Fault,
    now: Timestamp,
) -> AcmeResult<()> {
    for order in tx.open_orders_of_authorization(authorization).await? {
        lock(tx, order).await?;
        tx.fail_open_acme_order(order, fault, now).await?;
    }
    Ok(())
}

/// Makes those orders ready whose last missing authorization this was. Each is locked first: two
/// authorizations that become valid at once must not both miss the other.
pub(super) async fn promote_all_on(
    tx: &mut Tx,
    authorization: i64,
    now: Timestamp,
) -> AcmeResult<()> {
    for order in tx.open_orders_of_authorization(authorization).await? {
        lock(tx, order).await?;
        tx.promote_acme_order(order, now).await?;
    }
    Ok(())
}

/// The state that a client sees: unfinished orders end with their time.
pub(super) fn seen(mut order: AcmeOrder, now: Timestamp) -> AcmeOrder {
    let open = matches!(order.status, AcmeOrderStatus::Pending | AcmeOrderStatus::Ready);
    if open && now >= order.expires_at {
        order.status = AcmeOrderStatus::Invalid;
        order.error = Some(expired());
    }
    order
}

/// An unfinished order as its authorizations stand now: with one of them it has ended, also where
/// nobody has come by yet to write that down, or where what vouched for a name does so no more.
async fn as_authorized(tx: &mut Tx, order: AcmeOrder, now: Timestamp) -> AcmeResult<AcmeOrder> {
    let open = matches!(order.status, AcmeOrderStatus::Pending | AcmeOrderStatus::Ready);
    if !open || is_authorized(tx, &order, now).await? {
        return Ok(order);
    }
    Ok(AcmeOrder { status: AcmeOrderStatus::Invalid, error: Some(unauthorized()), ..order })
}

async fn is_authorized(tx: &mut Tx, order: &AcmeOrder, now: Timestamp) -> AcmeResult<bool> {
    let Some(url) = tx.active_acme_url(order.url).await? else { return Ok(false) };
    let names = order.names();
    let vouching = Vouching::read(tx, &url, &names).await?;
    if names.iter().any(|name| vouching.covers(name, now).is_err()) {
        return Ok(false);
    }
    let ready = order.status == AcmeOrderStatus::Ready;
    Ok(!ready || tx.unauthorized_identifier(order.id, now).await?.is_none())
}

pub(super) fn expired() -> Fault {
    Fault::new("malformed", "The order was not finalized in time. Make a new one.")
}

/// RFC 8555 section 7.1.6: an order ends with any of its authorizations.
pub(super) fn unauthorized() -> Fault {
    Fault::new("unauthorized", "An authorization of this order has ended. Make a new order.")
}

/// Withdraws what orders of an account or a URL wait for a reviewer with, and ends them: nobody could
/// fetch their certificates any more (RFC 8555 section 7.3.6).
pub(super) async fn withdraw_held(
    tx: &mut Tx,
    actor: &Actor,
    account: Option<AcmeAccountId>,
    url: Option<AcmeUrlId>,
    now: Timestamp,
) -> crate::Result<()> {
    for (order, request) in tx.held_acme_orders(account, url).await? {
        tx.lock(&lock_of(order)).await?;
        if is_undecided(tx, request).await? {
            withdraw_within(tx, now, actor, request).await?;
            let words = "The account was deactivated, or its ACME Directory URL revoked.";
            tx.fail_processing_acme_order(order, &Fault::new("unauthorized", words), now).await?;
        }
    }
    Ok(())
}

/// Whether nobody has decided a request. Its order is locked, as by those who decide: so it stays until
/// the transaction ends.
pub(super) async fn is_undecided(tx: &mut Tx, request: RequestId) -> Result<bool, StoreError> {
    let Some(found) = tx.request(request).await? else { return Ok(false) };
    tx.lock_order(found.request.order).await?;
    let found = tx.request(request).await?;
    Ok(found.is_some_and(|found| found.request.approval == Approval::Pending))
}

pub(super) async fn owned(
    tx: &mut Tx,
    account: AcmeAccountId,
    id: AcmeOrderId,
) -> AcmeResult<AcmeOrder> {
    tx.acme_order(id)
        .await?
        .filter(|order| order.account == account)
        .ok_or(AcmeError::NotFound("order"))
}

impl AcmeDesk {
    /// One of the account's orders.
    pub async fn order(&self, account: &AcmeAccount, id: AcmeOrderId) -> AcmeResult<AcmeOrder> {
        let now = self.clock().now();
        let mut tx = self.desk.store().reader().await?;
        let order = seen(owned(&mut tx, account.id, id).await?, now);
        as_authorized(&mut tx, order, now).await
    }

    /// A page of the account's orders, newest first, from the one before `before` on, and where
    /// the next page begins (RFC 8555 section 7.1.2.1).
    pub async fn orders(
        &self,
        account: &AcmeAccount,
        before: Option<AcmeOrderId>,
    ) -> AcmeResult<(Vec<AcmeOrderId>, Option<AcmeOrderId>)> {
        let mut tx = self.desk.store().reader().await?;
        let mut ids = tx.acme_order_ids(account.id, before, PAGE + 1).await?;
        let more = i64::try_from(ids.len()).is_ok_and(|found| found > PAGE);
        if more {
            ids.pop();
        }
        let next = ids.last().copied().filter(|_| more);
        Ok((ids, next))
    }

    /// The certificate of one of the account's orders in PEM, the leaf first.
    pub async fn certificate(
        &self,
        account: &AcmeAccount,
        id: AcmeOrderId,
        depth: Depth,
    ) -> AcmeResult<String> {
        if depth == Depth::Chain
            && let Some(chain) = self.fresh.chain(account.id, id)
        {
            return Ok(chain);
        }
        let mut tx = self.desk.store().reader().await?;
        let found = tx.acme_certificate_pem(account.id, id).await?;
        drop(tx);
        let (pem, issuer) = found.ok_or(AcmeError::NotFound("certificate"))?;
        let signer = self.desk.authority_of(issuer.as_deref()).await?;
        Ok(ca::bundle::pem(&pem, signer.get(), depth))
    }
}
