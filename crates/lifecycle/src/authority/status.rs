//! What the authority publishes about its certificates: CRL (RFC 5280 section 5) and OCSP (RFC
//! 6960).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use ca::ocsp::{CertId, CertStatus, OcspFault, OcspRequest, OcspTimes, fault_response, respond};
use ca::{Authority, CrlPlan, RevokedEntry};
use domain::model::{CertificateStatus, Serial};
use domain::{Days, Timestamp};
use store::Tx;
use store::authorities::CrlRow;

use super::{Issuer, failed, stored};
use crate::{Lifecycle, LifecycleError, Result};

/// A list is good for a week, and made anew, when it is asked for, every day and after every
/// revocation.
const CRL_LIFETIME: Days = Days(7);
const CRL_REFRESH: Days = Days(1);
/// Clients may keep an OCSP answer this long.
const OCSP_SECONDS: i64 = 12 * 3600;
/// OCSP answers made at once; whoever asks for more is told to try again, so that a flood leaves the
/// portal usable.
pub(super) const ANSWERS_AT_ONCE: usize = 128;

/// A response in DER. An error is one too: it says why the question can't be answered, unsigned,
/// and may be true no longer a moment later.
pub type OcspAnswer = std::result::Result<Vec<u8>, Vec<u8>>;

impl Lifecycle {
    /// The root certificate in PEM.
    pub fn root_pem(&self) -> Result<String> {
        Ok(self.issuer()?.authority().root().pem())
    }

    /// The issuing certificate with this id (SHA-256, lower-case hex) in DER.
    pub async fn issuer_der(&self, id: &str) -> Result<Vec<u8>> {
        let authority = self.authority_with_id(id).await?;
        Ok(authority.get().issuing().der().to_vec())
    }

    /// The CRL of an issuer in DER: the stored one, or a fresh one where that is a day old or
    /// something was revoked since. Where none can be made, the stored one as long as it holds.
    pub async fn crl(&self, issuer: &str) -> Result<Vec<u8>> {
        let now = self.clock().now();
        let latest = self.store().reader().await?.latest_crl(issuer).await?;
        let Some(stored) = latest else { return self.publish_crl(issuer, now).await };
        if is_fresh(&stored, now) {
            return Ok(stored.der);
        }
        match self.publish_crl(issuer, now).await {
            Err(error) if now < stored.next_update() => {
                tracing::error!(%error, issuer, "the CRL could not be made anew");
                Ok(stored.der)
            }
            published => published,
        }
    }

    async fn publish_crl(&self, issuer: &str, now: Timestamp) -> Result<Vec<u8>> {
        let authority = self.authority_with_id(issuer).await?;
        let id = issuer.to_owned();
        self.store()
            .write(move |tx| Box::pin(async move { publish(tx, authority.get(), &id, now).await }))
            .await
    }

    /// [`Lifecycle::ocsp`] for a request as it is posted: DER.
    pub async fn ocsp_der(&self, issuer: &str, request: &[u8]) -> OcspAnswer {
        self.ocsp(issuer, OcspRequest::parse(request)).await
    }

    /// [`Lifecycle::ocsp`] for a request as it stands in a URL: base64 (RFC 6960 appendix A.1).
    pub async fn ocsp_base64(&self, issuer: &str, request: &str) -> OcspAnswer {
        self.ocsp(issuer, OcspRequest::parse_get(request)).await
    }

    /// Answers an OCSP request (RFC 6960) for certificates of an issuer.
    async fn ocsp(
        &self,
        issuer: &str,
        request: std::result::Result<OcspRequest, OcspFault>,
    ) -> OcspAnswer {
        let request = request.map_err(fault_response)?;
        self.answer_ocsp(issuer, request).await.map_err(|error| match error {
            LifecycleError::NotFound { .. } => fault_response(OcspFault::Malformed),
            LifecycleError::Throttled { .. } => fault_response(OcspFault::TryLater),
            error => {
                tracing::error!(%error, "an OCSP request could not be answered");
                fault_response(OcspFault::TryLater)
            }
        })
    }

    async fn answer_ocsp(&self, issuer: &str, request: OcspRequest) -> Result<Vec<u8>> {
        let answering = Arc::clone(&self.issuer_arc()?.answering);
        let place = answering
            .try_acquire_owned()
            .map_err(|_| LifecycleError::Throttled { retry_after_seconds: 1 })?;
        let authority = self.authority_with_id(issuer).await?;
        let now = self.clock().now();
        let found = {
            let serials: Vec<&Serial> = request.certificates.iter().map(|id| &id.serial).collect();
            let mut tx = self.store().reader().await?;
            tx.certificates_of_issuer(issuer, &serials).await?
        };
        let known: HashMap<Serial, CertStatus> =
            found.into_iter().map(|one| (one.serial, ocsp_status(one.status))).collect();
        let times = OcspTimes {
            produced_at: now,
            this_update: now,
            next_update: now.plus_seconds(OCSP_SECONDS),
        };
        let sign = move |authority: &Authority| {
            // It is taken until then, also where whoever asked has gone.
            let _place = place;
            let status =
                |id: &CertId| known.get(&id.serial).copied().unwrap_or(CertStatus::Unknown);
            respond(&request, status, times, authority).map_err(failed)
        };
        authority.sign(sign).await
    }

    /// The active authority or a former one.
    pub(crate) async fn authority_with_id(&self, id: &str) -> Result<Signer> {
        let issuer = self.issuer_arc()?;
        if issuer.authority().issuer_id() == id {
            return Ok(Signer::Active(issuer));
        }
        let mut tx = self.store().reader().await?;
        let former = former(&mut tx, &issuer, id).await?;
        former.map(Signer::Former).ok_or(LifecycleError::NotFound { what: "issuer" })
    }

    /// The authority that issued a certificate, whose chain goes with it; for one that came from
    /// elsewhere, the active one.
    pub(crate) async fn authority_of(&self, issuer: Option<&str>) -> Result<Signer> {
        match issuer {
            Some(id) => self.authority_with_id(id).await,
            None => Ok(Signer::Active(self.issuer_arc()?)),
        }
    }
}

/// An authority that was active once.
pub(crate) async fn former(
    tx: &mut Tx,
    issuer: &Issuer,
    id: &str,
) -> Result<Option<Arc<Authority>>> {
    let known = || issuer.former.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(former) = known().get(id) {
        return Ok(Some(Arc::clone(former)));
    }
    let Some(stored) = tx.authority(id).await?.and_then(stored) else { return Ok(None) };
    let former = Arc::new(Authority::load(&stored, issuer.master_key()).map_err(failed)?);
    known().insert(id.to_owned(), Arc::clone(&former));
    Ok(Some(former))
}

/// An authority to sign with.
pub(crate) enum Signer {
    /// The one of today.
    Active(Arc<Issuer>),
    /// One that another has taken the place of.
    Former(Arc<Authority>),
}

impl Signer {
    pub(crate) fn get(&self) -> &Authority {
        match self {
            Self::Active(issuer) => issuer.authority(),
            Self::Former(authority) => authority,
        }
    }

    /// Has something signed: at once, or on a thread for blocking work where that takes milliseconds.
    pub(crate) async fn sign<T: Send + 'static>(
        self,
        work: impl FnOnce(&Authority) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.get().signs_quickly() {
            return work(self.get());
        }
        tokio::task::spawn_blocking(move || work(self.get()))
            .await
            .map_err(|_| LifecycleError::Internal("signing ended early".to_owned()))?
    }
}

fn is_fresh(crl: &CrlRow, now: Timestamp) -> bool {
    !crl.outdated && now >= crl.this_update() && now < crl.this_update().plus(CRL_REFRESH)
}

async fn publish(tx: &mut Tx, authority: &Authority, id: &str, now: Timestamp) -> Result<Vec<u8>> {
    // Numbers grow by one, and one of those who ask at the same moment makes it for all.
    tx.lock(&format!("crl/{id}")).await?;
    let number = match tx.latest_crl(id).await? {
        Some(latest) if is_fresh(&latest, now) => return Ok(latest.der),
        Some(latest) => latest.number + 1,
        None => 1,
    };
    let revoked = tx.revoked_for_crl(id, now).await?;
    let next_update = now.plus(CRL_LIFETIME);
    let entries = revoked
        .into_iter()
        .map(|one| RevokedEntry { serial: one.serial, revoked_at: one.at, reason: one.reason })
        .collect();
    let plan = CrlPlan {
        number: u64::try_from(number).unwrap_or_default(),
        this_update: now,
        next_update,
        entries,
    };
    let crl = plan.sign(authority).map_err(failed)?;
    tx.insert_crl(id, number, &crl.der, now, next_update).await?;
    Ok(crl.der)
}

fn ocsp_status(status: CertificateStatus) -> CertStatus {
    match status {
        CertificateStatus::Issued | CertificateStatus::RevocationPending { .. } => CertStatus::Good,
        CertificateStatus::Revoked { reason, at } => CertStatus::Revoked { at, reason },
    }
}
