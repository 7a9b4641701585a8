//! All routes in one: screens, agents, ACME, what the authority publishes, and health.

mod authority;
mod health;
mod proxies;

use acme::AcmeServer;
use axum::Router;
use lifecycle::Lifecycle;

pub use proxies::Proxies;

use crate::demo::Reset;
use crate::web::{self, WebOptions};

/// What the routes are made of.
#[derive(Debug, Clone)]
pub struct Parts {
    pub desk: Lifecycle,
    pub acme: AcmeServer,
    pub base_url: String,
    pub reset: Option<Reset>,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Proxies,
}

impl Parts {
    /// Every route of the portal, for a listener that speaks TLS or not.
    pub fn router(&self, tls: bool) -> Router {
        let options = WebOptions { tls, base_url: Some(self.base_url.clone()) };
        let screens = web::router(self.desk.clone(), options);
        let screens = match &self.reset {
            Some(reset) => screens.layer(axum::Extension(reset.button())).merge(reset.router()),
            None => screens,
        };
        screens
            .merge(crate::api::router(self.desk.clone(), &self.base_url))
            .merge(acme::router(self.acme.clone()))
            .merge(automation::router(self.desk.clone()))
            .merge(authority::router(self.desk.clone()))
            .merge(health::router(self.desk.clone()))
            .layer(axum::middleware::from_fn(crate::metrics::count))
            .layer(axum::middleware::from_fn_with_state(self.proxies.clone(), proxies::see_through))
    }
}
