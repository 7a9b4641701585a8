//! Anti-replay nonces (RFC 8555 section 6.5): single use, and refused when older than an hour.
//!
//! A nonce is authenticated, so that only used ones have to be remembered. One process remembers
//! them in a window of bits, without touching the database; several nodes share the key, and the
//! table of used nonces that [`Spent`] stands for.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;

/// Seconds for which a nonce is good.
pub const LIFETIME: i64 = 3600;

/// Seconds by which the clock of one node may be ahead of another's: the other one still takes its
/// nonces.
const SKEW: i64 = 60;

/// Nonces that may be outstanding at once in one process: 2 MiB of bits, or over five minutes at
/// 50,000 nonces a second.
const WINDOW: u64 = 1 << 24;

/// How close to the window's end a nonce is refused, so that one that is being spent can't meet
/// the reuse of its bit.
const MARGIN: u64 = 1 << 16;

const BODY: usize = 16;
const TAG: usize = 16;

/// Where used nonces are remembered.
#[derive(Debug)]
pub enum Spent {
    /// In this process.
    Here(Box<[AtomicU64]>),
    /// In the shared database.
    Shared,
}

/// What is known about a nonce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// Ours, in time, and now used up.
    Good,
    /// Ours and in time; whether it was used is for the shared database to say.
    AskStore {
        /// What to remember, for longer than [`LIFETIME`].
        spent: String,
    },
    /// Forged, too old, or used before.
    Bad,
}

/// Fills `bytes` with random ones.
#[expect(clippy::disallowed_methods, reason = "the one place where randomness comes from")]
fn random_bytes(bytes: &mut [u8]) -> Result<(), Unspecified> {
    aws_lc_rs::rand::fill(bytes)
}

/// Makes and checks nonces.
#[derive(Debug)]
pub struct Nonces {
    key: hmac::Key,
    next: AtomicU64,
    spent: Spent,
}

impl Nonces {
    /// For one process, which alone hands out nonces and forgets all of them when it stops.
    pub fn for_one_process() -> Result<Self, Unspecified> {
        let mut secret = [0; 32];
        random_bytes(&mut secret)?;
        let bits = (0..WINDOW / 64).map(|_| AtomicU64::new(0)).collect();
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            next: AtomicU64::new(MARGIN),
            spent: Spent::Here(bits),
        })
    }

    /// For several nodes that share `secret` and the database.
    pub fn for_nodes(secret: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self { key, next: AtomicU64::new(0), spent: Spent::Shared }
    }

    /// A fresh nonce: 43 characters of base64url.
    pub fn issue(&self, now: Timestamp) -> String {
        let number = match &self.spent {
            Spent::Here(bits) => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                if let Some((word, mask)) = slot(bits, number) {
                    word.fetch_and(!mask, Ordering::Relaxed);
                }
                number
            }
            Spent::Shared => {
                let mut random = [0; 8];
                // Without randomness the nonce is a fixed one, which the database lets pass once.
                let _ = random_bytes(&mut random);
                u64::from_be_bytes(random)
            }
        };
        let mut bytes = Vec::with_capacity(BODY + TAG);
        bytes.extend_from_slice(&number.to_be_bytes());
        bytes.extend_from_slice(&now.0.to_be_bytes());
        let tag = hmac::sign(&self.key, &bytes);
        bytes.extend_from_slice(tag.as_ref().get(..TAG).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Checks a nonce and, where this process remembers, uses it up.
    pub fn spend(&self, nonce: &str, now: Timestamp) -> Check {
        let Some((number, made)) = self.open(nonce) else { return Check::Bad };
        let newest = match &self.spent {
            Spent::Here(_) => 0,
            Spent::Shared => -SKEW,
        };
        if !(newest..=LIFETIME).contains(&now.seconds_since(made)) {
            return Check::Bad;
        }
        match &self.spent {
            Spent::Shared => Check::AskStore { spent: nonce.to_owned() },
            Spent::Here(bits) => {
                let age = self.next.load(Ordering::Relaxed).wrapping_sub(number);
                let unused = slot(bits, number)
                    .filter(|_| age <= WINDOW - MARGIN)
                    .is_some_and(|(word, mask)| word.fetch_or(mask, Ordering::AcqRel) & mask == 0);
                if unused { Check::Good } else { Check::Bad }
            }
        }
    }

    fn open(&self, nonce: &str) -> Option<(u64, Timestamp)> {
        if nonce.len() > 64 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let (body, tag) = bytes.split_at_checked(BODY)?;
        let made = hmac::sign(&self.key, body);
        let wanted = made.as_ref().get(..TAG)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(wanted, tag).ok()?;
        let (number, time) = body.split_at_checked(8)?;
        let number = u64::from_be_bytes(number.try_into().ok()?);
        Some((number, Timestamp(i64::from_be_bytes(time.try_into().ok()?))))
    }
}

fn slot(bits: &[AtomicU64], number: u64) -> Option<(&AtomicU64, u64)> {
    let bit = number % WINDOW;
    let word = bits.get(usize::try_from(bit / 64).ok()?)?;
    Some((word, 1 << (bit % 64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    #[test]
    fn a_nonce_is_good_once_and_for_an_hour() {
        let nonces = Nonces::for_one_process().unwrap();
        let nonce = nonces.issue(NOW);
        assert_eq!(nonces.spend(&nonce, NOW.plus_seconds(LIFETIME)), Check::Good);
        assert_eq!(nonces.spend(&nonce, NOW), Check::Bad);
        let late = nonces.issue(NOW);
        assert_eq!(nonces.spend(&late, NOW.plus_seconds(LIFETIME + 1)), Check::Bad);
        assert_eq!(nonces.spend(&late, NOW.plus_seconds(-1)), Check::Bad, "from the future");
    }

    #[test]
    fn forged_and_foreign_nonces_are_bad() {
        let nonces = Nonces::for_one_process().unwrap();
        let foreign = Nonces::for_one_process().unwrap().issue(NOW);
        let mut flipped = URL_SAFE_NO_PAD.decode(nonces.issue(NOW)).unwrap();
        flipped[7] ^= 1;
        for bad in [
            foreign,
            URL_SAFE_NO_PAD.encode(flipped),
            String::new(),
            "AAAA".into(),
            "=".into(),
            "a".repeat(5000),
        ] {
            assert_eq!(nonces.spend(&bad, NOW), Check::Bad, "{bad}");
        }
    }

    #[test]
    fn old_nonces_leave_the_window_unused_and_bits_are_reused() {
        let nonces = Nonces::for_one_process().unwrap();
        let old = nonces.issue(NOW);
        let used = nonces.issue(NOW);
        assert_eq!(nonces.spend(&used, NOW), Check::Good);
        nonces.next.fetch_add(WINDOW - 2, Ordering::Relaxed);
        assert_eq!(nonces.spend(&old, NOW), Check::Bad);
        nonces.issue(NOW);
        let again = nonces.issue(NOW);
        assert_eq!(nonces.spend(&again, NOW), Check::Good, "its bit was used by an older one");
    }

    #[test]
    fn one_of_many_spenders_wins() {
        let nonces = Nonces::for_one_process().unwrap();
        let nonce = nonces.issue(NOW);
        let good = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| nonces.spend(&nonce, NOW))).collect();
            threads
                .into_iter()
                .filter(|_| true)
                .map(|t| t.join().unwrap())
                .filter(|c| *c == Check::Good)
                .count()
        });
        assert_eq!(good, 1);
    }

    #[test]
    fn nodes_with_one_secret_know_each_others_nonces() {
        let (a, b) = (Nonces::for_nodes(b"shared"), Nonces::for_nodes(b"shared"));
        let nonce = a.issue(NOW);
        assert!(matches!(b.spend(&nonce, NOW), Check::AskStore { spent } if spent == nonce));
        assert_eq!(Nonces::for_nodes(b"other").spend(&nonce, NOW), Check::Bad);
    }

    #[test]
    fn a_node_takes_the_nonces_of_one_whose_clock_is_ahead() {
        let nonce = Nonces::for_nodes(b"shared").issue(NOW);
        let behind =
            |seconds| Nonces::for_nodes(b"shared").spend(&nonce, NOW.plus_seconds(seconds));
        assert!(matches!(behind(-1), Check::AskStore { .. }));
        assert!(matches!(behind(-SKEW), Check::AskStore { .. }));
        assert_eq!(behind(-SKEW - 1), Check::Bad);
        assert_eq!(behind(LIFETIME + 1), Check::Bad);
    }
}
