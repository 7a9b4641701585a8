//! newOrder (RFC 8555 section 7.4): checked, joined with an identical open order, and given its
//! authorizations, all in one transaction.

use std::net::IpAddr;
use std::sync::Arc;

use domain::model::AcmeUrl;
use domain::model::acme::{
    AccountStatus, AcmeAccount, AcmeOrder, AcmeOrderStatus, Authorization, AuthorizationStatus,
    Fault, Identifier, NewAcmeOrder,
};
use domain::rules::{DirectoryAction, check_acme_names};
use domain::{AcmeOrderId, Name, NameError, NameSet, Refusal, Timestamp};
use store::Tx;
use store::acme::{NewAcmeOrderRow, OpenOrderKey, WantedAuthorization};

use super::authorizations::{Vouching, make, needed};
use super::decide::Question;
use super::{AcmeDesk, AcmeError, AcmePolicy, AcmeResult, decide, replaces};
use crate::{Issuer, LifecycleError, settings};

/// An open order is given again only if at least this much of its time is left, in seconds.
const LEAST_LEFT: i64 = 3_600;

impl AcmeDesk {
    /// Makes an order, or gives the identical one that is still open.
    pub async fn new_order(
        &self,
        account: &AcmeAccount,
        wanted: NewAcmeOrder,
        address: Option<IpAddr>,
    ) -> AcmeResult<AcmeOrder> {
        let now = self.clock().now();
        tracing::debug!(
            account = account.id.0,
            ?address,
            identifiers = wanted.identifiers.len(),
            "newOrder"
        );
        check_size(&self.policy, &wanted)?;
        if let Some(certificate) = &wanted.replaces {
            replaces::check_form(certificate)?;
        }
        self.take_order_limits(account, now).await?;
        let order = self.place_order(account, wanted.clone(), now).await?;
        // One that was decided since anybody looked is open no longer.
        if order.status == AcmeOrderStatus::Processing
            && !order.waits
            && let Ok(settled) = self.settle(order.id).await
            && settled.status != AcmeOrderStatus::Processing
        {
            return self.place_order(account, wanted, now).await;
        }
        Ok(order)
    }

    async fn place_order(
        &self,
        account: &AcmeAccount,
        wanted: NewAcmeOrder,
        now: Timestamp,
    ) -> AcmeResult<AcmeOrder> {
        let (policy, issuer) = (Arc::clone(&self.policy), self.desk.issuer_arc()?);
        let account = account.clone();
        let (order, made) = self
            .desk
            .store()
            .write(move |tx| {
                Box::pin(async move { place(tx, &issuer, &policy, &account, wanted, now).await })
            })
            .await?;
        self.fresh.put_authorizations(made);
        Ok(order)
    }
}

impl AcmeDesk {
    /// Counts a request that may make orders and authorizations.
    pub(super) async fn take_order_limits(
        &self,
        account: &AcmeAccount,
        now: Timestamp,
    ) -> AcmeResult<()> {
        let limits = self.policy.limits;
        self.take(format!("acme-new-order/account/{}", account.id), limits.orders_per_account, now)
            .await?;
        self.take(format!("acme-new-order/url/{}", account.url), limits.orders_per_credential, now)
            .await
    }
}

fn check_size(policy: &AcmePolicy, wanted: &NewAcmeOrder) -> AcmeResult<()> {
    if wanted.identifiers.is_empty() {
        return Err(AcmeError::fault(
            "malformed",
            "The order names no identifiers. Name at least one.",
        ));
    }
    if wanted.identifiers.len() > policy.max_identifiers {
        let words = format!(
            "The order names {} identifiers; at most {} are allowed. Split them over several orders.",
            wanted.identifiers.len(),
            policy.max_identifiers
        );
        return Err(AcmeError::fault("malformed", words));
    }
    Ok(())
}

/// The order, with the authorizations that were made for it.
async fn place(
    tx: &mut Tx,
    issuer: &Issuer,
    policy: &AcmePolicy,
    account: &AcmeAccount,
    wanted: NewAcmeOrder,
    now: Timestamp,
) -> AcmeResult<(AcmeOrder, Vec<Authorization>)> {
    // Before it may be joined with an open order: that has only names.
    let names = read_names(&wanted.identifiers)?;
    // Two identical requests at once must end with one order.
    tx.lock(&format!("acme-new-order/{}/{}", account.id, wanted.names().canonical())).await?;
    let url = usable_url(tx, account).await?;
    let key = OpenOrderKey {
        account: account.id,
        wanted: &wanted,
        until: now.plus_seconds(LEAST_LEFT),
        authorized_until: now.plus_seconds(policy.least_to_finalize()),
    };
    let covered = match check_names(tx, &url, &names, now).await {
        Err(AcmeError::Desk(error)) => return Err(error.into()),
        covered => covered,
    };
    let needed = covered.as_ref().map_or_else(
        |_| Vec::new(),
        |covered| {
            let each = wanted.identifiers.iter().zip(covered);
            each.map(|(identifier, until)| needed(policy, identifier, *until, now)).collect()
        },
    );
    // With `replaces` they are looked for later: what comes first may wait for others.
    let looked_for = if wanted.replaces.is_some() { &[] } else { needed.as_slice() };
    let (open, mut usable) = tx.open_order_and_authorizations(key, looked_for).await?;
    let open = match open {
        Some(open) => tx.acme_order(open).await?,
        None => None,
    };
    // What was accepted waits for a reviewer, who looks at its names again.
    if let Some(order) = &open
        && order.status == AcmeOrderStatus::Processing
    {
        return Ok((order.clone(), Vec::new()));
    }
    let covered = covered?;
    if let Some(order) = open {
        replaces::check_open(tx, &order).await?;
        return Ok((order, Vec::new()));
    }
    if let Some(certificate) = &wanted.replaces {
        replaces::check(tx, issuer, account, certificate, &wanted, now).await?;
        usable = tx.usable_authorizations(account.id, &needed).await?;
    }
    if matches!(wanted.asked, Some(asked) if asked != DirectoryAction::Enroll) {
        let names: NameSet = names.iter().cloned().collect();
        let question = Question {
            url: &url,
            names: &names,
            common_name: None,
            explicit: wanted.asked,
            replaced: None,
            windows: settings::preferences(tx).await?.windows,
            issuer_not_after: issuer.not_after(),
        };
        decide::decide(tx, question, now).await?;
    }
    let each = needed.into_iter().zip(covered).zip(usable);
    let mut authorizations = Vec::with_capacity(names.len());
    let mut made: Vec<Authorization> = Vec::new();
    for ((needed, until), usable) in each {
        // An identifier that is named twice is authorized once.
        let just_made = made.iter().find(|one| is_for(one, &needed));
        let usable = usable.or_else(|| just_made.map(|one| (one.id, one.status)));
        let usable = if let Some(usable) = usable {
            usable
        } else {
            let new = make(tx, policy, account, needed, until, false, now).await?;
            let usable = (new.id, new.status);
            made.push(new);
            usable
        };
        authorizations.push(usable);
    }
    let valid = authorizations.iter().all(|(_, status)| *status == AuthorizationStatus::Valid);
    let status = if valid { AcmeOrderStatus::Ready } else { AcmeOrderStatus::Pending };
    let expires_at = now.plus_seconds(policy.order_seconds);
    let row = NewAcmeOrderRow {
        account: account.id,
        url: url.id,
        wanted,
        status,
        expires_at,
        authorizations: authorizations.into_iter().map(|(id, _)| id).collect(),
        created_at: now,
    };
    let id = tx.insert_acme_order(&row).await?;
    tx.touch_acme_url(url.id, now).await?;
    Ok((order_from(row, id), made))
}

/// Whether an authorization is the one that is needed.
fn is_for(made: &Authorization, needed: &WantedAuthorization) -> bool {
    made.identifier == needed.identifier && made.wildcard == needed.wildcard
}

fn order_from(row: NewAcmeOrderRow, id: AcmeOrderId) -> AcmeOrder {
    AcmeOrder {
        id,
        account: row.account,
        url: row.url,
        status: row.status,
        identifiers: row.wanted.identifiers,
        profile: row.wanted.profile,
        replaces: row.wanted.replaces,
        asked: row.wanted.asked,
        expires_at: row.expires_at,
        error: None,
        authorizations: row.authorizations,
        certificate: None,
        order_number: None,
        request: None,
        waits: false,
        claimed_at: None,
        explanation: None,
        created_at: row.created_at,
    }
}

/// The account's ACME Directory URL, where the account still has its key and both may be used.
pub(super) async fn usable_url(tx: &mut Tx, account: &AcmeAccount) -> AcmeResult<AcmeUrl> {
    if let Some(url) = tx.acme_url_of_account(account.id, &account.thumbprint).await? {
        return Ok(url);
    }
    let now = tx.acme_account(account.id).await?;
    let words = match now.map(|now| (now.status, now.thumbprint == account.thumbprint)) {
        Some((AccountStatus::Valid, false)) => {
            "The account's key was changed meanwhile. Sign with its newest key."
        }
        Some((AccountStatus::Deactivated, _)) => "The account was deactivated. Make a new one.",
        _ => {
            "The ACME Directory URL of this account was revoked. Ask its administrator for another one."
        }
    };
    Err(AcmeError::fault("unauthorized", words))
}

/// The names that identifiers stand for. What is refused is told for each (RFC 8555 section
/// 6.7.1).
pub(super) fn read_names(identifiers: &[Identifier]) -> AcmeResult<Vec<Name>> {
    let mut faults = Vec::new();
    let mut names = Vec::with_capacity(identifiers.len());
    for identifier in identifiers {
        match read_name(identifier) {
            Ok(name) => names.push(name),
            Err(fault) => faults.push(fault.about(identifier.clone())),
        }
    }
    stop_at(faults)?;
    Ok(names)
}

/// Checks that a URL may order all names; answers for each until when it may be issued without a
/// challenge.
pub(super) async fn check_names(
    tx: &mut Tx,
    url: &AcmeUrl,
    names: &[Name],
    now: Timestamp,
) -> AcmeResult<Vec<Option<Timestamp>>> {
    let set: NameSet = names.iter().cloned().collect();
    if let Err(refusal) = check_acme_names(url, &set) {
        return Err(blame(url, names, &refusal));
    }
    let vouching = Vouching::read(tx, url, &set).await?;
    let mut covered = Vec::with_capacity(names.len());
    let mut faults = Vec::new();
    for name in names {
        match vouching.covers(name, now) {
            Ok(until) => covered.push(until),
            Err(refusal) => faults.push(rejected(&refusal).about(Identifier::of(name))),
        }
    }
    stop_at(faults)?;
    Ok(covered)
}

fn stop_at(faults: Vec<Fault>) -> AcmeResult<()> {
    match Fault::of_several(faults) {
        Some(fault) => Err(fault.into()),
        None => Ok(()),
    }
}

fn read_name(identifier: &Identifier) -> Result<Name, Fault> {
    let name = identifier.name().map_err(|error| {
        match error {
            NameError::NotAnAddress(_) => Fault::new("malformed", error.to_string()),
            NameError::IpAddress(text) => {
                let words = format!(
                    "{text} is an IP address, but the order gives it as a domain name. Give it the type ip (RFC 8738)."
                );
                Fault::new("rejectedIdentifier", words)
            }
            _ => Fault::new("rejectedIdentifier", error.to_string()),
        }
    })?;
    // Otherwise the order would not show the identifiers that the client sent. Addresses have one
    // text only (RFC 8738 section 3).
    if name.as_str() != identifier.value {
        let words = format!("Write the name as certificates hold it: {name}.");
        return Err(Fault::new("rejectedIdentifier", words));
    }
    Ok(name)
}

fn rejected(refusal: &Refusal) -> Fault {
    Fault::new("rejectedIdentifier", refusal.message.clone())
}

/// The names that a URL may not order even alone; all of them where it is their combination.
fn blame(url: &AcmeUrl, names: &[Name], refusal: &Refusal) -> AcmeError {
    let guilty = names.iter().filter_map(|name| {
        let alone: NameSet = std::iter::once(name.clone()).collect();
        let refusal = check_acme_names(url, &alone).err()?;
        Some(rejected(&refusal).about(Identifier::of(name)))
    });
    let subproblems: Vec<Fault> = guilty.collect();
    let detail = match refusal.code {
        // It names the URL already.
        "domain_not_allowed" => refusal.message.clone(),
        _ => format!(
            "{} The account is bound to the ACME Directory URL {:?}; another one needs an account of its own.",
            refusal.message, url.name
        ),
    };
    AcmeError::Fault(Fault { detail, subproblems, ..rejected(refusal) })
}

impl From<Refusal> for AcmeError {
    fn from(refusal: Refusal) -> Self {
        Self::Desk(LifecycleError::Refused(refusal))
    }
}
