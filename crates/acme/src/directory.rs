//! The directory object (RFC 8555 section 7.1.1).

use domain::model::acme::DEFAULT_PROFILE;
use domain::rules::{DirectoryAction, parse_directory};
use serde_json::{Value, json};

use crate::AcmeServer;
use crate::problem::Problem;
use crate::reply::with_optional;

/// The directory for what the URL asks for (rule A2). The action travels in the path of
/// `newOrder`, which clients sign; everything else is the same for all actions.
pub fn directory(server: &AcmeServer, asked: Option<DirectoryAction>) -> Value {
    let urls = server.urls();
    let meta = json!({
        "termsOfService": urls.terms(),
        "website": urls.website(),
        "externalAccountRequired": true,
        "profiles": {
            DEFAULT_PROFILE: "The product, validity and key types of the ACME Directory URL that the account is bound to.",
        },
    });
    let identities = server.config().caa_identity.as_ref().map(|identity| json!([identity]));
    let meta = with_optional(meta, [("caaIdentities", identities)]);
    json!({
        "newNonce": urls.resource("new-nonce"),
        "newAccount": urls.resource("new-account"),
        "newOrder": urls.new_order(asked),
        "newAuthz": urls.resource("new-authz"),
        "revokeCert": urls.resource("revoke-cert"),
        "keyChange": urls.resource("key-change"),
        "renewalInfo": urls.resource("renewal-info"),
        "meta": meta,
    })
}

/// What path and query ask for; refused in words where they can't be read.
pub fn asked(path: &str, query: &[(String, String)]) -> Result<Option<DirectoryAction>, Problem> {
    parse_directory(path, query).map_err(|refusal| Problem::malformed(refusal.message))
}
