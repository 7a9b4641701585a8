//! A page of a small list between its URL, the lifecycle and a table.

use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use crate::kit::{Cursor, Listing};
#[cfg(feature = "ssr")]
use lifecycle::lists::{Key, PageOf, Slice};

/// Rows of a list with the cursors of the pages around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paged<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// The cursor of the page before; none where there is none.
    pub previous: Option<String>,
    /// The cursor of the page behind; none where there is none.
    pub next: Option<String>,
}

impl<R> Paged<R> {
    /// A page of nothing.
    pub const fn none() -> Self {
        Self { rows: Vec::new(), previous: None, next: None }
    }
}

/// The page that the URL asks for; `numbers` says whether the column of `sort` holds numbers.
#[cfg(feature = "ssr")]
pub fn page_of<S>(listing: &Listing, sort: S, numbers: bool) -> PageOf<S> {
    let (cursor, backwards) = match &listing.cursor {
        Cursor::First => (None, false),
        Cursor::After(cursor) => (Some(cursor), false),
        Cursor::Before(cursor) => (Some(cursor), true),
    };
    // A cursor that can't be read, or is of another column, is no cursor: the first page.
    let beyond = cursor
        .and_then(|cursor| read_cursor(cursor))
        .filter(|(key, _)| matches!(key, Key::Number(_)) == numbers);
    let backwards = backwards && beyond.is_some();
    PageOf { sort, descending: listing.sort.descending, beyond, backwards, size: listing.size }
}

/// What the table gets.
#[cfg(feature = "ssr")]
pub fn paged<T, R>(
    slice: Slice<T>,
    key: impl Fn(&T) -> (Key, i64),
    row: impl Fn(T) -> R,
) -> Paged<R> {
    let mark = |row: Option<&T>| row.map(|row| write_cursor(key(row)));
    let previous = if slice.before { mark(slice.rows.first()) } else { None };
    let next = if slice.after { mark(slice.rows.last()) } else { None };
    Paged { rows: slice.rows.into_iter().map(row).collect(), previous, next }
}

#[cfg(feature = "ssr")]
fn write_cursor((key, id): (Key, i64)) -> String {
    match key {
        Key::Number(number) => format!("{id}.n{number}"),
        Key::Text(text) => format!("{id}.t{text}"),
    }
}

#[cfg(feature = "ssr")]
fn read_cursor(text: &str) -> Option<(Key, i64)> {
    let (id, key) = text.split_once('.')?;
    let key = match key.strip_prefix('n') {
        Some(number) => Key::Number(number.parse().ok()?),
        None => Key::Text(key.strip_prefix('t')?.to_owned()),
    };
    Some((key, id.parse().ok()?))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::paths;

    #[test]
    fn cursors_read_as_they_were_written() {
        for key in [Key::Number(-7), Key::Text("n.t, é".to_owned()), Key::Text(String::new())] {
            assert_eq!(read_cursor(&write_cursor((key.clone(), 5))), Some((key, 5)));
        }
        for broken in ["", "5", "5.", "x.n1", "5.nx", "5.q"] {
            assert_eq!(read_cursor(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_broken_cursor_shows_the_first_page() {
        for query in ["before=nonsense", "before=5.tname"] {
            let page = page_of(&Listing::read(paths::USERS, query, &["seen"]), (), true);
            assert_eq!((page.beyond, page.backwards), (None, false));
        }
    }
}
