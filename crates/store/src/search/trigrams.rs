//! Which trigrams of a text are looked up in SQLite's trigram index.
//!
//! The index gives, for each trigram, the names that hold it, and a search goes through the lists
//! of all its trigrams together. Lists of what almost every name holds (`exa`, `.co`) are millions
//! long and rule nothing out. The rarest two rule out almost all that the others would, and the
//! names that are left are looked at anyway.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use crate::{StoreError, Tx};

/// Names from all over the table, to tell rare trigrams from common ones.
const SAMPLE: usize = 2000;

/// One look at each place, by id.
const SAMPLED: &str = "WITH RECURSIVE places (at) AS \
    (VALUES (1) UNION ALL SELECT at + 1 FROM places WHERE at < 2000) \
    SELECT coalesce(group_concat(n.name, ' '), '') FROM places CROSS JOIN order_names n \
    ON n.id = (SELECT max(id) FROM order_names) * at / 2000";

/// What a tenth of all names hold is common.
const COMMON: usize = SAMPLE / 10;

/// How common trigrams are. Read at the first search.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trigrams(Arc<RwLock<Option<Arc<Sample>>>>);

/// How many names of the sample hold each trigram.
#[derive(Debug)]
struct Sample(HashMap<[u8; 3], usize>);

impl Trigrams {
    /// Lets the next search read a new sample.
    pub(crate) fn forget(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn sample(&self) -> Option<Arc<Sample>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, sample: &Arc<Sample>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(sample));
    }
}

impl Tx {
    /// The rarest trigrams of `text` as an FTS5 query; none where the text has none, and on
    /// PostgreSQL.
    pub(super) async fn rarest_trigrams(
        &mut self,
        text: &str,
    ) -> Result<Option<String>, StoreError> {
        let Self::Sqlite(session) = self else { return Ok(None) };
        if let Some(sample) = session.trigrams().sample() {
            return Ok(sample.rarest(text));
        }
        let names: String = sqlx::query_scalar(SAMPLED).fetch_one(&mut **session).await?;
        let sample = Arc::new(Sample::of(&names));
        session.trigrams().keep(&sample);
        Ok(sample.rarest(text))
    }
}

impl Sample {
    fn of(names: &str) -> Self {
        let mut held = HashMap::new();
        for name in names.split(' ') {
            let once: HashSet<[u8; 3]> = name.as_bytes().array_windows().copied().collect();
            for trigram in once {
                *held.entry(trigram).or_default() += 1;
            }
        }
        Self(held)
    }

    /// The rarest trigram, and the rarest of those that share no character with it: `r83` says
    /// little about a name that holds `831`.
    fn rarest(&self, text: &str) -> Option<String> {
        // Searched texts are ASCII: each three bytes are a trigram.
        let mut all: Vec<(usize, usize)> = (text.as_bytes().array_windows().enumerate())
            .map(|(at, trigram)| (self.0.get(trigram).copied().unwrap_or(0), at))
            .collect();
        all.sort_unstable();
        let &(_, first) = all.first()?;
        let apart = |&&(held, at): &&(usize, usize)| held < COMMON && at.abs_diff(first) >= 3;
        let second = all.iter().find(apart).map(|&(_, at)| at);
        let chosen = [Some(first), second].into_iter().flatten();
        let quoted = chosen.filter_map(|at| Some(format!("\"{}\"", text.get(at..at + 3)?)));
        Some(quoted.collect::<Vec<_>>().join(" AND "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_two_are_looked_up_and_the_common_are_not() {
        let names = format!("{}cdn.ember.net dev.example.net", "api.example.com ".repeat(300));
        let sample = Sample::of(&names);
        let query = |text| sample.rarest(text);
        assert_eq!(query("cdn.exam").unwrap(), r#""cdn""#);
        assert_eq!(query("v.ember").unwrap(), r#""v.e" AND "mbe""#);
        assert_eq!(query("example").unwrap(), r#""exa""#);
        assert_eq!(query("zzz1zzz").unwrap(), r#""zzz" AND "1zz""#);
        assert_eq!(query("ab"), None);
    }

    #[test]
    fn a_name_counts_once() {
        assert_eq!(Sample::of("aaaa aaa").0[b"aaa"], 2);
    }

    #[test]
    fn the_statement_takes_as_many_names_as_are_counted_with() {
        assert_eq!(SAMPLED.matches(&SAMPLE.to_string()).count(), 2);
    }
}
