//! newAccount (RFC 8555 section 7.3).
//!
//! A key that has an account gets it back, without being asked for terms or binding again.

use axum::extract::State;
use axum::http::StatusCode;
use domain::model::acme::{AccountStatus, AcmeAccount};
use lifecycle::acme::{Registered, Registration};
use serde::Deserialize;
use serde_json::Value;

use super::Answer;
use super::account::{check_contacts, show};
use crate::AcmeServer;
use crate::eab::Binding;
use crate::problem::{Kind, Problem};
use crate::reply::Reply;
use crate::request::{ByKey, Signed};

/// Members that are not named here, `orders` among them, are ignored (RFC 8555 section 7.3).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAccount {
    #[serde(default)]
    pub(super) contact: Vec<String>,
    #[serde(default)]
    terms_of_service_agreed: bool,
    #[serde(default)]
    only_return_existing: bool,
    external_account_binding: Option<Value>,
}

pub async fn post(State(server): State<AcmeServer>, ByKey(signed): ByKey) -> Answer {
    let wanted: NewAccount = signed.read()?;
    if let Some(account) = server.desk().account_by_key(&signed.key.thumbprint()).await? {
        return existing(&server, &account);
    }
    if wanted.only_return_existing {
        return Err(Problem::new(Kind::AccountDoesNotExist, "No account has this key."));
    }
    if !wanted.terms_of_service_agreed {
        let words = format!(
            "Agree to the terms first: termsOfServiceAgreed must be true. They are at {}.",
            server.urls().terms()
        );
        return Err(Problem::malformed(words));
    }
    check_contacts(&wanted.contact)?;
    let kid = check_binding(&server, &signed, wanted.external_account_binding).await?;
    let registration = Registration {
        jwk: signed.key.canonical(),
        thumbprint: signed.key.thumbprint(),
        contacts: wanted.contact,
        terms_agreed: true,
        kid,
        address: signed.address,
    };
    match server.desk().register(registration).await? {
        Registered::New(account) => Ok(answer(&server, &account, StatusCode::CREATED)),
        Registered::Existing(account) => existing(&server, &account),
    }
}

/// Verifies the binding; answers the key identifier that it was made with.
async fn check_binding(
    server: &AcmeServer,
    signed: &Signed,
    binding: Option<Value>,
) -> Result<String, Problem> {
    let binding = binding.filter(|binding| !binding.is_null()).ok_or_else(|| {
        Problem::new(
            Kind::ExternalAccountRequired,
            "This authority needs an external account binding. Give the client the KID and HMAC key of an ACME Directory \
             URL, from Automation > ACME Directory URLs.",
        )
    })?;
    let binding = Binding::parse(&binding.to_string(), &signed.key, &signed.url)?;
    let wrong = || {
        Problem::new(
            Kind::Unauthorized,
            "The external account binding does not fit: its KID is unknown, revoked or has ended, or the HMAC key is another \
             one. Copy both again from the ACME Directory URL.",
        )
        .with_status(StatusCode::FORBIDDEN)
    };
    let mac_key = server.desk().binding_mac_key(&binding.kid).await?.ok_or_else(wrong)?;
    if binding.verifies(&mac_key) { Ok(binding.kid) } else { Err(wrong()) }
}

fn existing(server: &AcmeServer, account: &AcmeAccount) -> Answer {
    match account.status {
        AccountStatus::Valid => Ok(answer(server, account, StatusCode::OK)),
        AccountStatus::Deactivated | AccountStatus::Revoked => {
            let words = format!("The account of this key is {}. Use another key.", account.status);
            Err(Problem::new(Kind::Unauthorized, words))
        }
    }
}

fn answer(server: &AcmeServer, account: &AcmeAccount, status: StatusCode) -> Reply {
    Reply::json(status, &show(server, account)).location(&server.urls().account(account.id))
}
