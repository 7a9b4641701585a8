//! New orders, and the row that a renewal shares with them.

use ca::CsrFacts;
use domain::model::{CertificateKind, Coverage, Order, OrderStatus, SignatureHash};
use domain::rules::{ApprovalNeed, Validity, check_product_names, first_validity, new_coverage};
use domain::{
    Days, DnsName, Name, NameSet, OrderNumber, OrganizationId, Product, ProductId, ProfileId,
    Timestamp,
};
use serde_json::json;
use store::Tx;
use store::orders::NewOrder as NewRow;

use crate::ask::{note, read_csr};
use crate::audit::{self, AuditEntry};
use crate::issue::{Draft, Signing, product_of};
use crate::place::{Placed, Placing};
use crate::submitted::Submitted;
use crate::{
    Actor, Ask, Exact, FieldFault, Lifecycle, LifecycleError, NewOrder, Outcome, Result, What,
};

/// "Request a certificate" as a person fills it in.
#[derive(Debug, Clone, Default)]
pub struct NewOrderForm {
    /// The product's id.
    pub product: String,
    /// The organization's id.
    pub organization: String,
    /// The CSR in PEM.
    pub csr: String,
    /// The common name; the CSR's where empty.
    pub common_name: String,
    /// Further names, separated by commas, spaces or line breaks; the CSR's where empty.
    pub names: String,
    /// Years of a multi-year plan; empty for one certificate's lifetime.
    pub coverage_years: String,
    /// Validity in days; empty for the product's longest.
    pub validity_days: String,
    /// The last second of its certificate, where one was asked for.
    pub ends_by: Option<Timestamp>,
    /// Words to the reviewer.
    pub note: String,
    /// A token of the form: sent twice, it makes one order.
    pub submit_token: String,
}

/// Terms of an order that is about to be placed.
pub(crate) struct Terms<'a> {
    pub(crate) organization: OrganizationId,
    pub(crate) product: &'a ProductId,
    /// The order's names.
    pub(crate) names: &'a Exact,
    pub(crate) coverage: Coverage,
    pub(crate) validity_days: Option<Days>,
    pub(crate) signature_hash: SignatureHash,
    pub(crate) auto_renew: bool,
    pub(crate) profile: Option<ProfileId>,
    pub(crate) number: Option<OrderNumber>,
    pub(crate) renews: Option<OrderNumber>,
    /// The order's own key: a renewal's claim, or the ask's.
    pub(crate) key: Option<String>,
    /// The last second of its first certificate, where that is issued in this transaction.
    pub(crate) certificate_until: Option<Timestamp>,
}

/// The product with this id, or the words for its field.
pub(crate) fn sold(id: &ProductId) -> Result<&'static Product> {
    Product::find(id.as_str()).ok_or_else(|| {
        LifecycleError::field(
            "product",
            format!("There is no product {id:?}. Choose one from the list."),
        )
    })
}

fn order_taken() -> LifecycleError {
    LifecycleError::Conflict {
        message: "An order like this was placed at the same moment. Reload the page.".to_owned(),
    }
}

impl Placing<'_> {
    /// Decides and writes a new order.
    pub(crate) async fn new_order(&self, tx: &mut Tx, new: &NewOrder) -> Result<Placed> {
        let product = sold(&new.product)?;
        check_product_names(product, &new.names.names)?;
        if new.number.is_some() && !matches!(self.actor, Actor::Operator) {
            return Err(LifecycleError::Forbidden {
                what: "Choosing an order's number",
                needs: "operator",
            });
        }
        let coverage = new_coverage(product, new.coverage_years, self.now, Days(0))?;
        let at_once = self.signing == Signing::Here && self.need == ApprovalNeed::NotNeeded;
        let certificate_until = if at_once {
            let validity = self.first_validity(product, coverage, new.validity_days, Days(0))?;
            Some(validity.not_after)
        } else {
            None
        };
        let terms = Terms {
            organization: new.organization,
            product: &new.product,
            names: &new.names,
            coverage,
            validity_days: new.validity_days,
            signature_hash: new.signature_hash,
            auto_renew: new.auto_renew,
            profile: new.profile,
            number: new.number,
            renews: None,
            key: None,
            certificate_until,
        };
        let order = self.insert(tx, &terms).await?.ok_or_else(order_taken)?;
        self.original(tx, &order, &new.names, Days(0)).await
    }

    /// Writes an order's row, as pending where it is not issued in this transaction; none where its
    /// key is claimed already.
    pub(crate) async fn insert(&self, tx: &mut Tx, terms: &Terms<'_>) -> Result<Option<Order>> {
        let row = NewRow {
            number: terms.number,
            organization: terms.organization,
            product: terms.product.clone(),
            common_name: terms.names.common_name.clone(),
            names: terms.names.names.clone(),
            status: match terms.certificate_until {
                Some(_) => OrderStatus::Issued,
                None => OrderStatus::Pending,
            },
            origin: self.asker.origin,
            coverage: terms.coverage,
            ordered_at: self.now,
            issued_at: terms.certificate_until.map(|_| self.now),
            renews: terms.renews,
            auto_renew: terms.auto_renew,
            validity_days: terms.validity_days,
            key_type: self.ask.key_type(),
            signature_hash: terms.signature_hash,
            acme_url: self.asker.acme_url,
            acme_account: self.asker.acme_account,
            profile: terms.profile,
            requester: self.asker.user,
            requester_name: self.asker.name.clone(),
            idempotency_key: terms.key.clone(),
            note: self.ask.note.clone(),
            certificate_until: terms.certificate_until,
        };
        Ok(tx.insert_order(&row).await?)
    }

    /// Reserves the first certificate of an order that was just written, or holds its request.
    /// `days_left` are those of the order that it renews.
    pub(crate) async fn original(
        &self,
        tx: &mut Tx,
        order: &Order,
        names: &Exact,
        days_left: Days,
    ) -> Result<Placed> {
        let draft = self.draft_original(order, names, days_left)?;
        let words = match order.renews {
            Some(renewed) => {
                format!("Placed order {}, which renews order {renewed}.", order.number)
            }
            None => format!("Placed order {} for {}.", order.number, order.common_name),
        };
        let facts =
            json!({ "product": order.product, "names": order.names, "renews": order.renews });
        let entry = AuditEntry::new("order.placed", "order", order.number, words);
        audit::record(tx, self.now, self.actor, entry.changing(json!(null), facts)).await?;
        match self.need {
            ApprovalNeed::NotNeeded => self.reserve(tx, draft).await,
            ApprovalNeed::Needed { because } => self.hold(tx, order, names, because).await,
        }
    }

    /// The draft of an order's first certificate.
    pub(crate) fn draft_original<'a>(
        &'a self,
        order: &'a Order,
        names: &Exact,
        days_left: Days,
    ) -> Result<Draft<'a>> {
        let product = product_of(order)?;
        let validity =
            self.first_validity(product, order.coverage, order.validity_days, days_left)?;
        let draft = self.draft(order, CertificateKind::Original, names.clone(), validity)?;
        Ok(Draft { counted: order.issued_at.is_some(), ..draft })
    }

    fn first_validity(
        &self,
        product: &Product,
        coverage: Coverage,
        wanted: Option<Days>,
        days_left: Days,
    ) -> Result<Validity> {
        let (ends_by, issuer) = (self.ask.what.ends_by(), self.issuer.not_after());
        Ok(first_validity(product, coverage, wanted, ends_by, days_left, issuer, self.now)?)
    }
}

impl Lifecycle {
    /// Certificates > Request a certificate: a new order by hand.
    pub async fn request_new(&self, actor: &Actor, form: &NewOrderForm) -> Result<Outcome> {
        let ask = read_form(actor, form)?;
        self.ask(actor, ask).await
    }
}

/// Reads the form; every faulty field is named.
fn read_form(actor: &Actor, form: &NewOrderForm) -> Result<Ask> {
    let mut faults = Vec::new();
    let product = ProductId::from(form.product.trim());
    take(&mut faults, sold(&product));
    let organization = form.organization.trim().parse::<OrganizationId>();
    let chosen =
        organization.map_err(|_| LifecycleError::field("organization", "Choose the organization."));
    let organization = take(&mut faults, chosen);
    let csr = take(&mut faults, read_csr(form.csr.as_bytes()));
    let common_name = take(&mut faults, common_name(&form.common_name, csr.as_ref())).flatten();
    let typed = take(
        &mut faults,
        NameSet::parse_dns_list(&form.names)
            .map_err(|e| LifecycleError::field("names", e.to_string())),
    );
    let coverage_years = number(
        &mut faults,
        "coverage_years",
        &form.coverage_years,
        "Choose 1, 2 or 3 years, or leave it empty.",
    );
    let validity_days = number(
        &mut faults,
        "validity_days",
        &form.validity_days,
        "Enter a number of days, or leave it empty.",
    );
    let note = take(&mut faults, note(&form.note)).flatten();
    let (Some(organization), Some(csr), Some(common_name), Some(typed), true) =
        (organization, csr, common_name, typed, faults.is_empty())
    else {
        return Err(LifecycleError::Invalid(faults));
    };
    let names = if typed.is_empty() { csr.names.clone() } else { typed };
    let names = Exact { names: NameSet::with_common_name(&common_name, names), common_name };
    let new = NewOrder {
        coverage_years,
        validity_days: validity_days.map(|days: u16| Days(i64::from(days))),
        ends_by: form.ends_by,
        ..NewOrder::of(organization, product, names)
    };
    let idempotency_key = submitted_key(actor, form);
    Ok(Ask { note, idempotency_key, ..Ask::new(What::New(Box::new(new)), csr) })
}

/// The common name that was typed, else the CSR's, which may lack one.
fn common_name(typed: &str, csr: Option<&CsrFacts>) -> Result<Option<Name>> {
    match typed.trim() {
        "" => Ok(csr.and_then(|csr| csr.common_name.as_ref().or(csr.names.iter().next()).cloned())),
        typed => DnsName::parse(typed)
            .map(|name| Some(Name::Dns(name)))
            .map_err(|error| LifecycleError::field("common_name", error.to_string())),
    }
}

/// The key of what the form asks for.
fn submitted_key(actor: &Actor, form: &NewOrderForm) -> Option<String> {
    let ends_by = form.ends_by.map(Timestamp::rfc3339).unwrap_or_default();
    let sent = Submitted {
        act: "new",
        target: form.product.trim().to_owned(),
        token: &form.submit_token,
        content: &[
            &form.organization,
            &form.csr,
            &form.common_name,
            &form.names,
            &form.coverage_years,
            &form.validity_days,
            &ends_by,
            &form.note,
        ],
    };
    sent.key(actor)
}

/// The value, or its faults put to the others.
pub(crate) fn take<T>(faults: &mut Vec<FieldFault>, outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(LifecycleError::Invalid(more)) => {
            faults.extend(more);
            None
        }
        Err(error) => {
            faults.push(FieldFault { field: "form".into(), message: error.to_string() });
            None
        }
    }
}

fn number<T: std::str::FromStr>(
    faults: &mut Vec<FieldFault>,
    field: &'static str,
    text: &str,
    message: &str,
) -> Option<T> {
    match text.trim() {
        "" => None,
        typed => {
            let read = typed.parse().ok();
            if read.is_none() {
                faults.push(FieldFault { field: field.into(), message: message.to_owned() });
            }
            read
        }
    }
}
