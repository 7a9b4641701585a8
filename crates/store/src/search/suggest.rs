//! Names that complete what is being typed.

use sqlx::AssertSqlSafe;

use super::trigrams::Lookup;
use super::walk::{Each, Range, Statement, Walk, end_of, holds};
use super::windows::MOST_WINDOWS;
use super::{LONGEST_PAGE, NameQuery, SearchFilter, bound};
use crate::value::{backwards, from_json};
use crate::{StoreError, Tx, on};

/// Orders with names that hold the text and are read: many orders have the same name.
const READ: usize = 60;

impl Tx {
    /// Names for `query`, each once, at most `limit`: by name those that begin so (or end so, for
    /// [`NameQuery::Suffix`]), then those of the latest that hold the text.
    pub async fn suggest_names(
        &mut self,
        query: &NameQuery,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let limit = limit.min(LONGEST_PAGE);
        let mut names = match query {
            NameQuery::Suffix(text) => {
                let names = self.texts_from("reversed", &backwards(text), limit).await?;
                names.iter().map(|name| backwards(name)).collect()
            }
            NameQuery::Exact(text) | NameQuery::Prefix(text) | NameQuery::Substring(text) => {
                self.texts_from("name", text, limit).await?
            }
        };
        if let NameQuery::Substring(text) = query
            && names.len() < limit
        {
            self.add_latest(text, limit, &mut names).await?;
        }
        Ok(names)
    }

    /// The first texts of an indexed column that begin so: one look into the index for each,
    /// however many orders have it.
    async fn texts_from(
        &mut self,
        column: &str,
        start: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let sql = format!(
            "WITH RECURSIVE found (text) AS (SELECT min({column}) FROM order_names \
             WHERE {column} >= $1 AND {column} < $2 \
             UNION ALL SELECT (SELECT min(n.{column}) FROM order_names n \
             WHERE n.{column} > found.text AND n.{column} < $2) FROM found \
             WHERE found.text IS NOT NULL) \
             SELECT text FROM found WHERE text IS NOT NULL LIMIT {limit}"
        );
        Ok(on!(self, |conn| {
            sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(start)
                .bind(end_of(start))
                .fetch_all(&mut *conn)
                .await?
        }))
    }

    /// Adds names of the latest orders that hold `text`.
    async fn add_latest(
        &mut self,
        text: &str,
        limit: usize,
        names: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let mut before = i64::MAX;
        for looked in 0..MOST_WINDOWS {
            let lookup = self.lookup(text, before, looked).await?;
            for name in self.latest_with(text, &lookup, before).await? {
                if names.len() < limit && !names.contains(&name) {
                    names.push(name);
                }
            }
            match lookup.behind() {
                Some(behind) if names.len() < limit => before = behind,
                _ => break,
            }
        }
        Ok(())
    }

    /// Names of the latest orders before a number that hold `text`, also more than once.
    async fn latest_with(
        &mut self,
        text: &str,
        lookup: &Lookup,
        before: i64,
    ) -> Result<Vec<String>, StoreError> {
        let mut made = Statement::default();
        let bound = bound(Walk::Inside, lookup, &SearchFilter::default(), Each::Name);
        let orders = made.may_hold(text, lookup, Range::First(bound.unwrap_or(READ)));
        let like = made.bind_unseen(holds(text));
        made.sql = format!("SELECT n.name FROM {orders} WHERE n.name LIKE {like} LIMIT {READ}");
        let mut names = Vec::new();
        for (of_one,) in self.rows::<(String,)>(made, before).await? {
            let of_one: Vec<String> = from_json("orders.names", &of_one)?;
            names.extend(of_one.into_iter().filter(|name| name.contains(text)));
        }
        Ok(names)
    }
}
