//! The terms that newAccount agrees to.

use crate::reply::Reply;

const TERMS: &str = "Certificates from this authority are for the organization that made the ACME Directory URL, \
for names that it controls. Keep private keys secret; revoke a certificate when its key may be known to others.\n";

pub async fn get() -> Reply {
    Reply::text("text/plain; charset=utf-8", TERMS.to_owned())
}
