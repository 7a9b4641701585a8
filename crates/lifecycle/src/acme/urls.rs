//! ACME Directory URLs: made, listed, rotated and revoked by administrators and managers.
//!
//! The credential (RFC 8555 section 7.3.4) is shown once; the database keeps its MAC key encrypted
//! under the master key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::model::acme::{AcmeAccount, AcmeOrder};
use domain::model::{AcmeUrl, KeyType};
use domain::rules::check_acme_url;
use domain::{
    AcmeAccountId, AcmeOrderId, AcmeUrlId, Days, DnsName, OrganizationId, ProductId, Timestamp,
};
use store::Tx;
use store::acme::{AcmeUrlRecord, BindingKey, BindingKeyRecord, NewAcmeUrlRow};

use super::orders::withdraw_held;
use crate::audit::{AuditEntry, record};
use crate::random::fill;
use crate::{Actor, FieldFault, Lifecycle, LifecycleError, Result};

/// What a rotated credential may go on working for, at most: 90 days.
const MAX_OVERLAP: Days = Days(90);

/// A URL to be made.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "four independent permissions, each a checkbox")]
pub struct NewAcmeUrl {
    /// Its name, unique.
    pub name: String,
    /// What is ordered.
    pub product: ProductId,
    /// For whom.
    pub organization: OrganizationId,
    /// Years of a multi-year plan; none for one certificate's lifetime.
    pub coverage_years: Option<u8>,
    /// Validity to ask for; none for the product's longest.
    pub validity_days: Option<Days>,
    /// Key types that CSRs may have; empty for all.
    pub key_types: Vec<KeyType>,
    /// Domains that may be ordered, with all below; empty for all of the organization's.
    pub allowed_domains: Vec<DnsName>,
    /// Renewals may be made.
    pub may_renew: bool,
    /// Reissues may be made.
    pub may_reissue: bool,
    /// Duplicates may be made.
    pub may_duplicate: bool,
    /// "Duplicate automatically when an order matches".
    pub duplicate_automatically: bool,
}

impl NewAcmeUrl {
    /// A URL that may do all that its product allows.
    pub fn permissive(name: &str, product: ProductId, organization: OrganizationId) -> Self {
        Self {
            name: name.to_owned(),
            product,
            organization,
            coverage_years: None,
            validity_days: None,
            key_types: Vec::new(),
            allowed_domains: Vec::new(),
            may_renew: true,
            may_reissue: true,
            may_duplicate: true,
            duplicate_automatically: true,
        }
    }

    fn into_url(self, id: AcmeUrlId) -> AcmeUrl {
        AcmeUrl {
            id,
            name: self.name.trim().to_owned(),
            product: self.product,
            organization: self.organization,
            coverage_years: self.coverage_years,
            validity_days: self.validity_days,
            key_types: self.key_types,
            allowed_domains: self.allowed_domains,
            may_renew: self.may_renew,
            may_reissue: self.may_reissue,
            may_duplicate: self.may_duplicate,
            duplicate_automatically: self.duplicate_automatically,
        }
    }
}

/// A credential for external account binding, to be shown once. `Debug` hides the key.
#[derive(Clone)]
pub struct BindingCredential {
    /// The key identifier (`eab_kid`).
    pub kid: String,
    /// The MAC key in base64url (`eab_hmac_key`).
    pub hmac_key: String,
}

impl std::fmt::Debug for BindingCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BindingCredential").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// One URL with all that its page shows.
#[derive(Debug, Clone)]
pub struct AcmeUrlDetail {
    /// The URL.
    pub record: AcmeUrlRecord,
    /// Its credentials, newest first, without their keys.
    pub credentials: Vec<BindingKeyRecord>,
}

/// Credentials and URLs are for those who review requests: who holds one gets certificates
/// without asking again.
pub(super) fn require_approver(actor: &Actor) -> Result<()> {
    if actor.role().is_some_and(domain::model::Role::is_approver) {
        return Ok(());
    }
    Err(LifecycleError::Forbidden { what: "Managing ACME Directory URLs", needs: "Manager" })
}

impl Lifecycle {
    /// Makes a URL with its first credential.
    pub async fn create_acme_url(
        &self,
        actor: &Actor,
        new: NewAcmeUrl,
    ) -> Result<(AcmeUrl, BindingCredential)> {
        require_approver(actor)?;
        let now = self.clock().now();
        let mut url = new.into_url(AcmeUrlId(0));
        let faults = check_acme_url(&url, now);
        if !faults.is_empty() {
            return Err(LifecycleError::Invalid(faults.into_iter().map(field_fault).collect()));
        }
        let (kid, hmac_key, sealed_key) = self.new_credential()?;
        let actor = actor.clone();
        let key = kid.clone();
        let url = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    url.id = insert_url(tx, &actor, &url, now).await?;
                    let binding = BindingKey {
                        kid: key,
                        url: url.id,
                        sealed_key,
                        expires_at: None,
                        revoked_at: None,
                    };
                    tx.insert_binding_key(&binding, now).await?;
                    let words =
                        format!("ACME Directory URL {:?} made with key {}", url.name, binding.kid);
                    record(
                        tx,
                        now,
                        &actor,
                        AuditEntry::new("acme_url.created", "acme_url", url.id, words),
                    )
                    .await?;
                    Ok::<_, LifecycleError>(url)
                })
            })
            .await?;
        Ok((url, BindingCredential { kid, hmac_key }))
    }

    /// Makes a new credential; the ones before go on working for `overlap`.
    pub async fn rotate_acme_url(
        &self,
        actor: &Actor,
        id: AcmeUrlId,
        overlap: Days,
    ) -> Result<BindingCredential> {
        require_approver(actor)?;
        if !(0..=MAX_OVERLAP.0).contains(&overlap.0) {
            let message = format!("Enter an overlap of 0 to {} days.", MAX_OVERLAP.0);
            return Err(LifecycleError::field("overlap_days", message));
        }
        let now = self.clock().now();
        let (kid, hmac_key, sealed_key) = self.new_credential()?;
        let actor = actor.clone();
        let key = kid.clone();
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.active_acme_url(id)
                        .await?
                        .ok_or(LifecycleError::NotFound { what: "active ACME Directory URL" })?;
                    tx.expire_binding_keys(id, now.plus(overlap)).await?;
                    let binding = BindingKey {
                        kid: key,
                        url: id,
                        sealed_key,
                        expires_at: None,
                        revoked_at: None,
                    };
                    tx.insert_binding_key(&binding, now).await?;
                    let words = format!(
                        "Key {} made; older ones work until {}",
                        binding.kid,
                        now.plus(overlap)
                    );
                    record(
                        tx,
                        now,
                        &actor,
                        AuditEntry::new("acme_url.rotated", "acme_url", id, words),
                    )
                    .await
                })
            })
            .await?;
        Ok(BindingCredential { kid, hmac_key })
    }

    /// Revokes a URL with its credentials and accounts, for good. Certificates stay as they are.
    pub async fn revoke_acme_url(&self, actor: &Actor, id: AcmeUrlId) -> Result<()> {
        require_approver(actor)?;
        let now = self.clock().now();
        let actor = actor.clone();
        let revoked = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.revoke_acme_url(id, now).await? {
                        return Err(LifecycleError::NotFound { what: "active ACME Directory URL" });
                    }
                    let words = "ACME Directory URL revoked with its credentials and accounts";
                    record(
                        tx,
                        now,
                        &actor,
                        AuditEntry::new("acme_url.revoked", "acme_url", id, words),
                    )
                    .await?;
                    withdraw_held(tx, &actor, None, Some(id), now).await
                })
            })
            .await;
        self.known_accounts().forget();
        revoked
    }

    /// A page of URLs, newest first, from the one before `before` on.
    pub async fn acme_urls(
        &self,
        actor: &Actor,
        before: Option<AcmeUrlId>,
        limit: u16,
    ) -> Result<Vec<AcmeUrlRecord>> {
        require_approver(actor)?;
        let mut tx = self.store().reader().await?;
        Ok(tx.acme_url_page(before, i64::from(limit.clamp(1, 500))).await?)
    }

    /// One URL with its credentials.
    pub async fn acme_url(&self, actor: &Actor, id: AcmeUrlId) -> Result<AcmeUrlDetail> {
        require_approver(actor)?;
        let mut tx = self.store().reader().await?;
        let record = tx
            .acme_url_record(id)
            .await?
            .ok_or(LifecycleError::NotFound { what: "ACME Directory URL" })?;
        Ok(AcmeUrlDetail { record, credentials: tx.binding_keys(id).await? })
    }

    /// A page of a URL's accounts, newest first, from the one before `before` on.
    pub async fn acme_accounts(
        &self,
        actor: &Actor,
        url: AcmeUrlId,
        before: Option<AcmeAccountId>,
        limit: u16,
    ) -> Result<Vec<AcmeAccount>> {
        require_approver(actor)?;
        let mut tx = self.store().reader().await?;
        Ok(tx.acme_accounts_of_url(url, before, i64::from(limit.clamp(1, 500))).await?)
    }

    /// A page of the ACME orders of a URL, newest first, with their explanations.
    pub async fn acme_orders(
        &self,
        actor: &Actor,
        url: AcmeUrlId,
        before: Option<AcmeOrderId>,
        limit: u16,
    ) -> Result<Vec<AcmeOrder>> {
        require_approver(actor)?;
        let mut tx = self.store().reader().await?;
        Ok(tx.acme_orders_of_url(url, before, i64::from(limit.clamp(1, 500))).await?)
    }

    fn new_credential(&self) -> Result<(String, String, Vec<u8>)> {
        let mut id = [0; 16];
        fill(&mut id)?;
        let kid = hex::encode(id);
        let mut key = zeroize::Zeroizing::new([0; 32]);
        let mut text = String::new();
        // At the start of an argument "-" would look like an option to the clients.
        while text.is_empty() || text.starts_with('-') {
            fill(key.as_mut())?;
            text = URL_SAFE_NO_PAD.encode(key.as_ref());
        }
        let sealed = self
            .issuer()?
            .master_key()
            .seal(&purpose(&kid), key.as_ref())
            .map_err(|error| LifecycleError::Authority(Box::new(error)))?;
        Ok((kid, text, sealed))
    }
}

/// A sealed key can't be put into another's place.
pub(super) fn purpose(kid: &str) -> String {
    format!("acme-eab/{kid}")
}

fn field_fault(fault: domain::rules::profile::FieldFault) -> FieldFault {
    FieldFault { field: fault.field.into(), message: fault.message }
}

async fn insert_url(
    tx: &mut Tx,
    actor: &Actor,
    url: &AcmeUrl,
    now: Timestamp,
) -> Result<AcmeUrlId> {
    if tx.organization(url.organization).await?.is_none() {
        return Err(LifecycleError::field(
            "organization",
            "There is no such organization. Choose one from the list.",
        ));
    }
    let created_by = actor.person().map(|person| person.user.id);
    let row = NewAcmeUrlRow { url: url.clone(), created_at: now, created_by };
    tx.insert_acme_url(&row).await.map_err(|error| {
        if error.is_unique("acme_urls.name") {
            let message = format!(
                "There is an ACME Directory URL named {:?} already. Choose another name.",
                url.name
            );
            LifecycleError::field("name", message)
        } else {
            error.into()
        }
    })
}
