//! Sent twice, done once: the idempotency keys of forms and of the JSON API.
//!
//! A key stands for one act of one person on one thing. Behind it stands what was sent with it: the
//! same key with another content is refused, not answered with what the first content came to.

use aws_lc_rs::digest::{Context, SHA256};
use domain::Refusal;
use store::Tx;

use crate::{Actor, Result};

/// What was sent under a token.
#[derive(Debug)]
pub(crate) struct Submitted<'a> {
    /// What is done.
    pub(crate) act: &'a str,
    /// What it is done to.
    pub(crate) target: String,
    /// The sender's own key; empty where they have none.
    pub(crate) token: &'a str,
    /// All else that was sent.
    pub(crate) content: &'a [&'a str],
}

/// Characters of the content's digest: nobody has a reason to look for two that are alike.
const CONTENT: usize = 32;

impl Submitted<'_> {
    /// The idempotency key; none where there is no token.
    pub(crate) fn key(&self, actor: &Actor) -> Option<String> {
        let token = self.token.trim();
        if token.is_empty() {
            return None;
        }
        let who = actor.person().map_or(0, |person| person.user.id.0);
        let claim = digest(&[self.act, &self.target, token]);
        let content: String = digest(self.content).chars().take(CONTENT).collect();
        Some(format!("portal/{who}/{claim}#{content}"))
    }
}

/// SHA-256 in hex; each part with its length, so that no two lists of parts are alike.
fn digest(parts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    hex::encode(context.finish())
}

/// Keeps others with this key out until the transaction's end, and refuses a key that came with
/// another content before.
pub(crate) async fn claim(tx: &mut Tx, key: &str) -> Result<()> {
    let Some((claim, _)) = key.split_once('#') else { return Ok(tx.lock(key).await?) };
    tx.lock(claim).await?;
    match tx.key_of_claim(claim).await? {
        Some(other) if other != key => Err(Refusal::new(
            "idempotency",
            "idempotency_key_reused",
            "This was sent before with another content, so nothing was done now. Send what is new under a new \
             Idempotency-Key; on a screen, open the form anew.",
        )
        .into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(act: &str, target: &str, token: &str, content: &[&str]) -> String {
        Submitted { act, target: target.to_owned(), token, content }.key(&Actor::Operator).unwrap()
    }

    #[test]
    fn each_act_thing_token_and_content_has_its_own_key() {
        let first = key("new", "ssl_plus", "2026-11/ä", &["a", "b"]);
        assert_eq!(first, key("new", "ssl_plus", " 2026-11/ä ", &["a", "b"]));
        let claim = |key: &str| key.split_once('#').unwrap().0.to_owned();
        let long = "x".repeat(64);
        for (act, target, token) in [
            ("renew", "ssl_plus", "2026-11/ä"),
            ("new", "ssl_basic", "2026-11/ä"),
            ("new", "ssl_plus", "2026-11/ö"),
            ("new", "ssl_plus", "202611"),
            ("newssl", "_plus", "2026-11/ä"),
        ] {
            assert_ne!(claim(&first), claim(&key(act, target, token, &["a", "b"])), "{token}");
        }
        assert_ne!(
            key("new", "a", &format!("{long}1"), &[]),
            key("new", "a", &format!("{long}2"), &[])
        );
        let other = key("new", "ssl_plus", "2026-11/ä", &["ab", ""]);
        assert_eq!(claim(&first), claim(&other));
        assert_ne!(first, other);
        let none = Submitted { act: "new", target: "a".to_owned(), token: " ", content: &[] };
        assert_eq!(none.key(&Actor::Operator), None);
    }
}
