//! "Download": a certificate in the form that the server software wants.

use domain::CertificateId;
use leptos::prelude::*;

use super::api::{CertificateRow, order};
use super::badges::kind_label;
use super::detail::number_in_path;
use crate::fault::PortalError;
use crate::kit::{Column, EmptyState, Expiry, Notice, Section, Sheet, Table, Tone, page};
use crate::paths;

/// Server software, the file that it wants, and where it goes.
const SOFTWARE: [(&str, &str, &str, &str); 7] = [
    ("nginx", "chain", "PEM with intermediates", "ssl_certificate"),
    ("Apache 2.4.8 or newer", "chain", "PEM with intermediates", "SSLCertificateFile"),
    (
        "Apache, older",
        "pem",
        "PEM, the certificate alone",
        "SSLCertificateFile; the intermediates go into SSLCertificateChainFile",
    ),
    ("HAProxy", "chain", "PEM with intermediates", "crt, with the private key appended"),
    ("Microsoft IIS, Exchange", "p7b", "PKCS#7", "Complete Certificate Request"),
    ("Tomcat, Java keystore", "p7b", "PKCS#7", "keytool -importcert"),
    ("Appliances that ask for DER", "der", "DER, the certificate alone", "as its manual says"),
];

/// "Download".
#[component]
pub fn DownloadPage() -> impl IntoView {
    let number = number_in_path();
    page(async move {
        let detail = order(number.ok_or_else(|| PortalError::no_such("order"))?).await?;
        let number = detail.row.number;
        let files: Vec<CertificateRow> =
            detail.certificates.into_iter().rev().filter(|one| one.has_file).collect();
        let body = if files.is_empty() {
            view! { <EmptyState title="Nothing to download" text="The order has no certificate yet, or it was imported without its text."/> }
                .into_any()
        } else {
            view! {
                <Notice tone=Tone::Info>
                    <p>"Private keys never leave the servers that made them, so PKCS#12 files are made there, with: openssl pkcs12 -export."</p>
                </Notice>
                {files.into_iter().map(file).collect_view()}
            }
            .into_any()
        };
        Ok(Sheet::new("Download", body)
            .under("Certificates")
            .crumb("Orders", paths::orders())
            .crumb(format!("Order {number}"), paths::order(number)))
    })
}

fn file(one: CertificateRow) -> AnyView {
    let columns = vec![
        Column::new("Server software"),
        Column::new("File"),
        Column::new("Where it goes"),
        Column::new("Download").hidden(),
    ];
    let id = one.id;
    let rows =
        SOFTWARE.map(|(software, format, what, place)| row(id, software, format, what, place));
    let rows = rows.into_iter().collect_view();
    let title = format!("{} {}", kind_label(one.kind), one.common_name);
    let label = format!("Files of certificate {}", one.serial);
    view! {
        <Section title=title>
            <p class="muted">"Serial number " <code>{one.serial}</code> ", valid till " <Expiry at=one.not_after/></p>
            <Table label=label columns=columns>{rows}</Table>
            <p class="muted small">
                <a href=paths::certificate_file(id, "fullchain") download="">"PEM with the root as well"</a>
            </p>
        </Section>
    }
    .into_any()
}

fn row(
    id: CertificateId,
    software: &'static str,
    format: &'static str,
    what: &'static str,
    place: &'static str,
) -> AnyView {
    let label = format!("Download for {software}");
    view! {
        <tr>
            <th scope="row">{software}</th>
            <td>{what}</td>
            <td>{place}</td>
            <td><a href=paths::certificate_file(id, format) download="" aria-label=label>"Download"</a></td>
        </tr>
    }
    .into_any()
}
