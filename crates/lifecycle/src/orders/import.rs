//! `certdeck import orders`: history from another system, a line of JSON per order as `order show
//! --json` prints it. All or nothing; faults are told by line number.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;

use base64::Engine as _;
use domain::model::{
    Certificate, CertificateStatus, Coverage, KeyType, Order, OrderFile, OrderStatus,
    RevocationReason, Serial, SignatureHash,
};
use domain::{CertificateId, NameSet, OrderNumber, OrganizationId, Product};
use store::bulk::{Document, LoadedOrder};

use super::view::{CertificateView, OrderView};
use crate::audit::{self, AuditEntry};
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// Longest line: room for an order with some hundred certificates.
const MAX_LINE: usize = 4 * 1024 * 1024;
/// Faults that are told; one more line says how many there are besides.
const MAX_FAULTS: usize = 50;

/// What is wrong with one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong, and what is expected.
    pub message: String,
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Import {
    /// Every line was loaded.
    Loaded {
        /// How many orders.
        orders: u64,
    },
    /// Nothing was loaded.
    Faulty {
        /// The faults, at most 50.
        faults: Vec<LineFault>,
        /// How many more there are.
        more: usize,
    },
}

/// What earlier lines hold.
#[derive(Default)]
struct Seen {
    numbers: HashSet<OrderNumber>,
    serials: HashSet<Serial>,
    organizations: HashMap<String, Option<OrganizationId>>,
}

impl Lifecycle {
    /// Reads and loads orders. `progress` is told the count from time to time.
    pub async fn import_orders(
        &self,
        actor: &Actor,
        mut reader: impl BufRead + Send,
        progress: impl FnMut(u64) + Send,
    ) -> Result<Import> {
        crate::accounts::require_administrator(actor, "Importing orders")?;
        let mut seen = Seen::default();
        let mut orders = Vec::new();
        let mut faults = Vec::new();
        let mut more = 0;
        let mut number = 0;
        while let Some(line) = next_line(&mut reader, &mut number) {
            let read = match line {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => self.read_order(&text, &mut seen).await?,
                Err(message) => Err(message),
            };
            match read {
                Ok(order) => orders.push(order),
                Err(message) if faults.len() < MAX_FAULTS => {
                    faults.push(LineFault { line: number, message });
                }
                Err(_) => more += 1,
            }
        }
        if !faults.is_empty() {
            return Ok(Import::Faulty { faults, more });
        }
        let (now, expected) = (self.clock().now(), orders.len() as u64);
        let words = format!("Imported {expected} orders.");
        let entry = AuditEntry::new("orders.imported", "order", expected, words);
        let entry = audit::row(now, actor, entry);
        let loaded = self.store().load_orders(orders, expected, now, Some(entry), progress).await?;
        Ok(Import::Loaded { orders: loaded })
    }

    /// One line as an order, or what is wrong with it.
    async fn read_order(
        &self,
        text: &str,
        seen: &mut Seen,
    ) -> Result<std::result::Result<LoadedOrder, String>> {
        let view: OrderView = match serde_json::from_str(text) {
            Ok(view) => view,
            Err(error) => {
                // The reader sees this line alone, and takes it for the first.
                let fault = error.to_string().replace(" at line 1 column ", " at column ");
                return Ok(Err(format!("not an order as `order show --json` prints it: {fault}")));
            }
        };
        let organization = if let Some(known) = seen.organizations.get(&view.organization) {
            *known
        } else {
            let mut tx = self.store().reader().await?;
            let id = tx.organization_by_name(&view.organization).await?.map(|found| found.id);
            seen.organizations.insert(view.organization.clone(), id);
            id
        };
        let Some(organization) = organization else {
            return Ok(Err(format!(
                "there is no organization {:?}; add it first: certdeck org add",
                view.organization
            )));
        };
        if let Err(message) = check(&view, seen) {
            return Ok(Err(message));
        }
        let mut tx = self.store().reader().await?;
        if tx.order(view.number).await?.is_some() {
            return Ok(Err(format!("order {} is here already", view.number)));
        }
        for one in &view.certificates {
            if tx.certificate_by_serial(&one.serial).await?.is_some() {
                return Ok(Err(format!("the certificate {} is here already", one.serial)));
            }
        }
        Ok(loaded(view, organization))
    }
}

/// The next line; an error in words where it is too long or not text.
fn next_line(
    reader: &mut impl BufRead,
    number: &mut usize,
) -> Option<std::result::Result<String, String>> {
    let mut bytes = Vec::new();
    let limit = MAX_LINE as u64 + 1;
    match std::io::Read::take(&mut *reader, limit).read_until(b'\n', &mut bytes) {
        Ok(0) => None,
        Ok(_) => {
            *number += 1;
            if bytes.len() > MAX_LINE {
                // The rest of the line would be read as lines of its own.
                let _ = reader.skip_until(b'\n');
                return Some(Err(format!("longer than {MAX_LINE} bytes")));
            }
            Some(String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned()))
        }
        Err(error) => {
            *number += 1;
            Some(Err(format!("can't be read: {error}")))
        }
    }
}

/// Checks what the database does not, and that no number or serial comes twice.
fn check(view: &OrderView, seen: &mut Seen) -> std::result::Result<(), String> {
    if Product::find(view.product.as_str()).is_none() {
        return Err(format!(
            "there is no product {:?}; see certdeck product list",
            view.product.as_str()
        ));
    }
    if view.number.0 < 1 {
        return Err("the order's number must be positive".to_owned());
    }
    if !view.sans.contains(&view.common_name) {
        return Err("the common name must be one of the sans".to_owned());
    }
    if view.status == OrderStatus::Pending {
        return Err(
            "an order that is pending waits for a request, which is not imported: leave its line out, and import it once it is issued".to_owned(),
        );
    }
    let issued = matches!(
        view.status,
        OrderStatus::Issued | OrderStatus::ReissuePending | OrderStatus::Revoked
    );
    if issued == view.certificates.is_empty() {
        return Err(format!(
            "an order that is {} must {} certificates",
            view.status,
            if issued { "have" } else { "have no" }
        ));
    }
    if view.coverage_years.is_some() && view.coverage_ends_at.is_none() {
        return Err("a multi-year plan needs coverage_ends_at".to_owned());
    }
    if !seen.numbers.insert(view.number) {
        return Err(format!("order {} comes twice in this file", view.number));
    }
    for one in &view.certificates {
        if one.not_after < one.not_before {
            return Err(format!("the certificate {} ends before it begins", one.serial));
        }
        if Serial::parse(&one.serial.0).as_ref() != Some(&one.serial) {
            return Err(format!("{:?} is not a serial in lower-case hex", one.serial.0));
        }
        if !seen.serials.insert(one.serial.clone()) {
            return Err(format!("the certificate {} comes twice in this file", one.serial));
        }
    }
    Ok(())
}

fn loaded(
    view: OrderView,
    organization: OrganizationId,
) -> std::result::Result<LoadedOrder, String> {
    let documents =
        view.certificates.iter().map(document).collect::<std::result::Result<_, _>>()?;
    let certificates = view
        .certificates
        .iter()
        .map(|one| certificate(view.number, one))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let coverage = match (view.coverage_years, view.coverage_ends_at) {
        (Some(years), Some(ends)) => Coverage::MultiYear { years, ends },
        _ => Coverage::Single,
    };
    let order = Order {
        number: view.number,
        organization,
        product: view.product,
        names: NameSet::with_common_name(&view.common_name, view.sans),
        common_name: view.common_name,
        // The reissue's request is not imported, so nobody could decide it.
        status: match view.status {
            OrderStatus::ReissuePending => OrderStatus::Issued,
            status => status,
        },
        origin: view.origin,
        coverage,
        ordered_at: view.ordered_at,
        issued_at: certificates.first().map(|first| first.not_before),
        renews: view.renews,
        renewed_by: view.renewed_by,
        auto_renew: false,
        validity_days: None,
        key_type: KeyType::Rsa2048,
        signature_hash: SignatureHash::Sha256,
        acme_url: None,
        requester: None,
    };
    let file = OrderFile { order, certificates };
    Ok(LoadedOrder { file, documents, requester_name: None, note: None })
}

fn certificate(
    order: OrderNumber,
    view: &CertificateView,
) -> std::result::Result<Certificate, String> {
    let status = match view.status.as_str() {
        "issued" => CertificateStatus::Issued,
        "revocation_pending" => CertificateStatus::RevocationPending {
            due: view.revocation_due_at.ok_or("revocation_pending needs revocation_due_at")?,
        },
        "revoked" => CertificateStatus::Revoked {
            reason: view.revocation_reason.unwrap_or(RevocationReason::Unspecified),
            at: view.revoked_at.unwrap_or(view.not_before),
        },
        other => return Err(format!("{other:?} is not a certificate's status")),
    };
    Ok(Certificate {
        id: CertificateId(0),
        order,
        kind: view.kind,
        serial: view.serial.clone(),
        common_name: view.common_name.clone(),
        names: NameSet::with_common_name(&view.common_name, view.sans.iter().cloned()),
        not_before: view.not_before,
        not_after: view.not_after,
        status,
    })
}

/// The bytes in a certificate's PEM.
pub(crate) fn der_of(pem: &str) -> Option<Vec<u8>> {
    let body: String = pem
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "-----BEGIN CERTIFICATE-----")
        .skip(1)
        .take_while(|line| *line != "-----END CERTIFICATE-----")
        .collect();
    let der = base64::engine::general_purpose::STANDARD.decode(&body).ok()?;
    (!der.is_empty()).then_some(der)
}

/// The PEM with its fingerprint.
fn document(view: &CertificateView) -> std::result::Result<Document, String> {
    let Some(pem) = &view.pem else { return Ok(Document::default()) };
    let der = der_of(pem)
        .ok_or_else(|| format!("the PEM of the certificate {} can't be read", view.serial))?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    Ok(Document {
        pem: Some(pem.clone()),
        fingerprint_sha256: Some(hex::encode(digest)),
        ..Document::default()
    })
}

impl std::fmt::Display for LineFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl From<LineFault> for LifecycleError {
    fn from(fault: LineFault) -> Self {
        Self::field("file", fault.to_string())
    }
}
