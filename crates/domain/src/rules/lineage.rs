//! Chains of renewals: 12345 → 67890 → ….

use crate::model::{OrderFile, OrderStatus};
use crate::{OrderNumber, Timestamp};

impl OrderFile {
    /// Whether the order has its certificate and nobody took it back. Expired ones count.
    pub fn is_standing(&self) -> bool {
        matches!(self.order.status, OrderStatus::Issued | OrderStatus::ReissuePending)
            && self.primary().is_some()
    }

    /// Whether the order's time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.valid_till().is_some_and(|till| now > till)
    }

    /// The order's number.
    pub const fn number(&self) -> OrderNumber {
        self.order.number
    }
}

/// The order and those that renewed it, oldest first, as far as `successors` reaches.
///
/// Each order is visited once, so that bad data can't make a circle of it.
pub fn chain<'a>(start: &'a OrderFile, successors: &'a [OrderFile]) -> Vec<&'a OrderFile> {
    let mut chain = vec![start];
    let mut next = start.order.renewed_by;
    while let Some(number) = next {
        let seen = chain.iter().any(|file| file.number() == number);
        let Some(file) = successors.iter().find(|file| file.number() == number && !seen) else {
            break;
        };
        chain.push(file);
        next = file.order.renewed_by;
    }
    chain
}

/// The newest order of the chain that has its certificate: pending, rejected, canceled and
/// revoked ones are passed over. None where there is no such order.
pub fn newest_issued<'a>(start: &'a OrderFile, successors: &'a [OrderFile]) -> Option<&'a OrderFile> {
    chain(start, successors).into_iter().rev().find(|file| file.is_standing())
}
