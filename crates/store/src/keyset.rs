//! Keyset paging of the small lists: the rows beyond a row, in one direction.

/// A row's value in the column that the list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Of a text column.
    Text(String),
    /// Of a number or a time; absent times count as 0.
    Number(i64),
}

/// Which rows of a sorted list. The id breaks ties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Beyond this row, given by its key and id; from the list's beginning where none.
    pub beyond: Option<(Key, i64)>,
    /// Largest first.
    pub descending: bool,
    /// At most so many.
    pub limit: i64,
}

/// Appends condition, order and limit of `$rows`, sorted by `$column`, to a query with a `WHERE`.
macro_rules! push_rows {
    ($query:expr, $column:expr, $id:expr, $rows:expr) => {{
        let (column, id, rows): (&str, &str, &$crate::keyset::Rows) = ($column, $id, $rows);
        let (mark, order) = if rows.descending { ("<", " DESC") } else { (">", "") };
        if let Some((key, beyond)) = &rows.beyond {
            $query.push(format!(" AND ({column}, {id}) {mark} ("));
            match key {
                $crate::keyset::Key::Text(text) => $query.push_bind(text.clone()),
                $crate::keyset::Key::Number(number) => $query.push_bind(*number),
            };
            $query.push(", ").push_bind(*beyond).push(")");
        }
        $query.push(format!(" ORDER BY {column}{order}, {id}{order} LIMIT {}", rows.limit));
    }};
}
pub(crate) use push_rows;

/// At most `$limit` rows of a small list from the place `$skip` on, sorted by `$order`, and how many
/// there are. `$push!` narrows a query that has no `WHERE` yet by `$filter`.
macro_rules! rows_from {
    ($tx:expr, $select:expr, $from:literal, $push:ident, $filter:expr, $order:literal, $limit:expr, $skip:expr) => {{
        let (limit, skip): (u16, u64) = ($limit, $skip);
        $crate::on!($tx, |conn| {
            let mut count = sqlx::QueryBuilder::new(concat!("SELECT count(*) FROM ", $from));
            $push!(count, $filter);
            let total: i64 = count.build_query_scalar().fetch_one(&mut *conn).await?;
            let mut query = sqlx::QueryBuilder::new($select);
            $push!(query, $filter);
            query.push(format_args!(" ORDER BY {} LIMIT {limit} OFFSET {skip}", $order));
            (query.build_query_as().fetch_all(&mut *conn).await?, total.unsigned_abs())
        })
    }};
}
pub(crate) use rows_from;
