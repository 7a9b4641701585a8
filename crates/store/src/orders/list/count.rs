//! How many orders a filter lets through. Only programs are told, which page until a total; no screen
//! counts.
//!
//! What nearly every order is (issued, not renewed, without duplicates) stands in no index. It is
//! counted by its contrary, which is in one: all orders less those.

use domain::model::{OrderStatus, Origin};
use sqlx::QueryBuilder;

use super::walk::Column;
use super::{NAMED, OrderFilter, OrderSort, after_prefix, reversed_base};
use crate::{StoreError, Tx, on};

/// One count of several that are added up.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    filter: OrderFilter,
    /// Only those that are not issued.
    not_issued: bool,
    /// Taken off instead of added.
    less: bool,
}

impl Part {
    /// This one, and what is to be taken off it when `widen` has let more through.
    fn split(self, widen: impl Fn(&mut Self), narrow: impl Fn(&mut Self)) -> [Self; 2] {
        let (mut wide, mut contrary) = (self.clone(), self);
        widen(&mut wide);
        narrow(&mut contrary);
        contrary.less = !contrary.less;
        [wide, contrary]
    }
}

fn parts(filter: &OrderFilter) -> Vec<Part> {
    let mut parts = vec![Part { filter: filter.clone(), not_issued: false, less: false }];
    if filter.is_narrow() {
        return parts;
    }
    let mut split = |widen: fn(&mut Part), narrow: fn(&mut Part)| {
        parts = parts.drain(..).flat_map(|part| part.split(widen, narrow)).collect();
    };
    if filter.status == Some(OrderStatus::Issued) {
        let all = |part: &mut Part| part.filter.status = None;
        split(all, |part| {
            part.filter.status = None;
            part.not_issued = true;
        });
    }
    if filter.has_duplicates == Some(false) {
        let all = |part: &mut Part| part.filter.has_duplicates = None;
        split(all, |part| part.filter.has_duplicates = Some(true));
    }
    if filter.renewed == Some(false) {
        let all = |part: &mut Part| part.filter.renewed = None;
        split(all, |part| part.filter.renewed = Some(true));
    }
    parts
}

impl Tx {
    /// How many orders a list under `filter`, sorted by `sort`, has.
    pub async fn count_orders(
        &mut self,
        filter: &OrderFilter,
        sort: OrderSort,
    ) -> Result<u64, StoreError> {
        let mut total = 0_i64;
        for part in parts(filter) {
            let count = self.count_part(&part, sort).await?;
            total += if part.less { -count } else { count };
        }
        Ok(u64::try_from(total).unwrap_or(0))
    }

    async fn count_part(&mut self, part: &Part, sort: OrderSort) -> Result<i64, StoreError> {
        // SQLite would take the index of an organization that nearly all orders are of.
        let few = part.not_issued && !self.is_postgres();
        let by = if few { " INDEXED BY orders_by_status" } else { "" };
        Ok(on!(self, |conn| {
            let mut query =
                QueryBuilder::new(format!("SELECT count(*) FROM orders{by} WHERE TRUE"));
            push_filter!(query, &part.filter, None::<Column>);
            push_names!(query, &part.filter);
            push_ends!(query, &part.filter);
            if part.not_issued {
                query.push(" AND status <> 'issued'");
            }
            push_sorted!(query, sort);
            query.build_query_scalar().fetch_one(&mut *conn).await?
        }))
    }
}
