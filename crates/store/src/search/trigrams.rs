//! Where names are looked up that may hold a text: which of its trigrams are asked for, or that it
//! is too common for that.
//!
//! Both databases have an index that gives, for each trigram, the names that hold it. Lists of what
//! almost every name holds (`exa`, `.co`) are millions long and rule nothing out. One or two rare
//! trigrams rule out almost all that the others would, and the names that are left are looked at
//! anyway. How rare they are is told from a sample.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use crate::{StoreError, Tx, on};

/// Names from all over the table, one look at each place, and how many names there are.
const SAMPLED: &str = "WITH RECURSIVE places (at) AS \
    (VALUES (1) UNION ALL SELECT at + 1 FROM places WHERE at < 2000) \
    SELECT coalesce(string_agg(n.name, ' '), ''), \
    (SELECT coalesce(max(id), 0) FROM order_names) \
    FROM places CROSS JOIN order_names n \
    WHERE n.id = (SELECT max(id) FROM order_names) * at / 2000";

/// Of a text's trigrams, the rarest that are weighed against each other.
const WEIGHED: usize = 12;

/// To look at a name costs as much as to read so many entries of the trigrams' lists.
const LOOK: usize = 250;

/// PostgreSQL reads all names that its index gives before it knows which are the latest. Of more
/// names than this, so many hold the text that it is quicker to look at the latest of all.
const READ_AT_ONCE: usize = 4000;

/// How common trigrams are. Read at the first search.
#[derive(Debug, Clone, Default)]
pub struct Trigrams(Arc<RwLock<Option<Arc<Sample>>>>);

/// Where names are looked up that may hold a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// In SQLite's trigram index, latest first, by this FTS5 query.
    Fts(String),
    /// In PostgreSQL's, which gives all that hold these, in no order.
    Gin(Vec<String>),
    /// Among the latest of all names.
    Latest,
}

/// Which names of a sample hold each trigram.
#[derive(Debug, Default)]
struct Sample {
    held: HashMap<[u8; 3], Vec<usize>>,
    /// Names in the sample.
    size: usize,
    /// Names in the table.
    all: usize,
}

/// Trigrams to ask for, and about how many names hold all of them.
#[derive(Debug, PartialEq, Eq)]
struct Chosen {
    trigrams: Vec<String>,
    names: usize,
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
    /// Where to look for names with `text`.
    pub(super) async fn lookup(&mut self, text: &str) -> Result<Lookup, StoreError> {
        let Some(chosen) = self.sample().await?.choose(text) else { return Ok(Lookup::Latest) };
        if !self.is_postgres() {
            let quoted: Vec<String> =
                chosen.trigrams.iter().map(|trigram| format!("\"{trigram}\"")).collect();
            return Ok(Lookup::Fts(quoted.join(" AND ")));
        }
        if chosen.names > READ_AT_ONCE {
            return Ok(Lookup::Latest);
        }
        Ok(Lookup::Gin(chosen.trigrams))
    }

    async fn sample(&mut self) -> Result<Arc<Sample>, StoreError> {
        if let Some(sample) = self.trigrams().and_then(Trigrams::sample) {
            return Ok(sample);
        }
        let (names, all): (String, i64) =
            on!(self, |conn| sqlx::query_as(SAMPLED).fetch_one(&mut *conn).await?);
        let sample = Arc::new(Sample::of(&names, usize::try_from(all).unwrap_or(0)));
        if let Some(trigrams) = self.trigrams() {
            trigrams.keep(&sample);
        }
        Ok(sample)
    }
}

impl Sample {
    fn of(names: &str, all: usize) -> Self {
        let mut sample = Self { all, ..Self::default() };
        for name in names.split(' ') {
            let once: BTreeSet<[u8; 3]> = name.as_bytes().array_windows().copied().collect();
            for trigram in once {
                sample.held.entry(trigram).or_default().push(sample.size);
            }
            sample.size += 1;
        }
        sample
    }

    /// The trigram or the two that cost least to look up; none where the text has none.
    fn choose(&self, text: &str) -> Option<Chosen> {
        // Searched texts are ASCII: each three bytes are a trigram.
        let trigrams = text.as_bytes().array_windows().enumerate();
        let held = |trigram| self.held.get(trigram).map_or(&[][..], Vec::as_slice);
        let mut rarest: Vec<Part<'_>> =
            trigrams.map(|(at, trigram)| Part { held: held(trigram), at }).collect();
        rarest.sort_unstable_by_key(|part| (part.held.len(), part.at));
        rarest.truncate(WEIGHED);
        let first = rarest.first()?;
        let (mut least, mut names) = ((LOOK + 1) * first.held.len(), first.held.len());
        let mut places = vec![first.at];
        for (one, other) in pairs(&rarest) {
            let both = in_both(one.held, other.held);
            let (one_held, other_held) = (one.held.len(), other.held.len());
            // So few of the sample hold both that it is mostly chance: what each says counts too.
            let likely = LOOK * one_held * other_held / self.size.max(1);
            let cost = LOOK * both + likely + one_held + other_held;
            if cost < least || cost == least && places.len() == 1 {
                (least, names, places) = (cost, both, vec![one.at, other.at]);
            }
        }
        let trigram = |at: usize| text.get(at..at + 3).map(str::to_owned);
        Some(Chosen {
            trigrams: places.into_iter().filter_map(trigram).collect(),
            names: names * self.all / self.size.max(1),
        })
    }
}

/// A trigram of a searched text: which names of the sample hold it, and where the text does.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    held: &'a [usize],
    at: usize,
}

/// All pairs that share no character: `r83` says little about a name that holds `831`.
fn pairs<'a>(parts: &'a [Part<'a>]) -> impl Iterator<Item = (Part<'a>, Part<'a>)> {
    let others = |at: usize| parts.iter().skip(at + 1);
    let all = parts.iter().enumerate();
    all.flat_map(move |(at, one)| others(at).map(move |other| (*one, *other)))
        .filter(|(one, other)| one.at.abs_diff(other.at) >= 3)
}

/// How many are in both lists; the second is the longer one.
fn in_both(one: &[usize], other: &[usize]) -> usize {
    one.iter().filter(|name| other.binary_search(name).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_trigrams_are_looked_up_and_common_ones_are_not() {
        let names = format!("{}cdn.ember.net dev.example.net", "api.example.com ".repeat(300));
        let sample = Sample::of(&names, 302_000);
        let asked = |text| sample.choose(text).map(|chosen| chosen.trigrams);
        assert_eq!(asked("cdn.exam").unwrap(), ["cdn"]);
        assert_eq!(asked("v.ember").unwrap(), ["v.e", "mbe"]);
        assert_eq!(asked("example").unwrap(), ["exa"]);
        assert_eq!(asked("zzz1zzz").unwrap(), ["zzz", "1zz"]);
        assert_eq!(asked("ab"), None);
        assert_eq!(sample.choose("example").unwrap().names, 301_000);
        assert_eq!(sample.choose("cdn.emb").unwrap().names, 1000);
    }

    #[test]
    fn trigrams_that_go_together_rule_out_less_than_others() {
        // Each tenth name holds `mail`, half of them with `1.`, and each tenth `1.x`.
        let names: Vec<&str> = (0..400)
            .map(|at| match at % 20 {
                0 => "mail1.b",
                1 => "mail2.b",
                2 | 3 => "www1.xyz",
                _ => "example",
            })
            .collect();
        let sample = Sample::of(&names.join(" "), 400);
        let chosen = sample.choose("mail1.xyz").unwrap();
        assert_eq!(chosen.names, 0, "{:?}", chosen.trigrams);
    }

    #[test]
    fn a_name_counts_once() {
        assert_eq!(Sample::of("aaaa aaa", 2).held[b"aaa"], [0, 1]);
    }
}
