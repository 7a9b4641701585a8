//! Which trigrams of a text are looked up in SQLite's trigram index.
//!
//! The index gives, for each trigram, the names that hold it, and a search goes through the lists
//! of all its trigrams together. Lists of what almost every name holds (`exa`, `.co`) are millions
//! long and rule nothing out. The rarest two rule out almost all that the others would, and the
//! names that are left are looked at anyway.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::{StoreError, Tx};

/// Names from all over the table, to tell rare trigrams from common ones.
const SAMPLE: usize = 2000;

/// The newest id, and one look at each place, by id.
const SAMPLED: &str = "WITH RECURSIVE places (at) AS \
    (VALUES (1) UNION ALL SELECT at + 1 FROM places WHERE at < 2000) \
    SELECT coalesce((SELECT max(id) FROM order_names), 0), coalesce(group_concat(n.name, ' '), '') \
    FROM places CROSS JOIN order_names n ON n.id = (SELECT max(id) FROM order_names) * at / 2000";

/// What a tenth of all names hold is common.
const COMMON: usize = SAMPLE / 10;

/// Names that may hold a text, of which all are looked at in one go.
const FEW: u64 = 500;

/// How common trigrams are. Read at the first search.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trigrams(Arc<RwLock<Option<Arc<Sample>>>>);

#[derive(Debug)]
struct Sample {
    /// Names in all.
    names: u64,
    /// Which names of the sample hold each trigram, in order.
    held: HashMap<[u8; 3], Vec<u32>>,
}

/// What is asked of the trigram index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lookup {
    /// As FTS5 reads it.
    pub query: String,
    /// Few names are expected.
    pub few: bool,
}

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
    /// The rarest trigrams of `text`; none where the text has none, and on PostgreSQL.
    pub(super) async fn rarest_trigrams(
        &mut self,
        text: &str,
    ) -> Result<Option<Lookup>, StoreError> {
        let Self::Sqlite(session) = self else { return Ok(None) };
        if let Some(sample) = session.trigrams().sample() {
            return Ok(sample.lookup(text));
        }
        let (newest, names): (i64, String) =
            sqlx::query_as(SAMPLED).fetch_one(&mut **session).await?;
        let sample = Arc::new(Sample::of(newest.unsigned_abs(), &names));
        session.trigrams().keep(&sample);
        Ok(sample.lookup(text))
    }
}

impl Sample {
    fn of(names: u64, sample: &str) -> Self {
        let mut held: HashMap<[u8; 3], Vec<u32>> = HashMap::new();
        for (number, name) in (0..).zip(sample.split(' ')) {
            for trigram in name.as_bytes().array_windows() {
                let holders = held.entry(*trigram).or_default();
                if holders.last() != Some(&number) {
                    holders.push(number);
                }
            }
        }
        Self { names, held }
    }

    /// The rarest trigram, and the rarest of those that share no character with it: `r83` says
    /// little about a name that holds `831`.
    fn lookup(&self, text: &str) -> Option<Lookup> {
        // Searched texts are ASCII: each three bytes are a trigram.
        let mut all: Vec<(&[u32], usize)> = (text.as_bytes().array_windows().enumerate())
            .map(|(at, trigram)| (self.held.get(trigram).map_or(&[][..], Vec::as_slice), at))
            .collect();
        all.sort_unstable_by_key(|(holders, at)| (holders.len(), *at));
        let &(rarest, at) = all.first()?;
        let quoted = |at: usize| text.get(at..at + 3).map(|trigram| format!("\"{trigram}\""));
        let mut apart = all.iter().filter(|(_, other)| other.abs_diff(at) >= 3);
        let Some(&(second, other)) = apart.next().filter(|(holders, _)| holders.len() < COMMON)
        else {
            return Some(Lookup { query: quoted(at)?, few: false });
        };
        let of = |names: u64, holders: &[u32]| {
            names.saturating_mul(holders.len() as u64 + 1) / SAMPLE as u64
        };
        let expected = of(of(self.names, rarest), second);
        let few = expected < FEW && !rarest.iter().any(|name| second.binary_search(name).is_ok());
        Some(Lookup { query: format!("{} AND {}", quoted(at)?, quoted(other)?), few })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_two_are_looked_up_and_the_common_are_not() {
        let names = format!("{}cdn.ember.net dev.example.net", "api.example.com ".repeat(300));
        let sample = Sample::of(1_000_000, &names);
        let query = |text| sample.lookup(text).map(|lookup| lookup.query);
        assert_eq!(query("cdn.exam").unwrap(), r#""cdn""#);
        assert_eq!(query("v.ember").unwrap(), r#""v.e" AND "mbe""#);
        assert_eq!(query("example").unwrap(), r#""exa""#);
        assert_eq!(query("zzz1zzz").unwrap(), r#""zzz" AND "1zz""#);
        assert_eq!(query("ab"), None);
    }

    #[test]
    fn few_are_expected_where_both_are_rare_and_never_together() {
        let names = "api.example.com www.example.com log.ember.net ".repeat(20);
        let sample = Sample::of(3_000, &names);
        assert!(sample.lookup("api.ember").unwrap().few);
        assert!(!sample.lookup("log.ember").unwrap().few);
        assert!(!Sample::of(10_000_000, &names).lookup("api.ember").unwrap().few);
    }

    #[test]
    fn a_name_counts_once() {
        assert_eq!(Sample::of(2, "aaaa aaa").held[b"aaa"], [0, 1]);
    }

    #[test]
    fn the_statement_takes_as_many_names_as_are_counted_with() {
        assert_eq!(SAMPLED.matches(&SAMPLE.to_string()).count(), 2);
    }
}
