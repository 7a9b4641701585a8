//! The orders that a request may be about, newest first and few of a million: preselection for
//! the rules D9, D10, D13 and A4, which then decide.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use domain::model::{OrderStatus, Origin};
use domain::{Name, NameSet, OrderNumber, OrganizationId, ProductId};
use sqlx::AssertSqlSafe;

use crate::value::names_key;
use crate::{StoreError, Tx, on};

/// Whose orders of what kind are looked at. Only orders that have a certificate are candidates:
/// those `issued` or with a reissue pending.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'a> {
    /// The organization.
    pub organization: OrganizationId,
    /// The product.
    pub product: &'a ProductId,
    /// Only orders that came through this door (rule A4: ACME); none for all.
    pub origin: Option<Origin>,
    /// At most so many.
    pub limit: u32,
}

/// Orders that hold one name which are looked through for the one that is valid longest: the
/// newest. No index has validity by name, so that this bounds what a request costs where an
/// organization has ordered the same name a million times.
const WALKED: u32 = 5_000;

const HAVE_CERTIFICATE: [OrderStatus; 2] = [OrderStatus::Issued, OrderStatus::ReissuePending];

impl Candidates<'_> {
    /// Conditions and order of one walk of an index. What is the same for all walks of a caller is
    /// part of the text: SQLite would plan a bound limit anew each time.
    fn with_names(self, status: OrderStatus) -> String {
        let origin = self.origin.map(|origin| format!(" AND origin = '{}'", origin.as_str()));
        format!(
            "SELECT * FROM (SELECT valid_till, number FROM orders WHERE names_key = $1 \
             AND organization_id = $2 AND product_id = $3 AND status = '{}'{} \
             ORDER BY valid_till DESC, number DESC LIMIT {}) AS one",
            status.as_str(),
            origin.unwrap_or_default(),
            self.limit
        )
    }

    fn with_any_name(self) -> String {
        let origin = self.origin.map(|origin| format!(" AND o.origin = '{}'", origin.as_str()));
        format!(
            "SELECT n.order_number FROM order_names n JOIN orders o ON o.number = n.order_number \
             WHERE n.organization_id = $1 AND n.product_id = $2 AND n.name = $3 \
             AND n.order_number < $4 AND o.status IN ('issued', 'reissue_pending'){} \
             ORDER BY n.order_number DESC LIMIT {}",
            origin.unwrap_or_default(),
            self.limit
        )
    }

    /// The numbers alone come out of an index; what else is asked is looked up for so many.
    fn holding(self) -> String {
        let origin = self.origin.map(|origin| format!(" AND o.origin = '{}'", origin.as_str()));
        format!(
            "SELECT o.valid_till, o.number FROM (SELECT order_number FROM order_names \
             WHERE organization_id = $1 AND product_id = $2 AND name = $3 \
             ORDER BY order_number DESC LIMIT {WALKED}) AS n JOIN orders o ON o.number = n.order_number \
             WHERE o.status IN ('issued', 'reissue_pending'){} \
             ORDER BY o.valid_till DESC, o.number DESC LIMIT {}",
            origin.unwrap_or_default(),
            self.limit
        )
    }
}

impl Tx {
    /// Orders with exactly these names, the one that is valid longest first (rule A4).
    pub async fn candidates_with_names(
        &mut self,
        of: Candidates<'_>,
        names: &NameSet,
    ) -> Result<Vec<OrderNumber>, StoreError> {
        let [one, other] = HAVE_CERTIFICATE;
        // One walk of the index for each status: each gives its longest valid without sorting.
        let sql = format!("{} UNION ALL {}", of.with_names(one), of.with_names(other));
        let mut found: Vec<(Option<i64>, i64)> = on!(self, |conn| {
            sqlx::query_as(AssertSqlSafe(sql))
                .bind(names_key(names))
                .bind(of.organization.0)
                .bind(of.product.as_str())
                .fetch_all(&mut *conn)
                .await?
        });
        found.sort_unstable_by(|left, right| right.cmp(left));
        Ok(first(found.into_iter().map(|(_, number)| number), of.limit))
    }

    /// Orders numbered below `before` that hold any of `names`, newest first. To find wildcard
    /// orders that cover a name, ask for `*.` with each of its ancestors.
    pub async fn candidates_with_any_name(
        &mut self,
        of: Candidates<'_>,
        names: &[Name],
        before: Option<OrderNumber>,
    ) -> Result<Vec<OrderNumber>, StoreError> {
        let before = before.map_or(i64::MAX, |number| number.0);
        let mut found: Vec<i64> = Vec::new();
        // One walk of the index for each name: each gives its newest without sorting.
        let sql = of.with_any_name();
        for name in names {
            let numbers: Vec<i64> = on!(self, |conn| {
                sqlx::query_scalar(AssertSqlSafe(sql.as_str()))
                    .bind(of.organization.0)
                    .bind(of.product.as_str())
                    .bind(name.as_str())
                    .bind(before)
                    .fetch_all(&mut *conn)
                    .await?
            });
            found.extend(numbers);
        }
        found.sort_unstable_by(|left, right| right.cmp(left));
        found.dedup();
        Ok(first(found.into_iter(), of.limit))
    }
}

impl Tx {
    /// Orders that hold, for each of `all_of`, one of its names: the one that is valid longest
    /// first (rule A4). To find wildcard orders that cover several names, ask for what each of them
    /// may be covered by.
    pub async fn candidates_covering(
        &mut self,
        of: Candidates<'_>,
        all_of: &[Vec<Name>],
    ) -> Result<Vec<OrderNumber>, StoreError> {
        // Those for one name are cut off where there are more to come that count as well.
        let walked = if all_of.len() == 1 { of } else { Candidates { limit: WALKED, ..of } };
        let mut held: HashMap<&Name, Vec<(Option<i64>, i64)>> = HashMap::new();
        let mut covering: Option<HashMap<i64, Option<i64>>> = None;
        for any_of in all_of {
            let mut these = HashMap::new();
            for name in any_of {
                // Names of one domain share what may cover them.
                if let Entry::Vacant(place) = held.entry(name) {
                    place.insert(self.holding(walked, name).await?);
                }
                let found = held.get(name).into_iter().flatten();
                these.extend(found.map(|(valid_till, number)| (*number, *valid_till)));
            }
            if let Some(before) = &mut covering {
                before.retain(|number, _| these.contains_key(number));
            } else {
                covering = Some(these);
            }
            if covering.as_ref().is_some_and(HashMap::is_empty) {
                break;
            }
        }
        let covering = covering.unwrap_or_default().into_iter();
        let mut found: Vec<_> = covering.map(|(number, till)| (till, number)).collect();
        found.sort_unstable_by(|left, right| right.cmp(left));
        Ok(first(found.into_iter().map(|(_, number)| number), of.limit))
    }

    /// The validity and number of orders that hold a name.
    async fn holding(
        &mut self,
        of: Candidates<'_>,
        name: &Name,
    ) -> Result<Vec<(Option<i64>, i64)>, StoreError> {
        let sql = of.holding();
        Ok(on!(self, |conn| {
            sqlx::query_as(AssertSqlSafe(sql))
                .bind(of.organization.0)
                .bind(of.product.as_str())
                .bind(name.as_str())
                .fetch_all(&mut *conn)
                .await?
        }))
    }
}

fn first(numbers: impl Iterator<Item = i64>, limit: u32) -> Vec<OrderNumber> {
    numbers.take(usize::try_from(limit).unwrap_or(usize::MAX)).map(OrderNumber).collect()
}

#[cfg(test)]
mod tests;
