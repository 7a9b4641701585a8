//! instant-acme on the command line: `obtain`, `renew`, `revoke` and `rekey`, driven by a JSON
//! argument. `make interop` runs it against a portal.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, CertificateIdentifier, ChallengeHandle,
    ChallengeType, ExternalAccountKey, Identifier, NewAccount, NewOrder, OrderStatus, RetryPolicy,
    RevocationReason, RevocationRequest,
};
use lifecycle::Clock;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    directory: String,
    kid: String,
    key: String,
    root: PathBuf,
    account: PathBuf,
    records: PathBuf,
    challenges: PathBuf,
    alpn: PathBuf,
    #[serde(default)]
    certificate: PathBuf,
    #[serde(default)]
    key_file: PathBuf,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    method: String,
}

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [command, task] = arguments.as_slice() else {
        return Err("usage: instant-acme COMMAND TASK".into());
    };
    let task: Task = serde_json::from_str(task)?;
    let mut account = account(&task).await?;
    match command.as_str() {
        "obtain" => obtain(&account, &task, None).await,
        "renew" => renew(&account, &task).await,
        "revoke" => revoke(&account, &task).await,
        "rekey" => keep(&task, &account.update_key().await?),
        other => Err(format!("there is no command {other}").into()),
    }
}

/// The account that was kept, else a new one.
async fn account(task: &Task) -> Outcome<Account> {
    let builder = Account::builder_with_root(&task.root)?;
    if task.account.exists() {
        let mut kept: serde_json::Map<_, _> = serde_json::from_slice(&fs::read(&task.account)?)?;
        // It serves for all actions, and the directory says which.
        kept.insert("directory".to_owned(), task.directory.clone().into());
        return Ok(builder.from_credentials(serde_json::from_value(kept.into())?).await?);
    }
    let binding = ExternalAccountKey::new(task.kid.clone(), &URL_SAFE_NO_PAD.decode(&task.key)?);
    let new = NewAccount {
        contact: &["mailto:admin@example.com"],
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let (account, credentials) =
        builder.create(&new, task.directory.clone(), Some(&binding)).await?;
    keep(task, &credentials)?;
    Ok(account)
}

fn keep(task: &Task, credentials: &AccountCredentials) -> Outcome {
    Ok(fs::write(&task.account, serde_json::to_vec(credentials)?)?)
}

/// Goes on once the server's renewal information (RFC 9773) says that the certificate is due.
async fn renew(account: &Account, task: &Task) -> Outcome {
    let leaf = CertificateDer::from_pem_file(&task.certificate)?;
    let replaced = CertificateIdentifier::try_from(&leaf)?.into_owned();
    let (advice, _) = account.renewal_info(&replaced).await?;
    if advice.suggested_window.start.unix_timestamp() > Clock::system().now().0 {
        return Err("it is not due".into());
    }
    obtain(account, task, Some(replaced)).await
}

async fn obtain(
    account: &Account,
    task: &Task,
    replaced: Option<CertificateIdentifier<'_>>,
) -> Outcome {
    let identifiers: Vec<_> = task.names.iter().cloned().map(Identifier::Dns).collect();
    let mut new = NewOrder::new(&identifiers);
    if let Some(replaced) = replaced {
        new = new.replaces(replaced);
    }
    let mut order = account.new_order(&new).await?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let method = match task.method.as_str() {
            "http-01" => ChallengeType::Http01,
            "dns-01" => ChallengeType::Dns01,
            _ => ChallengeType::TlsAlpn01,
        };
        let mut challenge = authorization.challenge(method).ok_or("no such challenge")?;
        answer(&challenge, task)?;
        challenge.set_ready().await?;
    }
    let patience = RetryPolicy::default();
    if order.state().status == OrderStatus::Pending {
        order.poll_ready(&patience).await?;
    }
    fs::write(&task.key_file, order.finalize().await?)?;
    fs::write(&task.certificate, order.poll_certificate(&patience).await?)?;
    Ok(())
}

/// Puts the answer to a challenge where validation finds it.
fn answer(challenge: &ChallengeHandle<'_>, task: &Task) -> Outcome {
    let Identifier::Dns(name) = challenge.identifier().identifier else {
        return Err("not a domain name".into());
    };
    let authorization = challenge.key_authorization();
    match challenge.r#type {
        ChallengeType::Http01 => {
            fs::write(task.challenges.join(&challenge.token), authorization.as_str())?;
        }
        ChallengeType::Dns01 => {
            let records = task.records.join(format!("_acme-challenge.{name}"));
            let mut records = OpenOptions::new().create(true).append(true).open(records)?;
            writeln!(records, "{}", authorization.dns_value())?;
        }
        _ => {
            let digest = authorization.digest();
            let mut params = rcgen::CertificateParams::new([name.clone()])?;
            params.custom_extensions =
                vec![rcgen::CustomExtension::new_acme_identifier(digest.as_ref())];
            let key = rcgen::KeyPair::generate()?;
            let certificate = params.self_signed(&key)?;
            fs::write(task.alpn.join(format!("{name}.key.pem")), key.serialize_pem())?;
            fs::write(task.alpn.join(format!("{name}.crt.pem")), certificate.pem())?;
        }
    }
    Ok(())
}

async fn revoke(account: &Account, task: &Task) -> Outcome {
    let leaf = CertificateDer::from_pem_file(&task.certificate)?;
    let reason = Some(RevocationReason::Superseded);
    account.revoke(&RevocationRequest { certificate: &leaf, reason }).await?;
    Ok(())
}
