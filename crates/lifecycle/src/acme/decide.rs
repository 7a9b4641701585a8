//! Which action is done, on which order (rules A1–A9): what the rules need to know is read here,
//! what they answer is theirs.

use domain::model::{AcmeUrl, OrderFile, Origin, Windows};
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
/// Renewals that are followed from one order on.
const CHAIN: usize = 100;

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
    let named = match named {
        Some(number) => tx.primary_file(number).await?,
        None => None,
    };
    let mut successors = Vec::new();
    if let Some(named) = &named {
        follow(tx, named, &mut successors).await?;
    }
    let candidates = match question.explicit {
        None => candidates(tx, question).await?,
        Some(_) => Vec::new(),
    };
    if let Some(found) = renewed(&question, &candidates, now) {
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
    candidates: &'a [OrderFile],
    now: Timestamp,
) -> Option<&'a OrderFile> {
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
    candidates.iter().find(|file| file.number() == found && file.order.renewed_by.is_some())
}

/// Adds the orders that renewed `first`, one after the other.
async fn follow(tx: &mut Tx, first: &OrderFile, successors: &mut Vec<OrderFile>) -> AcmeResult<()> {
    let mut next = first.order.renewed_by;
    while let Some(number) = next.take() {
        if successors.len() >= CHAIN || successors.iter().any(|file| file.number() == number) {
            break;
        }
        if let Some(file) = tx.primary_file(number).await? {
            next = file.order.renewed_by;
            successors.push(file);
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
    let mut numbers = tx.candidates_with_names(among(EXACT), question.names).await?;
    numbers.extend(tx.candidates_covering(among(COVERING), &keys.all_of).await?);
    numbers.sort_unstable();
    numbers.dedup();
    let mut files = Vec::with_capacity(numbers.len());
    for number in numbers {
        files.extend(tx.primary_file(number).await?);
    }
    Ok(files)
}
