//! Words and colours for where orders and certificates stand.

use domain::model::{CertificateKind, CertificateStatus, OrderStatus, Origin};
use domain::{Product, ProductId, Timestamp};
use leptos::prelude::*;

use crate::kit::{Badge, Time, Tone};
use crate::viewer::Viewer;

/// Where an order stands; expiry follows from the clock.
pub(crate) fn order_badge(status: OrderStatus, valid_till: Option<Timestamp>) -> AnyView {
    let (tone, text) = order_state(status, valid_till, Viewer::current().now);
    view! { <Badge tone=tone text=text/> }.into_any()
}

/// Where an order stands, in colour and word.
pub(super) fn order_state(
    status: OrderStatus,
    valid_till: Option<Timestamp>,
    now: Timestamp,
) -> (Tone, &'static str) {
    let expired = valid_till.is_some_and(|till| now > till);
    match status {
        OrderStatus::Issued if expired => (Tone::Bad, "Expired"),
        OrderStatus::Issued => (Tone::Good, "Issued"),
        OrderStatus::Pending => (Tone::Waiting, "Pending"),
        OrderStatus::ReissuePending => (Tone::Waiting, "Reissue pending"),
        OrderStatus::Rejected => (Tone::Neutral, "Rejected"),
        OrderStatus::Canceled => (Tone::Neutral, "Canceled"),
        OrderStatus::Revoked => (Tone::Bad, "Revoked"),
    }
}

/// What has become of a certificate, in a word.
#[cfg(feature = "ssr")]
pub(crate) const fn certificate_word(status: CertificateStatus) -> &'static str {
    match status {
        CertificateStatus::Issued => "Issued",
        CertificateStatus::RevocationPending { .. } => "Revocation pending",
        CertificateStatus::Revoked { .. } => "Revoked",
    }
}

/// What has become of a certificate.
pub(crate) fn certificate_badge(status: CertificateStatus, not_after: Timestamp) -> AnyView {
    let expired = Viewer::current().now > not_after;
    match status {
        CertificateStatus::Issued if expired => view! { <Badge tone=Tone::Neutral text="Expired"/> }.into_any(),
        CertificateStatus::Issued => view! { <Badge tone=Tone::Good text="Issued"/> }.into_any(),
        CertificateStatus::RevocationPending { due } => view! {
            <Badge tone=Tone::Warning text="Revocation pending"/>
            <p class="muted small">"on " <Time at=due/></p>
        }
        .into_any(),
        CertificateStatus::Revoked { reason, at } => view! {
            <Badge tone=Tone::Bad text="Revoked"/>
            <p class="muted small">{reason.as_str().replace('_', " ")} ", " <Time at=at day_only=true/></p>
        }
        .into_any(),
    }
}

/// The product's name; its id where it is no longer sold.
pub(crate) fn product_name(product: &ProductId) -> String {
    Product::find(product.as_str())
        .map_or_else(|| product.to_string(), |found| found.name.to_owned())
}

/// How long a multi-year plan covers.
pub(crate) fn plan_label(years: u8) -> String {
    match years {
        1 => "Multi-year plan, 1 year".to_owned(),
        _ => format!("Multi-year plan, {years} years"),
    }
}

/// Rule D6: why a duplicate of this product takes no further names. Which products do is the
/// catalogue's to say.
pub(crate) fn no_further_names(product: &str) -> String {
    let can: Vec<&str> = domain::product::CATALOGUE
        .iter()
        .filter(|one| one.duplicate_may_add_names)
        .map(|one| one.name)
        .collect();
    format!(
        "A duplicate of {product} has exactly the names of its order. Only {} take additional names (rule D6).",
        can.join(" and ")
    )
}

/// The door that an order came through.
pub(super) const fn origin_label(origin: Origin) -> &'static str {
    match origin {
        Origin::Portal => "Portal",
        Origin::Automation => "Automation",
        Origin::Acme => "ACME",
    }
}

/// A status for filters.
pub(super) const fn status_label(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Issued => "Issued",
        OrderStatus::Pending => "Pending",
        OrderStatus::ReissuePending => "Reissue pending",
        OrderStatus::Rejected => "Rejected",
        OrderStatus::Canceled => "Canceled",
        OrderStatus::Revoked => "Revoked",
    }
}

/// What a certificate is to its order.
pub(super) const fn kind_label(kind: CertificateKind) -> &'static str {
    match kind {
        CertificateKind::Original => "Original",
        CertificateKind::Reissue => "Reissue",
        CertificateKind::Duplicate => "Duplicate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_one_year() {
        assert_eq!(plan_label(1), "Multi-year plan, 1 year");
        assert_eq!(plan_label(3), "Multi-year plan, 3 years");
    }

    #[test]
    fn who_takes_names_is_what_the_catalogue_says() {
        let told = no_further_names("a product of yours");
        let listed = told.split_once("Only ").and_then(|(_, rest)| rest.split_once(" take"));
        let listed: Vec<&str> = listed.unwrap().0.split(" and ").collect();
        for one in domain::product::CATALOGUE {
            let taken = listed.contains(&one.name);
            assert_eq!(taken, one.duplicate_may_add_names, "{}: {told}", one.name);
        }
    }
}
