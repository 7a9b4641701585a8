//! http-01 (RFC 8555 section 8.3): a file on port 80 that holds the key authorization.

use lifecycle::acme::ValidationTask;

use super::{Failure, Record, Validator};

impl Validator<'_> {
    pub(super) async fn http01(
        &self,
        task: &ValidationTask,
        record: &mut Record,
    ) -> Result<(), Failure> {
        let path = format!("/.well-known/acme-challenge/{}", task.challenge.token);
        let body = self.reach.file(&task.identifier, &path, record).await?;
        compare(&body, task)
    }
}

/// The body must be the key authorization; white space after it is ignored. What it was instead
/// is not told: it may be a page of an internal server.
fn compare(body: &[u8], task: &ValidationTask) -> Result<(), Failure> {
    if body.trim_ascii_end() == task.key_authorization.as_bytes() {
        return Ok(());
    }
    let words = format!(
        "The file at {} on {} is not the expected key authorization.",
        "/.well-known/acme-challenge/…", task.identifier.value
    );
    Err(Failure::again("incorrectResponse", words))
}
