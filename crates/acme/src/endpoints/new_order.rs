//! newOrder (RFC 8555 section 7.4), at its own URL and at those that hold an action (rule A2).

use axum::extract::State;
use axum::http::StatusCode;
use domain::Timestamp;
use domain::model::acme::{
    DEFAULT_PROFILE, Fault, FaultyIdentifier, Identifier, IdentifierKind, NewAcmeOrder,
};
use domain::rules::{DirectoryAction, parse_directory_path};
use serde::Deserialize;

use super::{Answer, orders};
use crate::AcmeServer;
use crate::json::Object;
use crate::problem::{Kind, Problem};
use crate::request::{self, ByAccount, ForOrder, InPath};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewOrder {
    identifiers: Vec<Object<RawIdentifier>>,
    not_before: Option<String>,
    not_after: Option<String>,
    profile: Option<String>,
    replaces: Option<String>,
}

/// An identifier whose type may be any.
#[derive(Deserialize)]
pub struct RawIdentifier {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

/// Identifiers as orders hold them: names in lower case, each once, in the client's order. Whether
/// they are names and addresses is looked at with the order. Faults are told for each (RFC 8555
/// section 6.7.1).
pub fn read_identifiers(raw: Vec<Object<RawIdentifier>>) -> Result<Vec<Identifier>, Problem> {
    let mut identifiers: Vec<Identifier> = Vec::new();
    let mut faults = Vec::new();
    for Object(one) in raw {
        match read_identifier(&one) {
            Ok(identifier) if identifiers.contains(&identifier) => {}
            Ok(identifier) => identifiers.push(identifier),
            Err(fault) => {
                faults.push(fault.about(FaultyIdentifier { kind: one.kind, value: one.value }));
            }
        }
    }
    match Fault::of_several(faults) {
        Some(fault) => Err(lifecycle::acme::AcmeError::Fault(fault).into()),
        None => Ok(identifiers),
    }
}

fn read_identifier(raw: &RawIdentifier) -> Result<Identifier, Fault> {
    let shown: String = raw.value.chars().take(80).collect();
    if raw.value.len() > 260 {
        return Err(Fault::new(
            "rejectedIdentifier",
            format!("{shown:?}… is too long for a name."),
        ));
    }
    match raw.kind.as_str() {
        "dns" => {
            Ok(Identifier { kind: IdentifierKind::Dns, value: raw.value.to_ascii_lowercase() })
        }
        // RFC 8738 section 3: as it is, for another text than the canonical one is refused.
        "ip" => Ok(Identifier { kind: IdentifierKind::Ip, value: raw.value.clone() }),
        _ => Err(Fault::new(
            "unsupportedIdentifier",
            "Only identifiers of the types dns and ip are issued.",
        )),
    }
}

pub async fn post(State(server): State<AcmeServer>, ForOrder(request): ForOrder) -> Answer {
    place(&server, None, request).await
}

pub async fn post_alias(
    State(server): State<AcmeServer>,
    InPath(path): InPath<String>,
    ForOrder(request): ForOrder,
) -> Answer {
    let asked =
        parse_directory_path(&path).map_err(|refusal| Problem::malformed(refusal.message))?;
    place(&server, asked, request).await
}

async fn place(server: &AcmeServer, asked: Option<DirectoryAction>, request: ByAccount) -> Answer {
    let ByAccount { account, signed } = request;
    let wanted = read(&signed.payload, asked)?;
    let order = server.desk().new_order(&account, wanted, signed.address).await?;
    Ok(orders::answer(server, &order, StatusCode::CREATED))
}

/// The wish of a payload.
pub fn read(payload: &[u8], asked: Option<DirectoryAction>) -> Result<NewAcmeOrder, Problem> {
    let wanted: NewOrder = request::read(payload)?;
    if let Some(profile) = wanted.profile.as_deref().filter(|profile| *profile != DEFAULT_PROFILE) {
        let shown: String = profile.chars().take(40).collect();
        let words = format!(
            "There is no profile {shown:?}. The directory lists {DEFAULT_PROFILE:?}; leave profile out for the same."
        );
        return Err(Problem::new(Kind::InvalidProfile, words));
    }
    check_no_time(wanted.not_before.as_deref(), "notBefore")?;
    check_no_time(wanted.not_after.as_deref(), "notAfter")?;
    Ok(NewAcmeOrder {
        identifiers: read_identifiers(wanted.identifiers)?,
        profile: wanted.profile.unwrap_or_else(|| DEFAULT_PROFILE.to_owned()),
        replaces: wanted.replaces,
        asked,
    })
}

/// The validity is the ACME Directory URL's to say, so a client's wish for another is refused
/// rather than silently not met.
fn check_no_time(text: Option<&str>, member: &str) -> Result<(), Problem> {
    let Some(text) = text else { return Ok(()) };
    if Timestamp::parse_rfc3339(text).is_none() {
        return Err(Problem::malformed(format!("{member} is not a date and time of RFC 3339.")));
    }
    let words = format!(
        "{member} can't be chosen here: the validity is set at the ACME Directory URL. Leave {member} out."
    );
    Err(Problem::malformed(words))
}
