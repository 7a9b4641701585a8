//! The SQL of a search: walks along an index, and the filter around them.

use domain::model::{OrderStatus, Origin};
use domain::{OrderNumber, ProductId};

use super::trigrams::Lookup;
use super::{NameQuery, SearchCursor, SearchFilter};
use crate::kept::LAST_INDEXED;
use crate::value::backwards;

pub(super) struct Hit {
    pub id: i64,
    pub name: String,
}

/// What is read of a hit, and the order that it is of.
const HIT: &str = "n.id AS hit_id, n.order_number, n.name AS hit_name";

/// The same where the order comes with all its names anyway.
const HIT_ORDER: &str = "n.id AS hit_id, n.order_number, '' AS hit_name";

/// What is read besides of one that matches, where none is the last that is looked at.
const MATCHES: &str = "TRUE AS hit_matches, FALSE AS hit_last";

/// What is read of a name.
const NAMES: &str = "id, order_number, name";

/// The same of an order: its number, and all its names as a JSON array.
const ORDERS: &str = "o.number AS id, o.number AS order_number, o.names AS name";

/// What PostgreSQL's index holds of a name.
const SEARCHED: &str = "searched(name, order_number)";

/// How many of the names, or orders, that a walk may look at are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Range {
    /// So many.
    First(usize),
    /// So many, and each knows its place among them, `at`.
    Counted(usize),
}

impl Range {
    /// These of `rows`, which are in their order.
    fn of(self, rows: &str) -> String {
        match self {
            Self::First(bound) => format!("{rows} LIMIT {bound}"),
            // Both databases count as they read, and read no more than is asked for.
            Self::Counted(bound) => {
                format!("SELECT *, row_number() OVER () AS at FROM ({rows} LIMIT {bound}) r")
            }
        }
    }

    /// What is read of these besides.
    const fn counted(self) -> &'static str {
        match self {
            Self::First(_) => "",
            Self::Counted(_) => ", at",
        }
    }
}

/// A way through the names, in the order in which it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// This very name, latest first.
    Whole,
    /// This very name, latest first, and then longer ones that begin so, by name.
    Beginning,
    /// Names that end so, by the name written backwards.
    End,
    /// Orders with a name that holds the text further on, latest first.
    Inside,
}

impl NameQuery {
    /// The walks that answer, one after the other: what is most likely meant comes first.
    pub(super) const fn walks(&self) -> &'static [Walk] {
        match self {
            Self::Exact(_) => &[Walk::Whole],
            Self::Prefix(_) => &[Walk::Beginning],
            Self::Suffix(_) => &[Walk::End],
            Self::Substring(_) => &[Walk::Beginning, Walk::Inside],
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

    /// The same for PostgreSQL's planner, which would plan anew for each text that it saw, for a
    /// millisecond.
    pub(super) fn bind_unseen(&mut self, text: impl Into<String>) -> String {
        format!("(SELECT {})", self.bind(text))
    }

    /// The latest orders before the number `$1` that may have a name with `text`, latest first, each
    /// with all its names as JSON.
    pub(super) fn may_hold(&mut self, text: &str, lookup: &Lookup, range: Range) -> String {
        let at = range.counted();
        match lookup {
            // A table of its own, which can be walked backwards; the latest orders are not in it yet.
            Lookup::Fts(query) => {
                let query = self.bind(query);
                let numbers = range.of(&format!(
                    "SELECT number FROM (SELECT number FROM orders WHERE number > {LAST_INDEXED} \
                     AND number < $1 ORDER BY number DESC) \
                     UNION ALL SELECT number FROM (SELECT rowid AS number FROM orders_fts \
                     WHERE orders_fts MATCH {query} AND rowid < $1 ORDER BY rowid DESC)"
                ));
                format!(
                    "(SELECT {ORDERS}{at} FROM ({numbers}) f \
                     CROSS JOIN orders o ON o.number = f.number) n"
                )
            }
            // Kept apart, or a planner might walk all orders backwards. The list is unseen as well.
            // Conditions of their own: PostgreSQL goes from what one list has to what another has next.
            // Those of one condition it would look up for each entry of the shortest.
            Lookup::Gin(trigrams, window) => {
                let mut held: Vec<String> = trigrams
                    .iter()
                    .map(|trigram| format!("{SEARCHED} @> (SELECT ARRAY[{}])", self.bind(trigram)))
                    .collect();
                held.extend(window.keys.as_ref().map(|keys| {
                    let [one, other] = keys.each_ref().map(|key| self.bind(key));
                    format!("{SEARCHED} && (SELECT ARRAY[{one}, {other}])")
                }));
                held.push(format!("name LIKE {}", self.bind_unseen(holds(text))));
                let numbers = range.of("SELECT order_number FROM held WHERE order_number < $1 \
                     ORDER BY order_number DESC");
                format!(
                    "(WITH held AS MATERIALIZED (SELECT DISTINCT order_number FROM order_names \
                     WHERE {}) \
                     SELECT order_number AS id, order_number, (SELECT o.names FROM orders o \
                     WHERE o.number = f.order_number) AS name{at} FROM ({numbers}) f) n",
                    held.join(" AND ")
                )
            }
            Lookup::Latest => {
                let orders = range
                    .of("SELECT number, names FROM orders WHERE number < $1 ORDER BY number DESC");
                format!("(SELECT {ORDERS}{at} FROM ({orders}) o) n")
            }
        }
    }
}

/// The pattern of texts that hold this: it has none of a pattern's own characters.
pub(super) fn holds(text: &str) -> String {
    format!("%{text}%")
}

/// The end of the texts that begin so: names are ASCII without control characters.
pub(super) fn end_of(start: &str) -> String {
    format!("{start}\u{7f}")
}

impl Walk {
    /// The text of the position behind a name.
    fn text_of(self, name: &str) -> String {
        match self {
            Self::Whole | Self::Inside => String::new(),
            Self::Beginning => name.to_owned(),
            Self::End => backwards(name),
        }
    }

    /// The position behind a name of this walk, which is the one that `at` is in.
    pub(super) fn behind(self, at: &SearchCursor, hit: &Hit) -> SearchCursor {
        SearchCursor { walk: at.walk, id: hit.id, text: self.text_of(&hit.name) }
    }
}

/// What a walk gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Each {
    /// Each name, so that an order comes as often as it has names that match.
    Name,
    /// Each order, at the first of them.
    Order,
}

/// The names of a walk after a position, in order: those that may match.
pub(super) struct Names<'a> {
    pub walk: Walk,
    pub text: &'a str,
    pub after: &'a SearchCursor,
    pub lookup: &'a Lookup,
    pub each: Each,
}

impl Names<'_> {
    /// The first of them.
    fn of(&self, made: &mut Statement, range: Range) -> String {
        let (Range::First(bound) | Range::Counted(bound)) = range;
        let names = match self.walk {
            Walk::Whole => self.whole(made),
            Walk::Beginning if self.after.text.as_str() <= self.text => {
                let (whole, longer) = (self.whole(made), self.from(made, &i64::MAX.to_string()));
                format!(
                    "SELECT {NAMES} FROM ({whole} LIMIT {bound}) whole \
                     UNION ALL SELECT {NAMES} FROM ({longer} LIMIT {bound}) longer"
                )
            }
            Walk::Beginning | Walk::End => self.from(made, "$1"),
            Walk::Inside => return made.may_hold(self.text, self.lookup, range),
        };
        format!("({}) n", range.of(&names))
    }

    /// What an index has in the walk's order.
    fn column(&self) -> &'static str {
        if self.walk == Walk::End { "reversed" } else { "name" }
    }

    fn whole(&self, made: &mut Statement) -> String {
        let name = made.bind(self.text);
        format!("SELECT {NAMES} FROM order_names WHERE name = {name} AND id < $1 ORDER BY id DESC")
    }

    /// Longer names that begin (or end) so, behind the position's text, and `id` where they are the same.
    fn from(&self, made: &mut Statement, id: &str) -> String {
        let column = self.column();
        let start = self.walk.text_of(self.text);
        // The position is the range's beginning: a second lower bound would only mislead
        // PostgreSQL's estimate.
        let place = made.bind_unseen(self.after.text.clone().max(start.clone()));
        let end = made.bind_unseen(end_of(&start));
        let read = if self.walk == Walk::End { "id, order_number, name, reversed" } else { NAMES };
        format!(
            "SELECT {read} FROM order_names n WHERE n.{column} < {end} \
             AND (n.{column}, n.id) > ({place}, {id}) ORDER BY n.{column}, n.id"
        )
    }

    /// The statement for the first `wanted` names that match and are shown, of `bound`. It ends as
    /// soon as it has them: both databases go through the names in their order and leave it so,
    /// and SQLite would read all of them to sort them once more. Where it comes to the last that is
    /// looked at, it gives that one too.
    pub(super) fn hits(
        &self,
        filter: &SearchFilter,
        bound: Option<usize>,
        wanted: usize,
    ) -> Statement {
        let mut made = Statement::default();
        let names = self.of(&mut made, bound.map_or(Range::First(wanted), Range::Counted));
        let matches = self.matches(&mut made, filter);
        let (given, besides) = match bound {
            None => (matches, MATCHES.to_owned()),
            Some(bound) => (
                format!("{matches} OR n.at = {bound}"),
                // What is given before the last one matches.
                format!(
                    "CASE WHEN n.at < {bound} THEN TRUE ELSE {matches} END AS hit_matches, \
                     n.at = {bound} AS hit_last"
                ),
            ),
        };
        let hit = if self.walk == Walk::Inside { HIT_ORDER } else { HIT };
        made.sql = format!(
            "SELECT {hit}, {besides} FROM {names} \
             WHERE CASE WHEN {given} THEN TRUE END LIMIT {wanted}"
        );
        made
    }

    /// Whether a name matches and is shown.
    fn matches(&self, made: &mut Statement, filter: &SearchFilter) -> String {
        let mut wanted = Vec::new();
        if self.walk == Walk::Inside {
            let like = made.bind_unseen(holds(self.text));
            wanted.push(format!("n.name LIKE {like}"));
            // The walks before have met all orders with a name that begins so.
            let begins = made.bind_unseen(holds(&format!("\"{}", self.text)));
            wanted.push(format!("n.name NOT LIKE {begins}"));
        }
        if self.each == Each::Order {
            let (column, start) = (self.column(), made.bind(self.walk.text_of(self.text)));
            wanted.push(format!(
                "NOT EXISTS (SELECT 1 FROM order_names m WHERE m.order_number = n.order_number \
                 AND m.{column} >= {start} AND m.{column} < n.{column})"
            ));
        }
        wanted.extend(filter.condition(made));
        // One after the other for each name: nothing for a planner to turn into a join, which
        // would begin elsewhere.
        wanted.into_iter().rev().fold("TRUE".to_owned(), |last, one| {
            format!("CASE WHEN {one} THEN {last} ELSE FALSE END")
        })
    }
}

impl NameQuery {
    /// The statement for the first name of one order that matches, where the order is shown.
    pub(super) fn within(&self, number: OrderNumber, filter: &SearchFilter) -> Statement {
        let mut made = Statement::default();
        let text = self.text();
        let mut begins = |column: &str, start: String| {
            let (end, start) = (made.bind(end_of(&start)), made.bind(start));
            format!("n.{column} >= {start} AND n.{column} < {end}")
        };
        let matches = match self {
            Self::Prefix(_) => begins("name", text.to_owned()),
            Self::Suffix(_) => begins("reversed", backwards(text)),
            Self::Exact(_) => format!("n.name = {}", made.bind(text)),
            Self::Substring(_) => format!("n.name LIKE {}", made.bind(holds(text))),
        };
        let shown = filter.condition(&mut made).map(|shown| format!(" AND {shown}"));
        made.sql = format!(
            "SELECT {HIT}, {MATCHES} FROM order_names n \
             WHERE n.order_number = {number} AND n.id > $1 AND {matches}{} ORDER BY n.id LIMIT 1",
            shown.unwrap_or_default()
        );
        made
    }
}

impl SearchFilter {
    /// The condition on a name's order. It stays outside of the walk: inside, a rare value would
    /// make it run on and on.
    fn condition(&self, made: &mut Statement) -> Option<String> {
        let mut wanted = Vec::new();
        let numbers = [
            ("organization_id", self.organization.map(|id| id.0)),
            ("requester_id", self.requester.map(|id| id.0)),
            ("acme_url_id", self.acme_url.map(|id| id.0)),
            ("number", self.number.map(|number| number.0)),
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
        let sides = [
            ("o.duplicates_count", self.has_duplicates, ("> 0", "= 0")),
            ("o.renewed_by", self.renewed, ("IS NOT NULL", "IS NULL")),
        ];
        for (column, side, (yes, no)) in sides {
            wanted.extend(side.map(|side| format!("{column} {}", if side { yes } else { no })));
        }
        wanted.extend(self.ends_from.map(|from| format!("o.primary_not_after >= {}", from.0)));
        wanted.extend(self.ends_until.map(|until| format!("o.primary_not_after <= {}", until.0)));
        wanted.extend(self.valid_until.map(|until| format!("o.valid_till <= {}", until.0)));
        (!wanted.is_empty()).then(|| {
            format!(
                "EXISTS (SELECT 1 FROM orders o WHERE o.number = n.order_number AND {})",
                wanted.join(" AND ")
            )
        })
    }
}
