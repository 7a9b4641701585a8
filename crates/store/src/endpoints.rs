//! Endpoints under *Automation > Automated IPs*: what serves where, and what is planned for it.

mod address;
mod auto_renew;
mod gone;
mod list;
#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod tests;

use domain::model::{AutoRenew, EndpointStatus, Serial, ServedIssuer};
use domain::{
    AgentId, CertificateId, Days, EndpointId, EventId, Name, NameSet, OrderNumber, ProfileId,
    Timestamp, UserId,
};
pub use list::{EndpointFilter, EndpointKey, EndpointSort, Moment};

use self::address::ip_key;
use crate::value::{from_json, parse, parse_opt, small, to_json};
use crate::{StoreError, Tx, on};

/// What an endpoint serves, read from a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The chain, leaf first.
    pub chain_pem: String,
    /// The leaf's serial.
    pub serial: Serial,
    /// The leaf's issuer, as people read it.
    pub issuer: String,
    /// The leaf's common name, where it is a DNS name.
    pub common_name: Option<Name>,
    /// The leaf's DNS names.
    pub names: NameSet,
    /// Start of its validity.
    pub not_before: Timestamp,
    /// End of its validity.
    pub not_after: Timestamp,
}

impl Served {
    /// What it is called: the common name, else the first of the names.
    pub fn name(&self) -> Option<&Name> {
        self.common_name.as_ref().or_else(|| self.names.iter().next())
    }
}

/// Where a certificate of ours is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The certificate.
    pub certificate: CertificateId,
    /// The endpoint that serves it.
    pub endpoint: EndpointId,
    /// Its address.
    pub ip: String,
    /// Its TCP port.
    pub port: u16,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRecord {
    /// Its id.
    pub id: EndpointId,
    /// The agent that reported it.
    pub agent: AgentId,
    /// The agent's name.
    pub agent_name: String,
    /// When the agent was heard of last.
    pub agent_seen_at: Option<Timestamp>,
    /// Whether the agent was removed.
    pub agent_removed: bool,
    /// Since when it is no longer there: the agent reports without it, or was removed.
    pub gone_at: Option<Timestamp>,
    /// Its address.
    pub ip: String,
    /// What its address is sorted by: `4` or `6` and the address in hexadecimal digits, as
    /// `4c0000207`.
    pub ip_key: String,
    /// Its TCP port.
    pub port: u16,
    /// Its server name (SNI), where it has one of its own.
    pub server_name: Option<String>,
    /// Software and version.
    pub software: Option<String>,
    /// The name that the agent's configuration gives it.
    pub alias: Option<String>,
    /// Whose certificate it serves.
    pub issuer_kind: ServedIssuer,
    /// What it serves, where the last handshake showed a certificate.
    pub served: Option<Served>,
    /// Our certificate that it serves.
    pub certificate: Option<CertificateId>,
    /// That certificate's order.
    pub order: Option<OrderNumber>,
    /// Its automation status.
    pub status: EndpointStatus,
    /// The profile that auto-renew uses.
    pub profile: Option<ProfileId>,
    /// When auto-renew acts; none where it is off.
    pub auto_renew: Option<AutoRenew>,
    /// In whose name it renews.
    pub auto_renew_user: Option<UserId>,
    /// The names that it renews: of what was in place when a person switched it on, or of what was
    /// requested and installed since. None where nothing was in place then.
    pub auto_renew_names: Option<NameSet>,
    /// "Auto-replace revoked or missing certificates".
    pub auto_replace: bool,
    /// When auto-renew acts next.
    pub next_auto_renew_at: Option<Timestamp>,
    /// Its newest event.
    pub current_event: Option<EventId>,
    /// When it was looked at last.
    pub last_probe_at: Option<Timestamp>,
    /// Why the last handshake failed.
    pub probe_error: Option<String>,
    /// Since when they have failed one after the other.
    pub missed_since: Option<Timestamp>,
    /// Why the agent can't install here by itself.
    pub manual_reason: Option<String>,
    /// Why a person is needed.
    pub cause: Option<String>,
    /// What they can do.
    pub solution: Option<String>,
}

/// What a report says of one endpoint.
#[derive(Debug, Clone)]
pub struct EndpointReport {
    /// Its address.
    pub ip: String,
    /// Its TCP port.
    pub port: u16,
    /// Its server name; empty for the default one.
    pub server_name: String,
    /// Software and version.
    pub software: Option<String>,
    /// The name that the agent's configuration gives it.
    pub alias: Option<String>,
    /// Why the agent can't install here by itself.
    pub manual_reason: Option<String>,
}

/// What was found out about the served certificate.
#[derive(Debug, Clone)]
pub struct EndpointProbe {
    /// Whose it is.
    pub issuer_kind: ServedIssuer,
    /// What is served.
    pub served: Option<Served>,
    /// Our certificate.
    pub certificate: Option<CertificateId>,
    /// Its order.
    pub order: Option<OrderNumber>,
    /// Why the handshake failed.
    pub error: Option<String>,
    /// When.
    pub at: Timestamp,
}

pub(crate) const COLUMNS: &str = "e.id, e.agent_id, a.name AS agent_name, a.last_seen_at AS agent_seen_at, \
     a.removed_at IS NOT NULL AS agent_removed, e.gone_at, e.ip, e.ip_key, e.port, e.server_name, \
     e.server_software, e.alias, e.issuer_kind, e.served_chain_pem, e.served_serial, \
     e.served_issuer, e.served_common_name, e.served_names, e.served_not_before, e.served_not_after, \
     e.certificate_id, e.order_number, e.status, e.profile_id, e.auto_renew, e.auto_renew_days, \
     e.auto_renew_minute, e.auto_renew_time_zone, e.auto_renew_user_id, e.auto_renew_names, e.auto_replace, \
     e.next_auto_renew_at, e.current_event_id, e.last_probe_at, e.probe_error, e.missed_since, e.manual_reason, e.cause, \
     e.solution";

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: i64,
    agent_id: i64,
    agent_name: String,
    agent_seen_at: Option<i64>,
    agent_removed: bool,
    gone_at: Option<i64>,
    ip: String,
    ip_key: String,
    port: i64,
    server_name: String,
    server_software: Option<String>,
    alias: Option<String>,
    issuer_kind: String,
    served_chain_pem: Option<String>,
    served_serial: Option<String>,
    served_issuer: Option<String>,
    served_common_name: Option<String>,
    served_names: Option<String>,
    served_not_before: Option<i64>,
    served_not_after: Option<i64>,
    certificate_id: Option<i64>,
    order_number: Option<i64>,
    status: String,
    profile_id: Option<i64>,
    auto_renew: bool,
    auto_renew_days: Option<i64>,
    auto_renew_minute: Option<i64>,
    auto_renew_time_zone: Option<String>,
    auto_renew_user_id: Option<i64>,
    auto_renew_names: Option<String>,
    auto_replace: bool,
    next_auto_renew_at: Option<i64>,
    current_event_id: Option<i64>,
    last_probe_at: Option<i64>,
    probe_error: Option<String>,
    missed_since: Option<i64>,
    manual_reason: Option<String>,
    cause: Option<String>,
    solution: Option<String>,
}

impl Row {
    fn served(&self) -> Result<Option<Served>, StoreError> {
        let (Some(chain_pem), Some(serial), Some(not_before), Some(not_after)) = (
            &self.served_chain_pem,
            &self.served_serial,
            self.served_not_before,
            self.served_not_after,
        ) else {
            return Ok(None);
        };
        let names = self.served_names.as_deref().unwrap_or("[]");
        Ok(Some(Served {
            chain_pem: chain_pem.clone(),
            serial: Serial(serial.clone()),
            issuer: self.served_issuer.clone().unwrap_or_default(),
            common_name: parse_opt(
                "endpoints.served_common_name",
                self.served_common_name.as_deref(),
            )?,
            names: from_json("endpoints.served_names", names)?,
            not_before: Timestamp(not_before),
            not_after: Timestamp(not_after),
        }))
    }

    fn auto_renew(&self) -> Result<Option<AutoRenew>, StoreError> {
        match (
            self.auto_renew,
            self.auto_renew_days,
            self.auto_renew_minute,
            &self.auto_renew_time_zone,
        ) {
            (true, Some(days), Some(minute), Some(time_zone)) => Ok(Some(AutoRenew {
                days_before: Days(days),
                minute_of_day: small("endpoints.auto_renew_minute", minute)?,
                time_zone: time_zone.clone(),
            })),
            _ => Ok(None),
        }
    }
}

impl TryFrom<Row> for EndpointRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: EndpointId(row.id),
            agent: AgentId(row.agent_id),
            served: row.served()?,
            auto_renew: row.auto_renew()?,
            agent_name: row.agent_name,
            agent_seen_at: row.agent_seen_at.map(Timestamp),
            agent_removed: row.agent_removed,
            gone_at: row.gone_at.map(Timestamp),
            ip: row.ip,
            ip_key: row.ip_key,
            port: small("endpoints.port", row.port)?,
            server_name: Some(row.server_name).filter(|name| !name.is_empty()),
            software: row.server_software,
            alias: row.alias,
            issuer_kind: parse("endpoints.issuer_kind", &row.issuer_kind)?,
            certificate: row.certificate_id.map(CertificateId),
            order: row.order_number.map(OrderNumber),
            status: parse("endpoints.status", &row.status)?,
            profile: row.profile_id.map(ProfileId),
            auto_renew_user: row.auto_renew_user_id.map(UserId),
            auto_renew_names: row
                .auto_renew_names
                .as_deref()
                .map(|names| from_json("endpoints.auto_renew_names", names))
                .transpose()?,
            auto_replace: row.auto_replace,
            next_auto_renew_at: row.next_auto_renew_at.map(Timestamp),
            current_event: row.current_event_id.map(EventId),
            last_probe_at: row.last_probe_at.map(Timestamp),
            probe_error: row.probe_error,
            missed_since: row.missed_since.map(Timestamp),
            manual_reason: row.manual_reason,
            cause: row.cause,
            solution: row.solution,
        })
    }
}

impl Tx {
    /// One endpoint.
    pub async fn endpoint(&mut self, id: EndpointId) -> Result<Option<EndpointRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM endpoints e JOIN agents a ON a.id = e.agent_id WHERE e.id = $1"
        ));
        let row: Option<Row> =
            on!(self, |conn| sqlx::query_as(sql).bind(id.0).fetch_optional(&mut *conn).await?);
        row.map(TryInto::try_into).transpose()
    }

    /// Where the certificates of this order are served; the first 200 places.
    pub async fn installed(&mut self, order: OrderNumber) -> Result<Vec<Installed>, StoreError> {
        let rows: Vec<(i64, i64, String, i64)> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT certificate_id, id, ip, port FROM endpoints \
                 WHERE order_number = $1 AND certificate_id IS NOT NULL AND served_serial IS NOT NULL \
                 AND gone_at IS NULL ORDER BY id LIMIT 200",
            )
            .bind(order.0)
            .fetch_all(&mut *conn)
            .await?
        });
        let place = |(certificate, endpoint, ip, port): (i64, i64, String, i64)| {
            Ok(Installed {
                certificate: CertificateId(certificate),
                endpoint: EndpointId(endpoint),
                ip,
                port: small("endpoints.port", port)?,
            })
        };
        rows.into_iter().map(place).collect()
    }

    /// Makes the endpoint known, or brings what is known of it up to date.
    pub async fn report_endpoint(
        &mut self,
        agent: AgentId,
        report: &EndpointReport,
        now: Timestamp,
    ) -> Result<EndpointId, StoreError> {
        let id: i64 = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO endpoints (agent_id, ip, port, server_name, server_software, alias, manual_reason, \
                 status, created_at, ip_key) VALUES ($1, $2, $3, $4, $5, $6, $7, 'configured', $8, $9) \
                 ON CONFLICT (agent_id, ip, port, server_name) DO UPDATE SET \
                 server_software = excluded.server_software, alias = excluded.alias, \
                 manual_reason = excluded.manual_reason, ip_key = excluded.ip_key RETURNING id",
            )
            .bind(agent.0)
            .bind(&report.ip)
            .bind(i64::from(report.port))
            .bind(&report.server_name)
            .bind(report.software.as_deref())
            .bind(report.alias.as_deref())
            .bind(report.manual_reason.as_deref())
            .bind(now.0)
            .bind(ip_key(&report.ip))
            .fetch_one(&mut *conn)
            .await?
        });
        Ok(EndpointId(id))
    }

    /// Keeps what a handshake showed.
    pub async fn set_endpoint_probe(
        &mut self,
        id: EndpointId,
        probe: &EndpointProbe,
    ) -> Result<(), StoreError> {
        let served = probe.served.as_ref();
        let names =
            served.map(|served| to_json("endpoints.served_names", &served.names)).transpose()?;
        on!(self, |conn| {
            sqlx::query(
                "UPDATE endpoints SET issuer_kind = $2, served_chain_pem = $3, served_serial = $4, \
                 served_issuer = $5, served_common_name = $6, served_names = $7, served_not_before = $8, \
                 served_not_after = $9, certificate_id = $10, order_number = $11, probe_error = $12, \
                 last_probe_at = $13, \
                 missed_since = CASE WHEN $12 IS NOT NULL THEN COALESCE(missed_since, $13) END WHERE id = $1",
            )
            .bind(id.0)
            .bind(probe.issuer_kind.as_str())
            .bind(served.map(|served| served.chain_pem.as_str()))
            .bind(served.map(|served| served.serial.0.as_str()))
            .bind(served.map(|served| served.issuer.as_str()))
            .bind(served.and_then(|served| served.common_name.as_ref()).map(Name::as_str))
            .bind(names.as_deref())
            .bind(served.map(|served| served.not_before.0))
            .bind(served.map(|served| served.not_after.0))
            .bind(probe.certificate.map(|id| id.0))
            .bind(probe.order.map(|number| number.0))
            .bind(probe.error.as_deref())
            .bind(probe.at.0)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Keeps an endpoint's automation status with its newest event.
    pub async fn set_endpoint_status(
        &mut self,
        id: EndpointId,
        status: EndpointStatus,
        event: Option<EventId>,
        cause: Option<&str>,
        solution: Option<&str>,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE endpoints SET status = $2, current_event_id = coalesce($3, current_event_id), \
                 cause = $4, solution = $5 WHERE id = $1",
            )
            .bind(id.0)
            .bind(status.as_str())
            .bind(event.map(|event| event.0))
            .bind(cause)
            .bind(solution)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }
}
