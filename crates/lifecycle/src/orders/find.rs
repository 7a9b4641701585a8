//! Preselection: the few orders of a million that a rule should look at.

use std::cmp::Reverse;
use std::collections::VecDeque;

use domain::NameSet;
use domain::model::{Order, OrderFile, Profile};
use domain::rules::detection_keys;
use store::Tx;
use store::candidates::Candidates;
use store::orders::OrderRecord;

use crate::Result;

/// Orders that the wizard lists at most.
const LISTED: u32 = 50;
/// Orders alike that automation looks at: the latest is the one it wants.
const ALIKE: u32 = 20;
/// Longest chain of renewals that is followed.
const CHAIN: usize = 200;

/// Orders of the profile's product and organization that hold all of `names` or reach them by a
/// wildcard, newest first: rules D9 and D10 judge them.
pub(crate) async fn holding(
    tx: &mut Tx,
    profile: &Profile,
    names: &NameSet,
) -> Result<Vec<OrderFile>> {
    let of = Candidates {
        organization: profile.organization,
        product: &profile.product,
        origin: None,
        limit: LISTED,
    };
    let mut all_of = detection_keys(&profile.product, names).all_of;
    if all_of.is_empty() {
        all_of.extend(names.iter().map(|name| vec![name.clone()]));
    }
    let any_of = all_of.first().map(Vec::as_slice).unwrap_or_default();
    let mut files = tx.candidates_with_names_or_any(of, names, any_of).await?;
    // The newest with one of the names may all lack another one.
    if all_of.len() > 1 {
        let mut covering = tx.candidates_covering(of, &all_of).await?;
        covering.retain(|number| files.iter().all(|file| file.number() != *number));
        files.extend(tx.order_files(&covering).await?);
        files.sort_unstable_by_key(|file| Reverse(file.number()));
    }
    Ok(files)
}

/// Other orders with the same product, organization and names (rule D13).
pub(crate) async fn alike(tx: &mut Tx, order: &Order) -> Result<Vec<OrderFile>> {
    let of = Candidates {
        organization: order.organization,
        product: &order.product,
        origin: None,
        limit: ALIKE,
    };
    let mut files = Vec::new();
    for number in tx.candidates_with_names(of, &order.names, None).await? {
        if number != order.number {
            files.extend(tx.order_file(number).await?);
        }
    }
    Ok(files)
}

/// The orders that renewed this one, and those that renewed them, nearest first.
pub(crate) async fn successors(tx: &mut Tx, order: &Order) -> Result<Vec<OrderFile>> {
    let mut seen = vec![order.number];
    let mut files = Vec::new();
    let mut next = order.renewed_by;
    while let Some(number) = next.filter(|number| !seen.contains(number) && seen.len() < CHAIN) {
        seen.push(number);
        let Some(file) = tx.order_file(number).await? else { break };
        next = file.order.renewed_by;
        files.push(file);
    }
    Ok(files)
}

/// A whole chain of renewals, oldest first, with this order among them.
pub(crate) async fn lineage(tx: &mut Tx, own: &OrderRecord) -> Result<Vec<OrderRecord>> {
    let mut line = VecDeque::from([own.clone()]);
    let known = |line: &VecDeque<OrderRecord>, number| {
        line.len() >= CHAIN || line.iter().any(|record| record.order.number == number)
    };
    let mut back = own.order.renews;
    while let Some(number) = back.filter(|number| !known(&line, *number)) {
        let Some(record) = tx.order_record(number).await? else { break };
        back = record.order.renews;
        line.push_front(record);
    }
    let mut on = own.order.renewed_by;
    while let Some(number) = on.filter(|number| !known(&line, *number)) {
        let Some(record) = tx.order_record(number).await? else { break };
        on = record.order.renewed_by;
        line.push_back(record);
    }
    Ok(line.into())
}
