//! The SQL of a search: walks along an index, and the filter around them.

use domain::ProductId;
use domain::model::{OrderStatus, Origin};

use super::{NameQuery, SearchCursor, SearchFilter};
use crate::value::backwards;

#[derive(sqlx::FromRow)]
pub(super) struct Hit {
    pub id: i64,
    pub order_number: i64,
    pub name: String,
    /// The name matches, the order was not met before, and the filter lets it through.
    pub shown: bool,
    /// How many names the walk looked at, where not each is a hit.
    pub looked_at: Option<i64>,
}

/// What is read of a name.
const NAMES: &str = "id, order_number, name, reversed";

/// A way through the names, in the order in which it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// This very name, latest first.
    Whole,
    /// Longer names that begin so, by name.
    Beginning,
    /// Names that end so, by the name written backwards.
    End,
    /// Names that hold the text further on, latest first.
    Inside,
}

impl NameQuery {
    /// The walks that answer, one after the other: what is most likely meant comes first.
    pub(super) const fn walks(&self) -> &'static [Walk] {
        match self {
            Self::Exact(_) => &[Walk::Whole],
            Self::Prefix(_) => &[Walk::Whole, Walk::Beginning],
            Self::Suffix(_) => &[Walk::End],
            Self::Substring(_) => &[Walk::Whole, Walk::Beginning, Walk::Inside],
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) | Self::Suffix(text) | Self::Substring(text) => {
                text
            }
        }
    }
}

/// A statement with its texts: `$1` is an id, the texts are `$2` and so on.
#[derive(Default)]
pub(super) struct Statement {
    pub sql: String,
    pub texts: Vec<String>,
}

impl Statement {
    /// The place of another text.
    pub(super) fn bind(&mut self, text: impl Into<String>) -> String {
        self.texts.push(text.into());
        format!("${}", self.texts.len() + 1)
    }

    /// The names that may hold `text`, latest first, before the id `$1`: whether they do is
    /// `n.name LIKE` the second answer. `trigrams` is what is asked of SQLite's trigram index.
    pub(super) fn may_hold(
        &mut self,
        text: &str,
        trigrams: Option<&str>,
        limit: usize,
    ) -> (String, String) {
        let like = self.bind(format!("%{text}%"));
        let names = match trigrams {
            // SQLite's trigram index is a table of its own, which can be walked backwards.
            Some(trigrams) => {
                let wanted = self.bind(trigrams);
                format!(
                    "(SELECT rowid AS id FROM order_names_fts WHERE order_names_fts MATCH {wanted} \
                     AND rowid < $1 ORDER BY rowid DESC LIMIT {limit}) f \
                     CROSS JOIN order_names n ON n.id = f.id"
                )
            }
            None => format!(
                "(SELECT {NAMES} FROM order_names WHERE name LIKE {like} AND id < $1 \
                 ORDER BY id DESC LIMIT {limit}) n"
            ),
        };
        (names, like)
    }
}

/// The end of the texts that begin so: names are ASCII without control characters.
pub(super) fn end_of(start: &str) -> String {
    format!("{start}\u{7f}")
}

impl Walk {
    /// The position behind a name.
    pub(super) fn text_of(self, name: &str) -> String {
        match self {
            Self::Whole | Self::Inside => String::new(),
            Self::Beginning => name.to_owned(),
            Self::End => backwards(name),
        }
    }

    /// The statement for `limit` names after a position. An order with several matching names is
    /// met once, at the first of them.
    pub(super) fn statement(
        self,
        text: &str,
        after: &SearchCursor,
        limit: usize,
        trigrams: Option<&str>,
        filter: &SearchFilter,
    ) -> Statement {
        let mut made = Statement::default();
        let mut shown = Vec::new();
        let mut order = "n.id DESC".to_owned();
        let names = match self {
            Self::Whole => {
                let name = made.bind(text);
                format!(
                    "(SELECT {NAMES} FROM order_names WHERE name = {name} AND id < $1 \
                     ORDER BY id DESC LIMIT {limit}) n"
                )
            }
            Self::Beginning | Self::End => {
                let column = if self == Self::End { "reversed" } else { "name" };
                let start = self.text_of(text);
                order = format!("n.{column}, n.id");
                // The position is the range's beginning: a second lower bound would only mislead
                // PostgreSQL's estimate.
                let place = made.bind(after.text.clone().max(start.clone()));
                let (end, start) = (made.bind(end_of(&start)), made.bind(start));
                format!(
                    "(SELECT {NAMES} FROM order_names n WHERE n.{column} < {end} \
                     AND (n.{column}, n.id) > ({place}, $1) \
                     AND NOT EXISTS (SELECT 1 FROM order_names m \
                     WHERE m.order_number = n.order_number AND m.{column} >= {start} \
                     AND m.{column} < n.{column}) ORDER BY {order} LIMIT {limit}) n"
                )
            }
            Self::Inside => {
                let (names, like) = made.may_hold(text, trigrams, limit);
                let (start, end) = (made.bind(text), made.bind(end_of(text)));
                shown.push(format!("n.name LIKE {like}"));
                // The walks before have met all orders with a name that begins so.
                shown.push(format!(
                    "NOT EXISTS (SELECT 1 FROM order_names m \
                     WHERE m.order_number = n.order_number AND (m.name LIKE {like} AND m.id > n.id \
                     OR m.name >= {start} AND m.name < {end}))"
                ));
                names
            }
        };
        let filters = filter.conditions(&mut made);
        let orders =
            if filters.is_empty() { "" } else { " JOIN orders o ON o.number = n.order_number" };
        shown.extend(filters);
        let shown = if shown.is_empty() { "TRUE".to_owned() } else { shown.join(" AND ") };
        let hit = format!("n.id, n.order_number, n.name, coalesce({shown}, FALSE) AS shown");
        made.sql = match self {
            // Of many names that don't match, only the last one is told: there it goes on.
            Self::Inside => format!(
                "WITH met AS MATERIALIZED (SELECT n.id, n.order_number, n.name FROM {names}) \
                 SELECT {hit}, (SELECT count(*) FROM met) AS looked_at FROM met n{orders} \
                 WHERE ({shown}) OR n.id = (SELECT min(id) FROM met) ORDER BY {order}"
            ),
            _ => format!(
                "SELECT {hit}, CAST(NULL AS BIGINT) AS looked_at FROM {names}{orders} \
                 ORDER BY {order}"
            ),
        };
        made
    }
}

impl SearchFilter {
    /// Conditions on the order `o`. They stay outside of the walk: inside, a rare value would make
    /// it run on and on.
    fn conditions(&self, made: &mut Statement) -> Vec<String> {
        let mut wanted = Vec::new();
        let numbers = [
            ("organization_id", self.organization.map(|id| id.0)),
            ("requester_id", self.requester.map(|id| id.0)),
            ("acme_url_id", self.acme_url.map(|id| id.0)),
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
            wanted.extend(code.map(|code| format!("o.{column} = {}", made.bind(code))));
        }
        wanted
    }
}
