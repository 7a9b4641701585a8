//! CAA with a challenge (RFC 8659), and the resolver lent to the desk, which looks at CAA when names
//! that were validated before are issued.

use std::pin::Pin;

use domain::AcmeAccountId;
use domain::rules::{CaaIssuance, CaaRecord, judge_caa};
use lifecycle::acme::ValidationTask;
use lifecycle::caa::CaaLookup;

use super::{Dns, Failure, Validator};
use crate::urls::Urls;

impl Validator<'_> {
    /// Climbs from the name to the top (RFC 8659 section 3); the first non-empty set decides.
    /// IP addresses have no CAA.
    pub(super) async fn check_caa(&self, task: &ValidationTask) -> Result<(), Failure> {
        let issuance = CaaIssuance {
            identity: self.reach.config.caa_identity.as_deref(),
            account: Some(&self.account_url),
            method: task.challenge.kind.as_str(),
            wildcard: task.wildcard,
        };
        let name = task.identifier.name();
        let name = name.map_err(|error| Failure::last("rejectedIdentifier", error.to_string()))?;
        for domain in name.ancestors() {
            let records = self.reach.dns.caa(domain).await?;
            if !records.is_empty() {
                return judge_caa(&records, &issuance).map_err(|words| {
                    Failure::last(
                        "caa",
                        format!("The CAA records of {domain} forbid this certificate: {words}."),
                    )
                });
            }
        }
        Ok(())
    }
}

/// The DNS as the desk asks it.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub dns: Dns,
    pub urls: Urls,
}

impl CaaLookup for Lookup {
    fn caa<'a>(
        &'a self,
        domain: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<CaaRecord>, String>> + Send + 'a>> {
        Box::pin(async move { self.dns.caa(domain).await.map_err(Failure::words) })
    }

    fn account_url(&self, account: AcmeAccountId) -> String {
        self.urls.account(account)
    }
}
