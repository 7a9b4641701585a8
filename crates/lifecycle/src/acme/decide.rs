//! Which action is done, on which order (rules A1–A9): what the rules need to know is read here,
//! what they answer is theirs.

use domain::model::{AcmeUrl, OrderFile, OrderStatus, Origin, Windows};
use domain::rules::{
    AcmeRequest, Decided, DirectoryAction, Wanted, decide_acme, detect, detection_keys,
};
use domain::{Name, NameSet, OrderNumber, Timestamp};
use store::Tx;
use store::candidates::Candidates;

use super::AcmeResult;

/// Orders with just the same names that are looked at: the ones that are valid longest.
const EXACT: u32 = 20;
/// Wildcard orders that cover the names and are looked at: the ones that are valid longest.
const COVERING: u32 = 50;
/// Renewals of one order that are looked at: the last ones, from the newest that stands on at least.
const CHAIN: usize = 20;

/// What a client asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// Through which ACME Directory URL.
    pub(super) url: &'a AcmeUrl,
    /// Which names.
    pub(super) names: &'a NameSet,
    /// The CSR's common name, once it is known.
    pub(super) common_name: Option<&'a Name>,
    /// What the directory URL asks for.
    pub(super) explicit: Option<DirectoryAction>,
    /// The order of the certificate that `replaces` names.
    pub(super) replaced: Option<OrderNumber>,
    /// The renewal windows.
    pub(super) windows: Windows,
    /// The issuer's end; far off where it is not known.
    pub(super) issuer_not_after: Timestamp,
}

/// Answers a question, with the order that is acted on.
pub(super) async fn decide(
    tx: &mut Tx,
    question: Question<'_>,
    now: Timestamp,
) -> AcmeResult<(Decided, Option<OrderFile>)> {
    let named = match question.explicit {
        Some(explicit) => explicit.order(),
        None => question.replaced,
    };
    let mut named = match named {
        Some(number) => tx.primary_file(number).await?,
        None => None,
    };
    let mut successors = Vec::new();
    if let Some(named) = &mut named {
        follow(tx, named, &mut successors).await?;
    }
    let mut candidates = match question.explicit {
        None => candidates(tx, question).await?,
        Some(_) => Vec::new(),
    };
    if let Some(found) = renewed(&question, &mut candidates, now) {
        follow(tx, found, &mut successors).await?;
    }
    let decided = decide_acme(&AcmeRequest {
        url: question.url,
        names: question.names,
        common_name: question.common_name,
        explicit: question.explicit,
        named: named.as_ref(),
        successors: &successors,
        candidates: &candidates,
        windows: question.windows,
        issuer_not_after: question.issuer_not_after,
        now,
    })?;
    let like = match decided.decision {
        domain::rules::Decision::Enroll { like } => like,
        other => other.order(),
    };
    let file = candidates
        .into_iter()
        .chain(successors)
        .chain(named)
        .find(|file| Some(file.order.number) == like);
    Ok((decided, file))
}

/// The order that detection finds, where it was renewed: the orders of its chain are read for it
/// alone.
fn renewed<'a>(
    question: &Question<'_>,
    candidates: &'a mut [OrderFile],
    now: Timestamp,
) -> Option<&'a mut OrderFile> {
    if candidates.iter().all(|file| file.order.renewed_by.is_none()) {
        return None;
    }
    let wanted = Wanted {
        organization: question.url.organization,
        product: &question.url.product,
        names: question.names,
        common_name: question.common_name,
    };
    let found = detect(&wanted, candidates, now).order?;
    candidates.iter_mut().find(|file| file.number() == found && file.order.renewed_by.is_some())
}

/// Adds the last of the orders that renewed `first`. Where its chain is longer, `first` leads to them at
/// once: what lies between was renewed too, and nothing is done on it.
async fn follow(
    tx: &mut Tx,
    first: &mut OrderFile,
    successors: &mut Vec<OrderFile>,
) -> AcmeResult<()> {
    if first.order.renewed_by.is_none() {
        return Ok(());
    }
    let chain = tx.renewals_of(first.number()).await?;
    let stands = |status| matches!(status, OrderStatus::Issued | OrderStatus::ReissuePending);
    let newest = chain.iter().rposition(|(_, status)| stands(*status)).unwrap_or(chain.len());
    let from = newest.min(chain.len().saturating_sub(CHAIN));
    let last = chain.into_iter().skip(from);
    for (position, (number, _)) in last.enumerate() {
        if position == 0 {
            first.order.renewed_by = Some(number);
        }
        if !successors.iter().any(|file| file.number() == number) {
            successors.extend(tx.primary_file(number).await?);
        }
    }
    Ok(())
}

async fn candidates(tx: &mut Tx, question: Question<'_>) -> AcmeResult<Vec<OrderFile>> {
    let url = question.url;
    let keys = detection_keys(&url.product, question.names);
    let among = |limit| Candidates {
        organization: url.organization,
        product: &url.product,
        origin: Some(Origin::Acme),
        limit,
    };
    // Of wildcard products the common name may be any.
    let common_name = question.common_name.filter(|_| keys.all_of.is_empty());
    let mut numbers = tx.candidates_with_names(among(EXACT), question.names, common_name).await?;
    numbers.extend(tx.candidates_covering(among(COVERING), &keys.all_of).await?);
    numbers.sort_unstable();
    numbers.dedup();
    let mut files = Vec::with_capacity(numbers.len());
    for number in numbers {
        files.extend(tx.primary_file(number).await?);
    }
    Ok(files)
}
