//! Looking for a domain's token outside: in a TXT record of the DNS, or in a file on the domain's
//! own web server.

use std::pin::Pin;

use domain::model::DomainProof;
use domain::rules::{check_proof, check_token};
use domain::{DnsName, DomainId};

use super::NO_DOMAIN;
use crate::accounts::require_administrator;
use crate::audit::{self, AuditEntry};
use crate::sessions::SecretToken;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// The DNS label under which a domain's token is looked for.
pub const DNS_LABEL: &str = "_certdeck-validation";
/// The path of the file that holds a domain's token (RFC 8615; Baseline Requirements 3.2.2.4.18).
const FILE_PATH: &str = "/.well-known/pki-validation/fileauth.txt";

/// What a look outside found; where nobody answered as hoped, that in words.
pub type Found<'a, T> = Pin<Box<dyn Future<Output = std::result::Result<T, String>> + Send + 'a>>;

/// A way to look outside. The ACME server has one, with its resolver and its limits.
pub trait TokenLookup: std::fmt::Debug + Send + Sync {
    /// The values of the TXT records at `name`, none where there are none.
    fn txt<'a>(&'a self, name: &'a str) -> Found<'a, Vec<String>>;

    /// The first bytes, many more than a token has, of the file that `host` serves at `path` by
    /// HTTP.
    fn file<'a>(&'a self, host: &'a DnsName, path: &'a str) -> Found<'a, Vec<u8>>;
}

/// The URL of the file that holds the token of the domain `name`.
pub fn file_url(name: &DnsName) -> String {
    format!("http://{name}{FILE_PATH}")
}

impl Lifecycle {
    /// Gives a domain a new token; the one before shows nothing any more. Its validation stays.
    pub async fn replace_domain_token(&self, actor: &Actor, id: DomainId) -> Result<()> {
        require_administrator(actor, "Validating domains")?;
        let token = SecretToken::random("")?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let name = tx.domain(id).await?.ok_or(NO_DOMAIN)?.domain.name;
                    tx.set_domain_token(id, token.reveal(), now).await?;
                    let words = format!("{name} has a new token");
                    let entry = AuditEntry::new("domain.token_replaced", "domain", id, words);
                    audit::record(tx, now, &actor, entry).await
                })
            })
            .await
    }

    /// Looks for the domain's token in the DNS, and validates the domain where it is found.
    ///
    /// # Errors
    /// [`LifecycleError::Conflict`] saying what was found instead; [`LifecycleError::Refused`]
    /// where the token is too old.
    pub async fn check_domain_dns(&self, actor: &Actor, id: DomainId) -> Result<()> {
        require_administrator(actor, "Validating domains")?;
        let record = self.domain(actor, id).await?;
        check_token(record.token_made_at, self.clock().now())?;
        let name = format!("{DNS_LABEL}.{}", record.domain.name);
        let values = self.token_lookup()?.txt(&name).await.map_err(conflict)?;
        let token = record.token.filter(|token| !token.is_empty());
        if token.is_some_and(|token| values.iter().any(|value| value.trim() == token)) {
            return self.validate_domain(actor, id, DomainProof::DnsTxt).await;
        }
        let found = match values.len() {
            0 => format!("There is no TXT record at {name}."),
            1 => format!("The TXT record at {name} is not the token."),
            more => format!("None of the {more} TXT records at {name} is the token."),
        };
        Err(conflict(format!(
            "{found} Put the token there and try again; the DNS may take some minutes to show a change."
        )))
    }

    /// Looks for the domain's token in the file on its web server, and validates the domain, for
    /// its own name alone, where it is found. Nothing of what the file holds instead is told: it
    /// may be a page of an internal server.
    ///
    /// # Errors
    /// [`LifecycleError::Conflict`] saying what was found instead; [`LifecycleError::Refused`]
    /// where the domain's current validation covers more, or the token is too old.
    pub async fn check_domain_file(&self, actor: &Actor, id: DomainId) -> Result<()> {
        require_administrator(actor, "Validating domains")?;
        let record = self.domain(actor, id).await?;
        let domain = record.domain;
        let now = self.clock().now();
        check_proof(&domain, DomainProof::HttpFile, now)?;
        check_token(record.token_made_at, now)?;
        let url = file_url(&domain.name);
        let next = |found: &str| {
            conflict(format!(
                "{found} Serve exactly the token at {url} to everybody who asks by HTTP, and try again; or validate the domain in the DNS."
            ))
        };
        let body = self.token_lookup()?.file(&domain.name, FILE_PATH).await;
        let body = body.map_err(|found| next(&found))?;
        let token = record.token.filter(|token| !token.is_empty());
        if token.is_some_and(|token| body.trim_ascii() == token.as_bytes()) {
            return self.validate_domain(actor, id, DomainProof::HttpFile).await;
        }
        Err(next("The file is there, but what it holds is not the token alone."))
    }
}

fn conflict(message: String) -> LifecycleError {
    LifecycleError::Conflict { message }
}
