//! The one route table: which page stands at which path.

use leptos::prelude::*;
use leptos::tachys::view::iterators::StaticVec;
use leptos_router::any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _};
use leptos_router::{NestedRoute, SsrMode};

use crate::pages::{
    acme_urls, activity, agents, api_keys, audit, dashboard, domains, endpoints, notifications,
    orders, organizations, preferences, products, profiles, request, requests, search, session,
    users, wizard,
};
use crate::paths::{self, Pattern};
use crate::viewer::Viewer;

/// The route of the page that is asked for, or none. Static paths stand before those with parameters in
/// the same place: the first match counts. The path counts as it was sent: browsers and clients
/// resolve `.` and `..` themselves.
pub(crate) fn table() -> StaticVec<AnyNestedRoute> {
    let viewer = Viewer::current();
    let routes = Matching { path: viewer.path(), route: None };
    routes
        .or(paths::DASHBOARD, dashboard::DashboardPage)
        .or(paths::SIGN_IN, session::SignInPage)
        .or(paths::SEARCH, search::SearchPage)
        .or(paths::ORDERS, orders::OrdersPage)
        .or(paths::ORDER, orders::OrderPage)
        .or(paths::ORDER_DUPLICATE, orders::DuplicatePage)
        .or(paths::ORDER_REISSUE, orders::ReissuePage)
        .or(paths::ORDER_RENEW, orders::RenewPage)
        .or(paths::ORDER_REVOKE, orders::RevokePage)
        .or(paths::ORDER_DOWNLOAD, orders::DownloadPage)
        .or(paths::REQUEST_CERTIFICATE, request::RequestCertificatePage)
        .or(paths::REQUESTS, requests::RequestsPage)
        .or(paths::REQUEST, requests::RequestPage)
        .or(paths::DOMAINS, domains::DomainsPage)
        .or(paths::DOMAIN_NEW, domains::DomainNewPage)
        .or(paths::DOMAIN, domains::DomainPage)
        .or(paths::ORGANIZATIONS, organizations::OrganizationsPage)
        .or(paths::ORGANIZATION_NEW, organizations::OrganizationNewPage)
        .or(paths::ORGANIZATION, organizations::OrganizationPage)
        .or(paths::ENDPOINTS, endpoints::EndpointsPage)
        .or(paths::ENDPOINTS_BULK, endpoints::BulkPage)
        .or(paths::ENDPOINT, endpoints::EndpointPage)
        .or(paths::WIZARD_PROFILE, wizard::ProfileStep)
        .or(paths::WIZARD_CERTIFICATE, wizard::CertificateStep)
        .or(paths::WIZARD_INSTALLATION, wizard::InstallationStep)
        .or(paths::WIZARD_REVIEW, wizard::ReviewStep)
        .or(paths::PROFILES, profiles::ProfilesPage)
        .or(paths::PROFILE_NEW, profiles::ProfileNewPage)
        .or(paths::PROFILE, profiles::ProfilePage)
        .or(paths::ACME_URLS, acme_urls::AcmeUrlsPage)
        .or(paths::ACME_URL_NEW, acme_urls::AcmeUrlNewPage)
        .or(paths::ACME_URL, acme_urls::AcmeUrlPage)
        .or(paths::ACME_URL_TRY, acme_urls::TryPage)
        .or(paths::AGENTS, agents::AgentsPage)
        .or(paths::AGENT_NEW, agents::AgentNewPage)
        .or(paths::AGENT, agents::AgentPage)
        .or(paths::ACTIVITY, activity::ActivityPage)
        .or(paths::EVENT, activity::EventPage)
        .or(paths::USERS, users::UsersPage)
        .or(paths::USER_NEW, users::UserNewPage)
        .or(paths::USER, users::UserPage)
        .or(paths::MY_ACCOUNT, users::MyAccountPage)
        .or(paths::SET_UP, users::SetUpPage)
        .or(paths::API_KEYS, api_keys::ApiKeysPage)
        .or(paths::API_KEY_NEW, api_keys::ApiKeyNewPage)
        .or(paths::API_KEY_REVOKE, api_keys::ApiKeyRevokePage)
        .or(paths::AUDIT_LOG, audit::AuditPage)
        .or(paths::PREFERENCES, preferences::PreferencesPage)
        .or(paths::NOTIFICATIONS, notifications::NotificationsPage)
        .or(paths::PRODUCT_SETTINGS, products::ProductSettingsPage)
        .table()
}

/// The first route for a path: only that one is made, not fifty for each page.
struct Matching<'a> {
    path: &'a str,
    route: Option<AnyNestedRoute>,
}

impl Matching<'_> {
    fn or<V: IntoView + 'static>(mut self, pattern: Pattern, page: fn() -> V) -> Self {
        if self.route.is_none() && pattern.matches(self.path) {
            self.route = Some(at(pattern, page));
        }
        self
    }

    fn table(self) -> StaticVec<AnyNestedRoute> {
        self.route.into_iter().collect::<Vec<_>>().into()
    }
}

/// A page at a path. Rendered whole before anything is sent: status codes are real, and no script
/// is needed to put parts in place.
fn at<V: IntoView + 'static>(path: Pattern, page: fn() -> V) -> AnyNestedRoute {
    let view = move || page().into_any();
    NestedRoute::new(path, view).ssr_mode(SsrMode::Async).into_any_nested_route()
}
