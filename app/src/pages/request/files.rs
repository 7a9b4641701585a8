//! Reading a CSR while it is pasted.

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::desk::Desk;

/// What the CSR says, or what is wrong with it (422), in words.
pub async fn csr(_desk: Desk, csr: String) -> Response {
    match lifecycle::ask::read_csr(csr.as_bytes()) {
        Ok(facts) => {
            let common_name =
                facts.common_name.map(|name| format!("Common name {name}. ")).unwrap_or_default();
            let names: Vec<&str> = facts.names.iter().map(domain::Name::as_str).collect();
            format!("{common_name}Names: {}. Key: {}.", names.join(", "), facts.key).into_response()
        }
        Err(fault) => (StatusCode::UNPROCESSABLE_ENTITY, fault.to_string()).into_response(),
    }
}
