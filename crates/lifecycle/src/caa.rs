//! CAA of names that were validated before (RFC 8659; Baseline Requirements 3.2.2.8): looked at
//! when a public certificate is issued, through whichever door.
//!
//! Whether it is permitted is judged inside the transaction that reserves the serial, from records
//! that are kept for an hour. Where some are missing, the work stops, the DNS is asked outside of
//! any transaction, and the work is done again. Names that are validated by ACME challenge are
//! looked at with their challenge.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::rules::{CaaIssuance, CaaRecord, judge_caa};
use domain::{AcmeAccountId, DnsName, NameSet, Refusal, Timestamp};
use futures::future::join_all;

use crate::acme::AcmeError;
use crate::{Lifecycle, LifecycleError, Result};

/// How long records are kept, in seconds. Baseline Requirements 4.2.2.1 allow eight hours; a
/// domain's owner who changes them should not wait that long.
const KEPT: i64 = 3_600;
/// Domains whose records are kept at most.
const MOST: usize = 50_000;
/// Questions that are open at once.
const AT_ONCE: usize = 16;
/// The longest that all questions of one certificate may take.
const LONGEST: Duration = Duration::from_secs(15);
/// How control was shown, where a domain was validated in the portal (RFC 8657 section 4: methods
/// that are none of ACME's begin with `ca-`).
const METHOD: &str = "ca-portal";
/// The code of the refusal where the DNS does not answer.
pub(crate) const UNANSWERED: &str = "caa_unanswered";
/// Times that work may stop for records.
const ROUNDS: usize = 3;

/// A way to ask the DNS for CAA records. The ACME server has one, with its resolver.
pub trait CaaLookup: std::fmt::Debug + Send + Sync {
    /// The records at `domain` itself, none where there are none; where the DNS does not answer,
    /// that in words.
    fn caa<'a>(
        &'a self,
        domain: &'a str,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Vec<CaaRecord>, String>> + Send + 'a>>;

    /// The URL of an ACME account, as `accounturi` spells it.
    fn account_url(&self, account: AcmeAccountId) -> String;
}

/// Looks at CAA before public certificates are issued.
#[derive(Debug)]
pub struct CaaGuard {
    identity: Option<String>,
    lookup: Box<dyn CaaLookup>,
    seen: Mutex<HashMap<String, (Timestamp, Records)>>,
}

type Records = Arc<[CaaRecord]>;

/// The records that decide about a name.
enum Relevant {
    /// Those of this domain.
    Of(String, Records),
    /// No domain above has any.
    None,
    /// Somebody has to ask first.
    Unknown,
}

impl CaaGuard {
    /// A guard for the authority with this name in CAA records.
    pub fn new(identity: Option<String>, lookup: Box<dyn CaaLookup>) -> Self {
        Self { identity, lookup, seen: Mutex::default() }
    }

    /// Whether CAA permits a certificate with these names now. IP addresses have no CAA.
    pub(crate) fn check(
        &self,
        names: &NameSet,
        account: Option<AcmeAccountId>,
        now: Timestamp,
    ) -> Result<()> {
        let mut unknown = Vec::new();
        for name in names.dns() {
            match self.relevant(name, now) {
                Relevant::Of(domain, records) => self.judge(name, &domain, &records, account)?,
                Relevant::None => {}
                Relevant::Unknown => unknown.extend(name.ancestors().map(ToOwned::to_owned)),
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort_unstable();
        unknown.dedup();
        Err(LifecycleError::CaaUnknown(unknown))
    }

    /// RFC 8659 section 3: the records of the nearest domain that has any.
    fn relevant(&self, name: &DnsName, now: Timestamp) -> Relevant {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for domain in name.ancestors() {
            match seen.get(domain) {
                Some((at, records)) if is_fresh(*at, now) => {
                    if !records.is_empty() {
                        return Relevant::Of(domain.to_owned(), Arc::clone(records));
                    }
                }
                _ => return Relevant::Unknown,
            }
        }
        Relevant::None
    }

    fn judge(
        &self,
        name: &DnsName,
        domain: &str,
        records: &[CaaRecord],
        account: Option<AcmeAccountId>,
    ) -> Result<()> {
        let url = account.map(|account| self.lookup.account_url(account));
        let issuance = CaaIssuance {
            identity: self.identity.as_deref(),
            account: url.as_deref(),
            method: METHOD,
            wildcard: name.is_wildcard(),
        };
        judge_caa(records, &issuance).map_err(|words| {
            // Who mends the records should not have to wait.
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(domain);
            let advice = "Change them, or ask another authority";
            LifecycleError::Refused(Refusal::new(
                "CAA",
                "caa_forbids",
                format!(
                    "The CAA records of {domain} forbid a certificate for {name}: {words}. {advice}."
                ),
            ))
        })
    }

    /// Asks for the records of domains.
    async fn look_up(&self, domains: &[String], now: Timestamp) -> Result<()> {
        let until = tokio::time::Instant::now() + LONGEST;
        for some in domains.chunks(AT_ONCE) {
            let questions = join_all(some.iter().map(|domain| self.lookup.caa(domain)));
            let answers = tokio::time::timeout_at(until, questions)
                .await
                .map_err(|_| unanswered("The DNS took too long to answer for CAA records."))?;
            for (domain, answer) in some.iter().zip(answers) {
                self.keep(domain, answer.map_err(|words| unanswered(&words))?, now);
            }
        }
        Ok(())
    }

    fn keep(&self, domain: &str, records: Vec<CaaRecord>, now: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, (at, _)| is_fresh(*at, now));
        }
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert(domain.to_owned(), (now, records.into()));
    }
}

/// `now` is the moment when a work began, which is before the look-up that it caused.
fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    (-KEPT..KEPT).contains(&now.seconds_since(at))
}

/// No answer is not "there are none" (RFC 8659 section 3).
fn unanswered(words: &str) -> LifecycleError {
    let message = format!("{words} Without them no public certificate is issued; try again.");
    LifecycleError::Refused(Refusal::new("CAA", UNANSWERED, message))
}

/// Errors that may say that records are missing.
pub(crate) trait MayLackCaa: From<LifecycleError> {
    /// The domains whose records are missing.
    fn lacking(&self) -> Option<&[String]>;
}

impl MayLackCaa for LifecycleError {
    fn lacking(&self) -> Option<&[String]> {
        match self {
            Self::CaaUnknown(domains) => Some(domains),
            _ => None,
        }
    }
}

impl MayLackCaa for AcmeError {
    fn lacking(&self) -> Option<&[String]> {
        match self {
            Self::Desk(error) => error.lacking(),
            _ => None,
        }
    }
}

/// Counts how often one work stopped for records.
#[derive(Debug, Default)]
pub(crate) struct CaaRounds(usize);

impl CaaRounds {
    /// After work has failed: where it only lacked records, they are looked up, and the work
    /// should be done again.
    pub(crate) async fn again<E: MayLackCaa>(
        &mut self,
        desk: &Lifecycle,
        error: E,
    ) -> std::result::Result<(), E> {
        let Some(domains) = error.lacking().filter(|_| self.0 < ROUNDS) else { return Err(error) };
        self.0 += 1;
        if let Some(guard) = desk.issuer()?.caa() {
            guard.look_up(domains, desk.clock().now()).await?;
        }
        Ok(())
    }
}
