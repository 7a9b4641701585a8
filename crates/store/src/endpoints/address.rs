//! Addresses of endpoints: what they are sorted by, and how they are spelled.

use std::net::{IpAddr, SocketAddr};

use crate::{StoreError, Tx, on};

/// See [`super::EndpointRecord::ip_key`]; what is no address comes after all that are.
pub(super) fn ip_key(ip: &str) -> String {
    match ip.parse() {
        Ok(IpAddr::V4(four)) => format!("4{:08x}", four.to_bits()),
        Ok(IpAddr::V6(six)) => format!("6{:032x}", six.to_bits()),
        Err(_) => format!("9{}", ip.replace('-', "_")),
    }
}

/// A whole address in its one spelling, with its port or without; all else as it was typed.
pub(super) fn spelled(typed: &str) -> String {
    if let Ok(with_port) = typed.parse::<SocketAddr>() {
        return with_port.to_string();
    }
    let bare = typed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match (bare, bare.unwrap_or(typed).parse::<IpAddr>()) {
        (Some(_), Ok(ip)) => format!("[{ip}]"),
        (None, Ok(ip)) => ip.to_string(),
        _ => typed.to_owned(),
    }
}

impl Tx {
    /// Gives endpoints that an earlier program wrote the key that their address is sorted by, up to
    /// `limit` of them; how many there were.
    pub(crate) async fn fill_address_keys(&mut self, limit: i64) -> Result<usize, StoreError> {
        let without: Vec<(i64, String)> = on!(self, |conn| {
            sqlx::query_as("SELECT id, ip FROM endpoints WHERE ip_key = '' ORDER BY id LIMIT $1")
                .bind(limit)
                .fetch_all(&mut *conn)
                .await?
        });
        for (id, ip) in &without {
            on!(self, |conn| {
                sqlx::query("UPDATE endpoints SET ip_key = $2 WHERE id = $1")
                    .bind(id)
                    .bind(ip_key(ip))
                    .execute(&mut *conn)
                    .await?;
            });
        }
        Ok(without.len())
    }
}
