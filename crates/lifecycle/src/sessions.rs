//! Sessions in the browser: opened by a sign-in, closed by sign-out, idleness or age.
//!
//! The browser holds a random token, the database only its SHA-256. Sessions live in real time:
//! moving the demonstration's clock signs nobody out.

use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Timestamp, UserId};
use store::Tx;
use store::sessions::NewSession;

use crate::audit::{self, AuditEntry};
use crate::{Actor, Door, Lifecycle, LifecycleError, Person, Result};

/// A session ends after this many seconds without a request.
pub const IDLE_SECONDS: i64 = 8 * 3_600;
/// A session ends this many seconds after sign-in, whatever happens.
pub const ABSOLUTE_SECONDS: i64 = 7 * 86_400;
/// The last request is noted at most this often, so that reading pages writes little.
const TOUCH_SECONDS: i64 = 300;
/// A user agent is kept up to this many characters.
const USER_AGENT_CHARS: usize = 200;

/// A secret that is handed out once and kept as its hash only. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(String);

/// What the browser's cookie holds.
pub type SessionToken = SecretToken;

impl SecretToken {
    /// 256 random bits in base64url after `prefix`.
    pub fn random(prefix: &str) -> Result<Self> {
        let mut bytes = [0_u8; 32];
        crate::random::fill(&mut bytes)?;
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The token, to be handed out.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    pub(crate) fn hash(&self) -> String {
        token_hash(&self.0)
    }
}

impl std::fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretToken(…)")
    }
}

/// SHA-256 in hex. Enough for tokens of 256 random bits, which nobody can try out; passwords need
/// argon2.
pub(crate) fn token_hash(token: &str) -> String {
    hex::encode(digest(&SHA256, token.as_bytes()))
}

impl Lifecycle {
    /// The person whose session `token` opens; none where it is unknown or over, or the person is
    /// disabled.
    pub async fn session(&self, token: &str, address: Option<IpAddr>) -> Result<Option<Person>> {
        self.session_at(token, address, self.real_now()).await
    }

    pub(crate) async fn session_at(
        &self,
        token: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<Person>> {
        if token.len() > 128 {
            return Ok(None);
        }
        let hash = token_hash(token);
        let found = self.store().reader().await?.session(&hash).await?;
        let Some((session, account)) = found else { return Ok(None) };
        let user = account.user;
        let over = now >= session.expires_at || now.seconds_since(session.seen_at) >= IDLE_SECONDS;
        if over || user.disabled {
            return Ok(None);
        }
        if now.seconds_since(session.seen_at) >= TOUCH_SECONDS {
            self.store()
                .write(move |tx| {
                    Box::pin(
                        async move { Ok::<_, LifecycleError>(tx.touch_session(&hash, now).await?) },
                    )
                })
                .await?;
        }
        let role = user.role;
        Ok(Some(Person { user, role, door: Door::Portal, address }))
    }

    /// Ends the person's session of `token`, where there is one.
    pub async fn sign_out(&self, person: &Person, token: &str) -> Result<()> {
        let (now, hash, person) = (self.clock().now(), token_hash(token), person.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.delete_session(&hash).await? {
                        return Ok(());
                    }
                    let user = person.user.id;
                    let entry = AuditEntry::new("session.closed", "user", user, "Signed out");
                    audit::record(tx, now, &Actor::Person(person), entry).await
                })
            })
            .await
    }

    /// Takes sessions and links that are over, and limits that nobody came near for a day, out of
    /// the database.
    pub async fn sweep_sessions(&self) -> Result<()> {
        let now = self.real_now();
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.sweep_sessions(now, now.plus_seconds(-IDLE_SECONDS)).await?;
                    tx.sweep_links(now).await?;
                    Ok(tx.sweep_buckets(now.plus_seconds(-domain::time::DAY)).await?)
                })
            })
            .await
    }

    /// The time that sessions and sign-in limits count in: the clock without the demonstration's
    /// offset.
    pub fn real_now(&self) -> Timestamp {
        self.clock().now().plus_seconds(-self.clock().offset_seconds())
    }
}

/// Opens a session for `user` and answers its token.
pub(crate) async fn open(
    tx: &mut Tx,
    now: Timestamp,
    user: UserId,
    address: Option<IpAddr>,
    user_agent: &str,
) -> Result<SessionToken> {
    let token = SecretToken::random("")?;
    tx.insert_session(&NewSession {
        token_hash: token.hash(),
        user,
        created_at: now,
        expires_at: now.plus_seconds(ABSOLUTE_SECONDS),
        address: address.map(|address| address.to_string()),
        user_agent: user_agent.chars().take(USER_AGENT_CHARS).collect(),
    })
    .await?;
    Ok(token)
}
