//! Requests as their pages show them, and the review.

use domain::{AcmeUrlId, OrderNumber, RequestId, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// Keys that the list is sorted by.
pub const SORTS: [&str; 1] = ["-asked"];

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRow {
    /// Its id.
    pub id: RequestId,
    /// What was asked for.
    pub kind: String,
    /// Where it stands: `pending`, `approved`, `rejected`, `canceled`.
    pub state: String,
    /// The order that it is about.
    pub order: OrderNumber,
    /// The common name that was asked for.
    pub common_name: Option<String>,
    /// Who asked.
    pub requester: Option<String>,
    /// When.
    pub asked_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// By whom.
    pub reviewer: Option<String>,
}

/// The ACME Directory URL that a request came by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Through {
    /// Its id.
    pub url: AcmeUrlId,
    /// Its name.
    pub name: String,
    /// Who made it; none where that was the command line.
    pub made_by: Option<String>,
}

#[cfg(feature = "ssr")]
impl From<lifecycle::approve::AskedThrough> for Through {
    fn from(asked: lifecycle::approve::AskedThrough) -> Self {
        Self { url: asked.url, name: asked.name, made_by: asked.made_by }
    }
}

/// A request with all its details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestDetail {
    /// The request as in the list.
    pub row: RequestRow,
    /// The way that it came, where no person asked.
    pub through: Option<Through>,
    /// All names.
    pub names: Vec<String>,
    /// The product's name.
    pub product: Option<String>,
    /// Years of a multi-year plan.
    pub coverage_years: Option<u8>,
    /// The key.
    pub key: Option<String>,
    /// SHA-256 of the public key.
    pub key_fingerprint: Option<String>,
    /// The CSR.
    pub csr_pem: Option<String>,
    /// What a revocation takes back, and why.
    pub revocation: Option<String>,
    /// The requester's words.
    pub comment: Option<String>,
    /// The reviewer's words.
    pub note: Option<String>,
    /// Why it waits, or waited.
    pub held_because: Option<String>,
    /// Why the viewer can't review it; none where they can.
    pub no_review: Option<String>,
    /// Until when it waits; none where it was decided, or waits for as long as that takes.
    pub waits_until: Option<Timestamp>,
    /// Whether the viewer may cancel it.
    pub may_cancel: bool,
    /// Whether a certificate came of it.
    pub is_issued: bool,
}

/// A page of requests.
#[server(prefix = "/api", endpoint = "requests/list")]
pub async fn requests(query: String) -> Result<Paged<RequestRow>, PortalError> {
    use crate::pages::paged::{page_of, paged};
    use lifecycle::lists::Key;

    let desk = crate::desk::Desk::open()?;
    let listing = reading::listing(&query);
    let page = page_of(&listing, (), true);
    let Some(filter) = reading::filter(&desk, &listing).await? else { return Ok(Paged::none()) };
    let slice = desk.lifecycle.requests(&desk.actor(), filter, &page).await?;
    let key = |id: RequestId| (Key::Number(id.0), id.0);
    Ok(paged(slice, |record| key(record.request.id), RequestRow::from))
}

/// One request.
#[server(prefix = "/api", endpoint = "requests/one")]
pub async fn request(id: i64) -> Result<RequestDetail, PortalError> {
    let desk = crate::desk::Desk::open()?;
    let record = desk.lifecycle.request(&desk.actor(), RequestId(id)).await?;
    let preferences = desk.lifecycle.preferences().await?;
    let through = desk.lifecycle.asked_through(&record).await?;
    Ok(RequestDetail::of(&desk, &preferences, record, through.map(Through::from)))
}

/// Neither of the two words.
#[cfg(feature = "ssr")]
const NO_DECISION: &str = "The form does not say whether to approve or to reject, so nothing was done. Open the request \
     and press one of its buttons.";

/// "Approve" or "Reject", by the button that was pressed.
#[server(prefix = "/api", endpoint = "requests/review")]
pub async fn review(
    id: i64,
    decision: String,
    #[server(default)] note: String,
    // The key's SHA-256 that the page showed; a script may leave it out.
    #[server(default)] seen_key: Option<String>,
) -> Result<(), PortalError> {
    use crate::{browser, paths};
    use lifecycle::approve::Approved;

    let desk = crate::desk::Desk::require(crate::desk::May::Review)?;
    let id = RequestId(id);
    match decision.as_str() {
        "approve" => {}
        "reject" => {
            desk.lifecycle.reject(&desk.actor(), id, &note).await?;
            browser::flash("The request was rejected.");
            browser::redirect(&paths::request(id));
            return Ok(());
        }
        // Nothing but the word itself issues or revokes.
        _ => return Err(PortalError::Unreadable(NO_DECISION.to_owned())),
    }
    match desk.lifecycle.approve_seen(&desk.actor(), id, seen_key.as_deref(), &note).await? {
        Approved::Issued(issued) => {
            browser::flash("Approved: the certificate was issued.");
            browser::redirect(&paths::order(issued.order));
        }
        Approved::Revoked { certificates } => {
            let what =
                if certificates == 1 { "1 certificate was" } else { "all its certificates were" };
            browser::flash(&format!("Approved: {what} revoked."));
            browser::redirect(&paths::request(id));
        }
    }
    Ok(())
}

/// "Cancel request".
#[server(prefix = "/api", endpoint = "requests/cancel")]
pub async fn cancel(id: i64) -> Result<(), PortalError> {
    use crate::{browser, paths};

    let desk = crate::desk::Desk::open()?;
    let id = RequestId(id);
    desk.lifecycle.cancel(&desk.actor(), id).await?;
    browser::flash("The request was canceled.");
    browser::redirect(&paths::request(id));
    Ok(())
}

#[cfg(feature = "ssr")]
pub(crate) mod reading {
    use domain::model::{Approval, Preferences, RevocationReason, RevocationTarget};
    use domain::rules::{HeldBecause, check_may_review};
    use lifecycle::orders::{RequestFilter, RequestRecord};

    use super::{RequestDetail, RequestRow, SORTS, Through};
    use crate::desk::Desk;
    use crate::fault::PortalError;
    use crate::kit::Listing;
    use crate::pages::orders::product_name;
    use crate::paths;

    pub(crate) fn listing(query: &str) -> Listing {
        Listing::read(paths::REQUESTS, query, &SORTS)
    }

    /// The filter; none where it can't match anything, as an order number that is no number or a
    /// name that nobody has.
    pub(crate) async fn filter(
        desk: &Desk,
        listing: &Listing,
    ) -> Result<Option<RequestFilter>, PortalError> {
        let mut filter = RequestFilter {
            status: listing.filter("status").map(ToOwned::to_owned),
            kind: listing.query.read("type"),
            ..RequestFilter::default()
        };
        if let Some(typed) = listing.filter("order") {
            let Ok(number) = typed.parse() else { return Ok(None) };
            filter.order = Some(number);
        }
        if let Some(typed) = listing.filter("requester") {
            let found = desk.lifecycle.person_meant(&desk.actor(), typed).await?;
            let Some(requester) = found else { return Ok(None) };
            filter.requester = Some(requester);
        }
        Ok(Some(filter))
    }

    impl From<RequestRecord> for RequestRow {
        fn from(record: RequestRecord) -> Self {
            let request = record.request;
            let decided_at = match &request.approval {
                Approval::Pending => None,
                Approval::Approved { at, .. }
                | Approval::Rejected { at, .. }
                | Approval::Canceled { at } => Some(*at),
            };
            Self {
                id: request.id,
                kind: request.kind.as_str().to_owned(),
                state: request.approval.as_str().to_owned(),
                order: request.order,
                common_name: record.wish.common_name.map(|name| name.to_string()),
                requester: record.requester_name,
                asked_at: request.created_at,
                decided_at,
                reviewer: record.reviewer_name,
            }
        }
    }

    impl RequestDetail {
        pub(crate) fn of(
            desk: &Desk,
            preferences: &Preferences,
            record: RequestRecord,
            through: Option<Through>,
        ) -> Self {
            let (person, asked_by) = (&desk.person, record.request.requester);
            let pending = record.request.approval == Approval::Pending;
            let review = check_may_review(preferences, person.user.id, person.role, asked_by);
            let wish = record.wish.clone();
            let because =
                record.held_because.as_deref().and_then(|code| code.parse::<HeldBecause>().ok());
            Self {
                through,
                names: wish
                    .names
                    .iter()
                    .flat_map(domain::NameSet::iter)
                    .map(ToString::to_string)
                    .collect(),
                product: wish.product.as_ref().map(product_name),
                coverage_years: wish.coverage_years,
                key: wish.csr_pem.as_deref().and_then(lifecycle::ask::key_of_csr),
                key_fingerprint: wish.spki_sha256,
                csr_pem: wish.csr_pem,
                revocation: record.request.revocation.map(revocation),
                comment: record.comment.clone(),
                note: record.note.clone(),
                held_because: because.map(|because| because.words().to_owned()),
                waits_until: lifecycle::approve::waits_until(&record),
                no_review: review.err().map(|refusal| refusal.message),
                may_cancel: pending
                    && (asked_by == Some(person.user.id) || person.role.is_approver()),
                is_issued: record.issued_certificate.is_some(),
                row: record.into(),
            }
        }
    }

    fn revocation((target, reason): (RevocationTarget, RevocationReason)) -> String {
        let what = match target {
            RevocationTarget::Order => "The whole order, with all its certificates".to_owned(),
            RevocationTarget::Certificate { id } => format!("Certificate {id} of the order"),
        };
        format!("{what}; reason: {}", reason.as_str().replace('_', " "))
    }
}
