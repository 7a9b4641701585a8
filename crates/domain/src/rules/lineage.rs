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
pub fn newest_issued<'a>(
    start: &'a OrderFile,
    successors: &'a [OrderFile],
) -> Option<&'a OrderFile> {
    chain(start, successors).into_iter().rev().find(|file| file.is_standing())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::{renewed, standard, with_status};

    fn numbers(files: &[&OrderFile]) -> Vec<i64> {
        files.iter().map(|file| file.number().0).collect()
    }

    #[test]
    fn follows_the_chain_to_its_end() {
        let start = renewed(standard(12345, 10), 67890);
        let rest = [standard(99999, 300), renewed(standard(67890, 100), 99999)];
        assert_eq!(numbers(&chain(&start, &rest)), [12345, 67890, 99999]);
        assert_eq!(newest_issued(&start, &rest).unwrap().number().0, 99999);
    }

    #[test]
    fn a_circle_ends() {
        let start = renewed(standard(1, 10), 2);
        let rest = [renewed(standard(2, 10), 1), renewed(standard(1, 10), 2)];
        assert_eq!(numbers(&chain(&start, &rest)), [1, 2]);
        let own = renewed(standard(1, 10), 1);
        assert_eq!(numbers(&chain(&own, std::slice::from_ref(&own))), [1]);
    }

    #[test]
    fn passes_over_what_came_to_nothing() {
        for status in [
            OrderStatus::Pending,
            OrderStatus::Rejected,
            OrderStatus::Canceled,
            OrderStatus::Revoked,
        ] {
            let start = renewed(standard(1, 10), 2);
            let rest = [with_status(standard(2, 300), status)];
            assert_eq!(newest_issued(&start, &rest).unwrap().number().0, 1, "{status}");
        }
    }
}
