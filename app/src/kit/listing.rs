//! The state of a list: filters, sort, page and page size, all in its URL.

use serde::{Deserialize, Serialize};

use crate::paths::Pattern;
use crate::query::Query;

/// Page sizes on offer.
pub const PAGE_SIZES: [u16; 3] = [25, 50, 100];

/// What a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// The column's key.
    pub key: String,
    /// Largest first.
    pub descending: bool,
}

/// Where a keyset page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cursor {
    /// At the list's beginning.
    First,
    /// Behind this row.
    After(String),
    /// Before this row.
    Before(String),
}

/// A list's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The list's page.
    pub path: Pattern,
    /// All that the URL says: filters too.
    pub query: Query,
    /// The sort.
    pub sort: Sort,
    /// Rows of a page.
    pub size: u16,
    /// Where the page begins.
    pub cursor: Cursor,
}

impl Listing {
    /// Reads the query of the list at `path`. Only the sort keys in `sorts` count; the first one is
    /// the default, with a leading `-` for descending.
    pub fn read(path: Pattern, query: &str, sorts: &[&str]) -> Self {
        let query = Query::parse(query);
        let default = sorts.first().copied().unwrap_or_default();
        let bare = |key: &str| key.trim_start_matches('-').to_owned();
        let wanted =
            query.get("sort").filter(|wanted| sorts.iter().any(|sort| bare(sort) == bare(wanted)));
        let sort = wanted.unwrap_or(default);
        let size =
            query.read("size").filter(|size| PAGE_SIZES.contains(size)).unwrap_or(PAGE_SIZES[0]);
        let cursor = match (query.get("after"), query.get("before")) {
            (Some(row), _) => Cursor::After(row.to_owned()),
            (None, Some(row)) => Cursor::Before(row.to_owned()),
            (None, None) => Cursor::First,
        };
        Self {
            path,
            sort: Sort { key: bare(sort), descending: sort.starts_with('-') },
            size,
            cursor,
            query,
        }
    }

    /// A filter's value.
    pub fn filter(&self, name: &str) -> Option<&str> {
        self.query.get(name)
    }

    /// Whether anything narrows the list.
    pub fn is_filtered(&self) -> bool {
        let own = ["sort", "size", "after", "before"];
        self.query.pairs().any(|(name, value)| !own.contains(&name) && !value.trim().is_empty())
    }

    /// The list sorted by `key`; the other way round where it is sorted by it already.
    pub fn sorted_by(&self, key: &str) -> String {
        let descending = self.sort.key == key && !self.sort.descending;
        let sort = if descending { format!("-{key}") } else { key.to_owned() };
        self.start().with("sort", sort).href(self.path.as_str())
    }

    /// The page behind `row`.
    pub fn after(&self, row: &str) -> String {
        self.start().with("after", row).href(self.path.as_str())
    }

    /// The page before `row`.
    pub fn before(&self, row: &str) -> String {
        self.start().with("before", row).href(self.path.as_str())
    }

    /// The first page.
    pub fn first(&self) -> String {
        self.start().href(self.path.as_str())
    }

    /// The first page with `size` rows.
    pub fn sized(&self, size: u16) -> String {
        self.start().with("size", size).href(self.path.as_str())
    }

    /// The CSV of what the filter shows.
    pub fn csv(&self) -> String {
        self.start().without("size").href(&crate::paths::csv(self.path))
    }

    fn start(&self) -> Query {
        self.query.without("after").without("before")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::ORDERS;

    #[test]
    fn the_url_is_the_state() {
        let listing = Listing::read(
            ORDERS,
            "status=issued&sort=expires&after=9&size=50",
            &["-number", "expires"],
        );
        assert_eq!(listing.sort, Sort { key: "expires".to_owned(), descending: false });
        assert_eq!((listing.size, listing.cursor.clone()), (50, Cursor::After("9".to_owned())));
        assert_eq!(
            listing.sorted_by("expires"),
            "/certificates/orders?status=issued&size=50&sort=-expires"
        );
        assert_eq!(listing.csv(), "/certificates/orders.csv?status=issued&sort=expires");
        assert!(listing.is_filtered());
    }

    #[test]
    fn nonsense_falls_back_to_the_default() {
        let listing = Listing::read(ORDERS, "sort=drop+table&size=100000", &["-number"]);
        assert_eq!(listing.sort, Sort { key: "number".to_owned(), descending: true });
        assert_eq!(listing.size, 25);
        assert!(!listing.is_filtered());
    }
}
