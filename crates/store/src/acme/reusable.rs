//! What an account has already that a newOrder can use: the identical order that is still open, and
//! authorizations that hold. Looked up by one statement, however many names there are.

use domain::model::acme::{AuthorizationStatus, Identifier, NewAcmeOrder};
use domain::rules::DirectoryAction;
use domain::{AcmeAccountId, AcmeOrderId, Timestamp};

use crate::tx::listed;
use crate::value::{names_key, parse, to_json};
use crate::{StoreError, Tx, on};

/// What identical requests have in common.
#[derive(Debug, Clone, Copy)]
pub struct OpenOrderKey<'a> {
    /// Whose.
    pub account: AcmeAccountId,
    /// What.
    pub wanted: &'a NewAcmeOrder,
    /// Orders that wait for the client and end before this moment are passed over. Those that wait
    /// for a reviewer do so for as long as it takes.
    pub until: Timestamp,
    /// So are those that wait for the client where one of their authorizations is given up or ends
    /// before this moment.
    pub authorized_until: Timestamp,
}

/// An authorization that an order can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedAuthorization {
    /// Without `*.`.
    pub identifier: Identifier,
    /// Whether it is for `*.` and the identifier.
    pub wildcard: bool,
    /// One of the organization's validated domain, or one that was validated by challenge.
    pub prevalidated: bool,
    /// It holds longer than until then.
    pub until: Timestamp,
}

/// Its id, and which of the two states it is in that an order can use; none where there is none.
pub type UsableAuthorization = Option<(i64, AuthorizationStatus)>;

/// For each of the list its place in it and the newest authorization of the account `$1` that can be
/// used: kind, value, `*`, `vouched` and the moment.
macro_rules! usable {
    ($db:ident, $list:literal) => {
        concat!(
            "SELECT CAST(value ->> 0 AS BIGINT) AS place, a.id AS id, a.status AS status FROM ",
            listed!($db, $list),
            " JOIN acme_authorizations a ON a.id = (SELECT u.id FROM acme_authorizations u \
             WHERE u.account_id = $1 AND u.identifier_value = value ->> 2 \
             AND u.wildcard = (value ->> 3 = '*') AND u.status IN ('pending', 'valid') \
             AND u.expires_at > CAST(value ->> 5 AS BIGINT) AND u.identifier_kind = value ->> 1 \
             AND u.prevalidated = (value ->> 4 = 'vouched') ORDER BY u.id DESC LIMIT 1)"
        )
    };
}

/// The same, and with the place -1 an unfinished order that asks for just the same, the newest.
macro_rules! open_and_usable {
    ($db:ident) => {
        concat!(
            "SELECT -1 AS place, id, status FROM (SELECT id, status FROM acme_orders \
             WHERE account_id = $1 AND names_key = $2 \
             AND status IN ('pending', 'ready', 'processing') \
             AND COALESCE(profile, 'default') = $4 AND COALESCE(replaces, '') = $5 \
             AND COALESCE(action, '') = $6 AND COALESCE(action_order, 0) = $7 \
             AND (status = 'processing' OR (expires_at > $3 AND NOT EXISTS \
             (SELECT 1 FROM acme_order_authorizations l \
             JOIN acme_authorizations a ON a.id = l.authorization_id \
             WHERE l.acme_order_id = acme_orders.id \
             AND (a.status NOT IN ('pending', 'valid') OR a.expires_at <= $8)))) \
             ORDER BY id DESC LIMIT 1) AS open_order UNION ALL ",
            usable!($db, "$9")
        )
    };
}

/// Place, id and status.
type Row = (i64, i64, String);

const OPEN_ORDER: i64 = -1;

impl Tx {
    /// An account's unfinished order that asks for just the same, and for each of `wanted` the newest
    /// authorization that can be used.
    ///
    /// A pending authorization stays as it is until this transaction ends: whoever validates it
    /// meanwhile sees the order that was made for it.
    pub async fn open_order_and_authorizations(
        &mut self,
        key: OpenOrderKey<'_>,
        wanted: &[WantedAuthorization],
    ) -> Result<(Option<AcmeOrderId>, Vec<UsableAuthorization>), StoreError> {
        let sql =
            if self.is_postgres() { open_and_usable!(postgres) } else { open_and_usable!(sqlite) };
        let order = key.wanted;
        let rows: Vec<Row> = on!(self, |conn| {
            sqlx::query_as(sql)
                .bind(key.account.0)
                .bind(names_key(&order.names()))
                .bind(key.until.0)
                .bind(&order.profile)
                .bind(order.replaces.as_deref().unwrap_or_default())
                .bind(order.asked.map_or("", |asked| asked.action().as_str()))
                .bind(order.asked.and_then(DirectoryAction::order).map_or(0, |order| order.0))
                .bind(key.authorized_until.0)
                .bind(list(wanted)?)
                .fetch_all(&mut *conn)
                .await?
        });
        let (open, usable): (Vec<Row>, Vec<Row>) =
            rows.into_iter().partition(|(place, _, _)| *place == OPEN_ORDER);
        let open = open.first().map(|(_, id, _)| AcmeOrderId(*id));
        Ok((open, self.usable(wanted, usable).await?))
    }

    /// For each of `wanted` the newest authorization of an account that can be used, of which the
    /// same holds.
    pub async fn usable_authorizations(
        &mut self,
        account: AcmeAccountId,
        wanted: &[WantedAuthorization],
    ) -> Result<Vec<UsableAuthorization>, StoreError> {
        let sql = if self.is_postgres() { usable!(postgres, "$2") } else { usable!(sqlite, "$2") };
        let rows: Vec<Row> = on!(self, |conn| {
            sqlx::query_as(sql).bind(account.0).bind(list(wanted)?).fetch_all(&mut *conn).await?
        });
        self.usable(wanted, rows).await
    }

    async fn usable(
        &mut self,
        wanted: &[WantedAuthorization],
        rows: Vec<Row>,
    ) -> Result<Vec<UsableAuthorization>, StoreError> {
        let mut usable = vec![None; wanted.len()];
        for (place, id, status) in rows {
            let place = usize::try_from(place).ok();
            let Some((place, wanted)) = place.and_then(|at| Some((at, wanted.get(at)?))) else {
                return Err(StoreError::corrupt("the place of an authorization"));
            };
            let status = parse("acme_authorizations.status", &status)?;
            let found = if self.is_postgres() && status == AuthorizationStatus::Pending {
                self.held_authorization(id, wanted.until).await?
            } else {
                Some((id, status))
            };
            if let Some(slot) = usable.get_mut(place) {
                *slot = found;
            }
        }
        Ok(usable)
    }

    /// The same authorization, locked, as whoever was changing it has left it; none where it is of
    /// no use any more. SQLite has one writer anyway, and no such lock.
    async fn held_authorization(
        &mut self,
        id: i64,
        until: Timestamp,
    ) -> Result<UsableAuthorization, StoreError> {
        let status: Option<String> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT status FROM acme_authorizations WHERE id = $1 \
                 AND status IN ('pending', 'valid') AND expires_at > $2 FOR SHARE",
            )
            .bind(id)
            .bind(until.0)
            .fetch_optional(&mut *conn)
            .await?
        });
        status.map(|status| Ok((id, parse("acme_authorizations.status", &status)?))).transpose()
    }
}

/// As [`usable!`] reads it.
fn list(wanted: &[WantedAuthorization]) -> Result<String, StoreError> {
    let list: Vec<_> = wanted
        .iter()
        .enumerate()
        .map(|(place, one)| {
            let wildcard = if one.wildcard { "*" } else { "" };
            let vouched = if one.prevalidated { "vouched" } else { "" };
            let Identifier { kind, value } = &one.identifier;
            (place, kind.as_str(), value.as_str(), wildcard, vouched, one.until.0)
        })
        .collect();
    to_json("acme_authorizations", &list)
}
