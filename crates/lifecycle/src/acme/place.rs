//! What an order that is finalized comes to: decided, asked for, and placed, in the caller's
//! transaction.

use domain::model::acme::AcmeOrder;
use domain::model::{AcmeUrl, OrderFile, SignatureHash};
use domain::rules::{
    Decided, Decision, DuplicateNames, ReissueRequest, is_challenged, issued_common_name,
};
use domain::{Name, NameSet, Product};
use store::Tx;

use super::decide::{Question, decide};
use super::finalize::{Work, key_of};
use super::{AcmeResult, replaces};
use crate::issue::Signing;
use crate::place::{Placed, place_new};
use crate::{Ask, Exact, LifecycleError, NewOrder, What, settings};

/// How often it is decided again because a renewal by another door was faster.
const ROUNDS: usize = 5;

/// Decides what is done for an order, and does it. What another door renewed between the reading and
/// the lock is decided anew, with its successor in sight: an order never waits for a renewal that
/// was made already.
pub(super) async fn decide_and_place(
    tx: &mut Tx,
    work: &Work<'_>,
    url: &AcmeUrl,
    order: &AcmeOrder,
) -> AcmeResult<(Decided, Placed)> {
    let names = order.names();
    let replaced = match &order.replaces {
        Some(certificate) => replaces::order_of(tx, work.issuer, certificate).await?,
        None => None,
    };
    let common_name = work.csr.common_name.as_ref();
    let preferences = settings::preferences(tx).await?;
    let question = Question {
        url,
        names: &names,
        common_name,
        explicit: order.asked,
        replaced,
        windows: preferences.windows,
        issuer_not_after: work.issuer.not_after(),
    };
    let challenged: NameSet = match Product::find(url.product.as_str()) {
        Some(product) => {
            names.iter().filter(|name| is_challenged(product, name)).cloned().collect()
        }
        None => NameSet::default(),
    };
    let signing = Signing::soonest(work.issuer.authority());
    let mut round = 0;
    loop {
        round += 1;
        let (decided, file) = decide(tx, question, work.now).await?;
        let what = what(url, order, &names, common_name, &decided, file.as_ref())?;
        // The order moves to processing in this very transaction, or was just looked at by settle:
        // its key is not used yet.
        let ask = Ask {
            idempotency_key: Some(key_of(order.id)),
            challenged: challenged.clone(),
            ..Ask::new(what, work.csr.clone())
        };
        let placed =
            place_new(tx, work.issuer, work.now, work.actor, &ask, &preferences, signing).await?;
        if round >= ROUNDS || !matches!(placed, Placed::Superseded { .. }) {
            return Ok((decided, placed));
        }
    }
}

/// The decision as an ask. The certificate holds exactly the identifiers that were asked for.
fn what(
    url: &AcmeUrl,
    order: &AcmeOrder,
    names: &NameSet,
    csr_name: Option<&Name>,
    decided: &Decided,
    file: Option<&OrderFile>,
) -> AcmeResult<What> {
    let identifiers: Vec<Name> =
        order.identifiers.iter().filter_map(|identifier| identifier.name().ok()).collect();
    let of_order = file.map(|file| &file.order.common_name);
    let common_name = issued_common_name(csr_name, of_order, &identifiers)
        .ok_or_else(|| LifecycleError::Internal("an ACME order without names".to_owned()))?;
    let exact = Exact { common_name: common_name.clone(), names: names.clone() };
    Ok(match decided.decision {
        Decision::Enroll { like } => {
            What::New(Box::new(enrollment(url, exact, file.filter(|_| like.is_some()))))
        }
        Decision::Renew { order } => What::Renew { order, names: Some(exact) },
        Decision::Reissue { order } => What::Reissue {
            order,
            names: ReissueRequest::Covered { common_name, names: names.clone() },
        },
        Decision::Duplicate { order } => What::Duplicate {
            order,
            names: DuplicateNames::Exactly { common_name, names: names.clone() },
        },
    })
}

/// A new order with the options of the URL, or of the order that it is made like (rule A7).
fn enrollment(url: &AcmeUrl, names: Exact, like: Option<&OrderFile>) -> NewOrder {
    let (years, days, hash) = match like.map(|file| &file.order) {
        Some(order) => {
            let years = match order.coverage {
                domain::model::Coverage::MultiYear { years, .. } => Some(years),
                domain::model::Coverage::Single => None,
            };
            (years, order.validity_days, order.signature_hash)
        }
        None => (url.coverage_years, url.validity_days, SignatureHash::Sha256),
    };
    NewOrder {
        coverage_years: years,
        validity_days: days,
        signature_hash: hash,
        ..NewOrder::of(url.organization, url.product.clone(), names)
    }
}
