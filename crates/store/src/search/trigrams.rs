//! Which trigrams of a text are looked up in SQLite's trigram index.
//!
//! The index gives, for each trigram, the names that hold it, and a search goes through the lists
//! of all its trigrams together. Lists of what almost every name holds (`exa`, `.co`) are millions
//! long and rule nothing out; they alone made a search a hundred times slower. The few rarest rule
//! out almost all that the others would, and the names that are left are looked at anyway.

use std::collections::BTreeSet;

use crate::{StoreError, Tx};

/// Names from all over the table, to tell rare trigrams from common ones.
const SAMPLE: usize = 100;

/// One look at each place, by id: a fraction of a millisecond, however many names there are.
const SAMPLED: &str = "WITH RECURSIVE places (at) AS \
    (VALUES (1) UNION ALL SELECT at + 1 FROM places WHERE at < 100) \
    SELECT coalesce(group_concat(n.name, ' '), '') FROM places CROSS JOIN order_names n \
    ON n.id = (SELECT max(id) FROM order_names) * at / 100";

/// Trigrams that are looked up: more than the rarest few rule out little.
const LOOKED_UP: usize = 4;

/// What a fourth of all names hold is common.
const COMMON: usize = SAMPLE / 4;

impl Tx {
    /// The rarest trigrams of `text` as an FTS5 query; none where the text has none.
    pub(super) async fn rarest_trigrams(
        &mut self,
        text: &str,
    ) -> Result<Option<String>, StoreError> {
        let Self::Sqlite(session) = self else { return Ok(None) };
        let names: String = sqlx::query_scalar(SAMPLED).fetch_one(&mut **session).await?;
        Ok(query(text, &names))
    }
}

fn query(text: &str, sample: &str) -> Option<String> {
    // Searched texts are ASCII: each window of three bytes is a trigram.
    let trigrams: BTreeSet<&str> =
        (0..text.len()).filter_map(|at| text.get(at..at.checked_add(3)?)).collect();
    let mut counted: Vec<(usize, &str)> =
        trigrams.into_iter().map(|one| (sample.matches(one).count(), one)).collect();
    counted.sort_unstable();
    let fewest = counted.first()?.0;
    counted.retain(|(count, _)| *count <= COMMON || *count == fewest);
    counted.truncate(LOOKED_UP);
    let quoted: Vec<String> = counted.iter().map(|(_, one)| format!("\"{one}\"")).collect();
    Some(quoted.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_are_looked_up_and_the_common_are_not() {
        let sample = "api.example.com ".repeat(SAMPLE) + "cdn.ember.net dev.example.net";
        assert_eq!(query("cdn.exam", &sample).unwrap(), r#""cdn" AND "dn." AND "n.e""#);
        assert_eq!(query("example", &sample).unwrap(), r#""amp" AND "exa" AND "mpl" AND "ple""#);
        assert_eq!(query("zzz1zzz", &sample).unwrap(), r#""1zz" AND "z1z" AND "zz1" AND "zzz""#);
        assert_eq!(query("ab", &sample), None);
    }

    #[test]
    fn the_statement_takes_as_many_names_as_are_counted_with() {
        assert_eq!(SAMPLED.matches(&SAMPLE.to_string()).count(), 2);
    }
}
