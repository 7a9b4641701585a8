//! The certificate of the portal's own HTTPS listener, from the embedded authority.
//!
//! It belongs to no order: it is made when the listener starts, lives for months, is kept in
//! memory with its key, and its serial is in the audit log.

use ca::{LintedPlan, Plan, SigningKey, Subject};
use domain::model::{KeyType, SignatureHash};
use domain::{Days, Name, NameSet, Timestamp, Validation};
use serde_json::json;

use crate::audit::{AuditEntry, record};
use crate::authority::failed;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// How long it lives. The listener takes a new one well before.
const LIFETIME: Days = Days(90);
/// Clocks of clients may be behind, in seconds.
const BACKDATED: i64 = 3_600;

/// A key and its certificate for a TLS listener. `Debug` does not show the key.
#[derive(Clone)]
pub struct ListenerCertificate {
    /// The certificate and the intermediates, PEM.
    pub chain_pem: String,
    /// The private key, PKCS#8 PEM.
    pub key_pem: String,
    /// Its last valid second.
    pub not_after: Timestamp,
}

impl std::fmt::Debug for ListenerCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListenerCertificate")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Lifecycle {
    /// Makes a certificate for the listener under these names and addresses.
    pub async fn listener_certificate(&self, names: NameSet) -> Result<ListenerCertificate> {
        let now = self.clock().now();
        // TLS clients go by the real time, also where the demonstration's clock was moved.
        let real = self.real_now();
        let issuer = self.issuer_arc()?;
        let (signed, key_pem) = tokio::task::spawn_blocking(move || {
            let key = SigningKey::generate(KeyType::EcP256).map_err(failed)?;
            let plan = plan(real, names, &key)?;
            let linted: LintedPlan = plan
                .lint(issuer.authority())
                .map_err(|faults| LifecycleError::Authority(Box::new(faults)))?;
            let signed = linted.sign(issuer.authority()).map_err(failed)?;
            let key_pem = key.to_pkcs8_pem().map_err(failed)?.to_string();
            Ok::<_, LifecycleError>((signed, key_pem))
        })
        .await
        .map_err(|_| {
            LifecycleError::Internal("making the listener's certificate ended early".to_owned())
        })??;
        let serial = signed.serial.clone();
        let not_after = signed.not_after;
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let entry = AuditEntry::new(
                        "listener.certificate",
                        "authority",
                        &serial,
                        "Issued the certificate of the portal's own HTTPS listener.",
                    )
                    .changing(
                        json!(null),
                        json!({"serial": serial, "not_after": not_after.rfc3339()}),
                    );
                    record(tx, now, &Actor::Operator, entry).await
                })
            })
            .await?;
        Ok(ListenerCertificate { chain_pem: signed.chain_pem, key_pem, not_after })
    }
}

fn plan(now: Timestamp, names: NameSet, key: &SigningKey) -> Result<Plan> {
    let common_name = names.dns().next().cloned().map(Name::Dns);
    let not_before = now.plus_seconds(-BACKDATED);
    Ok(Plan {
        serial: ca::new_serial().map_err(failed)?,
        validation: Validation::Private,
        subject: Subject { common_name, organization: None },
        names,
        spki_der: key.spki_der().to_vec(),
        not_before,
        not_after: not_before.plus(LIFETIME).plus_seconds(-1),
        max_lifetime: LIFETIME,
        signature_hash: SignatureHash::Sha256,
        urls: ca::Urls { crl: None, ocsp: None, issuer: None },
    })
}
