//! What a search finds: an order by one of its names, and whether it was met by an earlier one.

use super::walk::{Hit, Walk};
use crate::StoreError;
use crate::orders::ListedOrder;
use crate::orders::listed::ListedRow;
use crate::value::backwards;

/// An order with the name that was hit, or that was looked at last.
#[derive(sqlx::FromRow)]
pub(super) struct Found {
    #[sqlx(flatten)]
    pub(super) hit: Hit,
    /// Whether it is found: its name matches, and it is shown.
    #[sqlx(rename = "hit_matches")]
    pub(super) matches: bool,
    /// Whether no more are looked at for this page.
    #[sqlx(rename = "hit_last")]
    pub(super) last: bool,
    #[sqlx(flatten)]
    order: ListedRow,
}

impl Found {
    /// Whether the same walk has met the order before, at another of its names.
    pub(super) fn was_met(&self, walk: Walk, text: &str) -> Result<bool, StoreError> {
        let key = |name: &str| match walk {
            Walk::Beginning => Some(name.to_owned()),
            Walk::End => Some(backwards(name)),
            Walk::Whole | Walk::Inside => None,
        };
        let (Some(start), Some(hit)) = (key(text), key(&self.hit.name)) else { return Ok(false) };
        let names = self.order.names()?;
        Ok(names.iter().filter_map(|name| key(name)).any(|name| name >= start && name < hit))
    }

    /// The order as lists show it, and the name that matched.
    pub(super) fn named(self, walk: Walk, text: &str) -> Result<(ListedOrder, String), StoreError> {
        let name = match walk {
            Walk::Inside => self.order.names()?.into_iter().find(|name| name.contains(text)),
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
