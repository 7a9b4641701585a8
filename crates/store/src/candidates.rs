//! The orders that a request may be about, newest first and few of a million: preselection for
//! the rules D9, D10, D13 and A4, which then decide.

use std::collections::{BTreeSet, HashMap};

use domain::model::{OrderFile, OrderStatus, Origin};
use domain::{Name, NameSet, OrderNumber, OrganizationId, ProductId};
use sqlx::AssertSqlSafe;

use crate::one_text::{self, Columns, OfValues as _, OneText};
use crate::orders::FileRow;
use crate::tx::listed;
use crate::value::{names_key, to_json};
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

/// Orders that hold one name, or all names, which are looked through: for the one that is valid
/// longest, or that has the common name. No index has validity by name or common names by validity, so
/// that this bounds what a request costs where an organization has ordered the same a million times.
const WALKED: u32 = 5_000;

const HAVE_CERTIFICATE: [OrderStatus; 2] = [OrderStatus::Issued, OrderStatus::ReissuePending];

impl Candidates<'_> {
    /// Conditions and order of one walk of an index: it gives its longest valid without sorting. What is
    /// the same for all walks of a caller is part of the text: SQLite would plan a bound limit anew
    /// each time.
    fn walk(self, status: OrderStatus, columns: &str, limit: u32) -> String {
        let origin = self.origin.map(|origin| format!(" AND origin = '{}'", origin.as_str()));
        format!(
            "SELECT {columns} FROM orders WHERE names_key = $1 AND organization_id = $2 \
             AND product_id = $3 AND status = '{}'{} ORDER BY valid_till DESC, number DESC LIMIT {limit}",
            status.as_str(),
            origin.unwrap_or_default(),
        )
    }

    fn with_names(self, by_common_name: bool) -> String {
        let walks = HAVE_CERTIFICATE.map(|status| {
            if by_common_name {
                // The walk's order stays, and it ends with the last one that is wanted.
                let walked = self.walk(status, "valid_till, number, common_name", WALKED);
                format!(
                    "SELECT * FROM (SELECT valid_till, number FROM ({walked}) AS same \
                     WHERE common_name = $4 LIMIT {}) AS one",
                    self.limit
                )
            } else {
                let walked = self.walk(status, "valid_till, number", self.limit);
                format!("SELECT * FROM ({walked}) AS one")
            }
        });
        walks.join(" UNION ALL ")
    }

    /// Those with exactly the names of the key `$1`, and the latest with one of the names `$4`, however
    /// many these are. Each of them walks an index and gives its latest without sorting.
    fn with_names_or_any(self, columns: &Columns, postgres: bool) -> String {
        let limit = self.limit;
        let origin = self.origin.map(|origin| format!(" AND o.origin = '{}'", origin.as_str()));
        let held = format!(
            "(SELECT o.number FROM order_names n JOIN orders o ON o.number = n.order_number \
             WHERE n.organization_id = $2 AND n.product_id = $3 AND n.name = wanted.name \
             AND o.status IN ('issued', 'reissue_pending'){} \
             ORDER BY n.order_number DESC LIMIT {limit})",
            origin.unwrap_or_default(),
        );
        let any = if postgres {
            let listed = listed!(postgres, "$4");
            format!(
                "SELECT number FROM (SELECT value #>> '{{}}' AS name FROM {listed}) AS wanted \
                 CROSS JOIN LATERAL {held} AS one"
            )
        } else {
            let listed = listed!(sqlite, "$4");
            format!(
                "SELECT number FROM (SELECT value AS name FROM {listed}) AS wanted \
                 JOIN orders ON number IN {held}"
            )
        };
        let exact = HAVE_CERTIFICATE.map(|status| {
            format!("SELECT number FROM ({}) AS one", self.walk(status, "number", limit))
        });
        columns.select(&format!(
            "FROM (SELECT number AS found FROM ({} UNION SELECT number FROM \
             (SELECT DISTINCT number FROM ({any}) AS held ORDER BY number DESC LIMIT {limit}) AS latest) \
             AS either) AS these JOIN orders ON number = found ORDER BY found DESC",
            exact.join(" UNION "),
        ))
    }

    /// For each of the names `$3`: the numbers alone come out of an index; what else is asked is looked
    /// up for so many.
    fn holding(self, postgres: bool) -> String {
        let origin = self.origin.map(|origin| format!(" AND o.origin = '{}'", origin.as_str()));
        let held = format!(
            "(SELECT order_number FROM order_names WHERE organization_id = $1 AND product_id = $2 \
             AND name = wanted.name ORDER BY order_number DESC LIMIT {WALKED}) AS n \
             JOIN orders o ON o.number = n.order_number WHERE o.status IN ('issued', 'reissue_pending'){} \
             ORDER BY o.valid_till DESC, o.number DESC LIMIT {}",
            origin.unwrap_or_default(),
            self.limit
        );
        if postgres {
            let listed = listed!(postgres, "$3");
            format!(
                "SELECT wanted.name, found.number, found.valid_till FROM \
                 (SELECT value #>> '{{}}' AS name FROM {listed}) AS wanted \
                 CROSS JOIN LATERAL (SELECT o.number, o.valid_till FROM {held}) AS found"
            )
        } else {
            let listed = listed!(sqlite, "$3");
            format!(
                "SELECT wanted.name, found.number, found.valid_till FROM \
                 (SELECT value AS name FROM {listed}) AS wanted \
                 JOIN orders found ON found.number IN (SELECT o.number FROM {held})"
            )
        }
    }
}

impl Tx {
    /// Orders with exactly these names, and this common name where one is given, the one that is valid
    /// longest first (rule A4).
    pub async fn candidates_with_names(
        &mut self,
        of: Candidates<'_>,
        names: &NameSet,
        common_name: Option<&Name>,
    ) -> Result<Vec<OrderNumber>, StoreError> {
        let sql = of.with_names(common_name.is_some());
        let mut found: Vec<(Option<i64>, i64)> = on!(self, |conn| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql))
                .bind(names_key(names))
                .bind(of.organization.0)
                .bind(of.product.as_str());
            if let Some(name) = common_name {
                query = query.bind(name.as_str());
            }
            query.fetch_all(&mut *conn).await?
        });
        found.sort_unstable_by(|left, right| right.cmp(left));
        Ok(first(found.into_iter().map(|(_, number)| number), of.limit))
    }

    /// Orders with exactly these names, those that are valid longest, and orders that hold any of
    /// `any_of`, the latest: newest first. To find wildcard orders that cover a name, ask for `*.` with
    /// each of its ancestors.
    pub async fn candidates_with_names_or_any(
        &mut self,
        of: Candidates<'_>,
        names: &NameSet,
        any_of: &[Name],
    ) -> Result<Vec<OrderFile>, StoreError> {
        let sql = of.with_names_or_any(FileRow::columns(), self.is_postgres());
        let any_of = to_json("order_names.name", &any_of)?;
        let texts: Vec<OneText> = on!(self, |conn| {
            sqlx::query_as(AssertSqlSafe(sql))
                .bind(names_key(names))
                .bind(of.organization.0)
                .bind(of.product.as_str())
                .bind(&any_of)
                .fetch_all(&mut *conn)
                .await?
        });
        one_text::made_of::<FileRow, _>(texts)
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
        let held = self.holding(walked, all_of.iter().flatten()).await?;
        let mut covering: Option<HashMap<i64, Option<i64>>> = None;
        for any_of in all_of {
            let found =
                any_of.iter().flat_map(|name| held.get(name.as_str()).into_iter().flatten());
            let these: HashMap<i64, Option<i64>> = found.copied().collect();
            if let Some(before) = &mut covering {
                before.retain(|number, _| these.contains_key(number));
            } else {
                covering = Some(these);
            }
        }
        let covering = covering.unwrap_or_default().into_iter();
        let mut found: Vec<_> = covering.map(|(number, till)| (till, number)).collect();
        found.sort_unstable_by(|left, right| right.cmp(left));
        Ok(first(found.into_iter().map(|(_, number)| number), of.limit))
    }

    /// The orders that hold each of the names, with their validity: all by one statement, since a
    /// request names hundreds of them.
    async fn holding<'a>(
        &mut self,
        of: Candidates<'_>,
        names: impl Iterator<Item = &'a Name>,
    ) -> Result<HashMap<String, Vec<(i64, Option<i64>)>>, StoreError> {
        let names: BTreeSet<&str> = names.map(Name::as_str).collect();
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = of.holding(self.is_postgres());
        let names = to_json("order_names.name", &names)?;
        let rows: Vec<(String, i64, Option<i64>)> = on!(self, |conn| {
            sqlx::query_as(AssertSqlSafe(sql))
                .bind(of.organization.0)
                .bind(of.product.as_str())
                .bind(&names)
                .fetch_all(&mut *conn)
                .await?
        });
        let mut held: HashMap<String, Vec<(i64, Option<i64>)>> = HashMap::new();
        for (name, number, valid_till) in rows {
            held.entry(name).or_default().push((number, valid_till));
        }
        Ok(held)
    }
}

fn first(numbers: impl Iterator<Item = i64>, limit: u32) -> Vec<OrderNumber> {
    numbers.take(usize::try_from(limit).unwrap_or(usize::MAX)).map(OrderNumber).collect()
}

#[cfg(test)]
mod tests;
