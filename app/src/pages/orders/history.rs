//! "Certificate history": every certificate of an order.

use leptos::prelude::*;

use super::api::{CertificateRow, OrderDetail};
use super::badges::{certificate_badge, kind_label};
use domain::model::CertificateStatus;

use crate::kit::{
    Column, Copyable, EmptyState, Expiry, NONE, Names, Section, Span, Table, Time, Timeline, Tone,
    days_left,
};
use crate::paths;
use crate::viewer::Viewer;

/// The section of the order's page.
pub(super) fn history(detail: &OrderDetail) -> AnyView {
    if detail.certificates.is_empty() {
        return view! {
            <Section title="Certificate history">
                <EmptyState title="No certificate yet" text="It is listed here as soon as the request is approved and issued."/>
            </Section>
        }
        .into_any();
    }
    let columns = vec![
        Column::new("Type"),
        Column::new("Status"),
        Column::new("Serial number"),
        Column::new("Names"),
        Column::new("Valid from"),
        Column::new("Valid till"),
        Column::new("Installed on"),
        Column::new("Requested by"),
        Column::new("Download").hidden(),
    ];
    let order = detail.row.number;
    let spans = detail.certificates.iter().rev().map(span).collect();
    let rows = detail.certificates.iter().rev().cloned().map(row).collect_view();
    let label = format!("Certificates of order {order}");
    view! {
        <Section title="Certificate history" lead="Newest first. Duplicates and reissues have the order's ID.">
            <Timeline spans=spans/>
            <div class="dense"><Table label=label columns=columns>{rows}</Table></div>
        </Section>
    }
    .into_any()
}

/// When a certificate is good, among the others.
fn span(one: &CertificateRow) -> Span {
    let now = Viewer::current().now;
    let tone = match one.status {
        CertificateStatus::Revoked { .. } => Tone::Bad,
        _ if now > one.not_after => Tone::Neutral,
        CertificateStatus::Issued if days_left(one.not_after, now).0 == Tone::Neutral => Tone::Good,
        CertificateStatus::RevocationPending { .. } | CertificateStatus::Issued => Tone::Warning,
    };
    Span { label: kind_label(one.kind).to_owned(), from: one.not_before, to: one.not_after, tone }
}

fn row(one: CertificateRow) -> impl IntoView {
    let badge = certificate_badge(one.status, one.not_after);
    let names: Vec<String> =
        one.names.iter().map(ToString::to_string).filter(|name| *name != one.common_name).collect();
    let key = one.key.map(|key| view! { <p class="muted small">{key.label()}</p> });
    let fingerprint = one.fingerprint.map(|text| {
        let short: String = text.chars().take(16).collect();
        view! { <p class="muted small" title=text>"SHA-256 " {short} "…"</p> }
    });
    let installed = one.installed.into_iter().map(|(endpoint, address)| {
        view! { <a class="place" href=paths::endpoint(endpoint)>{address}</a> }
    });
    let installed = match installed.collect::<Vec<_>>() {
        none if none.is_empty() => NONE.into_any(),
        places => places.into_any(),
    };
    let download = one.has_file.then(
        || view! { <a href=paths::certificate_file(one.id, "chain") download="">"PEM chain"</a> },
    );
    view! {
        <tr>
            <th scope="row">{kind_label(one.kind)}</th>
            <td>{badge}</td>
            <td><Copyable text=one.serial what="the serial number"/>{fingerprint}</td>
            <td>
                <Names names=vec![one.common_name] narrow=true/>
                {(!names.is_empty()).then(|| view! { <div class="muted small"><Names names=names narrow=true/></div> })}
                {key}
            </td>
            <td class="nowrap"><Time at=one.not_before day_only=true/></td>
            <td><Expiry at=one.not_after/></td>
            <td>{installed}</td>
            <td>{one.requester}</td>
            <td>{download}</td>
        </tr>
    }
}
