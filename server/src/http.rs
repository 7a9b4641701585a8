//! All routes in one: screens, agents, ACME, what the authority publishes, and health.

mod authority;
mod health;
mod proxies;
mod reading;

use std::time::Duration;

use acme::AcmeServer;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use lifecycle::Lifecycle;
use tower_http::timeout::RequestBodyTimeoutLayer;

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
        let router = screens
            .merge(crate::api::router(self.desk.clone(), &self.base_url))
            .layer(from_fn_with_state(self.desk.clone(), reading::with_one_reader))
            .merge(acme::router(self.acme.clone()))
            .merge(automation::router(self.desk.clone()))
            .merge(authority::router(self.desk.clone()))
            .merge(health::router(self.desk.clone()));
        limit_bodies(router)
            .layer(from_fn(crate::metrics::count))
            .layer(from_fn_with_state(self.proxies.clone(), proxies::see_through))
    }
}

/// How long a request's body may pause while it comes.
pub const BODY_PAUSE: Duration = Duration::from_secs(30);

/// Waits for no body that never ends. Screens and ACME have limits of their own for the whole.
pub fn limit_bodies(router: Router) -> Router {
    router.layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
}
