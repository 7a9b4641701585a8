//! One file for each resource. A handler reads its payload, calls the desk, and shapes the answer.

pub mod account;
pub mod authorization;
pub mod certificate;
pub mod challenge;
pub mod directory;
pub mod finalize;
pub mod key_change;
pub mod new_account;
pub mod new_authz;
pub mod new_nonce;
pub mod new_order;
pub mod orders;
pub mod renewal_info;
pub mod revoke_cert;
pub mod terms;

use crate::problem::Problem;
use crate::request;

/// What handlers answer.
type Answer = Result<crate::reply::Reply, Problem>;

/// A number from a path; what is none names nothing.
fn id(text: &str, what: &'static str) -> Result<i64, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| Problem::not_found(what))
}

/// Reads a payload as resources do before they ask the desk: for the fuzz targets, which have no
/// desk. True where one of them takes it.
#[doc(hidden)]
pub fn read_payload(payload: &[u8]) -> bool {
    let order = new_order::read(payload, None).is_ok();
    let account = request::read::<new_account::NewAccount>(payload)
        .is_ok_and(|wanted| account::check_contacts(&wanted.contact).is_ok());
    let revocation = revoke_cert::read(payload)
        .is_ok_and(|(der, _)| revoke_cert::read_certificate(&der).is_ok());
    order || account || revocation
}
