//! How often things may be done: counted in the database, so that what one process has used up is used
//! up in all.

use lifecycle::Clock;
use lifecycle::acme::{AcmeLimits, BindingCredential, Quota};
use serde_json::json;
use store::testing::databases;

use crate::client::{Answer, Client, binding};
use crate::house::House;

/// A limit of the policy.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Limit {
    AccountsOfAddress,
    AccountsOfCredential,
    OrdersOfAccount,
    OrdersOfCredential,
    FailuresOfAccount,
}

impl Limit {
    const ALL: [Self; 5] = [
        Self::AccountsOfAddress,
        Self::AccountsOfCredential,
        Self::OrdersOfAccount,
        Self::OrdersOfCredential,
        Self::FailuresOfAccount,
    ];

    fn of(self, limits: &mut AcmeLimits) -> &mut Quota {
        match self {
            Self::AccountsOfAddress => &mut limits.accounts_per_address,
            Self::AccountsOfCredential => &mut limits.accounts_per_credential,
            Self::OrdersOfAccount => &mut limits.orders_per_account,
            Self::OrdersOfCredential => &mut limits.orders_per_credential,
            Self::FailuresOfAccount => &mut limits.failures_per_account,
        }
    }
}

/// Who does what is counted.
struct Scene {
    limit: Limit,
    credential: BindingCredential,
    /// Accounts of the credential.
    clients: Vec<Client>,
    /// How much was done.
    done: usize,
}

impl Scene {
    /// Does what the limit counts once more, at a node.
    async fn go_on(&mut self, house: &House, node: &str) -> Answer {
        self.done += 1;
        let name = format!("w{}.test", self.done);
        match self.limit {
            Limit::AccountsOfAddress | Limit::AccountsOfCredential => {
                let client = Client { node: node.to_owned(), ..Client::new(house) };
                let url = client.url("new-account");
                let payload = json!({
                    "termsOfServiceAgreed": true,
                    "externalAccountBinding": binding(&self.credential, &client.key.jwk(), &url),
                });
                client.post(&url, Some(payload)).await
            }
            Limit::OrdersOfAccount => self.client(0, node).order(&[&name]).await,
            // All accounts together.
            Limit::OrdersOfCredential => {
                let turn = self.done % self.clients.len();
                self.client(turn, node).order(&[&name]).await
            }
            Limit::FailuresOfAccount => {
                let client = self.client(0, node);
                let order = client.order(&[&name]).await.expect(201).json();
                let url = order["authorizations"][0].as_str().unwrap();
                let shown = client.fetch(url).await.expect(200).json();
                let challenge = shown["challenges"][0]["url"].as_str().unwrap();
                client.post(challenge, Some(json!({}))).await
            }
        }
    }

    fn client(&mut self, number: usize, node: &str) -> &Client {
        let client = &mut self.clients[number];
        node.clone_into(&mut client.node);
        client
    }
}

/// A house with one small limit. Nobody validates: what was answered stays undecided, and counts.
async fn scenes(limit: Limit) -> Vec<(House, Scene)> {
    let mut scenes = Vec::new();
    for database in databases().await {
        let mut house = House::on(database, |config| {
            *limit.of(&mut config.policy.limits) = Quota::per(2, 600);
        })
        .await;
        house.stop();
        house.ended().await;
        let credential = house.url("one", "ssl_dv_geotrust").await;
        let mut clients = Vec::new();
        if !matches!(limit, Limit::AccountsOfAddress | Limit::AccountsOfCredential) {
            for _ in 0..2 {
                let mut client = Client::new(&house);
                client.register(&credential).await;
                clients.push(client);
            }
        }
        scenes.push((house, Scene { limit, credential, clients, done: 0 }));
    }
    scenes
}

/// `rateLimited` with the time to wait, which is true: a minute before it nothing goes on, then one does
/// and no more.
#[tokio::test]
async fn limits_hold_on_all_nodes_and_over_a_restart_until_the_time_to_wait_is_over() {
    for limit in Limit::ALL {
        for (house, mut scene) in scenes(limit).await {
            let case = format!("{limit:?} on {}", house.kind);
            let second = house.second_node().await;
            for node in [&house.base, &second] {
                let done = scene.go_on(&house, node).await;
                assert!(done.status < 300, "{case}: {done:?}");
            }
            // One that opens the database after that: a process that was started anew.
            let restarted = house.second_node().await;
            let mut wait = 0;
            for node in [&house.base, &second, &restarted] {
                let limited = scene.go_on(&house, node).await.expect(429);
                assert_eq!(limited.problem(), "rateLimited", "{case}");
                wait = limited.header("retry-after").parse().unwrap();
                assert!((200..=301).contains(&wait), "{case}: two in ten minutes, {wait}");
            }
            let early = house.node_by(Clock::ahead_by(wait - 60)).await;
            let limited = scene.go_on(&house, &early).await.expect(429);
            assert_eq!(limited.problem(), "rateLimited", "{case}");
            let later = house.node_by(Clock::ahead_by(wait)).await;
            let done = scene.go_on(&house, &later).await;
            assert!(done.status < 300, "{case}: {done:?}");
            let limited = scene.go_on(&house, &later).await.expect(429);
            assert_eq!(limited.problem(), "rateLimited", "{case}");
        }
    }
}
