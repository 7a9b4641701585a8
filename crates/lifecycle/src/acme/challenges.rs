//! Challenges: answered by clients, validated by jobs (RFC 8555 sections 7.5.1 and 8).
//!
//! An answer claims the challenge, freezes the key authorization and writes the job, in one
//! transaction; answering again changes nothing. What a validation finds comes back through
//! [`AcmeDesk::finish_validation`].

use std::sync::Arc;

use domain::AcmeAccountId;
use domain::Timestamp;
use domain::model::acme::{
    AcmeAccount, Authorization, AuthorizationStatus, Challenge, ChallengeStatus, Fault, Identifier,
};
use store::Tx;

use super::authorizations::{owned, seen};
use super::{AcmeDesk, AcmeError, AcmePolicy, AcmeResult, orders};
use crate::{Result, rate};

/// Longer than the longest attempt: a lease must not end while its attempt runs.
const LEASE_SECONDS: i64 = 120;
/// Validations of one ACME Directory URL that run at once, in all processes: half of one's places, so
/// that slow servers of one customer leave others theirs.
const OF_ONE_URL: i64 = 128;

/// A validation that is due.
#[derive(Debug, Clone)]
pub struct ValidationTask {
    job: i64,
    /// The account that answered, for CAA's `accounturi` (RFC 8657).
    pub account: AcmeAccountId,
    /// What control is to be shown of, without `*.`.
    pub identifier: Identifier,
    /// Whether it is for `*.` and the identifier.
    pub wildcard: bool,
    /// The challenge.
    pub challenge: Challenge,
    /// What must be found (RFC 8555 section 8.1).
    pub key_authorization: String,
}

/// What a validation found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValidationOutcome {
    /// Control was shown.
    Valid,
    /// Not as it should be; another attempt may find it different.
    NotYet(Fault),
    /// No; and another attempt would find the same.
    Refused(Fault),
}

impl AcmeDesk {
    /// One of the account's challenges, with the authorization that it belongs to.
    pub async fn challenge(
        &self,
        account: &AcmeAccount,
        id: i64,
    ) -> AcmeResult<(Challenge, Authorization)> {
        let mut tx = self.desk.store().reader().await?;
        find(&mut tx, account, id, self.clock().now()).await
    }

    /// The client says that a challenge can be validated now.
    pub async fn answer_challenge(
        &self,
        account: &AcmeAccount,
        id: i64,
    ) -> AcmeResult<(Challenge, Authorization)> {
        let now = self.clock().now();
        let account = account.clone();
        let limit = self.policy.limits.failures_per_account.one_by_one();
        self.desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let (challenge, authorization) = find(tx, &account, id, now).await?;
                    let open = authorization.status == AuthorizationStatus::Pending;
                    if !open || challenge.status != ChallengeStatus::Pending {
                        return Ok((challenge, authorization));
                    }
                    let expected = format!("{}.{}", challenge.token, account.thumbprint);
                    if tx.claim_challenge(id, &expected).await? {
                        rate::take(tx, now, &failures(account.id), limit).await?;
                        tx.insert_validation_job(id, account.url, now).await?;
                    }
                    find(tx, &account, id, now).await
                })
            })
            .await
    }

    /// Takes validations that are due, with a lease, at most `most`.
    pub async fn due_validations(
        &self,
        owner: &str,
        most: usize,
    ) -> AcmeResult<Vec<ValidationTask>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let now = self.clock().now();
        let owner = owner.to_owned();
        self.desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let lease_until = now.plus_seconds(LEASE_SECONDS);
                    let mut tasks = Vec::new();
                    let jobs = tx.lease_validation_jobs(&owner, now, lease_until, most, OF_ONE_URL);
                    let mut needless = Vec::new();
                    for job in jobs.await? {
                        match task(tx, job.id, job.challenge).await? {
                            Task::Due(task) => tasks.push(*task),
                            Task::Dropped { of_valid } => {
                                needless.extend(of_valid);
                                tx.finish_validation_job(job.id, false, now).await?;
                            }
                        }
                    }
                    // Last of all: the account's other validations come to these rows as well.
                    for account in needless {
                        rate::give_back(tx, &failures(account)).await?;
                    }
                    Ok(tasks)
                })
            })
            .await
    }

    /// A name for a process in its leases. Process ids are not enough: in containers they are alike.
    pub fn new_lease_owner() -> Result<String> {
        let mut random = [0_u8; 16];
        crate::random::fill(&mut random)?;
        Ok(format!("process {} {:032x}", std::process::id(), u128::from_be_bytes(random)))
    }

    /// Gives back the validations that `owner` took and did not end, for others to take at once.
    pub async fn give_leases_back(&self, owner: &str) -> AcmeResult<()> {
        let owner = owner.to_owned();
        let write = self.desk.store().write(move |tx| {
            Box::pin(async move { Ok::<_, AcmeError>(tx.release_jobs(&owner).await?) })
        });
        write.await
    }

    /// Keeps what a validation found. `record` is what was looked up and what answered, as JSON,
    /// without anything of a fetched body.
    pub async fn finish_validation(
        &self,
        task: ValidationTask,
        outcome: ValidationOutcome,
        record: String,
    ) -> AcmeResult<()> {
        let now = self.clock().now();
        let policy = Arc::clone(&self.policy);
        self.desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    match outcome {
                        ValidationOutcome::Valid => succeed(tx, &policy, &task, &record, now).await,
                        ValidationOutcome::NotYet(fault)
                            if task.challenge.attempts + 1 < policy.validation_attempts =>
                        {
                            tx.note_challenge_attempt(task.challenge.id, &fault, &record).await?;
                            let pause = pause_after(task.challenge.attempts);
                            Ok(tx
                                .postpone_validation_job(
                                    task.job,
                                    now.plus_seconds(pause),
                                    &fault.detail,
                                )
                                .await?)
                        }
                        ValidationOutcome::NotYet(fault) | ValidationOutcome::Refused(fault) => {
                            fail(tx, &task, fault, &record, now).await
                        }
                    }
                })
            })
            .await
    }
}

/// Seconds until the next attempt: 1, 3, 9, …
fn pause_after(attempts: i64) -> i64 {
    3_i64.saturating_pow(u32::try_from(attempts.clamp(0, 5)).unwrap_or(0))
}

fn failures(account: AcmeAccountId) -> String {
    format!("acme-failed-validations/{account}")
}

async fn find(
    tx: &mut Tx,
    account: &AcmeAccount,
    id: i64,
    now: Timestamp,
) -> AcmeResult<(Challenge, Authorization)> {
    let missing = || AcmeError::NotFound("challenge");
    let authorization = tx.authorization_of_challenge(id).await?.ok_or_else(missing)?;
    let authorization = owned(tx, account, authorization).await.map_err(|error| match error {
        AcmeError::NotFound(_) => missing(),
        other => other,
    })?;
    let authorization = seen(authorization, now);
    let challenge = authorization.challenges.iter().find(|challenge| challenge.id == id).cloned();
    Ok((decided(challenge.ok_or_else(missing)?, &authorization), authorization))
}

/// Nobody validates a challenge any more whose authorization another one has decided.
fn decided(challenge: Challenge, authorization: &Authorization) -> Challenge {
    use AuthorizationStatus::{Invalid, Valid};
    let open = matches!(challenge.status, ChallengeStatus::Pending | ChallengeStatus::Processing);
    if !open || !matches!(authorization.status, Valid | Invalid) {
        return challenge;
    }
    let words = format!(
        "Another challenge has decided the authorization, which is {}; this one is not looked at any more.",
        authorization.status
    );
    let error = Some(Fault::new("malformed", words));
    Challenge { status: ChallengeStatus::Invalid, error, ..challenge }
}

/// What a job is about.
enum Task {
    /// A challenge that is to be validated.
    Due(Box<ValidationTask>),
    /// One that nobody waits for any more.
    Dropped {
        /// Whose, where another challenge has shown control: this one is no failure then.
        of_valid: Option<AcmeAccountId>,
    },
}

async fn task(tx: &mut Tx, job: i64, id: i64) -> AcmeResult<Task> {
    let dropped = Task::Dropped { of_valid: None };
    let Some(authorization) = tx.authorization_of_challenge(id).await? else { return Ok(dropped) };
    let Some(authorization) = tx.authorization(authorization).await? else { return Ok(dropped) };
    let challenge = authorization
        .challenges
        .into_iter()
        .find(|challenge| challenge.id == id && challenge.status == ChallengeStatus::Processing);
    let Some(challenge) = challenge else { return Ok(dropped) };
    match authorization.status {
        AuthorizationStatus::Pending => {}
        AuthorizationStatus::Valid => {
            return Ok(Task::Dropped { of_valid: Some(authorization.account) });
        }
        _ => return Ok(dropped),
    }
    let Some(key_authorization) = challenge.key_authorization.clone() else { return Ok(dropped) };
    Ok(Task::Due(Box::new(ValidationTask {
        job,
        account: authorization.account,
        identifier: authorization.identifier,
        wildcard: authorization.wildcard,
        challenge,
        key_authorization,
    })))
}

async fn succeed(
    tx: &mut Tx,
    policy: &AcmePolicy,
    task: &ValidationTask,
    record: &str,
    now: Timestamp,
) -> AcmeResult<()> {
    let authorization = task.challenge.authorization;
    if tx.finish_challenge(task.challenge.id, None, record, now).await? {
        let until = now.plus_seconds(policy.reuse_seconds);
        let open = [AuthorizationStatus::Pending];
        let valid = AuthorizationStatus::Valid;
        if tx.set_authorization_status(authorization, &open, valid, Some(until), now).await? {
            orders::promote_all_on(tx, authorization, now).await?;
        }
        // What was counted when it was answered, by whatever node, is no failure. Last of all: the
        // account's other validations come to this row as well.
        rate::give_back(tx, &failures(task.account)).await?;
    }
    Ok(tx.finish_validation_job(task.job, false, now).await?)
}

async fn fail(
    tx: &mut Tx,
    task: &ValidationTask,
    fault: Fault,
    record: &str,
    now: Timestamp,
) -> AcmeResult<()> {
    let authorization = task.challenge.authorization;
    if tx.finish_challenge(task.challenge.id, Some(&fault), record, now).await? {
        let open = [AuthorizationStatus::Pending];
        let invalid = AuthorizationStatus::Invalid;
        if tx.set_authorization_status(authorization, &open, invalid, None, now).await? {
            let of_order = Fault {
                subproblems: vec![fault.clone().about(task.identifier.clone())],
                ..Fault::new(
                    &fault.code,
                    format!("Validation of {} failed: {}", task.identifier.value, fault.detail),
                )
            };
            orders::fail_all_on(tx, authorization, &of_order, now).await?;
        }
    }
    Ok(tx.finish_validation_job(task.job, true, now).await?)
}
