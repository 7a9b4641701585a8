//! A running server with an authority, an organization and an ACME Directory URL.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use certdeck_acme::{AcmeConfig, AcmeServer, router};
use domain::OrganizationId;
use lifecycle::acme::{AcmeDesk, BindingCredential, NewAcmeUrl};
use lifecycle::{Actor, AuthorityOptions, Clock, Issuer, Lifecycle, MasterKey};
use store::testing::{TestDatabase, databases, sqlite};
use store::{Store, StoreOptions};
use tokio_util::sync::CancellationToken;

use crate::client::Client;

pub struct House {
    pub kind: &'static str,
    pub desk: Lifecycle,
    pub server: AcmeServer,
    pub base: String,
    pub clock: Clock,
    pub organization: OrganizationId,
    pub database: TestDatabase,
    worker: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

fn master() -> Arc<MasterKey> {
    Arc::new(MasterKey::from_bytes(&[7; 32]).unwrap())
}

fn authority(clock: &Clock) -> AuthorityOptions {
    AuthorityOptions::new("Test CA", "DE", clock.now())
}

/// A house on each database.
pub async fn houses() -> Vec<House> {
    let mut houses = Vec::new();
    for database in databases().await {
        houses.push(House::on(database, |_| {}).await);
    }
    houses
}

/// A house on SQLite with another configuration.
pub async fn house_with(configure: impl FnOnce(&mut AcmeConfig)) -> House {
    House::on(sqlite().await, configure).await
}

impl House {
    pub async fn on(database: TestDatabase, configure: impl FnOnce(&mut AcmeConfig)) -> Self {
        Self::starting(database, Clock::system(), configure).await
    }

    /// A house by this clock.
    pub async fn starting(
        database: TestDatabase,
        clock: Clock,
        configure: impl FnOnce(&mut AcmeConfig),
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let issuer = Issuer::open(&database.store, master(), &base, authority(&clock));
        let issuer = issuer.await.unwrap();
        let desk = Lifecycle::new(database.store.clone(), clock.clone()).with_issuer(issuer);
        let operator = Actor::Operator;
        desk.settings_set(&operator, "approval_step", "skip").await.unwrap();
        let organization = desk.add_organization(&operator, "Example", "DE", true).await.unwrap();
        desk.add_domain(&operator, "example.com", organization, true).await.unwrap();
        let mut config = AcmeConfig::new(&base);
        config.several_nodes = database.kind == "postgres";
        config.validation_allow = vec!["127.0.0.0/8".parse().unwrap()];
        configure(&mut config);
        let server = AcmeServer::new(desk.clone(), config).await.unwrap();
        let app = router(server.clone()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let stop = CancellationToken::new();
        let validating = certdeck_acme::validation::run_until(
            server.clone(),
            AcmeDesk::new_lease_owner().unwrap(),
            stop.clone(),
        );
        let worker = tokio::spawn(validating);
        Self {
            kind: database.kind,
            desk,
            server,
            base,
            clock,
            organization,
            database,
            worker,
            stop,
        }
    }

    /// The process is told to end its work.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until its work has ended.
    pub async fn ended(&mut self) {
        (&mut self.worker).await.unwrap();
    }

    /// A second node on the same database: all that a process of its own has, but for the clock.
    pub async fn second_node(&self) -> String {
        self.node_by(self.clock.clone()).await
    }

    /// A node on the same database that goes by another clock.
    pub async fn node_by(&self, clock: Clock) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let options = StoreOptions { readers: 3, writers: 6, ..StoreOptions::default() };
        let store = Store::open(&self.database.url, options).await.unwrap();
        let issuer = Issuer::open(&store, master(), &self.base, authority(&clock));
        let issuer = issuer.await.unwrap();
        let desk = Lifecycle::new(store, clock).with_issuer(issuer);
        let mut config = self.server.config().clone();
        config.several_nodes = true;
        let server = AcmeServer::new(desk, config).await.unwrap();
        let app = router(server).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    /// How many rows the tables of the ACME server have, but for those of used nonces.
    pub async fn rows(&self) -> BTreeMap<String, i64> {
        let mut rows = self.database.rows("acme_").await.unwrap();
        rows.retain(|table, _| !table.contains("nonce"));
        rows.extend(self.database.rows("jobs").await.unwrap());
        rows
    }

    /// The addresses of its nodes: on PostgreSQL two.
    pub async fn nodes(&self) -> Vec<String> {
        match self.kind {
            "postgres" => vec![self.base.clone(), self.second_node().await],
            _ => vec![self.base.clone()],
        }
    }

    pub fn acme(&self, path: &str) -> String {
        format!("{}/mpki/api/v1/acme/v2/{path}", self.base)
    }

    /// A new ACME Directory URL for a product.
    pub async fn url(&self, name: &str, product: &str) -> BindingCredential {
        self.url_with(NewAcmeUrl::permissive(name, product.into(), self.organization)).await
    }

    pub async fn url_with(&self, new: NewAcmeUrl) -> BindingCredential {
        self.desk.create_acme_url(&Actor::Operator, new).await.unwrap().1
    }

    /// A client with an account of a new ACME Directory URL for a product.
    pub async fn client(&self, name: &str, product: &str) -> Client {
        let credential = self.url(name, product).await;
        let mut client = Client::new(self);
        client.register(&credential).await;
        client
    }
}

impl House {
    /// A manager who may review requests.
    pub async fn reviewer(&self) -> Actor {
        let new = lifecycle::accounts::NewUser {
            email: "manager@example.com".to_owned(),
            name: "Manager".to_owned(),
            role: domain::model::Role::Manager,
            password: Some("harbour violet anvil".to_owned()),
        };
        let id = self.desk.add_user(&Actor::Operator, new).await.unwrap();
        let user = self.desk.user(&Actor::Operator, id).await.unwrap().user;
        Actor::Person(lifecycle::Person {
            role: user.role,
            user,
            door: lifecycle::Door::Portal,
            address: None,
        })
    }

    /// The request that the newest ACME order waits for.
    pub async fn newest_request(&self) -> domain::RequestId {
        let urls = self.desk.acme_urls(&Actor::Operator, None, 1).await.unwrap();
        let orders =
            self.desk.acme_orders(&Actor::Operator, urls[0].url.id, None, 1).await.unwrap();
        orders[0].request.unwrap()
    }
}
