//! The resolver and the fetcher lent to the portal: a domain's token is looked for as challenges
//! are.

use std::time::Duration;

use domain::model::acme::Identifier;
use domain::{DnsName, Name};
use lifecycle::organizations::{Found, TokenLookup};
use tokio::time::timeout;

use super::{Failure, Record};
use crate::AcmeServer;

/// The longest that a fetch may take, redirects included: whoever waits for it waits for a page.
const WHOLE: Duration = Duration::from_secs(20);

impl TokenLookup for AcmeServer {
    fn txt<'a>(&'a self, name: &'a str) -> Found<'a, Vec<String>> {
        Box::pin(async move { self.dns().txt(name).await.map_err(Failure::words) })
    }

    fn file<'a>(&'a self, host: &'a DnsName, path: &'a str) -> Found<'a, Vec<u8>> {
        Box::pin(async move {
            let identifier = Identifier::of(&Name::from(host.clone()));
            let mut record = Record::default();
            match timeout(WHOLE, self.reach().file(&identifier, path, &mut record)).await {
                Ok(fetched) => fetched.map_err(Failure::words),
                Err(_) => Err(format!("{host} took too long to answer.")),
            }
        })
    }
}
