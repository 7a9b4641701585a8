//! Passwords: what is good enough, and argon2id off the async threads.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use tokio::sync::Semaphore;

use crate::{LifecycleError, Result};

/// The least length, in characters. Length is what makes a password hard to guess; kinds of
/// characters are not asked for (NIST SP 800-63B section 5.1.1.2).
pub const MIN_CHARS: usize = 12;
/// The greatest length in bytes, so that nobody makes the server hash megabytes.
pub const MAX_BYTES: usize = 1_024;

/// Twelve characters and longer, yet among the first that are tried.
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "motdepasse",
    "contraseña",
    "123456789012",
    "1234567890ab",
    "qwertyuiop",
    "qwertzuiop",
    "administrator",
    "letmein",
    "welcome",
    "iloveyou",
    "changeme",
    "certdeck",
    "digicert",
    "correcthorsebatterystaple",
    "abcdefghijkl",
    "1q2w3e4r5t6y",
    "zaq12wsx",
    "adminadmin",
    "trustno1",
];

/// How many hashes are computed at a time: each takes 19 MiB and a core.
static RUNNING: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(8))
});
/// How many may wait for that; more are turned away, so that a flood leaves the portal usable.
static WAITING: Semaphore = Semaphore::const_new(64);

/// Refuses a password that is too short, too long or among the first that are tried.
///
/// # Errors
/// [`LifecycleError::Invalid`] at the field `password`, in words.
pub fn check(password: &str, email: &str) -> Result<()> {
    let refuse = |message: String| Err(LifecycleError::field("password", message));
    let length = password.chars().count();
    if length < MIN_CHARS {
        return refuse(format!(
            "The password has {length} characters. Use at least {MIN_CHARS}; a few unrelated words are good."
        ));
    }
    if password.len() > MAX_BYTES {
        return refuse(format!("The password is too long. Use at most {MAX_BYTES} bytes."));
    }
    let lower = password.to_lowercase();
    let first = lower.chars().next();
    let one_character = lower.chars().all(|c| Some(c) == first);
    let own = email.split('@').next().filter(|local| local.len() >= 4);
    // A common password with some digits and signs around it is as common.
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    let common = COMMON
        .iter()
        .any(|common| lower == *common || core == *common || lower.replace(common, "").is_empty());
    if one_character
        || common
        || own.is_some_and(|local| core == local.to_lowercase())
        || is_run(&lower)
    {
        return refuse(
            "This password is among the first that are tried. Use a few unrelated words instead."
                .to_owned(),
        );
    }
    Ok(())
}

/// Whether each character follows the one before by the same small step, 0 behind 9 counted in:
/// `abcdefghijkl`, `987654321098`.
fn is_run(text: &str) -> bool {
    let step = |(a, b): (char, char)| match (a, b) {
        ('9', '0') => 1,
        ('0', '9') => -1,
        _ => i64::from(u32::from(b)) - i64::from(u32::from(a)),
    };
    let mut steps = text.chars().zip(text.chars().skip(1)).map(step);
    let first = steps.next();
    first.is_some_and(|first| first.abs() <= 1 && steps.all(|other| other == first))
}

/// Hashes `password` with argon2id and a new salt, in PHC form.
pub async fn hash(password: String) -> Result<String> {
    computed(move || {
        let mut salt = [0_u8; 16];
        crate::random::fill(&mut salt)?;
        let salt = SaltString::encode_b64(&salt).map_err(internal)?;
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(internal)?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether `password` is the one behind `stored`. Where nothing is stored (nobody has that
/// e-mail address) it takes the same time and is false.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool> {
    computed(move || {
        let known = stored.is_some();
        let text = stored.unwrap_or_else(|| NOBODY.clone());
        let hash = PasswordHash::new(&text).map_err(internal)?;
        let matches = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
        Ok(matches && known)
    })
    .await
}

/// A hash with the parameters of all others, which no password is compared with in earnest.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    SaltString::encode_b64(&[0; 16])
        .and_then(|salt| {
            Argon2::default().hash_password(b"nobody", &salt).map(|hash| hash.to_string())
        })
        .unwrap_or_default()
});

async fn computed<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let waiting = WAITING.try_acquire();
    let Ok(_waiting) = waiting else {
        return Err(LifecycleError::Throttled { retry_after_seconds: 2 });
    };
    let _running = RUNNING.acquire().await.map_err(internal)?;
    tokio::task::spawn_blocking(work).await.map_err(internal)?
}

fn internal(error: impl std::fmt::Display) -> LifecycleError {
    LifecycleError::Internal(format!("a password could not be hashed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_short_or_guessed_first() {
        for bad in [
            "short",
            "aaaaaaaaaaaaaaa",
            "Password1234!",
            "passwordpassword",
            "abcdefghijklmn",
            "123456789012",
            "987654321098765",
            "jane.doe2024!",
            "Administrator1",
        ] {
            assert!(check(bad, "jane.doe@example.com").is_err(), "{bad}");
        }
        assert!(check(&"x1".repeat(600), "a@example.com").is_err());
        for good in ["harbour violet anvil", "Tr0ub4dor&3-and-more", "ein-langes-Kennwort"] {
            check(good, "jane.doe@example.com").unwrap();
        }
    }

    #[tokio::test]
    async fn only_the_right_password_verifies() {
        let stored = hash("harbour violet anvil".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("harbour violet anvil".to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!verify("harbour violet anvil ".to_owned(), Some(stored)).await.unwrap());
        assert!(!verify("nobody".to_owned(), None).await.unwrap());
    }
}
