//! An account: read, changed, deactivated (RFC 8555 sections 7.3.2, 7.3.3 and 7.3.6).

use axum::extract::State;
use axum::http::StatusCode;
use domain::model::acme::AcmeAccount;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, id};
use crate::AcmeServer;
use crate::problem::{Kind, Problem};
use crate::reply::Reply;
use crate::request::{ByAccount, InPath};

/// Contacts of one account, at most.
const MAX_CONTACTS: usize = 10;

/// What may be changed. Other members, `orders` among them, are ignored (RFC 8555 section 7.3.2).
#[derive(Deserialize)]
struct Change {
    contact: Option<Vec<String>>,
    status: Option<String>,
}

/// The account object.
pub fn show(server: &AcmeServer, account: &AcmeAccount) -> Value {
    json!({
        "status": account.status,
        "contact": account.contacts,
        "termsOfServiceAgreed": account.terms_agreed_at.is_some(),
        "orders": server.urls().orders(account.id, None),
        "createdAt": account.created_at.rfc3339(),
    })
}

/// RFC 8555 section 7.3: `mailto:` URLs with one address and no header fields.
pub fn check_contacts(contacts: &[String]) -> Result<(), Problem> {
    if contacts.len() > MAX_CONTACTS {
        return Err(Problem::new(
            Kind::InvalidContact,
            format!("At most {MAX_CONTACTS} contacts are kept."),
        ));
    }
    for contact in contacts {
        let invalid = || {
            Problem::new(
                Kind::InvalidContact,
                "A contact must be mailto: with one address, as mailto:admin@example.com.",
            )
        };
        let (scheme, address) = contact.split_once(':').ok_or_else(invalid)?;
        if !scheme.eq_ignore_ascii_case("mailto") {
            return Err(Problem::new(
                Kind::UnsupportedContact,
                "Only mailto: contacts are supported.",
            ));
        }
        let (local, domain) = address.rsplit_once('@').ok_or_else(invalid)?;
        let odd = |c: char| {
            c.is_control() || c.is_whitespace() || matches!(c, '?' | ',' | '@' | '<' | '>')
        };
        let local = unescaped(local).ok_or_else(invalid)?;
        let named = domain::DnsName::parse(domain).is_ok_and(|name| !name.is_wildcard());
        if contact.len() > 254 || local.is_empty() || local.contains(odd) || !named {
            return Err(invalid());
        }
    }
    Ok(())
}

/// The text that percent-encoding stands for (RFC 6068 section 2); none where it is none.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.extend(hex::decode(digits).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

pub async fn post(
    State(server): State<AcmeServer>,
    InPath(path): InPath<String>,
    request: ByAccount,
) -> Answer {
    let ByAccount { account, signed } = request;
    if id(&path, "account")? != account.id.0 {
        return Err(Problem::new(Kind::Unauthorized, "The request is signed by another account.")
            .with_status(StatusCode::FORBIDDEN));
    }
    if signed.is_fetch() {
        return Ok(answer(&server, &account));
    }
    let change: Change = signed.read()?;
    let account = match (change.status.as_deref(), change.contact) {
        (Some("deactivated"), _) => {
            server.desk().deactivate_account(&account, signed.address).await?
        }
        (None | Some("valid"), Some(contacts)) => {
            check_contacts(&contacts)?;
            server.desk().change_contacts(&account, contacts).await?
        }
        (None | Some("valid"), None) => account,
        (Some(_), _) => {
            return Err(Problem::malformed("A client may set the status to deactivated only."));
        }
    };
    Ok(answer(&server, &account))
}

fn answer(server: &AcmeServer, account: &AcmeAccount) -> Reply {
    let location = server.urls().account(account.id);
    Reply::json(StatusCode::OK, &show(server, account)).location(&location)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_single_mailto_addresses() {
        let check = |text: &str| check_contacts(&[text.to_owned()]).map_err(|problem| problem.kind);
        assert_eq!(check("mailto:admin@example.com"), Ok(()));
        assert_eq!(check("MAILTO:a.b+c@example.com"), Ok(()));
        assert_eq!(check("mailto:a%25b@example.com"), Ok(()));
        for bad in [
            "mailto:a@b.test,c@d.test",
            "mailto:a@b.test?subject=x",
            "mailto:",
            "mailto:a",
            "admin@example.com",
            "mailto:a b@c.test",
            "mailto:a%0d%0aBcc:b@c.test",
            "mailto:a%40b.test%2Cc@d.test",
            "mailto:a%00@c.test",
            "mailto:a%ff@c.test",
            "mailto:a%4@c.test",
            "mailto:a%+1@c.test",
        ] {
            assert_eq!(check(bad), Err(Kind::InvalidContact), "{bad}");
        }
        assert_eq!(check("tel:+12025551212"), Err(Kind::UnsupportedContact));
        assert!(check_contacts(&vec!["mailto:a@b.test".to_owned(); 11]).is_err());
    }
}
