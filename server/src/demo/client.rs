//! An ACME Directory URL of the demonstration with what a client did through it: its first
//! certificate, and the same names asked for again, which duplicated it by itself (rule A7).

use acme::jwk::Jwk;
use domain::model::acme::{
    AcmeAccount, AcmeOrderStatus, DEFAULT_PROFILE, Identifier, NewAcmeOrder,
};
use domain::{Days, OrganizationId, ProductId};
use lifecycle::acme::{AcmeDesk, AcmePolicy, FinalizeCsr, NewAcmeUrl, Registered, Registration};
use lifecycle::ask::read_csr;
use lifecycle::{Actor, Clock, Lifecycle};
use rcgen::{KeyPair, PublicKeyData as _};

use super::data::{csr, exact};

/// The URL's name and its product.
const URL: (&str, &str) = ("Kiosks", "ssl_plus");

/// The names that its client asks for.
const NAMES: (&str, &[&str]) = ("kiosk.example.com", &["www.kiosk.example.com"]);

/// Days ago on which the client asked.
const ASKED: [i64; 2] = [20, 6];

/// Makes the URL, and what came through it.
pub(super) async fn orders(desk: &Lifecycle, organization: OrganizationId) -> anyhow::Result<()> {
    let (name, product) = URL;
    let first = at(desk, ASKED.into_iter().max().unwrap_or_default() + 1);
    let url = NewAcmeUrl::permissive(name, ProductId::from(product), organization);
    let (_, credential) = first.create_acme_url(&Actor::Operator, url).await?;
    let account = account(&first, credential.kid).await?;
    for days_ago in ASKED {
        order(&at(desk, days_ago), &account).await?;
    }
    Ok(())
}

fn at(desk: &Lifecycle, days_ago: i64) -> Lifecycle {
    desk.with_clock(Clock::starting_at(desk.clock().now().minus(Days(days_ago))))
}

async fn account(then: &Lifecycle, kid: String) -> anyhow::Result<AcmeAccount> {
    let key = Jwk::from_spki(&KeyPair::generate()?.subject_public_key_info())?;
    let registration = Registration {
        jwk: key.canonical(),
        thumbprint: key.thumbprint(),
        contacts: vec!["mailto:kiosks@example.com".to_owned()],
        terms_agreed: true,
        kid,
        address: None,
    };
    let desk = AcmeDesk::new(then.clone(), AcmePolicy::default());
    let (Registered::New(account) | Registered::Existing(account)) =
        desk.register(registration).await?;
    Ok(account)
}

async fn order(then: &Lifecycle, account: &AcmeAccount) -> anyhow::Result<()> {
    let desk = AcmeDesk::new(then.clone(), AcmePolicy::default());
    let names = exact(NAMES.0, NAMES.1)?;
    let wanted = NewAcmeOrder {
        identifiers: names.names.iter().map(Identifier::of).collect(),
        profile: DEFAULT_PROFILE.to_owned(),
        replaces: None,
        asked: None,
    };
    let order = desk.new_order(account, wanted, None).await?;
    let csr = csr(&KeyPair::generate()?, &names)?;
    let csr = FinalizeCsr { facts: read_csr(csr.as_bytes())?, thumbprint: None };
    let order = desk.finalize(account, order.id, csr, None).await?;
    anyhow::ensure!(order.status == AcmeOrderStatus::Valid, "the ACME order is {}", order.status);
    Ok(())
}
