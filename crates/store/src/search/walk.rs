//! The SQL of a search: a walk along an index, and the filter around it.

use domain::ProductId;
use domain::model::{OrderStatus, Origin};

use super::{NameQuery, SearchCursor, SearchFilter};
use crate::value::backwards;

#[derive(sqlx::FromRow)]
pub(super) struct Hit {
    pub id: i64,
    pub order_number: i64,
    pub name: String,
    /// The filter lets the order through.
    pub shown: bool,
}

/// One condition on a name: a column of `order_names`, an operator, a text.
type Condition = (&'static str, &'static str, String);

impl NameQuery {
    fn conditions(&self) -> Vec<Condition> {
        let range = |column, start: String| {
            // Names are ASCII without control characters.
            let end = format!("{start}\u{7f}");
            vec![(column, ">=", start), (column, "<", end)]
        };
        match self {
            Self::Exact(name) => vec![("name", "=", name.clone())],
            Self::Prefix(prefix) => range("name", prefix.clone()),
            Self::Suffix(suffix) => range("reversed", backwards(suffix)),
            Self::Substring(text) => vec![("name", "LIKE", format!("%{text}%"))],
        }
    }

    /// The text that the answer is sorted by; none for latest first.
    pub(super) const fn sorted_by(&self) -> Option<&'static str> {
        match self {
            Self::Exact(_) | Self::Substring(_) => None,
            Self::Prefix(_) => Some("name"),
            Self::Suffix(_) => Some("reversed"),
        }
    }

    pub(super) fn cursor(&self, hit: &Hit) -> SearchCursor {
        let text = match self {
            Self::Exact(_) | Self::Substring(_) => String::new(),
            Self::Prefix(_) => hit.name.clone(),
            Self::Suffix(_) => backwards(&hit.name),
        };
        SearchCursor { text, id: hit.id }
    }

    /// The statement that walks the names after a position, with its texts. `$1` is the position's
    /// id. An order with several matching names is met once, at the first of them. `trigrams` is
    /// what is asked of SQLite's trigram index.
    pub(super) fn walk(
        &self,
        trigrams: Option<&str>,
        after: Option<&SearchCursor>,
        step: usize,
    ) -> (String, Vec<String>) {
        let conditions = self.conditions();
        let mut texts: Vec<String> = conditions.iter().map(|(_, _, text)| text.clone()).collect();
        // SQLite's trigram index is a table of its own, which can be walked backwards.
        let (from, id) = match self {
            Self::Substring(_) if trigrams.is_some() => {
                ("order_names_fts f CROSS JOIN order_names n ON n.id = f.rowid", "f.rowid")
            }
            _ => ("order_names n", "n.id"),
        };
        let (beyond, earlier, order) = match self.sorted_by() {
            None => {
                let mut wanted = all_of(&conditions, "n", 0);
                if let Some(trigrams) = trigrams {
                    texts.push(trigrams.to_owned());
                    wanted = format!("f.order_names_fts MATCH ${} AND {wanted}", texts.len() + 1);
                }
                (format!("{wanted} AND {id} < $1"), "m.id > n.id".to_owned(), format!("{id} DESC"))
            }
            // The position is the range's beginning: a second lower bound would only mislead
            // PostgreSQL's estimate.
            Some(column) => {
                let start = texts.first().cloned().unwrap_or_default();
                texts.push(after.map_or(start.clone(), |after| after.text.clone().max(start)));
                let (end, place) = (all_of(&conditions, "n", 1), texts.len() + 1);
                (
                    format!("{end} AND (n.{column}, n.id) > (${place}, $1)"),
                    format!("(m.{column}, m.id) < (n.{column}, n.id)"),
                    format!("n.{column}, n.id"),
                )
            }
        };
        let same = all_of(&conditions, "m", 0);
        let sql = format!(
            "SELECT n.id, n.order_number, n.name, n.reversed FROM {from} WHERE {beyond} \
             AND NOT EXISTS (SELECT 1 FROM order_names m \
             WHERE m.order_number = n.order_number AND {same} AND {earlier}) \
             ORDER BY {order} LIMIT {step}"
        );
        (sql, texts)
    }
}

/// The conditions from number `first` on, for the table `alias`. Their texts begin at `$2`.
fn all_of(conditions: &[Condition], alias: &str, first: usize) -> String {
    let wanted = conditions.iter().enumerate().skip(first);
    let wanted = wanted.map(|(at, (column, op, _))| format!("{alias}.{column} {op} ${}", at + 2));
    wanted.collect::<Vec<_>>().join(" AND ")
}

impl SearchFilter {
    /// Judges the names that `walk` meets. The filter stays outside of the walk: inside, a rare
    /// value would make it run on and on.
    pub(super) fn judge(&self, walk: &str, order: &str, texts: &mut Vec<String>) -> String {
        let mut wanted = vec!["TRUE".to_owned()];
        let numbers = [
            ("organization_id", self.organization.map(|id| id.0)),
            ("requester_id", self.requester.map(|id| id.0)),
        ];
        for (column, number) in numbers {
            wanted.extend(number.map(|number| format!("o.{column} = {number}")));
        }
        let codes = [
            ("product_id", self.product.as_ref().map(ProductId::as_str)),
            ("status", self.status.map(OrderStatus::as_str)),
            ("origin", self.origin.map(Origin::as_str)),
        ];
        for (column, code) in codes {
            if let Some(code) = code {
                texts.push(code.to_owned());
                wanted.push(format!("o.{column} = ${}", texts.len() + 1));
            }
        }
        let wanted = wanted.join(" AND ");
        format!(
            "SELECT n.id, n.order_number, n.name, coalesce({wanted}, FALSE) AS shown \
             FROM ({walk}) n JOIN orders o ON o.number = n.order_number ORDER BY {order}"
        )
    }
}
