//! A desk that can issue: an authority, an organization with validated domains, and people.

use std::ops::Deref;
use std::sync::Arc;

use ca::Authority;
use domain::model::{DomainProof, OrderFile, Role};
use domain::{DnsName, Name, NameSet, OrderNumber, OrganizationId, ProductId, Timestamp};

use super::{Desk, desks};
use crate::authority::Issuer;
use crate::{
    Actor, Ask, AuthorityOptions, Clock, Exact, Issued, Lifecycle, LifecycleError, MasterKey,
    NewOrder, Outcome, What,
};

/// 2026-11-22T08:30:00Z, when public certificates live 200 days.
pub(crate) const START: Timestamp = Timestamp(1_795_336_200);

/// A desk with all that issuing needs.
pub(crate) struct Shop {
    desk: Desk,
    /// The validated organization.
    pub(crate) organization: OrganizationId,
}

impl Deref for Shop {
    type Target = Desk;
    fn deref(&self) -> &Desk {
        &self.desk
    }
}

/// A shop on each database, its clock standing at [`START`].
pub(crate) async fn shops() -> Vec<Shop> {
    let mut shops = Vec::new();
    for desk in desks().await {
        shops.push(open(desk).await);
    }
    shops
}

/// The master key of all shops.
fn master() -> MasterKey {
    MasterKey::from_bytes(&[7; 32]).unwrap()
}

async fn open(mut desk: Desk) -> Shop {
    let master = Arc::new(master());
    let options = AuthorityOptions::new("Test", "DE", Timestamp(START.0 - 86_400));
    let issuer = Issuer::open(desk.store(), master, "http://portal.test", options).await.unwrap();
    desk.lifecycle = desk.lifecycle.with_clock(Clock::standing_at(START)).with_issuer(issuer);
    let far = Timestamp(START.0 + 5 * 365 * 86_400);
    let organization = desk
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let id =
                    tx.insert_organization("Example GmbH", "DE", Some(far), START).await?.unwrap();
                for name in ["example.com", "example.org"] {
                    let name = DnsName::parse(name).unwrap();
                    let domain = tx.insert_domain(id, &name, "token", START).await?.unwrap();
                    tx.set_domain_validation(domain, Some((far, DomainProof::DnsTxt))).await?;
                }
                Ok::<_, LifecycleError>(id)
            })
        })
        .await
        .unwrap();
    Shop { desk, organization }
}

/// Names in one line.
pub(crate) fn names(text: &str) -> NameSet {
    NameSet::parse_list(text).unwrap()
}

/// The first name is the common name.
pub(crate) fn exact(text: &str) -> Exact {
    let common_name = Name::parse(text.split_whitespace().next().unwrap()).unwrap();
    Exact { common_name, names: names(text) }
}

/// A CSR with a new P-256 key, the first name as common name.
pub(crate) fn csr_pem(text: &str) -> String {
    csr_of(text, &rcgen::KeyPair::generate().unwrap())
}

/// A CSR with this key, the first name as common name.
pub(crate) fn csr_of(text: &str, key: &rcgen::KeyPair) -> String {
    let list: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let mut params = rcgen::CertificateParams::new(list.clone()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, list[0].clone());
    params.serialize_request(key).unwrap().pem().unwrap()
}

/// An ask with a new key.
pub(crate) fn ask(what: What, csr_names: &str) -> Ask {
    Ask::new(what, crate::ask::read_csr(csr_pem(csr_names).as_bytes()).unwrap())
}

/// The refusal's code.
pub(crate) fn refused<T: std::fmt::Debug>(outcome: crate::Result<T>) -> &'static str {
    match outcome.unwrap_err() {
        LifecycleError::Refused(refusal) => refusal.code,
        other => panic!("not a refusal: {other:?}"),
    }
}

/// The request of a held outcome.
pub(crate) fn held(outcome: Outcome) -> domain::RequestId {
    match outcome {
        Outcome::Held { request, .. } => request,
        other => panic!("not held: {other:?}"),
    }
}

/// The certificate of an outcome.
pub(crate) fn issued(outcome: Outcome) -> Issued {
    match outcome {
        Outcome::Issued(issued) => issued,
        other => panic!("not issued: {other:?}"),
    }
}

impl Shop {
    /// Brings in another authority, which takes the place of this one at the next start; its id.
    pub(crate) async fn bring_in(&self, options: &AuthorityOptions) -> String {
        let master = master();
        let stored = Authority::generate(options, &master).unwrap();
        let key = master.open("ca-issuing-key", &stored.issuing_key).unwrap();
        let key = ca::SigningKey::from_der(&key).unwrap().to_pkcs8_pem().unwrap();
        let operator = Actor::Operator;
        let id = self.bring_in_authority(&operator, &master, &key, &stored.chain_pem).await;
        assert_eq!(id.unwrap(), stored.issuer_id);
        stored.issuer_id
    }

    /// The desk after the next start, on the same clock.
    pub(crate) async fn reopened(&self) -> Lifecycle {
        let options = AuthorityOptions::new("Test", "DE", START);
        let master = Arc::new(master());
        let issuer = Issuer::open(self.store(), master, "http://portal.test", options).await;
        self.with_issuer(issuer.unwrap())
    }

    /// A new order of the operator's, issued at once.
    pub(crate) async fn sell(&self, product: &str, text: &str) -> Issued {
        self.sell_with(product, text, None).await
    }

    /// The same as a multi-year plan.
    pub(crate) async fn sell_with(&self, product: &str, text: &str, years: Option<u8>) -> Issued {
        let what = What::New(Box::new(self.new_order(product, text, years)));
        issued(self.ask(&Actor::Operator, ask(what, text)).await.unwrap())
    }

    /// What [`Shop::sell`] asks for.
    pub(crate) fn new_order(&self, product: &str, text: &str, years: Option<u8>) -> NewOrder {
        let new = NewOrder::of(self.organization, ProductId::from(product), exact(text));
        NewOrder { coverage_years: years, ..new }
    }

    /// The order with its certificates.
    pub(crate) async fn file(&self, number: OrderNumber) -> OrderFile {
        self.store().reader().await.unwrap().order_file(number).await.unwrap().unwrap()
    }

    /// Changes settings.
    pub(crate) async fn set(&self, key: &str, value: &str) {
        self.settings_set(&Actor::Operator, key, value).await.unwrap();
    }

    /// Somebody of this role, signed in.
    pub(crate) async fn somebody(&self, role: Role) -> Actor {
        Actor::Person(self.person(&format!("{role}@example.com"), role).await)
    }

    /// Somebody else of this role.
    pub(crate) async fn another(&self, role: Role) -> Actor {
        Actor::Person(self.person(&format!("second-{role}@example.com"), role).await)
    }

    /// The serials of all certificates on record.
    pub(crate) async fn serials(&self) -> Vec<String> {
        let mut tx = self.store().reader().await.unwrap();
        let mut serials = Vec::new();
        let filter = store::orders::OrderFilter::default();
        for row in tx
            .orders_page(&filter, store::orders::OrderSort::Number, false, None, 1000)
            .await
            .unwrap()
        {
            let certificates = tx.certificates_of_order(row.order.number).await.unwrap();
            serials.extend(certificates.into_iter().map(|one| one.serial.0));
        }
        serials
    }
}
