//! Authorizations and their challenges (RFC 8555 sections 7.1.4 and 8).

use domain::model::acme::{
    Authorization, AuthorizationStatus, Challenge, ChallengeKind, ChallengeStatus, Fault,
    Identifier,
};
use domain::{AcmeAccountId, Timestamp};

use crate::tx::with_rows;
use crate::value::{from_json, parse, to_json};
use crate::{StoreError, Tx, on};

/// An authorization to be inserted.
#[derive(Debug, Clone)]
pub struct NewAuthorization {
    /// Whose it is.
    pub account: AcmeAccountId,
    /// Without `*.`.
    pub identifier: Identifier,
    /// Whether it is for `*.` and the identifier.
    pub wildcard: bool,
    /// Pending, or valid where the organization's domain was validated before.
    pub status: AuthorizationStatus,
    /// Until when it holds.
    pub expires_at: Timestamp,
    /// Valid without a challenge.
    pub prevalidated: bool,
    /// Made in advance: no order needs it yet.
    pub without_order: bool,
    /// When.
    pub created_at: Timestamp,
    /// Its challenges, in the order in which clients see them.
    pub challenges: Vec<NewChallenge>,
}

/// A challenge to be inserted with its authorization.
#[derive(Debug, Clone)]
pub struct NewChallenge {
    /// Its kind.
    pub kind: ChallengeKind,
    /// 256 random bits in base64url.
    pub token: String,
    /// Pending, or valid with a prevalidated authorization.
    pub status: ChallengeStatus,
}

impl NewAuthorization {
    /// As it is in the database: with its id, and those of its challenges.
    fn inserted(
        self,
        id: i64,
        validated_at: Option<Timestamp>,
        challenges: &[(i64, i64, String)],
    ) -> Authorization {
        let challenge = |(_, challenge, kind): &(i64, i64, String)| {
            let new = self.challenges.iter().find(|new| new.kind.as_str() == kind)?;
            Some(Challenge {
                id: *challenge,
                authorization: id,
                kind: new.kind,
                status: new.status,
                token: new.token.clone(),
                validated_at: validated_at.filter(|_| new.status == ChallengeStatus::Valid),
                error: None,
                key_authorization: None,
                attempts: 0,
            })
        };
        Authorization {
            id,
            account: self.account,
            wildcard: self.wildcard,
            status: self.status,
            expires_at: self.expires_at,
            prevalidated: self.prevalidated,
            created_at: self.created_at,
            challenges: challenges.iter().filter_map(challenge).collect(),
            identifier: self.identifier,
        }
    }
}

/// An authorization with one of its challenges.
#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    account_id: i64,
    identifier_kind: String,
    identifier_value: String,
    wildcard: bool,
    status: String,
    expires_at: i64,
    prevalidated: bool,
    made_at: i64,
    #[sqlx(flatten)]
    challenge: ChallengeRow,
}

#[derive(sqlx::FromRow)]
struct ChallengeRow {
    challenge_id: i64,
    authorization_id: i64,
    kind: String,
    token: String,
    challenge_status: String,
    error: Option<String>,
    validated_at: Option<i64>,
    key_authorization: Option<String>,
    attempts: i64,
}

impl Row {
    fn authorization(self) -> Result<Authorization, StoreError> {
        Ok(Authorization {
            id: self.id,
            account: AcmeAccountId(self.account_id),
            identifier: Identifier {
                kind: parse("acme_authorizations.identifier_kind", &self.identifier_kind)?,
                value: self.identifier_value,
            },
            wildcard: self.wildcard,
            status: parse("acme_authorizations.status", &self.status)?,
            expires_at: Timestamp(self.expires_at),
            prevalidated: self.prevalidated,
            created_at: Timestamp(self.made_at),
            challenges: vec![self.challenge.challenge()?],
        })
    }
}

impl ChallengeRow {
    fn challenge(self) -> Result<Challenge, StoreError> {
        Ok(Challenge {
            id: self.challenge_id,
            authorization: self.authorization_id,
            kind: parse("acme_challenges.kind", &self.kind)?,
            status: parse("acme_challenges.status", &self.challenge_status)?,
            token: self.token,
            validated_at: self.validated_at.map(Timestamp),
            error: self.error.map(|json| from_json("acme_challenges.error", &json)).transpose()?,
            key_authorization: self.key_authorization,
            attempts: self.attempts,
        })
    }
}

macro_rules! insert {
    () => {
        "INSERT INTO acme_authorizations (account_id, identifier_kind, identifier_value, wildcard, \
         status, expires_at, validated_at, prevalidated, created_at, without_order) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    };
}

/// A challenge for each of the list: kind, token and status.
macro_rules! challenges {
    ($authorization:expr) => {
        concat!(
            "INSERT INTO acme_challenges (authorization_id, kind, token, status, validated_at, \
             created_at) SELECT ",
            $authorization,
            ", value ->> 0, value ->> 1, value ->> 2, \
             CASE WHEN value ->> 2 = 'valid' THEN $7 END, $9 FROM "
        )
    };
}

impl Tx {
    /// Inserts an authorization with its challenges, and gives it as it is now.
    pub async fn insert_authorization(
        &mut self,
        new: NewAuthorization,
    ) -> Result<Authorization, StoreError> {
        let validated_at = (new.status == AuthorizationStatus::Valid).then_some(new.created_at);
        let challenges: Vec<_> = new
            .challenges
            .iter()
            .map(|one| (one.kind.as_str(), one.token.as_str(), one.status.as_str()))
            .collect();
        let challenges = to_json("acme_challenges", &challenges)?;
        let sql = with_rows!(self, insert, "id", challenges, "$11", "authorization_id, id, kind");
        let mut rows: Vec<(i64, i64, String)> = on!(self, |conn| {
            sqlx::query_as(sql)
                .bind(new.account.0)
                .bind(new.identifier.kind.as_str())
                .bind(&new.identifier.value)
                .bind(new.wildcard)
                .bind(new.status.as_str())
                .bind(new.expires_at.0)
                .bind(validated_at.map(|at| at.0))
                .bind(new.prevalidated)
                .bind(new.created_at.0)
                .bind(new.without_order)
                .bind(&challenges)
                .fetch_all(&mut *conn)
                .await?
        });
        rows.sort_unstable_by_key(|(_, challenge, _)| *challenge);
        let (id, _, _) =
            rows.first().ok_or_else(|| StoreError::corrupt("an authorization has no challenge"))?;
        Ok(new.inserted(*id, validated_at, &rows))
    }

    /// One authorization with its challenges, in the order in which clients see them.
    pub async fn authorization(&mut self, id: i64) -> Result<Option<Authorization>, StoreError> {
        let rows: Vec<Row> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT a.id, a.account_id, a.identifier_kind, a.identifier_value, a.wildcard, a.status, \
                 a.expires_at, a.prevalidated, a.created_at AS made_at, c.id AS challenge_id, c.authorization_id, c.kind, c.token, \
                 c.status AS challenge_status, c.error, c.validated_at, c.key_authorization, c.attempts \
                 FROM acme_authorizations a JOIN acme_challenges c ON c.authorization_id = a.id \
                 WHERE a.id = $1 ORDER BY c.id",
            )
            .bind(id)
            .fetch_all(&mut *conn)
            .await?
        });
        let mut rows = rows.into_iter();
        let Some(first) = rows.next() else { return Ok(None) };
        let mut authorization = first.authorization()?;
        for row in rows {
            authorization.challenges.push(row.challenge.challenge()?);
        }
        Ok(Some(authorization))
    }

    /// The authorization that a challenge belongs to.
    pub async fn authorization_of_challenge(
        &mut self,
        challenge: i64,
    ) -> Result<Option<i64>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar("SELECT authorization_id FROM acme_challenges WHERE id = $1")
                .bind(challenge)
                .fetch_optional(&mut *conn)
                .await?
        }))
    }

    /// Moves an authorization from one of `from` to `status`; false where it was in another state.
    pub async fn set_authorization_status(
        &mut self,
        id: i64,
        from: &[AuthorizationStatus],
        status: AuthorizationStatus,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let wanted = |status| {
            from.contains(&status).then_some(status).map_or("", AuthorizationStatus::as_str)
        };
        let changed = on!(self, |conn| {
            sqlx::query(
                "UPDATE acme_authorizations SET status = $2, expires_at = COALESCE($3, expires_at), \
                 validated_at = CASE WHEN $2 = 'valid' THEN $4 ELSE validated_at END \
                 WHERE id = $1 AND status IN ($5, $6)",
            )
            .bind(id)
            .bind(status.as_str())
            .bind(expires_at.map(|at| at.0))
            .bind(now.0)
            .bind(wanted(AuthorizationStatus::Pending))
            .bind(wanted(AuthorizationStatus::Valid))
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        Ok(changed > 0)
    }

    /// Claims a challenge: pending → processing, with the key authorization as it is now; false
    /// where it was answered before.
    pub async fn claim_challenge(
        &mut self,
        id: i64,
        key_authorization: &str,
    ) -> Result<bool, StoreError> {
        let changed = on!(self, |conn| {
            sqlx::query(
                "UPDATE acme_challenges SET status = 'processing', key_authorization = $2 \
                 WHERE id = $1 AND status = 'pending'",
            )
            .bind(id)
            .bind(key_authorization)
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        Ok(changed > 0)
    }

    /// Keeps an attempt that did not succeed yet, with what it met.
    pub async fn note_challenge_attempt(
        &mut self,
        id: i64,
        fault: &Fault,
        record: &str,
    ) -> Result<(), StoreError> {
        let error = to_json("acme_challenges.error", fault)?;
        on!(self, |conn| {
            sqlx::query(
                "UPDATE acme_challenges SET attempts = attempts + 1, error = $2, validation_record = $3 \
                 WHERE id = $1 AND status = 'processing'",
            )
            .bind(id)
            .bind(&error)
            .bind(record)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Ends a challenge that is being validated: valid without a fault, invalid with one; false
    /// where it was ended before.
    pub async fn finish_challenge(
        &mut self,
        id: i64,
        fault: Option<&Fault>,
        record: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let error = fault.map(|fault| to_json("acme_challenges.error", fault)).transpose()?;
        let status =
            if fault.is_some() { ChallengeStatus::Invalid } else { ChallengeStatus::Valid };
        let changed = on!(self, |conn| {
            sqlx::query(
                "UPDATE acme_challenges SET status = $2, error = $3, attempts = attempts + 1, \
                 validation_record = $4, validated_at = CASE WHEN $2 = 'valid' THEN $5 ELSE NULL END \
                 WHERE id = $1 AND status = 'processing'",
            )
            .bind(id)
            .bind(status.as_str())
            .bind(error.as_deref())
            .bind(record)
            .bind(now.0)
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        Ok(changed > 0)
    }

    /// Marks pending and valid authorizations whose time is over, at most `limit` of them; answers
    /// which.
    pub async fn expire_authorizations(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<i64>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(
                "UPDATE acme_authorizations SET status = 'expired' WHERE id IN (SELECT id FROM acme_authorizations \
                 WHERE status IN ('pending', 'valid') AND expires_at <= $1 ORDER BY expires_at LIMIT $2) \
                 RETURNING id",
            )
            .bind(now.0)
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?
        }))
    }
}
