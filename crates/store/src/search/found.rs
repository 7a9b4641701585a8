//! What a search finds: an order by one of its names, and whether it was met by an earlier one.

use super::walk::{Hit, Walk};
use crate::StoreError;
use crate::one_text::{Column, OfValues, Value, columns_once};
use crate::orders::ListedOrder;
use crate::orders::listed::ListedRow;
use crate::value::backwards;

/// An order with the name that was hit, or that was looked at last.
pub(super) struct Found {
    pub(super) hit: Hit,
    /// Whether it is found: its name matches, and it is shown.
    pub(super) matches: bool,
    /// Whether no more are looked at for this page.
    pub(super) last: bool,
    order: ListedRow,
}

impl OfValues for Found {
    const OF: &str = ListedRow::OF;

    fn each_column() -> Vec<Column> {
        let hit = vec![
            Column::of::<i64>("hit_id"),
            Column::of::<String>("hit_name"),
            Column::of::<bool>("hit_matches"),
            Column::of::<bool>("hit_last"),
        ];
        [hit, ListedRow::each_column()].concat()
    }

    columns_once!(Found);

    fn of_values<'a>(values: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        let hit =
            Hit { id: Value::of_text(values.next()?)?, name: Value::of_text(values.next()?)? };
        Some(Self {
            hit,
            matches: Value::of_text(values.next()?)?,
            last: Value::of_text(values.next()?)?,
            order: ListedRow::of_values(values)?,
        })
    }
}

impl Found {
    /// Whether the same walk has met the order before, at another of its names.
    pub(super) fn was_met(&self, walk: Walk, text: &str) -> Result<bool, StoreError> {
        // How a name that begins or ends so stands in JSON.
        let (edge, key): (_, fn(&str) -> String) = match walk {
            Walk::Beginning => (["\"", text].concat(), str::to_owned),
            Walk::End => ([text, "\""].concat(), backwards),
            Walk::Whole | Walk::Inside => return Ok(false),
        };
        // Hardly any order has two such names: they are read only where one may.
        if self.order.names_as_json().matches(&edge).count() < 2 {
            return Ok(false);
        }
        let (start, hit) = (key(text), key(&self.hit.name));
        let names = self.order.names()?;
        Ok(names.iter().map(|name| key(name)).any(|name| name >= start && name < hit))
    }

    /// The order as lists show it, and the name that matched.
    pub(super) fn named(self, walk: Walk, text: &str) -> Result<(ListedOrder, String), StoreError> {
        let name = match walk {
            Walk::Inside => {
                // Between the quotes of JSON are the names and what separates them.
                let mut quoted = self.order.names_as_json().split('"');
                quoted.find(|name| name.contains(text)).map(str::to_owned)
            }
            Walk::Whole | Walk::Beginning | Walk::End => Some(self.hit.name),
        };
        Ok((self.order.try_into()?, name.unwrap_or_default()))
    }
}

impl Walk {
    /// Where the walk for `text` comes by a name: no database promises that a join leaves it so.
    pub(super) fn place(self, found: &Found, text: &str) -> (String, i64) {
        let Hit { id, name } = &found.hit;
        match self {
            Self::Whole | Self::Inside => (String::new(), -id),
            Self::Beginning if name == text => (name.clone(), -id),
            Self::Beginning => (name.clone(), *id),
            Self::End => (backwards(name), *id),
        }
    }
}
