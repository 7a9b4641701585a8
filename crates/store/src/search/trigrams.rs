//! Where names are looked up that may hold a text: which of its trigrams are asked for, or that it
//! is too common for that.
//!
//! Both databases have an index that gives, for each trigram, what holds it: SQLite's the orders,
//! PostgreSQL's the names. Lists of what almost every one holds (`exa`, `.co`) are millions long and
//! rule nothing out. One to three rare trigrams rule out almost all that the others would, and what is
//! left is looked at anyway. How rare they are is told from a sample. Where a dot hides what is beside
//! it (most names hold `s.e`, `.ex` and `exa` of `s.exam`), three characters with a dot between them
//! tell more (`sex`): both indexes have those too.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use sqlx::AssertSqlSafe;
use tokio::sync::RwLock;

use super::windows::{Size, Window};
use crate::{Store, StoreError, Tx, on};

/// How many places of the table a sample of SQLite's orders is from: of a million each stands for some
/// hundred.
const PLACES: usize = 4000;

/// The same of PostgreSQL's names: how many hold something decides how many are read.
const PLACES_POSTGRES: usize = 16_000;

/// Of a text's trigrams, the rarest that are weighed against each other.
const WEIGHED: usize = 12;

/// To look at one of SQLite's orders costs as much as to read so many entries of the trigrams' lists.
const LOOK: usize = 100;

/// The same of one of PostgreSQL's names.
const LOOK_POSTGRES: usize = 200;

/// How common trigrams are. Read when the scheduler starts, or by the first search.
#[derive(Debug, Clone, Default)]
pub struct Trigrams(Arc<RwLock<Option<Arc<Sample>>>>);

/// Where names are looked up that may hold a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// In SQLite's trigram index, latest first, by this FTS5 query.
    Fts(String),
    /// In PostgreSQL's, which gives all of a window that hold these, in no order.
    Gin(Vec<String>, Window),
    /// Among the latest of all names.
    Latest,
}

impl Lookup {
    /// The number before which the next window ends; none where this is the last.
    pub(super) fn behind(&self) -> Option<i64> {
        match self {
            Self::Gin(_, Window { keys: Some(_), from }) => Some(*from),
            Self::Gin(..) | Self::Fts(_) | Self::Latest => None,
        }
    }
}

/// Which orders (or names) of a sample hold each trigram.
#[derive(Debug, Default)]
struct Sample {
    held: HashMap<[u8; 3], Vec<u16>>,
    /// Orders, or names, in the sample.
    size: usize,
    /// Names in the table.
    all: usize,
    /// Order numbers that their orders are spread over.
    numbers: usize,
}

/// Trigrams to ask for, and about how many names hold all of them.
#[derive(Debug, PartialEq, Eq)]
struct Chosen {
    trigrams: Vec<String>,
    names: usize,
}

impl Store {
    /// Reads a sample of names, by which searches choose what to look up. While a new one is read they
    /// have the old one; where there is none yet, they go without.
    pub async fn sample_names(&self) -> Result<(), StoreError> {
        let mut reader = self.reader().await?;
        let Some(Trigrams(kept)) = reader.trigrams().cloned() else { return Ok(()) };
        if kept.read().await.is_none() {
            reader.sample().await?;
            return Ok(());
        }
        let sample = reader.read_sample().await?;
        *kept.write().await = Some(sample);
        Ok(())
    }
}

impl Tx {
    /// Where to look for names with `text` of orders before a number. Where the index is asked about a
    /// window at a time, `looked` were looked through before.
    pub(super) async fn lookup(
        &mut self,
        text: &str,
        before: i64,
        looked: usize,
    ) -> Result<Lookup, StoreError> {
        let look = if self.is_postgres() { LOOK_POSTGRES } else { LOOK };
        // Without a sample nobody knows better.
        let Some(sample) = self.sample().await? else { return Ok(Lookup::Latest) };
        let Some(chosen) = sample.choose(text, look) else {
            return Ok(Lookup::Latest);
        };
        if !self.is_postgres() {
            let quoted: Vec<String> =
                chosen.trigrams.iter().map(|trigram| format!("\"{trigram}\"")).collect();
            return Ok(Lookup::Fts(quoted.join(" AND ")));
        }
        let Some(size) = Size::fitting(chosen.names, sample.numbers, looked) else {
            return Ok(Lookup::Latest);
        };
        // Where a window ends, the next order may be far, or there is none.
        let latest = match size {
            Size::All if looked == 0 => Some(before),
            Size::All | Size::Ranges(_) => self.latest_before(before).await?,
        };
        Ok(latest.map_or(Lookup::Latest, |number| {
            Lookup::Gin(chosen.trigrams, Window::of(size, number))
        }))
    }

    /// The number of the latest order before this number.
    async fn latest_before(&mut self, before: i64) -> Result<Option<i64>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar("SELECT max(number) FROM orders WHERE number < $1")
                .bind(before)
                .fetch_one(&mut *conn)
                .await?
        }))
    }

    /// The sample that is kept. One search reads it; those of the same moment go without: from a disk it
    /// takes seconds, in which they would keep connections that other pages need.
    async fn sample(&mut self) -> Result<Option<Arc<Sample>>, StoreError> {
        let Some(Trigrams(kept)) = self.trigrams().cloned() else {
            return self.read_sample().await.map(Some);
        };
        if let Some(sample) = kept.try_read().ok().and_then(|kept| kept.clone()) {
            return Ok(Some(sample));
        }
        let Ok(mut kept) = kept.try_write() else { return Ok(None) };
        if kept.is_none() {
            *kept = Some(self.read_sample().await?);
        }
        Ok(kept.clone())
    }

    async fn read_sample(&mut self) -> Result<Arc<Sample>, StoreError> {
        let sql = sampled(self.is_postgres());
        let (texts, all, numbers): (String, i64, i64) =
            on!(self, |conn| sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut *conn).await?);
        let [all, numbers] = [all, numbers].map(|size| usize::try_from(size).unwrap_or(0));
        Ok(Arc::new(Sample { numbers, ..Sample::of(&texts, all) }))
    }
}

impl Sample {
    fn of(texts: &str, all: usize) -> Self {
        let mut sample = Self { all, ..Self::default() };
        for (place, text) in (0..).zip(texts.split(' ')) {
            // None is asked for that reaches over the end of a name.
            let within = trigrams(text).into_iter().filter(|one| !one.bytes.contains(&b'"'));
            for trigram in within {
                let held = sample.held.entry(trigram.bytes).or_default();
                if held.last() != Some(&place) {
                    held.push(place);
                }
            }
            sample.size += 1;
        }
        sample
    }

    /// The trigrams that cost least to look up together, at most three; none where the text has none.
    /// `look` is what it costs to look at one that holds them all.
    fn choose(&self, text: &str, look: usize) -> Option<Chosen> {
        let held = |one: &Trigram| self.held.get(&one.bytes).map_or(&[][..], Vec::as_slice);
        let mut rarest: Vec<(&[u16], Trigram)> =
            trigrams(text).into_iter().map(|one| (held(&one), one)).collect();
        rarest.sort_by_key(|(held, _)| held.len());
        rarest.truncate(WEIGHED);
        let parts: Vec<Part> =
            rarest.into_iter().map(|(held, trigram)| self.part(held, trigram)).collect();
        let all = parts.iter().enumerate();
        let pairs =
            all.flat_map(|(at, one)| parts.iter().skip(at + 1).map(move |other| vec![one, other]));
        let ways = parts.first().map(|rarest| vec![rarest]).into_iter().chain(pairs);
        let weighed = |asked: Vec<_>| (self.weigh(&asked, look), asked);
        let cheapest = |(weight, _): &(Weight, Vec<_>)| weight.cost;
        let two = ways.filter(|asked| apart(asked)).map(weighed).min_by_key(cheapest)?;
        let more = parts.iter().map(|third| [&two.1[..], &[third]].concat());
        let three = more.filter(|asked| apart(asked)).map(weighed).min_by_key(cheapest);
        let (weight, asked) = three.into_iter().chain([two]).min_by_key(cheapest)?;
        Some(Chosen {
            trigrams: asked.iter().map(|part| part.trigram.text()).collect(),
            names: weight.looks * self.all / (look * self.size.max(1)),
        })
    }

    fn part(&self, held: &[u16], trigram: Trigram) -> Part {
        let mut bits = vec![0; self.size.div_ceil(64)];
        for place in held {
            if let Some(word) = bits.get_mut(usize::from(*place) / 64) {
                *word |= 1u64 << (place % 64);
            }
        }
        Part { bits, count: held.len(), trigram }
    }

    /// What it costs to ask for these together. Where few of the sample hold them all it is mostly
    /// chance which: then what each of them says counts. One that the sample does not hold may be
    /// anywhere between its places.
    fn weigh(&self, asked: &[&Part], look: usize) -> Weight {
        let size = self.size.max(1);
        let chance = asked.iter().fold(look * size, |all, part| all * (part.count + 1) / size);
        let looks = chance.max(look * together(asked));
        let read: usize = asked.iter().map(|part| part.count + 1).sum();
        Weight { cost: looks + read, looks }
    }
}

/// Three characters of a text.
#[derive(Debug)]
struct Trigram {
    bytes: [u8; 3],
    /// Where the text has them, with the dots between them.
    at: Range<usize>,
}

impl Trigram {
    /// The trigrams of these characters, which come with their places.
    fn of(places: &[(usize, u8)]) -> impl Iterator<Item = Self> {
        places.array_windows().map(|&[(from, first), (_, second), (to, third)]| Self {
            bytes: [first, second, third],
            at: from..to + 1,
        })
    }

    /// Names and searched texts are ASCII.
    fn text(&self) -> String {
        self.bytes.map(char::from).iter().collect()
    }
}

/// The trigrams of a text: three characters one after the other, and three that have dots between
/// them.
fn trigrams(text: &str) -> Vec<Trigram> {
    let all: Vec<(usize, u8)> = text.bytes().enumerate().collect();
    let undotted: Vec<(usize, u8)> =
        all.iter().copied().filter(|(_, byte)| *byte != b'.').collect();
    let over_dots = Trigram::of(&undotted).filter(|trigram| trigram.at.len() > 3);
    Trigram::of(&all).chain(over_dots).collect()
}

/// A trigram of a searched text.
#[derive(Debug)]
struct Part {
    /// A bit for each place of the sample: whether it holds the trigram.
    bits: Vec<u64>,
    /// How many do.
    count: usize,
    trigram: Trigram,
}

/// What it costs to ask for trigrams, and what of that to look at those of the sample that hold them
/// all.
#[derive(Debug)]
struct Weight {
    cost: usize,
    looks: usize,
}

/// Whether they share no character: `r83` says little about a name that holds `831`.
fn apart(asked: &[&Part]) -> bool {
    let mut places: Vec<&Range<usize>> = asked.iter().map(|part| &part.trigram.at).collect();
    places.sort_by_key(|at| at.start);
    places.array_windows().all(|[one, next]| one.end <= next.start)
}

/// How many of the sample hold all of these.
fn together(asked: &[&Part]) -> usize {
    let Some((first, others)) = asked.split_first() else { return 0 };
    let all = first.bits.iter().enumerate().map(|(at, word)| {
        others.iter().fold(*word, |word, part| word & part.bits.get(at).copied().unwrap_or(0))
    });
    all.map(|word| word.count_ones() as usize).sum()
}

/// The statement for a sample: what the index is of, from all over the table, one look at each
/// place; how many names there are; and how many order numbers they are spread over, told from the
/// middle half of them, as some may be far away.
fn sampled(is_postgres: bool) -> String {
    let (text, of, numbers, places) = if is_postgres {
        let place =
            |part| format!("percentile_disc({part}) WITHIN GROUP (ORDER BY n.order_number)");
        let numbers = format!("coalesce({} - {}, 0) * 2", place("0.75"), place("0.25"));
        ("n.name", "", numbers, PLACES_POSTGRES)
    } else {
        // SQLite's index is not asked window by window.
        let of = " CROSS JOIN orders o ON o.number = n.order_number";
        ("o.names", of, "0".to_owned(), PLACES)
    };
    format!(
        "WITH RECURSIVE places (at) AS \
         (VALUES (1) UNION ALL SELECT at + 1 FROM places WHERE at < {places}) \
         SELECT coalesce(string_agg({text}, ' '), ''), \
         (SELECT coalesce(max(id), 0) FROM order_names), {numbers} \
         FROM places CROSS JOIN order_names n{of} \
         WHERE n.id = (SELECT max(id) FROM order_names) * at / {places}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreOptions;

    #[test]
    fn rare_trigrams_are_looked_up_and_common_ones_are_not() {
        let names = format!("{}cdn.ember.net dev.example.net", "api.example.com ".repeat(300));
        let sample = Sample::of(&names, 302_000);
        let asked = |text| sample.choose(text, LOOK).map(|chosen| chosen.trigrams);
        assert_eq!(asked("cdn.example").unwrap(), ["nex"]);
        assert_eq!(asked("v.ember").unwrap(), ["vem", "ber"]);
        assert_eq!(asked("example").unwrap(), ["exa"]);
        assert_eq!(asked("zzz1zzz").unwrap(), ["zzz", "1zz"]);
        assert_eq!(asked("ab"), None);
        assert_eq!(sample.choose("example", LOOK).unwrap().names, 302_000);
        assert_eq!(sample.choose("cdn.emb", LOOK).unwrap().names, 1000);
    }

    #[test]
    fn trigrams_that_go_together_rule_out_less_than_others() {
        // Each tenth name holds `mail`, half of them with `1-`, and each tenth `1-x`.
        let names: Vec<&str> = (0..400)
            .map(|at| match at % 20 {
                0 => "mail1-b",
                1 => "mail2-b",
                2 | 3 => "www1-xyz",
                _ => "example",
            })
            .collect();
        let sample = Sample::of(&names.join(" "), 400);
        let chosen = sample.choose("mail1-xyz", LOOK).unwrap();
        // Each for itself may hold a twentieth; together by chance only.
        assert_eq!((chosen.trigrams.len(), chosen.names), (2, 2), "{:?}", chosen.trigrams);
    }

    #[test]
    fn a_third_trigram_is_asked_for_where_two_leave_many() {
        let hosts = ["login2", "main2", "login1", "cdn2", "status2"];
        let words = ["sierra1", "tundra1", "sienna1", "sierra4", "quartz1"];
        let names: Vec<String> = hosts
            .iter()
            .flat_map(|host| words.iter().map(move |word| format!("{host}.{word}")))
            .collect();
        let sample = Sample::of(&vec![names.join(" "); 40].join(" "), 1000);
        // `login2.tundra1` holds the first two.
        let trigrams = sample.choose("in2.sierra1", LOOK).unwrap().trigrams;
        assert_eq!(trigrams, ["n2s", "ra1", "ier"]);
    }

    #[tokio::test]
    async fn one_of_the_searches_of_a_moment_reads_the_sample() {
        for database in crate::testing::databases().await {
            let store = Store::open(&database.url, StoreOptions::default()).await.unwrap();
            let (one, two) = tokio::join!(store.reader(), store.reader());
            let (mut one, mut two) = (one.unwrap(), two.unwrap());
            let (first, second) = tokio::join!(one.sample(), two.sample());
            let first = first.unwrap().unwrap();
            assert!(second.unwrap().is_none(), "{}: it does not wait", database.kind);
            let kept = two.sample().await.unwrap().unwrap();
            assert!(Arc::ptr_eq(&first, &kept), "{}", database.kind);
            store.maintain().await.unwrap();
            let renewed = one.sample().await.unwrap().unwrap();
            assert!(!Arc::ptr_eq(&first, &renewed), "{}", database.kind);
            let kept = two.sample().await.unwrap().unwrap();
            assert!(Arc::ptr_eq(&renewed, &kept), "{}", database.kind);
            drop((one, two));
            store.close().await;
        }
    }

    #[test]
    fn a_dot_does_not_hide_what_is_beside_it() {
        let names = "docs.ember1.example s.elder2.example api.example.net ".repeat(100);
        let sample = Sample::of(&format!("{names}docs.example.com"), 301_000);
        assert_eq!(sample.choose("s.exam", LOOK).unwrap().trigrams, ["sex"]);
    }

    #[test]
    fn trigrams_are_of_what_is_beside_each_other_or_has_only_dots_between() {
        let all = |text| trigrams(text).iter().map(Trigram::text).collect::<Vec<_>>();
        assert_eq!(all("a.bc"), ["a.b", ".bc", "abc"]);
        assert_eq!(all("a.b.c"), ["a.b", ".b.", "b.c", "abc"]);
        assert_eq!(all("abcd"), ["abc", "bcd"]);
        assert_eq!(all("a.b"), ["a.b"]);
        assert!(all("ab").is_empty());
    }

    #[test]
    fn a_name_counts_once() {
        assert_eq!(Sample::of("aaaa aaa", 2).held[b"aaa"], [0, 1]);
    }
}
