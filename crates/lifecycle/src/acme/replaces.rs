//! Renewal information and the `replaces` field (RFC 9773).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::model::acme::{AcmeAccount, AcmeOrder, Fault, Identifier, NewAcmeOrder};
use domain::model::{Certificate, CertificateStatus, Serial};
use domain::rules::certificate_window;
use domain::{AcmeOrderId, OrderNumber, Timestamp};
use store::Tx;
use store::certificates::CertificateRecord;

use super::orders::lock;
use super::{AcmeDesk, AcmeError, AcmeResult};
use crate::authority::former;
use crate::{Issuer, settings};

/// When a client should renew (RFC 9773 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalWindow {
    /// From then on.
    pub start: Timestamp,
    /// Until then.
    pub end: Timestamp,
}

/// The key identifier and the serial of a certificate identifier (RFC 9773 section 4.1).
fn parse(identifier: &str) -> AcmeResult<(Vec<u8>, Serial)> {
    let malformed = || {
        AcmeError::fault(
            "malformed",
            "A certificate is identified as base64url(AKI).base64url(serial), without padding (RFC 9773 section 4.1).",
        )
    };
    if identifier.len() > 128 {
        return Err(malformed());
    }
    let (aki, serial) = identifier.split_once('.').ok_or_else(malformed)?;
    let aki = URL_SAFE_NO_PAD.decode(aki).map_err(|_| malformed())?;
    let serial = URL_SAFE_NO_PAD.decode(serial).map_err(|_| malformed())?;
    if aki.is_empty() || serial.is_empty() || serial.len() > 21 {
        return Err(malformed());
    }
    if !is_positive(&serial) {
        return Err(AcmeError::NotFound("certificate"));
    }
    Ok((aki, Serial::from_bytes(&serial)))
}

/// Refuses what is no certificate identifier, before the database is asked for it.
pub(super) fn check_form(identifier: &str) -> AcmeResult<()> {
    match parse(identifier) {
        // That none has this identifier is told as of any other that names nothing.
        Ok(_) | Err(AcmeError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether these are the bytes of a positive INTEGER in DER. A certificate would have two identifiers
/// otherwise, and could be replaced under each.
fn is_positive(serial: &[u8]) -> bool {
    match serial {
        [] | [0] => false,
        [0, second, ..] => *second >= 0x80,
        [first, ..] => *first < 0x80,
    }
}

/// The certificate, which must be of this database, and name the key of the authority that issued
/// it.
async fn find(tx: &mut Tx, issuer: &Issuer, identifier: &str) -> AcmeResult<CertificateRecord> {
    let (aki, serial) = parse(identifier)?;
    let missing = || AcmeError::NotFound("certificate");
    let record = tx.certificate_by_serial(&serial).await?.ok_or_else(missing)?;
    let active = issuer.authority();
    let named = match record.issuer.as_deref() {
        Some(id) if id == active.issuer_id() => active.issuing().key_id() == aki.as_slice(),
        Some(id) => {
            let former = former(tx, issuer, id).await?;
            former.is_none_or(|former| former.issuing().key_id() == aki.as_slice())
        }
        // It came from elsewhere.
        None => true,
    };
    if named { Ok(record) } else { Err(missing()) }
}

/// The portal's order of the certificate that is replaced; none where there is no such one.
pub(super) async fn order_of(
    tx: &mut Tx,
    issuer: &Issuer,
    identifier: &str,
) -> AcmeResult<Option<OrderNumber>> {
    match find(tx, issuer, identifier).await {
        Ok(record) => Ok(Some(record.certificate.order)),
        Err(AcmeError::NotFound(_) | AcmeError::Fault(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// RFC 9773 section 5: of the same account or credential, with a shared identifier, and not replaced
/// yet. Another account's order that nobody has finalized replaces nothing: it keeps nobody waiting.
pub(super) async fn check(
    tx: &mut Tx,
    issuer: &Issuer,
    account: &AcmeAccount,
    identifier: &str,
    wanted: &NewAcmeOrder,
    now: Timestamp,
) -> AcmeResult<()> {
    let unknown = || {
        AcmeError::fault(
            "malformed",
            "The certificate that replaces names is not one of this account's.",
        )
    };
    let record = find(tx, issuer, identifier).await.map_err(|error| match error {
        AcmeError::NotFound(_) => unknown(),
        other => other,
    })?;
    if !is_of(tx, account, &record).await? {
        return Err(unknown());
    }
    let held =
        |one: &Identifier| one.name().is_ok_and(|name| record.certificate.names.contains(&name));
    if !wanted.identifiers.iter().any(held) {
        return Err(AcmeError::fault(
            "malformed",
            "The order shares no identifier with the certificate that it replaces.",
        ));
    }
    // The other order's lock comes first, as where it is finalized.
    if let Some(other) = tx.acme_order_replacing(identifier, Some(account.id)).await?
        && !gives_way(tx, account, other, wanted, now).await?
    {
        return Err(replaced());
    }
    lock_replacement(tx, identifier).await?;
    match tx.acme_order_replacing(identifier, Some(account.id)).await? {
        Some(_) => Err(replaced()),
        None => Ok(()),
    }
}

/// Refuses an open order whose certificate another one has replaced since.
pub(super) async fn check_open(tx: &mut Tx, order: &AcmeOrder) -> AcmeResult<()> {
    let Some(identifier) = &order.replaces else { return Ok(()) };
    match tx.acme_order_replacing(identifier, None).await? {
        Some(_) => Err(replaced()),
        None => Ok(()),
    }
}

/// The same when it is finalized: of several open orders the first one replaces the certificate. The
/// others wait until it is written down that this one does.
pub(super) async fn claim(tx: &mut Tx, order: &AcmeOrder) -> AcmeResult<()> {
    if let Some(identifier) = &order.replaces {
        lock_replacement(tx, identifier).await?;
    }
    check_open(tx, order).await
}

async fn lock_replacement(tx: &mut Tx, identifier: &str) -> AcmeResult<()> {
    Ok(tx.lock(&format!("acme-replaces/{identifier}")).await?)
}

fn replaced() -> AcmeError {
    let words =
        "The certificate was replaced by another order already. Make a new order without replaces.";
    AcmeError::fault("alreadyReplaced", words)
}

/// Whether the order that replaces the certificate gives its place to the same one, made anew: the
/// account's own, which was passed over as open because it is about to end. It ends with that.
async fn gives_way(
    tx: &mut Tx,
    account: &AcmeAccount,
    other: AcmeOrderId,
    wanted: &NewAcmeOrder,
    now: Timestamp,
) -> AcmeResult<bool> {
    let Some(order) = tx.acme_order(other).await? else { return Ok(true) };
    let same = order.account == account.id
        && order.names() == wanted.names()
        && order.profile == wanted.profile
        && order.asked == wanted.asked;
    if !same {
        return Ok(false);
    }
    lock(tx, other).await?;
    let words = "It was about to end, and another order was made in its place.";
    Ok(tx.fail_open_acme_order(other, &Fault::new("malformed", words), now).await?)
}

async fn is_of(tx: &mut Tx, account: &AcmeAccount, record: &CertificateRecord) -> AcmeResult<bool> {
    let Some(holder) = record.acme_account else { return Ok(false) };
    if holder == account.id {
        return Ok(true);
    }
    Ok(tx.acme_account(holder).await?.is_some_and(|holder| holder.url == account.url))
}

impl AcmeDesk {
    /// When the certificate should be renewed: from the opening of the renewal window on, within
    /// its first third; at once after a revocation, and once one is announced.
    pub async fn renewal_window(&self, identifier: &str) -> AcmeResult<RenewalWindow> {
        let now = self.clock().now();
        let mut tx = self.desk.store().reader().await?;
        let certificate = find(&mut tx, self.desk.issuer()?, identifier).await?.certificate;
        let preferences = settings::preferences(&mut tx).await?;
        Ok(suggest(
            &certificate,
            certificate_window(&certificate, preferences.windows).opens_at,
            now,
        ))
    }
}

fn suggest(certificate: &Certificate, opens_at: Timestamp, now: Timestamp) -> RenewalWindow {
    if certificate.status != CertificateStatus::Issued {
        return RenewalWindow { start: now.plus_seconds(-7_200), end: now.plus_seconds(-3_600) };
    }
    let span = certificate.not_after.seconds_since(opens_at).max(3);
    RenewalWindow { start: opens_at, end: opens_at.plus_seconds(span / 3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_example_of_rfc_9773() {
        let (aki, serial) = parse("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE").unwrap();
        assert_eq!(aki.len(), 20);
        assert_eq!(serial.0, "87654321");
        for bad in [
            "",
            "a",
            "a.b.c",
            "aYhb=.AIdl",
            ".AIdlQyE",
            "aYhb.",
            "aYhb.AA",
            "aYhb.h2VDIQ",
            "aYhb.AACHZUMh",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
