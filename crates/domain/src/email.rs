//! E-mail addresses, as people type them.

use crate::{DnsName, is_unseen};

/// Longest address, in bytes (RFC 5321 4.5.3.1.3, without the angle brackets).
const MAX_BYTES: usize = 254;
/// Longest part before the `@`, in bytes (RFC 5321 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// Whether `text` is an e-mail address without a name, quotes or comments. Good enough to tell an
/// address from anything else; the mail itself is what proves it.
pub fn is_email(text: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !is_unseen(c) && !"<>()[],;:\\\"".contains(c);
    text.len() <= MAX_BYTES
        && text.chars().all(plain)
        && text.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && local.len() <= MAX_LOCAL_BYTES
                && (host == "localhost" || is_mail_host(host))
        })
}

/// A name below a top-level domain.
fn is_mail_host(host: &str) -> bool {
    host.contains('.') && DnsName::parse(host).is_ok_and(|name| !name.is_wildcard())
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for good in ["jane.doe@example.com", "j+d@a.b.example", "root@localhost", "ü@example.com"]
        {
            assert!(is_email(good), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "jane",
            "@example.com",
            "jane@",
            "a@b",
            "<x>@y",
            "<x>@y.example",
            "a b@example.com",
            "a@b@example.com",
            "a@*.example.com",
            "a@.example.com",
            "a@example..com",
            "a,b@example.com",
            "a@example.com\n",
            "ja\u{200b}ne@example.com",
            &long,
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
    }
}
