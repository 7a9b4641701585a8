//! Makes the demonstration's history: through the same use cases as everything else, on a clock
//! that is set back.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::Context as _;
use domain::model::{
    AutoRenew, KeyType, Profile, RevocationReason, RevocationTarget, SignatureHash,
};
use domain::rules::{DuplicateNames, ReissueRequest, longest_lifetime};
use domain::time::DAY;
use domain::{
    Days, Name, NameSet, OrderNumber, OrganizationId, Product, ProductId, ProfileId, RequestId,
    Timestamp,
};
use lifecycle::accounts::NewUser;
use lifecycle::automation::ProfileForm;
use lifecycle::revoke::RevokeForm;
use lifecycle::{
    Actor, Ask, Clock, Door, Exact, Issued, Lifecycle, NewOrder, Outcome, Person, What,
};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

use super::catalogue::{
    self, ANSWERED, Answer, ENDPOINTS, Fate, ORDERS, ORGANIZATIONS, PROFILES, Serves, WAITING,
};
use super::listeners::{Files, Listeners};
use super::{PEOPLE, client, password};

/// The lifetime that orders had where their product allowed it.
const USUAL: Days = Days(198);

/// An issued certificate with its private key.
struct Held {
    issued: Issued,
    key_pem: String,
}

/// What was made, for the endpoints.
#[derive(Default)]
struct Made {
    primaries: HashMap<i64, Held>,
    duplicates: HashMap<i64, Held>,
}

/// Fills an empty database and the listeners' files.
pub async fn fill(desk: &Lifecycle, listeners: &Listeners) -> anyhow::Result<()> {
    people(desk).await?;
    let organizations = organizations(desk).await?;
    profiles(desk, &organizations).await?;
    desk.settings_set(&Actor::Operator, "approval_step", "skip").await?;
    let made = orders(desk, &organizations).await?;
    client::orders(desk, organization(&organizations, "Example Corp")?).await?;
    desk.settings_set(&Actor::Operator, "approval_step", "one_step").await?;
    answered(desk, &organizations).await?;
    waiting(desk, &organizations).await?;
    for ((_, serves), (name, _, files)) in ENDPOINTS.iter().zip(listeners.sites()) {
        install(*serves, files, &made, desk.clock().now())
            .with_context(|| format!("cannot set {name} up"))?;
    }
    Ok(())
}

async fn people(desk: &Lifecycle) -> anyhow::Result<()> {
    for (email, name, role) in PEOPLE {
        let new = NewUser {
            email: (*email).to_owned(),
            name: (*name).to_owned(),
            role: *role,
            password: Some(password(*role)),
        };
        desk.add_user(&Actor::Operator, new).await?;
    }
    Ok(())
}

async fn organizations(desk: &Lifecycle) -> anyhow::Result<HashMap<&'static str, OrganizationId>> {
    let mut ids = HashMap::new();
    for one in ORGANIZATIONS {
        let id =
            desk.add_organization(&Actor::Operator, one.name, one.country, one.validated).await?;
        desk.set_organization_details(&Actor::Operator, id, one.locality, one.registration_number)
            .await?;
        for domain in one.domains {
            desk.add_domain(&Actor::Operator, domain, id, one.validated).await?;
        }
        ids.insert(one.name, id);
    }
    Ok(ids)
}

async fn profiles(
    desk: &Lifecycle,
    organizations: &HashMap<&str, OrganizationId>,
) -> anyhow::Result<()> {
    for one in PROFILES {
        let auto_renew = one.auto_renew_days.map(|days| AutoRenew {
            days_before: Days(days),
            minute_of_day: 2 * 60,
            time_zone: "UTC".to_owned(),
        });
        let profile = Profile {
            id: ProfileId(0),
            name: one.name.to_owned(),
            product: ProductId::from(one.product),
            organization: organization(organizations, one.organization)?,
            coverage_years: one.coverage_years,
            validity_days: None,
            ends_by: None,
            key_type: KeyType::EcP256,
            signature_hash: SignatureHash::Sha256,
            auto_renew,
            is_default: false,
            allow_duplicates: !one.product.contains("dv"),
            emails: Vec::new(),
        };
        desk.save_profile(
            &Actor::Operator,
            ProfileForm { profile, version: None, update_scheduled: false },
        )
        .await
        .with_context(|| format!("profile {}", one.name))?;
    }
    Ok(())
}

async fn orders(
    desk: &Lifecycle,
    organizations: &HashMap<&str, OrganizationId>,
) -> anyhow::Result<Made> {
    let mut made = Made::default();
    for one in ORDERS {
        place(desk, organizations, one, &mut made)
            .await
            .with_context(|| format!("order {}", one.number))?;
    }
    Ok(made)
}

async fn place(
    desk: &Lifecycle,
    organizations: &HashMap<&str, OrganizationId>,
    one: &catalogue::Order,
    made: &mut Made,
) -> anyhow::Result<()> {
    let product = Product::find(one.product).context("no such product")?;
    let now = desk.clock().now();
    let (start, lifetime) = start(product, now, one.left);
    let then = desk.with_clock(Clock::starting_at(start));
    let names = exact(one.common_name, one.sans)?;
    let organization = organization(organizations, one.organization)?;
    let order = NewOrder {
        coverage_years: one.coverage_years,
        validity_days: Some(lifetime),
        number: Some(OrderNumber(one.number)),
        ..NewOrder::of(organization, product.product_id(), names.clone())
    };
    let held = obtain(&then, What::New(Box::new(order)), &names).await?;
    made.primaries.insert(one.number, held);
    for index in 0..one.duplicates {
        let later = desk.with_clock(Clock::starting_at(start.plus(Days(1 + i64::from(index)))));
        let what = What::Duplicate { order: OrderNumber(one.number), names: DuplicateNames::Same };
        let held = obtain(&later, what, &names).await?;
        made.duplicates.entry(one.number).or_insert(held);
    }
    fate(desk, one, &names, made).await
}

async fn fate(
    desk: &Lifecycle,
    one: &catalogue::Order,
    names: &Exact,
    made: &mut Made,
) -> anyhow::Result<()> {
    let number = OrderNumber(one.number);
    let target = match one.fate {
        Fate::Stands => return Ok(()),
        Fate::RenewedBy(by, days_ago) => {
            let then =
                desk.with_clock(Clock::starting_at(desk.clock().now().minus(Days(days_ago))));
            let held = renew(&then, number, OrderNumber(by), names).await?;
            made.primaries.insert(by, held);
            return Ok(());
        }
        Fate::ReissuedWithout(name) => {
            let then = desk.with_clock(Clock::starting_at(desk.clock().now().minus(Days(1))));
            let gone = Name::parse(name)?;
            let left = names.names.iter().filter(|name| **name != gone).cloned();
            let names = Exact { names: left.collect(), common_name: names.common_name.clone() };
            let change = ReissueRequest::Change {
                common_name: names.common_name.clone(),
                names: names.names.clone(),
                confirmed: true,
            };
            obtain(&then, What::Reissue { order: number, names: change }, &names).await?;
            return Ok(());
        }
        Fate::Revoked => RevocationTarget::Order,
        Fate::CertificateRevoked => {
            let held = made.primaries.get(&one.number).context("the order has no certificate")?;
            RevocationTarget::Certificate { id: held.issued.certificate }
        }
    };
    let then = desk.with_clock(Clock::starting_at(desk.clock().now().minus(Days(2))));
    let form = RevokeForm {
        target,
        reason: RevocationReason::Superseded,
        note: "The server was replaced.".to_owned(),
        submit_token: String::new(),
    };
    let asked =
        then.request_revoke(&person(&then, "manager@example.com").await?, number, &form).await?;
    if let lifecycle::revoke::Revocation::Held { request } = asked {
        then.approve(&person(&then, "admin@example.com").await?, request, "").await?;
    }
    Ok(())
}

/// Renews under a number of our choice, as the reference's story has it.
async fn renew(
    then: &Lifecycle,
    order: OrderNumber,
    by: OrderNumber,
    names: &Exact,
) -> anyhow::Result<Held> {
    let key = KeyPair::generate()?;
    let csr = csr(&key, names)?;
    let mut ask =
        Ask::new(What::Renew { order, names: None }, lifecycle::ask::read_csr(csr.as_bytes())?);
    ask.renewal_number = Some(by);
    issued(then, ask, &key).await
}

async fn obtain(desk: &Lifecycle, what: What, names: &Exact) -> anyhow::Result<Held> {
    let key = KeyPair::generate()?;
    let csr = csr(&key, names)?;
    issued(desk, Ask::new(what, lifecycle::ask::read_csr(csr.as_bytes())?), &key).await
}

async fn issued(desk: &Lifecycle, ask: Ask, key: &KeyPair) -> anyhow::Result<Held> {
    match desk.ask(&Actor::Operator, ask).await? {
        Outcome::Issued(issued) => Ok(Held { issued, key_pem: key.serialize_pem() }),
        other => anyhow::bail!("not issued: {other:?}"),
    }
}

pub(super) fn csr(key: &KeyPair, names: &Exact) -> anyhow::Result<String> {
    let mut params =
        CertificateParams::new(names.names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names.common_name.as_str());
    Ok(params.serialize_request(key)?.pem()?)
}

/// Requests that the Standard User made and nobody has reviewed, half a day apart: the last one is
/// the newest.
async fn waiting(
    desk: &Lifecycle,
    organizations: &HashMap<&str, OrganizationId>,
) -> anyhow::Result<()> {
    for (index, (product, name)) in WAITING.iter().enumerate() {
        let ago = i64::try_from(WAITING.len() - index).unwrap_or(0) * (DAY / 2);
        let then = desk.with_clock(Clock::starting_at(desk.clock().now().plus_seconds(-ago)));
        let words = "For the campaign that starts next month.";
        held(&then, organizations, product, name, words).await?;
    }
    Ok(())
}

/// Requests that the Standard User made and that came to nothing an hour later.
async fn answered(
    desk: &Lifecycle,
    organizations: &HashMap<&str, OrganizationId>,
) -> anyhow::Result<()> {
    for (product, name, days_ago, answer) in ANSWERED {
        let at = desk.clock().now().minus(Days(*days_ago));
        let then = desk.with_clock(Clock::starting_at(at));
        let request = held(&then, organizations, product, name, "For a try.").await?;
        let later = desk.with_clock(Clock::starting_at(at.plus_seconds(3_600)));
        match answer {
            Answer::Rejected(words) => {
                let manager = person(&later, "manager@example.com").await?;
                later.reject(&manager, request, words).await?;
            }
            Answer::Canceled => {
                let asker = person(&later, "standard@example.com").await?;
                later.cancel(&asker, request).await?;
            }
        }
    }
    Ok(())
}

/// A request of the Standard User, which waits.
async fn held(
    then: &Lifecycle,
    organizations: &HashMap<&str, OrganizationId>,
    product: &str,
    name: &str,
    words: &str,
) -> anyhow::Result<RequestId> {
    let names = exact(name, &[])?;
    let csr = csr(&KeyPair::generate()?, &names)?;
    let organization = organization(organizations, "Example Corp")?;
    let order = NewOrder::of(organization, ProductId::from(product), names);
    let mut ask = Ask::new(What::New(Box::new(order)), lifecycle::ask::read_csr(csr.as_bytes())?);
    ask.note = Some(words.to_owned());
    match then.ask(&person(then, "standard@example.com").await?, ask).await? {
        Outcome::Held { request, .. } => Ok(request),
        other => anyhow::bail!("not held: {other:?}"),
    }
}

async fn person(desk: &Lifecycle, email: &str) -> anyhow::Result<Actor> {
    let user = desk.user_by_email(&Actor::Operator, email).await?.user;
    Ok(Actor::Person(Person { role: user.role, user, door: Door::Portal, address: None }))
}

pub(super) fn exact(common_name: &str, sans: &[&str]) -> anyhow::Result<Exact> {
    let common_name = Name::parse(common_name)?;
    let sans: Vec<Name> = sans.iter().map(|name| Name::parse(name)).collect::<Result<_, _>>()?;
    Ok(Exact { names: NameSet::with_common_name(&common_name, sans), common_name })
}

fn organization(
    organizations: &HashMap<&str, OrganizationId>,
    name: &str,
) -> anyhow::Result<OrganizationId> {
    organizations.get(name).copied().with_context(|| format!("no organization {name}"))
}

/// When an order was placed so that its certificate has `left` days now, and for how long: what
/// public certificates may live depends on the day on which they begin.
fn start(product: &Product, now: Timestamp, left: i64) -> (Timestamp, Days) {
    let mut lifetime = USUAL.0.max(left + 60);
    for _ in 0..8 {
        let start = now.plus(Days(left - lifetime));
        let longest = longest_lifetime(product, start).0;
        if lifetime <= longest {
            return (start, Days(lifetime));
        }
        lifetime = longest;
        if left >= lifetime {
            return (now.minus(Days(1)), Days(lifetime));
        }
    }
    (now.minus(Days(1)), Days(lifetime.min(longest_lifetime(product, now).0)))
}

fn install(serves: Serves, files: &Files, made: &Made, now: Timestamp) -> anyhow::Result<()> {
    let held = match serves {
        Serves::Nothing => return Ok(()),
        Serves::Primary(number) => made.primaries.get(&number),
        Serves::Duplicate(number) => made.duplicates.get(&number),
        Serves::Other(name, left) => {
            let (chain, key) = other_ca(name, now, left)?;
            return write(files, &chain, &key);
        }
    };
    let held = held.context("the order has no such certificate")?;
    write(files, &held.issued.chain_pem, &held.key_pem)
}

fn write(files: &Files, chain_pem: &str, key_pem: &str) -> anyhow::Result<()> {
    fs::write(&files.fullchain, chain_pem)?;
    fs::write(&files.key, key_pem)?;
    fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600))?;
    fs::write(&files.reload, "")?;
    Ok(())
}

/// A certificate of a CA that is not ours.
fn other_ca(name: &str, now: Timestamp, left: i64) -> anyhow::Result<(String, String)> {
    let moment = |at: Timestamp| time::OffsetDateTime::from_unix_timestamp(at.0);
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::default();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    ca.distinguished_name = DistinguishedName::new();
    ca.distinguished_name.push(DnType::OrganizationName, "Contoso Trust Services");
    ca.distinguished_name.push(DnType::CommonName, "Contoso Public TLS CA 1");
    ca.not_before = moment(now.minus(Days(900)))?;
    ca.not_after = moment(now.plus(Days(900)))?;
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(vec![name.to_owned()])?;
    leaf.distinguished_name = DistinguishedName::new();
    leaf.distinguished_name.push(DnType::CommonName, name);
    leaf.not_before = moment(now.plus(Days(left - 90)))?;
    leaf.not_after = moment(now.plus(Days(left)))?;
    let leaf = leaf.signed_by(&key, &issuer)?;
    Ok((leaf.pem(), key.serialize_pem()))
}
