//! The issuance cycle, which every certificate goes through.
//!
//! 1. In the transaction of the decision, [`reserve`] picks the serial, lints the plan and stores
//!    both. From here on the certificate *will* exist.
//! 2. Outside any transaction, [`Lifecycle::sign`] signs exactly what was linted.
//! 3. In a second transaction, [`complete`] puts the certificate on record with everything that
//!    follows from it.
//!
//! Where the authority signs quickly, a caller may have all done in its transaction
//! ([`Signing::Here`]), and no plan is stored: whatever a process that dies has signed then never
//! left it.
//!
//! A process that dies in between leaves a reserved plan, which [`crate::recover`] finishes under
//! the same serial: nothing is lost, doubled, or signed without being on record.

mod record;

pub(crate) use record::put_on_record;

use ca::{
    Authority, BusinessCategory, CsrFacts, IssuedCertificate, LintedPlan, Plan, Registration,
    Subject, SubjectOrganization,
};
use domain::model::{CertificateKind, KeyType, Order, Organization, Serial};
use domain::rules::{
    ScheduledRevocation, Validity, check_product_key, check_validation, longest_lifetime,
};
use domain::{
    AcmeAccountId, CertificateId, EndpointId, IssuanceId, Name, NameSet, OrderNumber,
    OrganizationId, Product, Refusal, RequestId, Timestamp, UserId, Validation,
};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::certificates::CertificateRecord;
use store::issuances::NewIssuance;

use crate::authority::{Signer, failed};
use crate::suffixes::check_wildcards;
use crate::{Actor, Exact, Issuer, Lifecycle, LifecycleError, Result, fault};

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Its id.
    pub certificate: CertificateId,
    /// Its order.
    pub order: OrderNumber,
    /// What it is to the order.
    pub kind: CertificateKind,
    /// Its serial number.
    pub serial: Serial,
    /// The request that it came of.
    pub request: Option<RequestId>,
    /// The certificate in PEM.
    pub pem: String,
    /// The certificate and the intermediates in PEM: what servers install.
    pub chain_pem: String,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
}

/// What is stored before anything is signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredPlan {
    /// What will be signed.
    pub(crate) certificate: Plan,
    /// Under which issuer.
    pub(crate) issuer: String,
    common_name: Name,
    key_type: Option<KeyType>,
    spki_sha256: String,
    requester: Option<UserId>,
    acme_account: Option<AcmeAccountId>,
    endpoint: Option<EndpointId>,
    /// A reissue that took names away.
    revocation: Option<ScheduledRevocation>,
    /// Whether the order gets the certificate's names.
    changes_order: bool,
}

impl StoredPlan {
    /// A plan as it is stored.
    pub(crate) fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|_| LifecycleError::Internal("a stored plan can't be read".to_owned()))
    }

    /// Whether the order gets the certificate's names.
    pub(crate) const fn changes_order(&self) -> bool {
        self.changes_order
    }

    /// The person who asked.
    pub(crate) const fn requester(&self) -> Option<UserId> {
        self.requester
    }
}

/// What is to be issued, as the rules planned it.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) order: &'a Order,
    pub(crate) kind: CertificateKind,
    pub(crate) names: Exact,
    pub(crate) validity: Validity,
    pub(crate) csr: &'a CsrFacts,
    pub(crate) requester: Option<UserId>,
    pub(crate) acme_account: Option<AcmeAccountId>,
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) request: Option<RequestId>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) revocation: Option<ScheduledRevocation>,
    pub(crate) changes_order: bool,
    /// Names whose control was shown by challenges.
    pub(crate) challenged: &'a NameSet,
    /// The order's row was written with this certificate counted in.
    pub(crate) counted: bool,
}

/// When a reserved certificate is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    /// In the transaction that reserves it.
    Here,
    /// Once the reservation is on disk.
    Afterwards,
}

impl Signing {
    /// Here, where that takes some microseconds only.
    pub(crate) const fn soonest(authority: &Authority) -> Self {
        if authority.signs_quickly() { Self::Here } else { Self::Afterwards }
    }
}

/// A reserved serial with its plan, ready to be signed once the transaction is on disk.
#[derive(Debug)]
pub(crate) struct Reserved {
    /// None where it is signed and put on record in this transaction.
    pub(crate) id: Option<IssuanceId>,
    pub(crate) order: OrderNumber,
    pub(crate) kind: CertificateKind,
    pub(crate) request: Option<RequestId>,
    pub(crate) plan: StoredPlan,
    pub(crate) linted: LintedPlan,
    /// The order's row was written with this certificate counted in.
    pub(crate) counted: bool,
}

/// A signed certificate that is not on record yet: it must not leave the process.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    id: Option<IssuanceId>,
    order: OrderNumber,
    kind: CertificateKind,
    request: Option<RequestId>,
    plan: StoredPlan,
    certificate: IssuedCertificate,
    counted: bool,
}

/// The product of an order.
pub(crate) fn product_of(order: &Order) -> Result<&'static Product> {
    Product::find(order.product.as_str()).ok_or_else(|| {
        LifecycleError::Internal(format!("order {} is of an unknown product", order.number))
    })
}

/// First transaction: reserves a serial and stores the plan.
pub(crate) async fn reserve(
    tx: &mut Tx,
    issuer: &Issuer,
    now: Timestamp,
    draft: Draft<'_>,
    signing: Signing,
) -> Result<Reserved> {
    let product = product_of(draft.order)?;
    check_wildcards(product.validation, draft.names.names.iter())?;
    check_product_key(product.validation, draft.csr.key.is_edwards())?;
    let unshown: NameSet = draft.names.names.missing_from(draft.challenged).cloned().collect();
    let organization =
        check_validated(tx, product, draft.order.organization, &unshown, now).await?;
    if let Some(guard) = issuer.caa().filter(|_| product.validation != Validation::Private) {
        guard.check(&unshown, draft.acme_account, now)?;
    }
    let certificate = Plan {
        serial: ca::new_serial().map_err(failed)?,
        validation: product.validation,
        subject: Subject {
            common_name: Some(draft.names.common_name.clone()),
            organization: Some(subject_organization(organization)),
        },
        names: draft.names.names.clone(),
        spki_der: draft.csr.public_key_der.clone(),
        not_before: draft.validity.not_before,
        not_after: draft.validity.not_after,
        max_lifetime: longest_lifetime(product, draft.validity.not_before),
        signature_hash: draft.order.signature_hash,
        urls: issuer.urls(),
    };
    let linted = lint(certificate.clone(), issuer.authority())?;
    let plan = StoredPlan {
        certificate,
        issuer: issuer.authority().issuer_id().to_owned(),
        common_name: draft.names.common_name.clone(),
        key_type: draft.csr.key.key_type(),
        spki_sha256: draft.csr.key_fingerprint.clone(),
        requester: draft.requester,
        acme_account: draft.acme_account,
        endpoint: draft.endpoint,
        revocation: draft.revocation,
        changes_order: draft.changes_order,
    };
    let (order, kind, request) = (draft.order.number, draft.kind, draft.request);
    let id = match signing {
        Signing::Here => None,
        Signing::Afterwards => {
            let new = NewIssuance {
                serial: plan.certificate.serial.clone(),
                request,
                order,
                kind,
                plan: serde_json::to_string(&plan).map_err(|error| {
                    LifecycleError::Internal(format!("a plan can't be stored: {error}"))
                })?,
                spki_sha256: plan.spki_sha256.clone(),
                acme_account: plan.acme_account,
                idempotency_key: draft.idempotency_key,
            };
            let Some(id) = tx.reserve_issuance(&new, now).await? else {
                check_key(tx, &plan.spki_sha256, plan.acme_account).await?;
                return Err(asked_twice());
            };
            Some(id)
        }
    };
    Ok(Reserved { id, order, kind, request, plan, linted, counted: draft.counted })
}

/// What certificates say of an organization. Its register is that of its country.
fn subject_organization(organization: Organization) -> SubjectOrganization {
    let country = organization.country.clone();
    let registration = organization.registration_number.map(|number| Registration {
        category: BusinessCategory::PrivateOrganization,
        number,
        country,
        state_or_province: None,
        locality: None,
    });
    SubjectOrganization {
        name: organization.name,
        country: organization.country,
        state_or_province: None,
        locality: organization.locality,
        registration,
    }
}

pub(crate) fn lint(plan: Plan, authority: &Authority) -> Result<LintedPlan> {
    plan.lint(authority).map_err(|faults| LifecycleError::Authority(Box::new(faults)))
}

/// Refuses a key that a revocation has named as compromised (CA/Browser Forum Baseline Requirements,
/// section 6.1.1.3); one that an ACME account has only said so of, to that account.
pub(crate) async fn check_key(
    tx: &mut Tx,
    spki_sha256: &str,
    account: Option<AcmeAccountId>,
) -> Result<()> {
    if tx.key_is_compromised(spki_sha256, account).await? {
        return Err(Refusal::new(
            "key",
            "key_compromised",
            "A certificate with the CSR's key was revoked because the key was compromised. Make a \
             new key and a new CSR.",
        )
        .into());
    }
    Ok(())
}

fn asked_twice() -> LifecycleError {
    LifecycleError::Conflict {
        message:
            "The same was asked for at the same moment. Reload the page to see what became of it."
                .to_owned(),
    }
}

/// Refuses unless the organization and its domains vouch for all names (rule D19); answers the
/// organization.
pub(crate) async fn check_validated(
    tx: &mut Tx,
    product: &Product,
    organization: OrganizationId,
    names: &NameSet,
    now: Timestamp,
) -> Result<Organization> {
    let organization = tx
        .organization(organization)
        .await?
        .ok_or(LifecycleError::NotFound { what: "organization" })?;
    let mut above: Vec<&str> = names.iter().flat_map(Name::ancestors).collect();
    above.sort_unstable();
    above.dedup();
    let mut domains = Vec::new();
    for some in above.chunks(200) {
        domains.extend(tx.domains_named(organization.id, some).await?);
    }
    check_validation(product, &organization, &domains, names, now)?;
    Ok(organization)
}

impl Lifecycle {
    /// Signs what was reserved. Nothing is handed out before [`complete`] has put it on record.
    pub(crate) async fn sign(&self, reserved: Reserved) -> Result<Signed> {
        let by = Signer::Active(self.issuer_arc()?);
        Box::pin(self.sign_with(by, reserved)).await
    }

    async fn sign_with(&self, by: Signer, reserved: Reserved) -> Result<Signed> {
        by.sign(move |authority| sign_now(authority, reserved)).await
    }

    /// Signs what was reserved and puts it on record.
    pub(crate) async fn finish(&self, actor: &Actor, reserved: Reserved) -> Result<Issued> {
        let by = Signer::Active(self.issuer_arc()?);
        Box::pin(self.finish_with(by, actor, reserved)).await
    }

    /// The same by the authority that it was reserved under, whether that is still the active one.
    pub(crate) async fn finish_with(
        &self,
        by: Signer,
        actor: &Actor,
        reserved: Reserved,
    ) -> Result<Issued> {
        let signed = Box::pin(self.sign_with(by, reserved)).await?;
        let (actor, now) = (actor.clone(), self.clock().now());
        let issued = self
            .store()
            .write(move |tx| Box::pin(async move { complete(tx, now, &actor, &signed).await }))
            .await?;
        fault::point("issue.after_store");
        Ok(issued)
    }

    /// What a certificate on record looks like to those who asked for it.
    pub(crate) async fn issued(&self, record: CertificateRecord) -> Result<Issued> {
        let pem = record.pem.ok_or(LifecycleError::NotFound { what: "certificate text" })?;
        let signer = self.authority_of(record.issuer.as_deref()).await?;
        let chain_pem = ca::bundle::pem(&pem, signer.get(), ca::bundle::Depth::Chain);
        let one = record.certificate;
        Ok(Issued {
            certificate: one.id,
            order: one.order,
            kind: one.kind,
            serial: one.serial,
            request: record.request,
            pem,
            chain_pem,
            not_before: one.not_before,
            not_after: one.not_after,
        })
    }
}

/// Signs in the caller's thread, for some microseconds where the authority
/// [signs quickly](Authority::signs_quickly).
pub(crate) fn sign_now(by: &Authority, reserved: Reserved) -> Result<Signed> {
    fault::point("issue.after_plan");
    let Reserved { id, order, kind, request, plan, linted, counted } = reserved;
    let certificate = linted.sign(by).map_err(failed)?;
    fault::point("issue.after_sign");
    Ok(Signed { id, order, kind, request, plan, certificate, counted })
}

/// Second transaction: the certificate, the order's row, the request, announced revocations and
/// the audit entry. Where another process finished this issuance meanwhile, its certificate is
/// the answer and the one signed here is forgotten.
pub(crate) async fn complete(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    signed: &Signed,
) -> Result<Issued> {
    tx.lock_order(signed.order).await?;
    if let Some(id) = signed.id
        && !tx.finish_issuance(id, true, now).await?
    {
        return finished_elsewhere(tx, signed).await;
    }
    // A key that was named as compromised while this was signed, by a process that may have died since:
    // what must exist is revoked at once.
    if tx.key_is_compromised(&signed.plan.spki_sha256, signed.plan.acme_account).await? {
        tx.insert_key_job(now).await?;
    }
    put_on_record(tx, now, actor, signed).await
}

async fn finished_elsewhere(tx: &mut Tx, signed: &Signed) -> Result<Issued> {
    let record = tx
        .certificate_by_serial(&signed.certificate.serial)
        .await?
        .ok_or(LifecycleError::NotFound { what: "certificate" })?;
    let mut other = issued(signed, record.certificate.id);
    let pem = record.pem.ok_or(LifecycleError::NotFound { what: "certificate text" })?;
    other.chain_pem = other.chain_pem.replacen(&other.pem, &pem, 1);
    other.pem = pem;
    Ok(other)
}

fn issued(signed: &Signed, certificate: CertificateId) -> Issued {
    Issued {
        certificate,
        order: signed.order,
        kind: signed.kind,
        serial: signed.certificate.serial.clone(),
        request: signed.request,
        pem: signed.certificate.pem.clone(),
        chain_pem: signed.certificate.chain_pem.clone(),
        not_before: signed.certificate.not_before,
        not_after: signed.certificate.not_after,
    }
}

#[cfg(test)]
mod tests;
