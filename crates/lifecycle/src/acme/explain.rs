//! "Try a request" and `certdeck acme explain`: the decision for names that someone types in,
//! without issuing anything.

use domain::model::AcmeUrl;
use domain::rules::{DirectoryAction, Explanation};
use domain::{Name, NameSet, Refusal, Timestamp};
use serde_json::{Value, json};
use store::Tx;

use super::decide::{Question, decide};
use super::new_order::check_names;
use super::{AcmeError, AcmeResult};
use crate::{Lifecycle, LifecycleError, Result, settings};

/// What is asked about.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// The ACME Directory URL's name.
    pub url_name: String,
    /// The identifiers.
    pub names: NameSet,
    /// The CSR's common name, where it has one.
    pub common_name: Option<Name>,
    /// What the directory URL asks for.
    pub asked: Option<DirectoryAction>,
    /// At which moment; none for now.
    pub at: Option<Timestamp>,
}

/// What a dry run came to.
#[derive(Debug, Clone)]
pub enum DryRunAnswer {
    /// What would be done, and why.
    Decided(Explanation),
    /// Which rule would refuse it.
    Refused(Refusal),
}

impl DryRunAnswer {
    /// The answer as `certdeck acme explain --json` prints it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Decided(explanation) => json!(explanation),
            Self::Refused(refusal) => json!({ "refusal": refusal }),
        }
    }
}

impl Lifecycle {
    /// Answers what a request would come to. Nothing is written.
    pub async fn acme_explain(&self, run: &DryRun) -> Result<DryRunAnswer> {
        let now = run.at.unwrap_or_else(|| self.clock().now());
        let mut tx = self.store().reader().await?;
        let url = tx
            .acme_url_by_name(&run.url_name)
            .await?
            .ok_or(LifecycleError::NotFound { what: "ACME Directory URL" })?;
        let question = Question {
            url: &url,
            names: &run.names,
            common_name: run.common_name.as_ref(),
            explicit: run.asked,
            replaced: None,
            windows: settings::preferences(&mut tx).await?.windows,
            issuer_not_after: self.issuer_end_in(&mut tx).await?,
        };
        let decided = decide(&mut tx, question, now).await.map(|(decided, _)| decided.explanation);
        let mut answered = answer(decided)?;
        if let DryRunAnswer::Decided(explanation) = &mut answered
            && let Some(words) = not_ordered(&mut tx, &url, &run.names, self.clock().now()).await?
        {
            explanation.why = format!(
                "{} But as things are, newOrder refuses the names: {words}",
                explanation.why
            );
        }
        Ok(answered)
    }
}

/// Why newOrder would refuse the names before anything is decided: a URL that was revoked, or a
/// validation that is missing or has expired. Looked at as it is now, whatever moment was asked about: it can be made by then.
async fn not_ordered(
    tx: &mut Tx,
    url: &AcmeUrl,
    names: &NameSet,
    now: Timestamp,
) -> Result<Option<String>> {
    if tx.active_acme_url(url.id).await?.is_none() {
        return Ok(Some("the ACME Directory URL was revoked.".to_owned()));
    }
    let names: Vec<Name> = names.iter().cloned().collect();
    match check_names(tx, url, &names, now).await {
        Ok(_) => Ok(None),
        Err(AcmeError::Fault(fault)) => Ok(Some(fault.detail)),
        Err(AcmeError::Desk(error)) => Err(error),
        Err(error) => Err(LifecycleError::Internal(error.to_string())),
    }
}

fn answer(decided: AcmeResult<Explanation>) -> Result<DryRunAnswer> {
    match decided {
        Ok(explanation) => Ok(DryRunAnswer::Decided(explanation)),
        Err(AcmeError::Desk(LifecycleError::Refused(refusal))) => {
            Ok(DryRunAnswer::Refused(refusal))
        }
        Err(AcmeError::Desk(error)) => Err(error),
        Err(error) => Err(LifecycleError::Internal(error.to_string())),
    }
}
