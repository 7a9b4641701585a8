//! The list of endpoints: filters, sort, keyset pages.

use domain::model::{EndpointStatus, ServedIssuer};
use domain::{AgentId, DnsName, EndpointId, Timestamp};
use sqlx::QueryBuilder;

use super::address::spelled;
use super::{COLUMNS, EndpointRecord, Row};
use crate::dashboard::MOST;
use crate::value::small;
use crate::{StoreError, Tx, on};

/// What filters go by that change while nobody writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Certificates that end earlier are expired.
    pub now: Timestamp,
    /// Agents that were last heard of earlier are silent.
    pub unheard_before: Timestamp,
}

impl Default for Moment {
    /// The beginning of time: nobody is silent yet, and nothing expired.
    fn default() -> Self {
        Self { now: Timestamp(0), unheard_before: Timestamp(0) }
    }
}

/// What to show.
#[derive(Debug, Clone, Default)]
pub struct EndpointFilter {
    /// Only these; all where empty.
    pub ids: Vec<EndpointId>,
    /// Also those that are no longer there.
    pub also_gone: bool,
    /// Only with this status, as people see it: see [`EndpointStatus::waits_for_the_agent`].
    pub status: Option<EndpointStatus>,
    /// Only where nothing goes on before a person acts: automation came to nothing, the agent is
    /// silent, or what is in place is expired, revoked or missing and nothing is under way.
    pub needs_action: bool,
    /// When, for the two before.
    pub moment: Moment,
    /// Only of this agent.
    pub agent: Option<AgentId>,
    /// Only serving a certificate of this kind of issuer.
    pub issuer: Option<ServedIssuer>,
    /// Only where the served certificate ends at this moment or later.
    pub ends_from: Option<Timestamp>,
    /// Only where the served certificate ends at this moment or before.
    pub ends_until: Option<Timestamp>,
    /// Only where IP, name or order number contain this text.
    pub text: Option<String>,
}

/// The order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EndpointSort {
    /// By address, as numbers and IPv4 first, then by port.
    #[default]
    Address,
    /// By common name.
    CommonName,
    /// By expiry of what is served.
    Expires,
}

/// The place of an endpoint in the sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointKey {
    /// The sorted column's value: the address's key and the port (`4c0000207-443`, see
    /// [`EndpointRecord::ip_key`]), the common name, or epoch seconds.
    pub value: String,
    /// The endpoint's id.
    pub id: i64,
}

impl EndpointSort {
    /// The sorted expression; endpoints without the value come last in both directions' rising order.
    const fn expression(self) -> &'static str {
        match self {
            Self::Address => "e.ip_key",
            Self::CommonName => "coalesce(e.served_common_name, '~')",
            Self::Expires => "coalesce(e.served_not_after, 9999999999)",
        }
    }

    /// The key of `record` in this order.
    pub fn key(self, record: &EndpointRecord) -> EndpointKey {
        let served = record.served.as_ref();
        let value = match self {
            Self::Address => format!("{}-{}", record.ip_key, record.port),
            Self::CommonName => served
                .and_then(|served| served.common_name.as_ref())
                .map_or_else(|| "~".to_owned(), ToString::to_string),
            Self::Expires => served.map_or(9_999_999_999, |served| served.not_after.0).to_string(),
        };
        EndpointKey { value, id: record.id.0 }
    }
}

fn push_filter<DB>(query: &mut QueryBuilder<DB>, filter: &EndpointFilter)
where
    DB: sqlx::Database,
    for<'q> String: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    for<'q> i64: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    query.push(if filter.also_gone { " WHERE 1 = 1" } else { " WHERE e.gone_at IS NULL" });
    if !filter.ids.is_empty() {
        query.push(" AND e.id IN (");
        let mut ids = query.separated(", ");
        for id in &filter.ids {
            ids.push_bind(id.0);
        }
        query.push(")");
    }
    if let Some(status) = filter.status {
        query.push(" AND ");
        push_status(query, status, filter.moment);
    }
    if filter.needs_action {
        query.push(" AND (");
        push_in(query, EndpointStatus::needs_a_person);
        query.push(" OR ");
        push_status(query, EndpointStatus::AgentError, filter.moment);
        query.push(" OR (");
        push_in(query, EndpointStatus::is_at_rest);
        query.push(" AND (e.served_not_after < ").push_bind(filter.moment.now.0);
        query.push(
            " OR (NOT e.auto_replace AND e.certificate_id IS NOT NULL AND (e.issuer_kind = 'none' \
             OR EXISTS (SELECT 1 FROM certificates c WHERE c.id = e.certificate_id \
             AND c.status <> 'issued')))))",
        );
        query.push(")");
    }
    if let Some(agent) = filter.agent {
        query.push(" AND e.agent_id = ").push_bind(agent.0);
    }
    if let Some(issuer) = filter.issuer {
        query.push(" AND e.issuer_kind = ").push_bind(issuer.as_str().to_owned());
    }
    if let Some(from) = filter.ends_from {
        query.push(" AND e.served_not_after >= ").push_bind(from.0);
    }
    if let Some(until) = filter.ends_until {
        query.push(" AND e.served_not_after <= ").push_bind(until.0);
    }
    if let Some(text) = &filter.text {
        push_text(query, text.trim());
    }
}

fn push_text<DB>(query: &mut QueryBuilder<DB>, text: &str)
where
    DB: sqlx::Database,
    for<'q> String: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let typed = text.to_lowercase();
    let contains = |text: &str| {
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    };
    let pattern = contains(&typed);
    let shown = contains(&spelled(&typed));
    query.push(" AND (e.ip || ':' || CAST(e.port AS TEXT) LIKE ").push_bind(shown.clone());
    query.push(" ESCAPE '\\'");
    // As it is shown: an IPv6 address stands in brackets.
    query.push(" OR e.ip LIKE '%:%' AND '[' || e.ip || ']:' || CAST(e.port AS TEXT) LIKE ");
    query.push_bind(shown).push(" ESCAPE '\\'");
    // The names are one JSON text: what is of their letters only is found within one of them.
    let of_names = |one: char| one.is_ascii_alphanumeric() || ".*-:".contains(one);
    let certified = match DnsName::parse_host(text) {
        Ok(name) if !typed.is_ascii() => name.to_string(),
        _ => typed,
    };
    if certified.chars().all(of_names) {
        let pattern = format!("%{certified}%");
        for column in ["e.served_names", "e.served_common_name"] {
            push_contains(query, column, &pattern);
        }
    }
    for column in ["lower(e.server_name)", "lower(e.alias)"] {
        push_contains(query, column, &pattern);
    }
    query.push(" OR CAST(e.order_number AS TEXT) = ").push_bind(text.to_owned());
    query.push(")");
}

fn push_contains<DB>(query: &mut QueryBuilder<DB>, column: &str, pattern: &str)
where
    DB: sqlx::Database,
    for<'q> String: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    query.push(" OR ").push(column).push(" LIKE ").push_bind(pattern.to_owned());
    query.push(" ESCAPE '\\'");
}

/// Endpoints that people see with this status.
fn push_status<DB>(query: &mut QueryBuilder<DB>, status: EndpointStatus, moment: Moment)
where
    DB: sqlx::Database,
    for<'q> String: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    for<'q> i64: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let unheard = moment.unheard_before.0;
    query.push("(e.status = ").push_bind(status.as_str().to_owned());
    if status == EndpointStatus::AgentError {
        query.push(" OR (coalesce(a.last_seen_at, 0) < ").push_bind(unheard).push(" AND ");
        push_in(query, EndpointStatus::waits_for_the_agent);
        query.push(")");
    } else if status.waits_for_the_agent() {
        query.push(" AND coalesce(a.last_seen_at, 0) >= ").push_bind(unheard);
    }
    query.push(")");
}

fn push_in<DB>(query: &mut QueryBuilder<DB>, which: fn(EndpointStatus) -> bool)
where
    DB: sqlx::Database,
    for<'q> String: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    query.push("e.status IN (");
    let mut statuses = query.separated(", ");
    for status in EndpointStatus::ALL.iter().filter(|status| which(**status)) {
        statuses.push_bind(status.as_str().to_owned());
    }
    query.push(")");
}

fn push_place<DB>(
    query: &mut QueryBuilder<DB>,
    sort: EndpointSort,
    descending: bool,
    after: Option<&EndpointKey>,
    limit: i64,
) where
    DB: sqlx::Database,
    for<'q> String: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    for<'q> i64: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let (column, compare) = (sort.expression(), if descending { " < " } else { " > " });
    if let Some(key) = after {
        match sort {
            EndpointSort::Address => {
                let (ip, port) = key.value.split_once('-').unwrap_or((&key.value, ""));
                query.push(" AND (e.ip_key, e.port, e.id)").push(compare).push("(");
                query.push_bind(ip.to_owned()).push(", ");
                query.push_bind(port.parse().unwrap_or(0_i64)).push(", ");
                query.push_bind(key.id).push(")");
            }
            EndpointSort::CommonName => {
                query.push(" AND (").push(column).push(", e.id)").push(compare).push("(");
                query.push_bind(key.value.clone()).push(", ").push_bind(key.id).push(")");
            }
            EndpointSort::Expires => {
                query.push(" AND (").push(column).push(", e.id)").push(compare).push("(");
                query
                    .push_bind(key.value.parse().unwrap_or(0_i64))
                    .push(", ")
                    .push_bind(key.id)
                    .push(")");
            }
        }
    }
    let direction = if descending { " DESC" } else { "" };
    query.push(" ORDER BY ").push(column).push(direction);
    if sort == EndpointSort::Address {
        query.push(", e.port").push(direction);
    }
    query.push(format_args!(", e.id{direction} LIMIT {limit}"));
}

impl Tx {
    /// How many endpoints the filter shows; at most [`MOST`].
    pub async fn count_endpoints(&mut self, filter: &EndpointFilter) -> Result<u64, StoreError> {
        let count: i64 = on!(self, |conn| {
            let mut query = QueryBuilder::new(
                "SELECT count(*) FROM (SELECT 1 AS one FROM endpoints e JOIN agents a ON a.id = e.agent_id",
            );
            push_filter(&mut query, filter);
            query.push(format_args!(" LIMIT {MOST}) AS found"));
            query.build_query_scalar().fetch_one(&mut *conn).await?
        });
        small("count", count)
    }

    /// One page of endpoints behind `after`.
    pub async fn endpoints(
        &mut self,
        filter: &EndpointFilter,
        sort: EndpointSort,
        descending: bool,
        after: Option<&EndpointKey>,
        limit: i64,
    ) -> Result<Vec<EndpointRecord>, StoreError> {
        let select =
            format!("SELECT {COLUMNS} FROM endpoints e JOIN agents a ON a.id = e.agent_id");
        let rows: Vec<Row> = on!(self, |conn| {
            let mut query = QueryBuilder::new(select);
            push_filter(&mut query, filter);
            push_place(&mut query, sort, descending, after, limit);
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        rows.into_iter().map(TryInto::try_into).collect()
    }
}
