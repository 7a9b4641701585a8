//! The embedded authority: made once, at the first start, and pinned in the database.
//!
//! A second authority must never come into being by mistake, or all that trust the first would be
//! cut off. So the one that is in the database counts, whatever this process just made; and where
//! its key can't be opened with the master key at hand, the start fails and says so.

mod status;

pub use status::OcspAnswer;
pub(crate) use status::{Signer, former};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use ca::{Authority, AuthorityOptions, CaError, MasterKey, StoredAuthority, Urls};
use domain::Timestamp;
use serde_json::json;
use store::authorities::AuthorityRow;
use store::{Store, Tx};
use tokio::sync::Semaphore;

use crate::audit::{self, AuditEntry};
use crate::caa::CaaGuard;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// All writers that look whether there is an authority wait for one another.
const LOCK: &str = "authority";
const ROOT: &str = "root";
const INTERMEDIATE: &str = "intermediate";

/// What signs: the authority, the master key that its key is sealed under, and the public address
/// under which its CRL and OCSP answers are found.
#[derive(Debug)]
pub struct Issuer {
    authority: Authority,
    master: Arc<MasterKey>,
    base_url: String,
    caa: OnceLock<CaaGuard>,
    /// The authorities that were active once, as far as they were asked for: opening one takes the
    /// master key, and whoever names one of its certificates asks for it.
    former: Mutex<HashMap<String, Arc<Authority>>>,
    /// Places for OCSP answers that are being made.
    answering: Arc<Semaphore>,
}

impl Issuer {
    /// Opens the authority of this database. At the very first start it makes one as `options`
    /// say; of several nodes that start together, one wins and all use its authority.
    ///
    /// `base_url` is the portal's public address, without a slash at its end.
    pub async fn open(
        store: &Store,
        master: Arc<MasterKey>,
        base_url: &str,
        options: AuthorityOptions,
    ) -> Result<Self> {
        let existing = active(&mut store.reader().await?).await?;
        let stored = match existing {
            Some(stored) => stored,
            None => first_start(store, Arc::clone(&master), options).await?,
        };
        let authority = Authority::load(&stored, &master).map_err(failed)?;
        let base_url = base_url.trim_end_matches('/').to_owned();
        Ok(Self {
            authority,
            master,
            base_url,
            caa: OnceLock::new(),
            former: Mutex::default(),
            answering: Arc::new(Semaphore::new(status::ANSWERS_AT_ONCE)),
        })
    }

    /// From now on no public certificate is issued without a look at CAA. The first guard stays.
    pub fn look_at_caa(&self, guard: CaaGuard) {
        let _ = self.caa.set(guard);
    }

    pub(crate) fn caa(&self) -> Option<&CaaGuard> {
        self.caa.get()
    }

    /// The authority.
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The master key, which also seals EAB keys.
    pub const fn master_key(&self) -> &Arc<MasterKey> {
        &self.master
    }

    /// The last second of the issuing certificate.
    pub fn not_after(&self) -> Timestamp {
        self.authority.issuing().not_after()
    }

    /// The addresses that certificates name. They hold the issuer's id, so that a former issuer
    /// goes on answering for its certificates after another took its place.
    pub fn urls(&self) -> Urls {
        let at = format!("{}/ca/{}", self.base_url, self.authority.issuer_id());
        Urls {
            crl: Some(format!("{at}/crl")),
            ocsp: Some(format!("{at}/ocsp")),
            issuer: Some(format!("{at}/issuer.der")),
        }
    }
}

impl Lifecycle {
    /// Puts an authority of the operator's in the place of the one in the database: the issuing
    /// key in PEM, and the chain in PEM up to the root. Takes effect at the next start.
    pub async fn bring_in_authority(
        &self,
        actor: &Actor,
        master: &MasterKey,
        key_pem: &str,
        chain_pem: &str,
    ) -> Result<String> {
        crate::accounts::require_administrator(actor, "Replacing the certificate authority")?;
        let now = self.clock().now();
        let stored = Authority::bring_in(key_pem, chain_pem, now, master).map_err(failed)?;
        let root = Authority::load(&stored, master).map_err(failed)?.root().clone();
        let (actor, id) = (actor.clone(), stored.issuer_id.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock(LOCK).await?;
                    let old = active(tx).await?.map(|stored| stored.issuer_id);
                    if old.as_deref() == Some(stored.issuer_id.as_str()) {
                        return Ok(());
                    }
                    tx.retire_authorities().await?;
                    insert(tx, &stored, root.fingerprint(), &root.pem(), now).await?;
                    let entry = AuditEntry::new(
                        "authority.replaced",
                        "authority",
                        &stored.issuer_id,
                        "Brought in another certificate authority.",
                    );
                    audit::record(
                        tx,
                        now,
                        &actor,
                        entry.changing(json!(old), json!(stored.issuer_id)),
                    )
                    .await
                })
            })
            .await?;
        Ok(id)
    }
}

/// Makes an authority and keeps it, unless another node was faster: then that one counts.
async fn first_start(
    store: &Store,
    master: Arc<MasterKey>,
    options: AuthorityOptions,
) -> Result<StoredAuthority> {
    let now = options.not_before;
    let fresh = tokio::task::spawn_blocking(move || {
        let stored = Authority::generate(&options, &master)?;
        let root = Authority::load(&stored, &master)?.root().clone();
        Ok::<_, CaError>((stored, root))
    })
    .await
    .map_err(|_| LifecycleError::Internal("making the authority ended early".to_owned()))?;
    let (stored, root) = fresh.map_err(failed)?;
    store
        .write(move |tx| {
            Box::pin(async move {
                tx.lock(LOCK).await?;
                if let Some(first) = active(tx).await? {
                    return Ok(first);
                }
                insert(tx, &stored, root.fingerprint(), &root.pem(), now).await?;
                let entry = AuditEntry::new(
                    "authority.created",
                    "authority",
                    &stored.issuer_id,
                    "Made the root and the issuing certificate at the first start.",
                );
                audit::record(tx, now, &Actor::Operator, entry).await?;
                Ok(stored)
            })
        })
        .await
}

async fn insert(
    tx: &mut Tx,
    stored: &StoredAuthority,
    root_id: &str,
    root_pem: &str,
    now: Timestamp,
) -> Result<()> {
    let issuing = AuthorityRow {
        id: stored.issuer_id.clone(),
        kind: INTERMEDIATE.to_owned(),
        certificate_pem: stored.chain_pem.clone(),
        sealed_key: Some(stored.issuing_key.clone()),
        active: true,
    };
    tx.insert_authority(&issuing, now).await?;
    // A root that issues by itself is its own issuing certificate.
    if root_id != stored.issuer_id {
        let root = AuthorityRow {
            id: root_id.to_owned(),
            kind: ROOT.to_owned(),
            certificate_pem: root_pem.to_owned(),
            sealed_key: stored.root_key.as_ref().map(|key| key.0.clone()),
            active: true,
        };
        tx.insert_authority(&root, now).await?;
    }
    Ok(())
}

async fn active(tx: &mut Tx) -> Result<Option<StoredAuthority>> {
    let rows = tx.active_authorities().await?;
    Ok(rows.into_iter().find(|row| row.kind == INTERMEDIATE).and_then(stored))
}

/// The last second of the certificate that issues in this database; none before the first start.
pub(crate) async fn end(tx: &mut Tx) -> Result<Option<Timestamp>> {
    let stored = active(tx).await?;
    stored.map(|stored| Authority::end_of(&stored).map_err(failed)).transpose()
}

fn stored(row: AuthorityRow) -> Option<StoredAuthority> {
    Some(StoredAuthority {
        issuer_id: row.id,
        chain_pem: row.certificate_pem,
        issuing_key: row.sealed_key?,
        // The root's key is not needed to issue.
        root_key: None,
    })
}

pub(crate) fn failed(error: CaError) -> LifecycleError {
    LifecycleError::Authority(Box::new(error))
}

#[cfg(test)]
mod tests;
