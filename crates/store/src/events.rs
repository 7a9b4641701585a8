//! Automation events: one piece of work on one endpoint, from its schedule to its verification.

mod waiting;

use domain::model::{EndpointAction, EventMode, EventStatus, Profile};
use domain::{
    AgentId, CertificateId, EndpointId, EventId, Name, NameSet, OrderNumber, RequestId, Timestamp,
    UserId,
};
use sqlx::QueryBuilder;

use crate::keyset::{Rows, push_rows};
use crate::value::{from_json, parse, parse_opt, to_json};
use crate::{StoreError, Tx, on};

/// An event to be inserted.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Where.
    pub endpoint: EndpointId,
    /// What was asked.
    pub action: EndpointAction,
    /// How it gets its certificate.
    pub mode: EventMode,
    /// The order that is duplicated, renewed or reissued.
    pub source_order: Option<OrderNumber>,
    /// The profile as it is now; edits leave the event as it was.
    pub profile: Profile,
    /// The common name.
    pub common_name: Name,
    /// All names.
    pub names: NameSet,
    /// Names that a duplicate adds (rule D6).
    pub extra_names: NameSet,
    /// Where it stands.
    pub status: EventStatus,
    /// When it runs.
    pub scheduled_at: Timestamp,
    /// The time zone in which the requester chose the time.
    pub time_zone: String,
    /// Who asked.
    pub requester: Option<UserId>,
    /// Their name.
    pub requester_name: Option<String>,
    /// Additional e-mail addresses.
    pub emails: Vec<String>,
    /// The requester's words.
    pub note: Option<String>,
    /// The request that waits for approval.
    pub request: Option<RequestId>,
    /// At most one event has this key: a double submit finds the first one.
    pub idempotency_key: Option<String>,
    /// Why it does what it does, as JSON; none where that is decided when it runs.
    pub explanation: Option<String>,
    /// Now.
    pub created_at: Timestamp,
}

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Its id.
    pub id: EventId,
    /// Where.
    pub endpoint: EndpointId,
    /// What was asked.
    pub action: EndpointAction,
    /// How it gets its certificate.
    pub mode: EventMode,
    /// The order that is duplicated, renewed or reissued.
    pub source_order: Option<OrderNumber>,
    /// The profile as it was when the event was made.
    pub profile: Profile,
    /// The common name.
    pub common_name: Name,
    /// All names.
    pub names: NameSet,
    /// Names that a duplicate adds.
    pub extra_names: NameSet,
    /// Where it stands.
    pub status: EventStatus,
    /// When it runs.
    pub scheduled_at: Timestamp,
    /// The requester's time zone.
    pub time_zone: String,
    /// Who asked.
    pub requester: Option<UserId>,
    /// Their name.
    pub requester_name: Option<String>,
    /// Additional e-mail addresses.
    pub emails: Vec<String>,
    /// The requester's words.
    pub note: Option<String>,
    /// The request that waits or waited for approval.
    pub request: Option<RequestId>,
    /// The order that the certificate belongs to.
    pub order: Option<OrderNumber>,
    /// The certificate.
    pub certificate: Option<CertificateId>,
    /// Tries so far that failed.
    pub attempt: i64,
    /// Not before then again.
    pub next_attempt_at: Option<Timestamp>,
    /// The order whose renewal by another it waits for.
    pub waits_for: Option<OrderNumber>,
    /// The agent's CSR.
    pub csr_pem: Option<String>,
    /// When the CSR came.
    pub csr_at: Option<Timestamp>,
    /// When the order was placed or chosen.
    pub ordered_at: Option<Timestamp>,
    /// When the certificate was issued.
    pub issued_at: Option<Timestamp>,
    /// When the agent had installed it.
    pub installed_at: Option<Timestamp>,
    /// When a handshake showed it.
    pub verified_at: Option<Timestamp>,
    /// When the event came to its end.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub cause: Option<String>,
    /// What a person can do.
    pub solution: Option<String>,
    /// The decision in a readable form, as JSON.
    pub explanation: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether auto-renew made it, so that nobody has seen its names.
    pub automatic: bool,
}

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only of this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Only with this status.
    pub status: Option<EventStatus>,
    /// Only of this person.
    pub requester: Option<UserId>,
}

const COLUMNS: &str = "id, endpoint_id, action, mode, source_order, profile, common_name, names, extra_names, \
     status, scheduled_at, time_zone, requester_id, requester_name, emails, note, request_id, order_number, \
     certificate_id, attempt, next_attempt_at, csr_pem, csr_at, ordered_at, issued_at, installed_at, \
     verified_at, finished_at, cause, solution, explanation, created_at, waits_for, \
     COALESCE(idempotency_key LIKE 'auto:%', FALSE) AS automatic";

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    endpoint_id: i64,
    action: String,
    mode: String,
    source_order: Option<i64>,
    profile: String,
    common_name: Option<String>,
    names: Option<String>,
    extra_names: Option<String>,
    status: String,
    scheduled_at: i64,
    time_zone: String,
    requester_id: Option<i64>,
    requester_name: Option<String>,
    emails: String,
    note: Option<String>,
    request_id: Option<i64>,
    order_number: Option<i64>,
    certificate_id: Option<i64>,
    attempt: i64,
    next_attempt_at: Option<i64>,
    csr_pem: Option<String>,
    csr_at: Option<i64>,
    ordered_at: Option<i64>,
    issued_at: Option<i64>,
    installed_at: Option<i64>,
    verified_at: Option<i64>,
    finished_at: Option<i64>,
    cause: Option<String>,
    solution: Option<String>,
    explanation: Option<String>,
    created_at: i64,
    waits_for: Option<i64>,
    automatic: bool,
}

impl TryFrom<Row> for EventRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let common_name = parse_opt("events.common_name", row.common_name.as_deref())?
            .ok_or_else(|| StoreError::corrupt("events.common_name is empty"))?;
        Ok(Self {
            id: EventId(row.id),
            endpoint: EndpointId(row.endpoint_id),
            action: parse("events.action", &row.action)?,
            mode: parse("events.mode", &row.mode)?,
            source_order: row.source_order.map(OrderNumber),
            profile: from_json("events.profile", &row.profile)?,
            common_name,
            names: from_json("events.names", row.names.as_deref().unwrap_or("[]"))?,
            extra_names: from_json(
                "events.extra_names",
                row.extra_names.as_deref().unwrap_or("[]"),
            )?,
            status: parse("events.status", &row.status)?,
            scheduled_at: Timestamp(row.scheduled_at),
            time_zone: row.time_zone,
            requester: row.requester_id.map(UserId),
            requester_name: row.requester_name,
            emails: from_json("events.emails", &row.emails)?,
            note: row.note,
            request: row.request_id.map(RequestId),
            order: row.order_number.map(OrderNumber),
            certificate: row.certificate_id.map(CertificateId),
            attempt: row.attempt,
            next_attempt_at: row.next_attempt_at.map(Timestamp),
            waits_for: row.waits_for.map(OrderNumber),
            csr_pem: row.csr_pem,
            csr_at: row.csr_at.map(Timestamp),
            ordered_at: row.ordered_at.map(Timestamp),
            issued_at: row.issued_at.map(Timestamp),
            installed_at: row.installed_at.map(Timestamp),
            verified_at: row.verified_at.map(Timestamp),
            finished_at: row.finished_at.map(Timestamp),
            cause: row.cause,
            solution: row.solution,
            explanation: row.explanation,
            created_at: Timestamp(row.created_at),
            automatic: row.automatic,
        })
    }
}

impl Tx {
    /// Inserts an event. None where one with the same idempotency key is there already.
    pub async fn insert_event(&mut self, new: &NewEvent) -> Result<Option<EventId>, StoreError> {
        let profile = to_json("events.profile", &new.profile)?;
        let names = to_json("events.names", &new.names)?;
        let extra = to_json("events.extra_names", &new.extra_names)?;
        let emails = to_json("events.emails", &new.emails)?;
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO events (endpoint_id, action, mode, source_order, profile_id, profile, common_name, \
                 names, extra_names, status, scheduled_at, time_zone, requester_id, requester_name, emails, note, \
                 request_id, idempotency_key, created_at, explanation) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) \
                 ON CONFLICT (idempotency_key) DO NOTHING RETURNING id",
            )
            .bind(new.endpoint.0)
            .bind(new.action.as_str())
            .bind(new.mode.as_str())
            .bind(new.source_order.map(|number| number.0))
            .bind(new.profile.id.0)
            .bind(profile.as_str())
            .bind(new.common_name.as_str())
            .bind(names.as_str())
            .bind(extra.as_str())
            .bind(new.status.as_str())
            .bind(new.scheduled_at.0)
            .bind(&new.time_zone)
            .bind(new.requester.map(|id| id.0))
            .bind(new.requester_name.as_deref())
            .bind(emails.as_str())
            .bind(new.note.as_deref())
            .bind(new.request.map(|id| id.0))
            .bind(new.idempotency_key.as_deref())
            .bind(new.created_at.0)
            .bind(new.explanation.as_deref())
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(id.map(EventId))
    }

    /// The event with this idempotency key.
    pub async fn event_by_key(&mut self, key: &str) -> Result<Option<EventId>, StoreError> {
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar("SELECT id FROM events WHERE idempotency_key = $1")
                .bind(key)
                .fetch_optional(&mut *conn)
                .await?
        });
        Ok(id.map(EventId))
    }

    /// Whether auto-renew made an event of an endpoint, due at `since` or later, for the certificate
    /// with this serial.
    pub async fn auto_renewed_since(
        &mut self,
        endpoint: EndpointId,
        serial: &str,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM events WHERE endpoint_id = $1 \
                 AND scheduled_at >= $2 AND idempotency_key LIKE $3)",
            )
            .bind(endpoint.0)
            .bind(since.0)
            .bind(format!("auto:{endpoint}:%:{serial}"))
            .fetch_one(&mut *conn)
            .await?
        }))
    }

    /// One event.
    pub async fn event(&mut self, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM events WHERE id = $1"));
        let row: Option<Row> =
            on!(self, |conn| sqlx::query_as(sql).bind(id.0).fetch_optional(&mut *conn).await?);
        row.map(TryInto::try_into).transpose()
    }

    /// Which of these events this person asked for.
    pub async fn events_asked_by(
        &mut self,
        user: UserId,
        ids: &[EventId],
    ) -> Result<Vec<EventId>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let own: Vec<i64> = on!(self, |conn| {
            let mut query = QueryBuilder::new("SELECT id FROM events WHERE requester_id = ");
            query.push_bind(user.0).push(" AND id IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(id.0);
            }
            query.push(") ORDER BY id");
            query.build_query_scalar().fetch_all(&mut *conn).await?
        });
        Ok(own.into_iter().map(EventId).collect())
    }

    /// One event, for change: on PostgreSQL nobody else changes it until this transaction ends.
    pub async fn event_for_update(
        &mut self,
        id: EventId,
    ) -> Result<Option<EventRecord>, StoreError> {
        self.lock(&format!("event:{id}")).await?;
        self.event(id).await
    }

    /// The unfinished event of an endpoint.
    pub async fn open_event(
        &mut self,
        endpoint: EndpointId,
    ) -> Result<Option<EventRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM events WHERE endpoint_id = $1 AND finished_at IS NULL ORDER BY id DESC LIMIT 1"
        ));
        let row: Option<Row> = on!(self, |conn| sqlx::query_as(sql)
            .bind(endpoint.0)
            .fetch_optional(&mut *conn)
            .await?);
        row.map(TryInto::try_into).transpose()
    }

    /// The events that wait for this agent, the longest due first. An agent has few endpoints
    /// with work at a time.
    pub async fn events_for_agent(
        &mut self,
        agent: AgentId,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM events WHERE finished_at IS NULL AND status IN ('scheduled', 'in_progress') \
             AND endpoint_id IN (SELECT id FROM endpoints WHERE agent_id = $1) \
             AND scheduled_at <= $2 AND (next_attempt_at IS NULL OR next_attempt_at <= $2) \
             ORDER BY scheduled_at, id LIMIT $3"
        ));
        let rows: Vec<Row> = on!(self, |conn| {
            sqlx::query_as(sql).bind(agent.0).bind(now.0).bind(limit).fetch_all(&mut *conn).await?
        });
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// One page of events by id: in the order in which they were made, or newest first.
    pub async fn events(
        &mut self,
        filter: &EventFilter,
        rows: &Rows,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let found: Vec<Row> = on!(self, |conn| {
            let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM events WHERE 1 = 1"));
            if let Some(endpoint) = filter.endpoint {
                query.push(" AND endpoint_id = ").push_bind(endpoint.0);
            }
            if let Some(status) = filter.status {
                query.push(" AND status = ").push_bind(status.as_str());
            }
            if let Some(requester) = filter.requester {
                query.push(" AND requester_id = ").push_bind(requester.0);
            }
            push_rows!(query, "id", "id", rows);
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        found.into_iter().map(TryInto::try_into).collect()
    }

    /// Writes back everything of an event that its work changes.
    pub async fn save_event(&mut self, event: &EventRecord) -> Result<(), StoreError> {
        let profile = to_json("events.profile", &event.profile)?;
        on!(self, |conn| {
            sqlx::query(
                "UPDATE events SET status = $2, order_number = $3, certificate_id = $4, attempt = $5, \
                 next_attempt_at = $6, csr_pem = $7, csr_at = $8, ordered_at = $9, issued_at = $10, \
                 installed_at = $11, verified_at = $12, finished_at = $13, cause = $14, solution = $15, \
                 explanation = $16, source_order = $17, mode = $18, profile = $19, scheduled_at = $20, \
                 request_id = $21, waits_for = $22 WHERE id = $1",
            )
            .bind(event.id.0)
            .bind(event.status.as_str())
            .bind(event.order.map(|number| number.0))
            .bind(event.certificate.map(|id| id.0))
            .bind(event.attempt)
            .bind(event.next_attempt_at.map(|at| at.0))
            .bind(event.csr_pem.as_deref())
            .bind(event.csr_at.map(|at| at.0))
            .bind(event.ordered_at.map(|at| at.0))
            .bind(event.issued_at.map(|at| at.0))
            .bind(event.installed_at.map(|at| at.0))
            .bind(event.verified_at.map(|at| at.0))
            .bind(event.finished_at.map(|at| at.0))
            .bind(event.cause.as_deref())
            .bind(event.solution.as_deref())
            .bind(event.explanation.as_deref())
            .bind(event.source_order.map(|number| number.0))
            .bind(event.mode.as_str())
            .bind(profile.as_str())
            .bind(event.scheduled_at.0)
            .bind(event.request.map(|id| id.0))
            .bind(event.waits_for.map(|order| order.0))
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }
}
