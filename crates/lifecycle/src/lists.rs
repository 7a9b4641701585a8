//! One page of a small list, read forwards or backwards by keyset.

pub use store::keyset::Key;
use store::keyset::Rows;

/// Which page of a sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOf<S> {
    /// The column.
    pub sort: S,
    /// Largest first.
    pub descending: bool,
    /// Where it begins or, read backwards, ends: this row's key and id are not on it.
    pub beyond: Option<(Key, i64)>,
    /// The page before `beyond` instead of the one behind it.
    pub backwards: bool,
    /// At most so many rows; at most 1,000.
    pub size: u16,
}

/// Rows in the list's order, and whether there are more on either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// There are rows before the first.
    pub before: bool,
    /// There are rows behind the last.
    pub after: bool,
}

impl<S> PageOf<S> {
    /// The first page.
    pub const fn first(sort: S, size: u16) -> Self {
        Self { sort, descending: false, beyond: None, backwards: false, size }
    }

    /// What to read: one row more than the page holds tells whether there are more.
    pub(crate) fn rows(&self) -> Rows {
        Rows {
            beyond: self.beyond.clone(),
            descending: self.descending != self.backwards,
            limit: i64::from(self.size.clamp(1, 1_000)) + 1,
        }
    }

    /// Makes the page of what was read.
    pub(crate) fn slice<T>(&self, mut rows: Vec<T>) -> Slice<T> {
        let size = usize::from(self.size.clamp(1, 1_000));
        let more = rows.len() > size;
        rows.truncate(size);
        if self.backwards {
            rows.reverse();
            return Slice { rows, before: more, after: true };
        }
        Slice { rows, before: self.beyond.is_some(), after: more }
    }
}

/// How many rows that hold a text are looked at for the one that is meant.
pub(crate) const MEANT_AMONG: u16 = 100;

/// The row that a typed name means: the one with exactly this name, else the only one.
pub(crate) fn meant<T>(rows: Vec<T>, text: &str, names: impl Fn(&T) -> Vec<&String>) -> Option<T> {
    let text = text.trim().to_lowercase();
    let only = rows.len() == 1;
    let exact = |row: &T| names(row).iter().any(|name| name.to_lowercase() == text);
    rows.into_iter().find(|row| only || exact(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_its_neighbours() {
        let first = PageOf::first((), 2);
        assert_eq!(first.rows().limit, 3);
        assert_eq!(
            first.slice(vec![1, 2, 3]),
            Slice { rows: vec![1, 2], before: false, after: true }
        );
        let next = PageOf { beyond: Some((Key::Number(2), 2)), ..first.clone() };
        assert_eq!(next.slice(vec![3]), Slice { rows: vec![3], before: true, after: false });
        let back = PageOf { beyond: Some((Key::Number(4), 4)), backwards: true, ..first };
        assert!(back.rows().descending);
        assert_eq!(
            back.slice(vec![3, 2, 1]),
            Slice { rows: vec![2, 3], before: true, after: true }
        );
    }

    #[test]
    fn a_name_is_meant_whole_or_where_it_is_the_only_one() {
        let found = |rows: &[&str], text: &str| {
            meant(rows.iter().map(ToString::to_string).collect(), text, |name| vec![name])
        };
        assert_eq!(found(&["Corp", "Example Corp"], " corp ").as_deref(), Some("Corp"));
        assert_eq!(found(&["Example Corp"], "exam").as_deref(), Some("Example Corp"));
        assert_eq!(found(&["Example Corp", "Examples"], "exam"), None);
        assert_eq!(found(&[], "exam"), None);
    }
}
