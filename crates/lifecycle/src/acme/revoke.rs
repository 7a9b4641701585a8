//! revokeCert (RFC 8555 section 7.6): by the account that has the certificate, by one that holds
//! valid authorizations for all its names, or by the certificate's own key. Carried out at once.

use std::net::IpAddr;

use domain::model::acme::{AcmeAccount, AuthorizationStatus, Identifier};
use domain::model::{CertificateStatus, RevocationReason, Serial};
use domain::{NameSet, Timestamp};
use serde_json::json;
use store::Tx;
use store::acme::{UsableAuthorization, WantedAuthorization};
use store::certificates::CertificateRecord;

use super::authorizations::Vouching;
use super::{AcmeDesk, AcmeError, AcmeResult, actor};
use crate::audit::{AuditEntry, record};
use crate::{Actor, fault};

/// Who asks for a revocation, with the right that the protocol layer has seen.
#[derive(Debug, Clone)]
pub enum Revoker {
    /// An account.
    Account(Box<AcmeAccount>),
    /// Whoever holds the certificate's private key: it signed the request.
    CertificateKey,
}

impl AcmeDesk {
    /// Revokes a certificate that this authority issued. `der` is compared with the one on record:
    /// a serial alone proves nothing.
    pub async fn revoke(
        &self,
        revoker: Revoker,
        serial: Serial,
        fingerprint: String,
        reason: RevocationReason,
        address: Option<IpAddr>,
    ) -> AcmeResult<()> {
        let now = self.clock().now();
        self.desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let found = tx.certificate_by_serial(&serial).await?;
                    let found = found
                        .filter(|found| {
                            found.fingerprint_sha256.as_deref() == Some(fingerprint.as_str())
                        })
                        .ok_or(AcmeError::NotFound("certificate"))?;
                    check_right(tx, &revoker, &found, reason, now).await?;
                    carry_out(tx, &revoker, &found, reason, address, now).await
                })
            })
            .await?;
        fault::point("revoke.after_store");
        Ok(())
    }
}

async fn check_right(
    tx: &mut Tx,
    revoker: &Revoker,
    found: &CertificateRecord,
    reason: RevocationReason,
    now: Timestamp,
) -> AcmeResult<()> {
    let Revoker::Account(account) = revoker else { return Ok(()) };
    if found.acme_account == Some(account.id) {
        return Ok(());
    }
    if is_authorized(tx, account, &found.certificate.names, now).await? {
        return check_known(reason);
    }
    let words = "The certificate is not of this account, and the account holds no valid authorizations for all its names. \
                 Sign with the certificate's account or its key.";
    Err(AcmeError::fault("unauthorized", words))
}

/// Who holds authorizations for the names has nothing to do with the key. The certificate's account is
/// heard about its own certificates of the key: its CSR may be somebody else's, for they are no secret.
/// Only a signature with the key takes all others with it, those of other organizations too.
fn check_known(reason: RevocationReason) -> AcmeResult<()> {
    if reason != RevocationReason::KeyCompromise {
        return Ok(());
    }
    let words = "Only the certificate's account, or whoever signs with the certificate's key, can say that the key is \
                 compromised (reason 1). Sign with that key, or give the reason 5 (cessation of operation).";
    Err(AcmeError::fault("badRevocationReason", words))
}

async fn is_authorized(
    tx: &mut Tx,
    account: &AcmeAccount,
    names: &NameSet,
    now: Timestamp,
) -> AcmeResult<bool> {
    let Some(url) = tx.active_acme_url(account.url).await? else { return Ok(false) };
    let vouching = Vouching::read(tx, &url, names).await?;
    let needed: Vec<WantedAuthorization> = names
        .iter()
        .flat_map(|name| {
            let (identifier, wildcard) = Identifier::of(name).authorized();
            let identifier = &identifier;
            [false, true].map(|prevalidated| WantedAuthorization {
                identifier: identifier.clone(),
                wildcard,
                prevalidated,
                until: now,
            })
        })
        .collect();
    let held = tx.usable_authorizations(account.id, &needed).await?;
    Ok(names.iter().zip(held.chunks(2)).all(|(name, held)| {
        let is_valid = |held: Option<&UsableAuthorization>| {
            matches!(held, Some(Some((_, AuthorizationStatus::Valid))))
        };
        is_valid(held.first()) || (is_valid(held.get(1)) && vouching.vouches(name, now).is_some())
    }))
}

/// Who signs with the certificate's key and says that it is known to others has shown so. That is
/// kept also where the certificate was revoked for another reason, or an account had only said so: the
/// key must get no other one.
fn shows_compromise(revoker: &Revoker, reason: RevocationReason) -> bool {
    matches!(revoker, Revoker::CertificateKey) && reason == RevocationReason::KeyCompromise
}

async fn carry_out(
    tx: &mut Tx,
    revoker: &Revoker,
    found: &CertificateRecord,
    reason: RevocationReason,
    address: Option<IpAddr>,
    now: Timestamp,
) -> AcmeResult<()> {
    let certificate = &found.certificate;
    // Serializes two revocations of one certificate; the status is looked at under the lock.
    tx.lock_order(certificate.order).await?;
    let current =
        tx.certificate(certificate.id).await?.ok_or(AcmeError::NotFound("certificate"))?;
    if let CertificateStatus::Revoked { .. } = current.certificate.status {
        let shown = shows_compromise(revoker, reason);
        if !shown || !tx.prove_compromise(certificate.id).await? {
            let words = "The certificate was revoked before.";
            return Err(AcmeError::fault("alreadyRevoked", words));
        }
    } else {
        let status = CertificateStatus::Revoked { reason, at: now };
        tx.set_certificate_status(certificate.id, status).await?;
    }
    if reason == RevocationReason::KeyCompromise {
        if matches!(revoker, Revoker::Account(_)) {
            tx.set_compromise_claimed(certificate.id).await?;
        }
        tx.insert_key_job(now).await?;
    }
    let acting = match revoker {
        Revoker::Account(account) => actor(account, address),
        Revoker::CertificateKey => Actor::Acme {
            account: found.acme_account.unwrap_or(domain::AcmeAccountId(0)),
            url: None,
            address,
        },
    };
    let by = match revoker {
        Revoker::Account(account) => format!("by ACME account {}", account.id),
        Revoker::CertificateKey => "by the holder of its key".to_owned(),
    };
    let words = format!("Certificate {} revoked {by}: {reason}", certificate.serial);
    let entry = AuditEntry::new("certificate.revoked", "order", certificate.order, words).changing(
        json!(null),
        json!({"certificate": certificate.id, "serial": certificate.serial, "reason": reason}),
    );
    Ok(record(tx, now, &acting, entry).await?)
}
