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

/// Static paths before those with parameters in the same place: the first match counts.
pub(crate) fn table() -> StaticVec<AnyNestedRoute> {
    vec![
        at(paths::DASHBOARD, dashboard::DashboardPage),
        at(paths::SIGN_IN, session::SignInPage),
        at(paths::SEARCH, search::SearchPage),
        at(paths::ORDERS, orders::OrdersPage),
        at(paths::ORDER, orders::OrderPage),
        at(paths::ORDER_DUPLICATE, orders::DuplicatePage),
        at(paths::ORDER_REISSUE, orders::ReissuePage),
        at(paths::ORDER_RENEW, orders::RenewPage),
        at(paths::ORDER_REVOKE, orders::RevokePage),
        at(paths::ORDER_DOWNLOAD, orders::DownloadPage),
        at(paths::REQUEST_CERTIFICATE, request::RequestCertificatePage),
        at(paths::REQUESTS, requests::RequestsPage),
        at(paths::REQUEST, requests::RequestPage),
        at(paths::DOMAINS, domains::DomainsPage),
        at(paths::DOMAIN_NEW, domains::DomainNewPage),
        at(paths::DOMAIN, domains::DomainPage),
        at(paths::ORGANIZATIONS, organizations::OrganizationsPage),
        at(paths::ORGANIZATION_NEW, organizations::OrganizationNewPage),
        at(paths::ORGANIZATION, organizations::OrganizationPage),
        at(paths::ENDPOINTS, endpoints::EndpointsPage),
        at(paths::ENDPOINTS_BULK, endpoints::BulkPage),
        at(paths::ENDPOINT, endpoints::EndpointPage),
        at(paths::WIZARD_PROFILE, wizard::ProfileStep),
        at(paths::WIZARD_CERTIFICATE, wizard::CertificateStep),
        at(paths::WIZARD_INSTALLATION, wizard::InstallationStep),
        at(paths::WIZARD_REVIEW, wizard::ReviewStep),
        at(paths::PROFILES, profiles::ProfilesPage),
        at(paths::PROFILE_NEW, profiles::ProfileNewPage),
        at(paths::PROFILE, profiles::ProfilePage),
        at(paths::ACME_URLS, acme_urls::AcmeUrlsPage),
        at(paths::ACME_URL_NEW, acme_urls::AcmeUrlNewPage),
        at(paths::ACME_URL, acme_urls::AcmeUrlPage),
        at(paths::ACME_URL_TRY, acme_urls::TryPage),
        at(paths::AGENTS, agents::AgentsPage),
        at(paths::AGENT_NEW, agents::AgentNewPage),
        at(paths::AGENT, agents::AgentPage),
        at(paths::ACTIVITY, activity::ActivityPage),
        at(paths::EVENT, activity::EventPage),
        at(paths::USERS, users::UsersPage),
        at(paths::USER_NEW, users::UserNewPage),
        at(paths::USER, users::UserPage),
        at(paths::MY_ACCOUNT, users::MyAccountPage),
        at(paths::SET_UP, users::SetUpPage),
        at(paths::API_KEYS, api_keys::ApiKeysPage),
        at(paths::API_KEY_NEW, api_keys::ApiKeyNewPage),
        at(paths::API_KEY_REVOKE, api_keys::ApiKeyRevokePage),
        at(paths::AUDIT_LOG, audit::AuditPage),
        at(paths::PREFERENCES, preferences::PreferencesPage),
        at(paths::NOTIFICATIONS, notifications::NotificationsPage),
        at(paths::PRODUCT_SETTINGS, products::ProductSettingsPage),
    ]
    .into()
}

/// A page at a path. Rendered whole before anything is sent: status codes are real, and no script
/// is needed to put parts in place.
fn at<V: IntoView + 'static>(path: Pattern, page: fn() -> V) -> AnyNestedRoute {
    let view = move || page().into_any();
    NestedRoute::new(path, view).ssr_mode(SsrMode::Async).into_any_nested_route()
}
