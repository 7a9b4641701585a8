//! All ACME URLs: absolute, from the configured base URL, never from what a request says of its
//! host (RFC 8555 section 6.4; servers behind proxies).

use domain::rules::DirectoryAction;
use domain::{AcmeAccountId, AcmeOrderId};

/// Where the ACME server lives below the base URL.
pub const PREFIX: &str = "/mpki/api/v1/acme/v2";

/// Makes URLs, and reads the ones that it made.
#[derive(Debug, Clone)]
pub struct Urls {
    /// The public base URL without a slash at its end.
    base: String,
}

impl Urls {
    /// URLs below `base_url`, as `https://certdeck.example`.
    pub fn new(base_url: &str) -> Self {
        Self { base: base_url.trim_end_matches('/').to_owned() }
    }

    /// The public URL of a path of this server with its query, as a request line holds it.
    pub fn absolute(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.base)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{PREFIX}/{path}", self.base)
    }

    /// The portal itself: `website` in the directory's `meta`.
    pub fn website(&self) -> String {
        format!("{}/", self.base)
    }

    /// The subscriber agreement: `termsOfService` in the directory's `meta`.
    pub fn terms(&self) -> String {
        self.at("terms")
    }

    /// The directory, without an action.
    pub fn directory(&self) -> String {
        self.at("directory")
    }

    /// One of the resources that are the same for all actions.
    pub fn resource(&self, name: &str) -> String {
        self.at(name)
    }

    /// newOrder, with what the directory URL asked for in its path (rule A2).
    pub fn new_order(&self, asked: Option<DirectoryAction>) -> String {
        match asked {
            None => self.at("new-order"),
            Some(action) => self.at(&format!("new-order/{}", action.path())),
        }
    }

    /// An account.
    pub fn account(&self, id: AcmeAccountId) -> String {
        self.at(&format!("account/{id}"))
    }

    /// The account whose URL this is.
    pub fn account_of(&self, url: &str) -> Option<AcmeAccountId> {
        let digits = url.strip_prefix(&self.at("account/"))?;
        let canonical =
            digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        digits.parse().ok().filter(|_| canonical)
    }

    /// A page of an account's orders, from the one before `cursor` on.
    pub fn orders(&self, id: AcmeAccountId, cursor: Option<AcmeOrderId>) -> String {
        match cursor {
            None => self.at(&format!("account/{id}/orders")),
            Some(cursor) => self.at(&format!("account/{id}/orders?cursor={cursor}")),
        }
    }

    /// An order.
    pub fn order(&self, id: AcmeOrderId) -> String {
        self.at(&format!("order/{id}"))
    }

    /// Where an order is finalized.
    pub fn finalize(&self, id: AcmeOrderId) -> String {
        self.at(&format!("order/{id}/finalize"))
    }

    /// An order's certificate; `chain` counts the alternates.
    pub fn certificate(&self, id: AcmeOrderId, chain: usize) -> String {
        match chain {
            0 => self.at(&format!("certificate/{id}")),
            _ => self.at(&format!("certificate/{id}/{chain}")),
        }
    }

    /// An authorization.
    pub fn authorization(&self, id: i64) -> String {
        self.at(&format!("authz/{id}"))
    }

    /// A challenge.
    pub fn challenge(&self, id: i64) -> String {
        self.at(&format!("challenge/{id}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_the_account_urls_that_it_makes() {
        let urls = Urls::new("https://ca.test/");
        let url = urls.account(AcmeAccountId(17));
        assert_eq!(url, "https://ca.test/mpki/api/v1/acme/v2/account/17");
        assert_eq!(urls.account_of(&url), Some(AcmeAccountId(17)));
        for other in ["http://ca.test/mpki/api/v1/acme/v2/account/17", "17", ""] {
            assert_eq!(urls.account_of(other), None, "{other}");
        }
        for tail in ["/", "/orders", "x", "?a=b"] {
            assert_eq!(urls.account_of(&format!("{url}{tail}")), None, "{tail}");
        }
        assert_eq!(urls.account_of("https://ca.test/mpki/api/v1/acme/v2/account/+17"), None);
        assert_eq!(urls.account_of("https://ca.test/mpki/api/v1/acme/v2/account/017"), None);
    }
}
