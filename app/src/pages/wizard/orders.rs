//! The orders that can be duplicated: search, and the table to choose from.

use domain::OrderNumber;
use leptos::prelude::*;

use super::api::{Candidate, CertificateView};
use crate::islands::Suggest;
use crate::kit::{
    Button, Column, Expander, FaultLine, FormState, Glyph, Markup, NONE, Table, described_by,
};
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

const FIELD: &str = "search-names";
const SUGGESTIONS: &str = "search-suggestions";

/// "Common names and/or SANs": a GET form, so that what was found has a URL.
pub(super) fn search(view: &CertificateView) -> AnyView {
    let id = view.frame.endpoint.id;
    let state = Query::parse(&view.frame.state)
        .without("search")
        .without("order")
        .without("order_profile")
        // Suggested anew from what is searched for.
        .without("extra_names")
        .with("obtain", "duplicate");
    let kept: Vec<(String, String)> =
        state.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let kept = kept
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    let source = format!("{}/names", paths::wizard_profile(id));
    let fault = view.search_fault.clone();
    let (invalid, described) = match fault {
        Some(_) => (Some("true"), "search-names-help search-names-fault"),
        None => (None, "search-names-help"),
    };
    view! {
        <form class="order-search" method="get" action=paths::wizard_certificate(id) role="search" aria-label="Find orders to duplicate">
            {kept}
            <div class="field" data-faulty=invalid.map(|_| "")>
                <label for=FIELD>"Common names and/or SANs"</label>
                <div class="search-line">
                    <input
                        id=FIELD class="input" type="text" name="search" value=view.search.clone() maxlength="4000"
                        list=SUGGESTIONS autocomplete="off" spellcheck="false"
                        aria-describedby=described aria-invalid=invalid
                    />
                    <Button glyph=Glyph::Search>"Find orders"</Button>
                </div>
                <p class="help" id="search-names-help">"Whole names, separated by commas or spaces. Orders must hold all of them."</p>
                {fault.map(|fault| view! { <FaultLine id=FIELD.to_owned() fault=fault/> })}
            </div>
            <Suggest list=SUGGESTIONS.to_owned() input=FIELD.to_owned() source=source/>
        </form>
    }
    .into_any()
}

/// The orders found, one of which is chosen.
#[component]
pub(super) fn OrderChoice(
    /// The orders, latest first.
    found: Vec<Candidate>,
    /// The one that was chosen before.
    chosen: Option<OrderNumber>,
) -> impl IntoView {
    let form = FormState::current();
    let (id, fault) = (form.id("order"), form.fault("order"));
    let (faulty, invalid) = (fault.is_some().then_some(""), fault.is_some().then_some("true"));
    let described = described_by(&id, false, fault.is_some());
    let chosen = form.typed("order").and_then(|typed| typed.parse().ok()).or(chosen);
    // A single order needs no choosing.
    let chosen =
        chosen.or_else(|| found.first().filter(|_| found.len() == 1).map(|only| only.number));
    let viewer = Viewer::current();
    let mut rows = Markup::with_capacity(found.len() * 1024);
    for (place, one) in found.iter().enumerate() {
        let id = if place == 0 { id.clone() } else { format!("{id}-{place}") };
        row(&mut rows, &id, chosen == Some(one.number), one, &viewer);
    }
    let columns = vec![
        Column::new("Choose").hidden(),
        Column::new("Order ID"),
        Column::new("Product"),
        Column::new("Common name"),
        Column::new("SANs"),
        Column::new("Organization"),
        Column::new("Valid till"),
        Column::new("Duplicates").number(),
    ];
    view! {
        <fieldset class="field order-choice" role="radiogroup" aria-describedby=described aria-invalid=invalid data-faulty=faulty>
            <legend>"Choose an order"</legend>
            {fault.map(|fault| view! { <FaultLine id=id fault=fault/> })}
            <Table label="Orders to duplicate" columns=columns rows=rows/>
        </fieldset>
    }
}

/// A row as text: see [`Markup`].
fn row(html: &mut Markup, id: &str, checked: bool, one: &Candidate, viewer: &Viewer) {
    let number = one.number;
    html.tags("<tr><td class=\"select\"><input type=\"radio\" id=\"").text(id);
    html.tags("\" name=\"order\" value=\"").number(number.0);
    html.tags(if checked { "\" checked" } else { "\"" });
    html.tags(" aria-label=\"Duplicate order ").number(number.0).tags("\"></td><th scope=\"row\">");
    html.tags("<label for=\"").text(id).tags("\">").number(number.0).tags("</label></th><td>");
    html.text(&one.product).tags("</td><td>").text(&one.common_name).tags("</td><td>");
    match one.sans.as_slice() {
        [] => html.tags(NONE),
        sans => html.text(&sans.join(", ")),
    };
    html.tags("</td><td>").text(&one.organization).tags("</td><td>");
    if let Some(till) = one.duplicate_till.or(one.valid_till) {
        html.tags("<span class=\"expiry\">").expiry(till, viewer).tags("</span>");
    }
    html.tags("</td><td class=\"number\">").number(one.duplicates).tags("</td></tr>");
}

/// Orders that hold the names and still can't be chosen.
pub(super) fn dropped(orders: Vec<(OrderNumber, String)>) -> Option<AnyView> {
    if orders.is_empty() {
        return None;
    }
    let items = orders.into_iter().map(|(order, why)| {
        view! { <li><a href=paths::order(order)>{order.to_string()}</a>": "{why}</li> }
    });
    let items = items.collect_view();
    Some(
        view! {
            <Expander title="Orders that can't be chosen">
                <ul>{items}</ul>
            </Expander>
        }
        .into_any(),
    )
}
