//! Typed URLs: the only place where a path of the portal is spelled.
//!
//! Each page has a [`Pattern`] for the route table and a function that fills it for links.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use domain::{
    AcmeUrlId, AgentId, CertificateId, DomainId, EndpointId, EventId, OrderNumber, OrganizationId,
    ProfileId, RequestId, UserId,
};
use leptos_router::{PartialPathMatch, PathSegment, PossibleRouteMatch};

use crate::query::Encoded;

/// A path with `:names` in the place of values. Matches whole paths only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern(&'static str);

impl Pattern {
    /// The pattern as written; the whole URL where it has no `:names`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// What stands before and behind its first `:name`.
    pub(crate) fn around(self) -> (&'static str, &'static str) {
        around_name(self.0).unwrap_or((self.0, ""))
    }

    /// Whether `path` is one of these.
    pub fn matches(self, path: &str) -> bool {
        self.test(path).is_some()
    }

    /// The path with the `:names` replaced in order; values are percent-encoded.
    fn fill(self, values: &[&dyn Display]) -> String {
        let mut path = String::with_capacity(self.0.len() + 16 * values.len());
        let mut rest = self.0;
        for value in values {
            let Some((before, behind)) = around_name(rest) else { break };
            path.push_str(before);
            // Writing to a `String` does not fail.
            let _ = write!(Encoded(&mut path), "{value}");
            rest = behind;
        }
        path.push_str(rest);
        path
    }
}

/// What stands before and behind the first `:name`; none where there is no name.
fn around_name(pattern: &'static str) -> Option<(&'static str, &'static str)> {
    let (before, named) = pattern.split_once(':')?;
    Some((before, named.find('/').and_then(|end| named.get(end..)).unwrap_or_default()))
}

impl PossibleRouteMatch for Pattern {
    fn optional(&self) -> bool {
        false
    }

    fn test<'a>(&self, path: &'a str) -> Option<PartialPathMatch<'a>> {
        let mut params = Vec::new();
        let mut wanted = self.0.trim_matches('/').split('/');
        let mut given = path.trim_matches('/').split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(PartialPathMatch::new("", params, path)),
                (Some(segment), Some(value)) => match segment.strip_prefix(':') {
                    Some(name) if !value.is_empty() => {
                        params.push((Cow::Borrowed(name), value.to_owned()));
                    }
                    None if segment == value => {}
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    fn generate_path(&self, path: &mut Vec<PathSegment>) {
        path.extend(self.0.split('/').filter(|segment| !segment.is_empty()).map(|segment| {
            match segment.strip_prefix(':') {
                Some(name) => PathSegment::Param(name.into()),
                None => PathSegment::Static(segment.into()),
            }
        }));
    }
}

macro_rules! paths {
    ($($(#[$meta:meta])* $name:ident $constant:ident ($($arg:ident: $type:ty),*) = $pattern:literal;)+) => {
        $(
            $(#[$meta])*
            pub const $constant: Pattern = Pattern($pattern);

            $(#[$meta])*
            pub fn $name($($arg: $type),*) -> String {
                $constant.fill(&[$(&$arg),*])
            }
        )+

        /// Every page's pattern.
        pub const ALL: &[Pattern] = &[$($constant),+];
    };
}

paths! {
    /// "Dashboard".
    dashboard DASHBOARD() = "/";
    /// "Sign in".
    sign_in SIGN_IN() = "/sign-in";
    /// The one-time link that makes the first administrator, and that invited people follow.
    set_up SET_UP(token: &str) = "/set-up/:token";
    /// Global search.
    search SEARCH() = "/search";

    /// "Certificates > Orders".
    orders ORDERS() = "/certificates/orders";
    /// An order.
    order ORDER(number: OrderNumber) = "/certificates/orders/:number";
    /// "Request duplicate".
    order_duplicate ORDER_DUPLICATE(number: OrderNumber) = "/certificates/orders/:number/duplicate";
    /// "Reissue certificate".
    order_reissue ORDER_REISSUE(number: OrderNumber) = "/certificates/orders/:number/reissue";
    /// "Renew certificate".
    order_renew ORDER_RENEW(number: OrderNumber) = "/certificates/orders/:number/renew";
    /// "Revoke certificate".
    order_revoke ORDER_REVOKE(number: OrderNumber) = "/certificates/orders/:number/revoke";
    /// "Download".
    order_download ORDER_DOWNLOAD(number: OrderNumber) = "/certificates/orders/:number/download";
    /// A certificate as a file; `format` is `pem`, `chain`, `fullchain`, `der` or `p7b`.
    certificate_file CERTIFICATE_FILE(id: CertificateId, format: &str) = "/certificates/files/:id/:format";
    /// "Request a certificate" by hand.
    request_certificate REQUEST_CERTIFICATE() = "/certificates/request";
    /// Where a CSR that is being pasted is sent to be read.
    read_csr READ_CSR() = "/certificates/request/csr";
    /// "Certificates > Requests".
    requests REQUESTS() = "/certificates/requests";
    /// A request with its review.
    request REQUEST(id: RequestId) = "/certificates/requests/:id";
    /// "Certificates > Domains".
    domains DOMAINS() = "/certificates/domains";
    /// "Add domain".
    domain_new DOMAIN_NEW() = "/certificates/domains/new";
    /// A domain with its validation.
    domain DOMAIN(id: DomainId) = "/certificates/domains/:id";
    /// "Certificates > Organizations".
    organizations ORGANIZATIONS() = "/certificates/organizations";
    /// "Add organization".
    organization_new ORGANIZATION_NEW() = "/certificates/organizations/new";
    /// An organization with its validation.
    organization ORGANIZATION(id: OrganizationId) = "/certificates/organizations/:id";

    /// "Automation > Automated IPs".
    endpoints ENDPOINTS() = "/automation/endpoints";
    /// The check before a bulk action on endpoints.
    endpoints_bulk ENDPOINTS_BULK() = "/automation/endpoints/bulk";
    /// An endpoint's details.
    endpoint ENDPOINT(id: EndpointId) = "/automation/endpoints/:id";
    /// Step 1 of the automation request: "Automation profile".
    wizard_profile WIZARD_PROFILE(id: EndpointId) = "/automation/endpoints/:id/request";
    /// Step 2: "Certificate".
    wizard_certificate WIZARD_CERTIFICATE(id: EndpointId) = "/automation/endpoints/:id/request/certificate";
    /// Step 3: "Installation".
    wizard_installation WIZARD_INSTALLATION(id: EndpointId) = "/automation/endpoints/:id/request/installation";
    /// Step 4: "Review".
    wizard_review WIZARD_REVIEW(id: EndpointId) = "/automation/endpoints/:id/request/review";
    /// "Manage profiles".
    profiles PROFILES() = "/automation/profiles";
    /// "Add new profile".
    profile_new PROFILE_NEW() = "/automation/profiles/new";
    /// A profile.
    profile PROFILE(id: ProfileId) = "/automation/profiles/:id";
    /// "ACME Directory URLs".
    acme_urls ACME_URLS() = "/automation/acme-urls";
    /// "Add ACME Directory URL".
    acme_url_new ACME_URL_NEW() = "/automation/acme-urls/new";
    /// An ACME Directory URL with its accounts and orders.
    acme_url ACME_URL(id: AcmeUrlId) = "/automation/acme-urls/:id";
    /// "Try a request".
    acme_url_try ACME_URL_TRY(id: AcmeUrlId) = "/automation/acme-urls/:id/try";
    /// "Agents".
    agents AGENTS() = "/automation/agents";
    /// An agent's activation.
    agent_new AGENT_NEW() = "/automation/agents/new";
    /// An agent.
    agent AGENT(id: AgentId) = "/automation/agents/:id";
    /// "Activity".
    activity ACTIVITY() = "/automation/activity";
    /// An automation event's own page, which follows its progress.
    event EVENT(id: EventId) = "/automation/activity/:id";
    /// The stream of changes to an automation event (server-sent events).
    event_stream EVENT_STREAM(id: EventId) = "/automation/activity/:id/stream";

    /// "Users".
    users USERS() = "/account/users";
    /// "Invite a user".
    user_new USER_NEW() = "/account/users/new";
    /// A user.
    user USER(id: UserId) = "/account/users/:id";
    /// The signed-in person's own name, time zone and password.
    my_account MY_ACCOUNT() = "/account/me";
    /// "API keys".
    api_keys API_KEYS() = "/account/api-keys";
    /// "Add API key".
    api_key_new API_KEY_NEW() = "/account/api-keys/new";
    /// "Revoke", of the API key in the query's `key`: a list names it in a word for each row.
    api_key_revoke API_KEY_REVOKE() = "/account/api-keys/revoke";
    /// "Audit log".
    audit_log AUDIT_LOG() = "/account/audit-log";

    /// "Settings > Preferences".
    preferences PREFERENCES() = "/settings/preferences";
    /// "Notifications".
    notifications NOTIFICATIONS() = "/settings/notifications";
    /// "Product settings".
    product_settings PRODUCT_SETTINGS() = "/settings/products";
}

/// The CSV form of a list: the list's own path with `.csv` at its end.
pub fn csv(list: Pattern) -> String {
    format!("{}.csv", list.as_str())
}

/// `next`, if it is a path of this portal, else the dashboard: a link in a mail must not lead from
/// the sign-in page to another site. Browsers leave tabs and line breaks out of an address and take
/// a backslash for a slash, so that `/`, a tab and `/evil.example` would lead away.
pub fn local(next: &str) -> String {
    let strange = |c: char| c.is_control() || c == '\\';
    let own = next.starts_with('/') && !next.starts_with("//") && !next.contains(strange);
    if own { next.to_owned() } else { dashboard() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_what_it_fills() {
        let url = order_reissue(OrderNumber(555_123_456));
        assert_eq!(url, "/certificates/orders/555123456/reissue");
        let params = ORDER_REISSUE.test(&url).unwrap().params();
        assert_eq!(params, vec![(Cow::Borrowed("number"), "555123456".to_owned())]);
        assert!(ORDER.test(&url).is_none(), "longer paths belong to other pages");
        assert!(ORDERS.test("/certificates/orders/").is_some(), "a slash at the end does no harm");
    }

    #[test]
    fn no_two_pages_share_a_path() {
        for (at, one) in ALL.iter().enumerate() {
            assert!(ALL.iter().skip(at + 1).all(|other| other != one), "{one:?} is there twice");
        }
    }

    #[test]
    fn only_own_paths_are_followed_after_sign_in() {
        assert_eq!(local("/certificates/orders?sort=number"), "/certificates/orders?sort=number");
        for foreign in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/x\u{0}",
            "\t//evil.example",
            "javascript:0",
            "",
        ] {
            assert_eq!(local(foreign), "/");
        }
    }
}
