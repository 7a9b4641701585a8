//! Authorizations: made for an order or in advance, shared between orders, given up
//! (RFC 8555 sections 7.4.1 and 7.5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::model::acme::{
    AcmeAccount, Authorization, AuthorizationStatus, ChallengeKind, ChallengeStatus, Fault,
    Identifier, IdentifierKind,
};
use domain::model::{AcmeUrl, Domain, Organization};
use domain::rules::{check_validation, is_challenged, is_covered};
use domain::{AcmeUrlId, Name, NameSet, Product, Refusal, Timestamp, Validation};
use store::Tx;
use store::acme::{NewAuthorization, NewChallenge, WantedAuthorization};

use super::new_order::{check_names, read_names, usable_url};
use super::{AcmeDesk, AcmeError, AcmePolicy, AcmeResult};
use crate::suffixes::check_wildcards;
use crate::{LifecycleError, random};

/// The longest that an authorization of a validated domain is kept: 30 days.
const PREVALIDATED_SECONDS: i64 = 30 * 86_400;

/// Who vouches for the names of a URL's orders.
pub(super) enum Vouching {
    /// The organization's domains, validated before (OV, EV and private products); addresses need
    /// a challenge besides.
    Organization { organization: Organization, domains: Vec<Domain>, product: &'static Product },
    /// Each order by challenge (DV products).
    Challenges,
}

impl Vouching {
    /// Reads what has been validated that `names` may rest on.
    pub(super) async fn read(tx: &mut Tx, url: &AcmeUrl, names: &NameSet) -> AcmeResult<Self> {
        let product = Product::find(url.product.as_str())
            .ok_or_else(|| LifecycleError::Internal(format!("unknown product {}", url.product)))?;
        if product.validation == Validation::Dv {
            return Ok(Self::Challenges);
        }
        let organization = tx.organization(url.organization).await?.ok_or_else(|| {
            LifecycleError::Internal("an ACME Directory URL without organization".to_owned())
        })?;
        let mut wanted: Vec<&str> = names.iter().flat_map(Name::ancestors).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let domains = tx.domains_named(url.organization, &wanted).await?;
        Ok(Self::Organization { organization, domains, product })
    }

    /// Until when `name` may be issued without a challenge; none where a challenge is needed.
    pub(super) fn covers(&self, name: &Name, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        let validation = match self {
            Self::Organization { product, .. } => product.validation,
            Self::Challenges => Validation::Dv,
        };
        check_wildcards(validation, [name])?;
        let Self::Organization { organization, domains, product } = self else { return Ok(None) };
        if is_challenged(product, name) {
            check_validation(product, organization, domains, &NameSet::default(), now)?;
            return Ok(None);
        }
        let alone: NameSet = std::iter::once(name.clone()).collect();
        check_validation(product, organization, domains, &alone, now)?;
        let until = domains
            .iter()
            .filter(|domain| is_covered(name, domain, now))
            .filter_map(|domain| domain.validated_until)
            .max()
            .unwrap_or(now)
            .min(organization.validated_until.unwrap_or(now));
        Ok(Some(until.min(now.plus_seconds(PREVALIDATED_SECONDS))))
    }

    /// Until when `name` is vouched for without a challenge, by what is current now.
    pub(super) fn vouches(&self, name: &Name, now: Timestamp) -> Option<Timestamp> {
        self.covers(name, now).ok().flatten()
    }
}

/// A prevalidated authorization by what vouches for it now: it was made when more was current,
/// perhaps, and is worth no more than that which is left. Nothing has to be written where a validation
/// is withdrawn or shortened, so that nothing can be made beside it. In the second in which it was made
/// it is not looked at again: all clients fetch it then.
async fn as_vouched(
    tx: &mut Tx,
    url: AcmeUrlId,
    authorization: Authorization,
    now: Timestamp,
) -> AcmeResult<Authorization> {
    let made_just_now = now <= authorization.created_at;
    let valid = authorization.status == AuthorizationStatus::Valid;
    if !authorization.prevalidated || !valid || made_just_now {
        return Ok(authorization);
    }
    let until = match (authorization.name(), tx.active_acme_url(url).await?) {
        (Ok(name), Some(url)) => {
            let names = std::iter::once(name.clone()).collect();
            Vouching::read(tx, &url, &names).await?.vouches(&name, now)
        }
        _ => None,
    };
    Ok(match until {
        Some(until) => {
            Authorization { expires_at: authorization.expires_at.min(until), ..authorization }
        }
        None => Authorization { status: AuthorizationStatus::Revoked, ..authorization },
    })
}

/// An account's authorization as it stands now.
async fn current(
    tx: &mut Tx,
    account: &AcmeAccount,
    id: i64,
    now: Timestamp,
) -> AcmeResult<Authorization> {
    let authorization = seen(owned(tx, account, id).await?, now);
    as_vouched(tx, account.url, authorization, now).await
}

/// The authorization that an identifier can be ordered with: by what vouches for it, until
/// `covered_until`, or by challenge.
pub(super) fn needed(
    policy: &AcmePolicy,
    identifier: &Identifier,
    covered_until: Option<Timestamp>,
    now: Timestamp,
) -> WantedAuthorization {
    let (identifier, wildcard) = identifier.authorized();
    let order_end = now.plus_seconds(policy.order_seconds);
    // One that ends before the order could is replaced, so that the order can't be caught by it.
    let until = match covered_until {
        Some(until) => order_end.min(until.plus_seconds(-1)),
        None => now.plus_seconds(policy.least_to_finalize()),
    };
    WantedAuthorization { identifier, wildcard, prevalidated: covered_until.is_some(), until }
}

/// Makes the authorization that is needed and not there, for an order or `without_order` in advance.
pub(super) async fn make(
    tx: &mut Tx,
    policy: &AcmePolicy,
    account: &AcmeAccount,
    needed: WantedAuthorization,
    covered_until: Option<Timestamp>,
    without_order: bool,
    now: Timestamp,
) -> AcmeResult<Authorization> {
    let WantedAuthorization { identifier, wildcard, prevalidated, until: _ } = needed;
    let status =
        if prevalidated { AuthorizationStatus::Valid } else { AuthorizationStatus::Pending };
    let new = NewAuthorization {
        account: account.id,
        challenges: challenges(&identifier, wildcard, prevalidated)?,
        identifier,
        wildcard,
        status,
        expires_at: covered_until
            .unwrap_or_else(|| now.plus_seconds(policy.pending_authorization_seconds)),
        prevalidated,
        without_order,
        created_at: now,
    };
    Ok(tx.insert_authorization(new).await?)
}

/// The challenges that a client may choose from: for wildcards dns-01 only (RFC 8555 section
/// 7.1.3), for addresses all but dns-01 (RFC 8738 section 7). A prevalidated authorization has
/// one, valid, as a complete authorization object must.
fn challenges(
    identifier: &Identifier,
    wildcard: bool,
    prevalidated: bool,
) -> AcmeResult<Vec<NewChallenge>> {
    use ChallengeKind::{Dns01, Http01, TlsAlpn01};
    let kinds: &[ChallengeKind] = match (identifier.kind, wildcard) {
        (_, true) => &[Dns01],
        (IdentifierKind::Ip, _) => &[Http01, TlsAlpn01],
        (IdentifierKind::Dns, false) => &[Http01, Dns01, TlsAlpn01],
    };
    let status = if prevalidated { ChallengeStatus::Valid } else { ChallengeStatus::Pending };
    let offered = if prevalidated { 1 } else { kinds.len() };
    kinds
        .iter()
        .take(offered)
        .map(|kind| Ok(NewChallenge { kind: *kind, token: token()?, status }))
        .collect()
}

/// 256 random bits in base64url (RFC 8555 section 8.1 wants at least 128).
fn token() -> AcmeResult<String> {
    let mut bytes = [0; 32];
    random::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// States in which nobody validates a challenge any more: it was given up, or its time is over.
const ENDED: [AuthorizationStatus; 3] =
    [AuthorizationStatus::Deactivated, AuthorizationStatus::Expired, AuthorizationStatus::Revoked];

/// The state that a client sees: pending and valid ones end with their time, and challenges that
/// nobody will validate any more with them.
pub(super) fn seen(mut authorization: Authorization, now: Timestamp) -> Authorization {
    let open =
        matches!(authorization.status, AuthorizationStatus::Pending | AuthorizationStatus::Valid);
    if open && now >= authorization.expires_at {
        authorization.status = AuthorizationStatus::Expired;
    }
    if ENDED.contains(&authorization.status) {
        let words = format!("The authorization is {}. Make a new order.", authorization.status);
        for challenge in &mut authorization.challenges {
            if matches!(challenge.status, ChallengeStatus::Pending | ChallengeStatus::Processing) {
                challenge.status = ChallengeStatus::Invalid;
                challenge.error = Some(Fault::new("malformed", words.as_str()));
            }
        }
    }
    authorization
}

pub(super) async fn owned(
    tx: &mut Tx,
    account: &AcmeAccount,
    id: i64,
) -> AcmeResult<Authorization> {
    tx.authorization(id)
        .await?
        .filter(|authorization| authorization.account == account.id)
        .ok_or(AcmeError::NotFound("authorization"))
}

impl AcmeDesk {
    /// One of the account's authorizations.
    pub async fn authorization(&self, account: &AcmeAccount, id: i64) -> AcmeResult<Authorization> {
        let now = self.clock().now();
        if let Some(made) = self.fresh.authorization(account.id, id, now) {
            return Ok(made);
        }
        let mut tx = self.desk.store().reader().await?;
        current(&mut tx, account, id, now).await
    }

    /// An authorization in advance (RFC 8555 section 7.4.1).
    pub async fn new_authorization(
        &self,
        account: &AcmeAccount,
        identifier: Identifier,
    ) -> AcmeResult<Authorization> {
        let now = self.clock().now();
        let policy = std::sync::Arc::clone(&self.policy);
        let account = account.clone();
        self.take_order_limits(&account, now).await?;
        self.desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let url = usable_url(tx, &account).await?;
                    let names = read_names(std::slice::from_ref(&identifier))?;
                    let covered = check_names(tx, &url, &names, now).await?;
                    let until = covered.first().copied().flatten();
                    let needed = needed(&policy, &identifier, until, now);
                    let found =
                        tx.usable_authorizations(account.id, std::slice::from_ref(&needed)).await?;
                    match found.first().copied().flatten() {
                        Some((id, _)) => owned(tx, &account, id).await,
                        None => make(tx, &policy, &account, needed, until, true, now).await,
                    }
                })
            })
            .await
    }

    /// Gives up an authorization (RFC 8555 section 7.5.2). Unfinished orders that rest on it can't
    /// be finished any more, so they end.
    pub async fn deactivate_authorization(
        &self,
        account: &AcmeAccount,
        id: i64,
    ) -> AcmeResult<Authorization> {
        let now = self.clock().now();
        let account = account.clone();
        self.fresh.forget_authorization(id);
        self.desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let authorization = current(tx, &account, id, now).await?;
                    if ENDED.contains(&authorization.status) {
                        return Ok(authorization);
                    }
                    let open = [AuthorizationStatus::Pending, AuthorizationStatus::Valid];
                    let changed = tx
                        .set_authorization_status(
                            id,
                            &open,
                            AuthorizationStatus::Deactivated,
                            None,
                            now,
                        )
                        .await?;
                    if changed {
                        let words =
                            "An authorization of this order was deactivated. Make a new order.";
                        let fault = Fault::new("unauthorized", words);
                        super::orders::fail_all_on(tx, id, &fault, now).await?;
                    }
                    Ok(seen(owned(tx, &account, id).await?, now))
                })
            })
            .await
    }
}
