//! (ssr) The list's URL as a filter, and the page that it asks for.

use domain::Days;
use domain::model::OrderStatus;
use lifecycle::lists::PageOf;
use lifecycle::orders::{
    NameQuery, OrderFilter, OrderSort, SearchCursor, SearchFilter, listed_key,
};

use super::EXPIRED;
use crate::desk::Desk;
use crate::fault::PortalError;
use crate::kit::{Cursor, Listing};
use crate::pages::orders::api::{OrderRow, SORTS};
use crate::pages::paged::{Paged, page_of, paged};
use crate::paths;

/// The state of the list.
pub(crate) fn listing(query: &str) -> Listing {
    Listing::read(paths::ORDERS, query, &SORTS)
}

/// The column.
pub(crate) fn sort(listing: &Listing) -> OrderSort {
    match listing.sort.key.as_str() {
        // Only by its end does what has expired stand together.
        _ if is_expired(listing) => OrderSort::ValidTill,
        "ordered" => OrderSort::OrderedAt,
        // What is filtered by the certificate's end is sorted by it.
        "expires" if ends(listing).is_some() => OrderSort::CertificateEnd,
        "expires" => OrderSort::ValidTill,
        "name" => OrderSort::CommonName,
        _ => OrderSort::Number,
    }
}

/// Whether only what has expired is asked for.
fn is_expired(listing: &Listing) -> bool {
    listing.filter("status") == Some(EXPIRED)
}

/// Days from now in which the certificate ends, from the first one on and up to the second one.
fn ends(listing: &Listing) -> Option<(Days, Option<Days>)> {
    let within = listing.query.read::<i64>("expires").map(Days);
    let from = listing.query.read::<i64>("expires_from").map(Days);
    from.or(within.map(|_| Days(0))).map(|from| (from, within))
}

/// The filter; none where it can't match anything, as an order number that is no number or a name
/// that nobody has.
pub(crate) async fn filter(
    desk: &Desk,
    listing: &Listing,
) -> Result<Option<OrderFilter>, PortalError> {
    let switch = |name: &str| listing.filter(name).map(|value| value == "yes");
    let ends = ends(listing);
    let within = ends.and_then(|(_, within)| within);
    let expired = is_expired(listing);
    let mut filter = OrderFilter {
        status: listing.query.read("status").or(expired.then_some(OrderStatus::Issued)),
        valid_until: expired.then(|| desk.now.plus_seconds(-1)),
        product: listing.filter("product").map(Into::into),
        origin: listing.query.read("origin"),
        acme_url: listing.query.read("acme_url"),
        has_duplicates: switch("duplicates"),
        renewed: switch("renewed"),
        // Whole days, as the column shows them: "7 days left" is within 7 days.
        ends_from: ends.map(|(from, _)| desk.now.plus(from)),
        ends_until: within.map(|days| desk.now.last_with_days_left(days)),
        ..OrderFilter::default()
    };
    if let Some(typed) = listing.filter("organization") {
        let found = desk.lifecycle.organization_meant(typed).await?;
        let Some(organization) = found else { return Ok(None) };
        filter.organization = Some(organization);
    }
    if let Some(typed) = listing.filter("requester") {
        let found = desk.lifecycle.person_meant(&desk.actor(), typed).await?;
        let Some(requester) = found else { return Ok(None) };
        filter.requester = Some(requester);
    }
    if let Some(typed) = listing.filter("number") {
        let Ok(number) = typed.parse() else { return Ok(None) };
        filter.number = Some(number);
    }
    if let Some(serial) = listing.filter("serial") {
        let found = desk.lifecycle.find_order(&desk.actor(), serial).await?;
        let asked = filter.number;
        let Some(number) = found.filter(|number| asked.is_none_or(|asked| asked == *number)) else {
            return Ok(None);
        };
        filter.number = Some(number);
    }
    Ok(Some(filter))
}

/// The page that the URL asks for.
pub(crate) async fn page(desk: &Desk, query: &str) -> Result<Paged<OrderRow>, PortalError> {
    let listing = listing(query);
    let Some(filter) = filter(desk, &listing).await? else { return Ok(Paged::none()) };
    if let Some(typed) = listing.filter("name") {
        let Some(query) = NameQuery::typed(typed) else { return Ok(Paged::none()) };
        return search(desk, &listing, &query, &filter).await;
    }
    let sort = sort(&listing);
    let page: PageOf<OrderSort> = page_of(&listing, sort, sort != OrderSort::CommonName);
    let slice = desk.lifecycle.listed_orders(&desk.actor(), filter, &page).await?;
    Ok(paged(slice, |order| listed_key(sort, order), OrderRow::of))
}

/// Orders by a typed name. The search walks forwards; the browser's back button goes back.
async fn search(
    desk: &Desk,
    listing: &Listing,
    query: &NameQuery,
    filter: &OrderFilter,
) -> Result<Paged<OrderRow>, PortalError> {
    let after: Option<SearchCursor> = match &listing.cursor {
        Cursor::After(cursor) => cursor.parse().ok(),
        Cursor::First | Cursor::Before(_) => None,
    };
    let narrowed = SearchFilter {
        organization: filter.organization,
        product: filter.product.clone(),
        status: filter.status,
        origin: filter.origin,
        requester: filter.requester,
        acme_url: filter.acme_url,
        has_duplicates: filter.has_duplicates,
        renewed: filter.renewed,
        ends_from: filter.ends_from,
        ends_until: filter.ends_until,
        valid_until: filter.valid_until,
        number: filter.number,
    };
    let actor = desk.actor();
    let found = desk
        .lifecycle
        .search_orders(&actor, query, narrowed, after.as_ref(), u32::from(listing.size))
        .await?;
    let rows = found.orders.into_iter().map(|(order, name)| {
        let mut row = OrderRow::of(order);
        row.found = (name != row.common_name).then_some(name);
        row
    });
    let rows = rows.collect();
    let next = found.next.map(|cursor| cursor.to_string());
    Ok(Paged { rows, previous: None, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sort_has_a_column() {
        let sorts =
            ["-number", "ordered", "expires", "name", "expires&expires=30", "name&status=expired"]
                .map(|key| sort(&listing(&format!("sort={key}"))));
        assert_eq!(
            sorts,
            [
                OrderSort::Number,
                OrderSort::OrderedAt,
                OrderSort::ValidTill,
                OrderSort::CommonName,
                OrderSort::CertificateEnd,
                OrderSort::ValidTill
            ]
        );
        assert!(listing("").sort.descending, "the newest first");
    }
}
