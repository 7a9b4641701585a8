//! dns-01 (RFC 8555 section 8.4): a TXT record with the digest of the key authorization.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lifecycle::acme::ValidationTask;

use super::{Failure, Validator};

impl Validator<'_> {
    pub(super) async fn dns01(&self, task: &ValidationTask) -> Result<(), Failure> {
        let name = format!("_acme-challenge.{}", task.identifier.value);
        let wanted = URL_SAFE_NO_PAD.encode(digest(&SHA256, task.key_authorization.as_bytes()));
        let values = self.reach.dns.txt(&name).await?;
        if values.contains(&wanted) {
            return Ok(());
        }
        let words = match values.len() {
            0 => format!("There is no TXT record at {name}."),
            count => format!("None of the {count} TXT records at {name} is the expected one."),
        };
        Err(Failure::again(if values.is_empty() { "dns" } else { "incorrectResponse" }, words))
    }
}
