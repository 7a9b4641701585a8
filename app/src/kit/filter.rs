//! The bar of filters above a list: a GET form, so that what it shows has a URL.

use leptos::children::Children;
use leptos::context::Provider;
use leptos::prelude::*;

use super::action::filled;
use super::choice::options;
use super::{Choice, Glyph, Icon, LinkButton, Listing, Weight};
use crate::query::Query;

/// The filters of the list `listing`; its children are [`FilterText`] and [`FilterSelect`].
///
/// On a narrow screen more than two would be all that one sees at first: what is typed into stands
/// folded there until the summary before it is opened, or a filter is set. The style folds what
/// follows the `<details>`, so that a wide screen shows it however that stands.
#[component]
pub fn FilterBar(
    /// The list's state.
    listing: Listing,
    /// Whether "Export CSV" is offered.
    #[prop(optional)]
    export: bool,
    /// The filters.
    children: Children,
) -> impl IntoView {
    let kept = ["sort", "size"].into_iter().filter_map(|name| {
        let value = listing.query.get(name)?.to_owned();
        Some(view! { <input type="hidden" name=name value=value/> })
    });
    let kept = kept.collect_view();
    let filtered = listing.is_filtered();
    let clear = listing.is_filtered().then(|| listing.path.as_str());
    let csv = export.then(|| listing.csv());
    view! {
        <form class="filters" method="get" action=listing.path.as_str() role="search" aria-label="Filter this list">
            {kept}
            <details class="fold" open=filtered><summary class="button">"Filters"</summary></details>
            <Provider value=listing.query>{children()}</Provider>
            <div class="actions">
                <button class="button" type="submit">"Apply"</button>
                {clear.map(|href| view! { <LinkButton href=href weight=Weight::Ghost>"Clear"</LinkButton> })}
            </div>
            {csv.map(|href| view! {
                <a class="button ghost export" href=href download=""><Icon glyph=Glyph::Download/>"Export CSV"</a>
            })}
        </form>
    }
}

fn value_of(name: &str) -> String {
    use_context::<Query>().and_then(|query| query.get(name).map(str::to_owned)).unwrap_or_default()
}

/// A filter to type into.
#[component]
pub fn FilterText(
    /// Its name in the URL.
    name: &'static str,
    /// What it is.
    #[prop(into)]
    label: String,
    /// An example.
    #[prop(optional, into)]
    placeholder: String,
    /// `text`, `number`, `date`.
    #[prop(default = "search")]
    kind: &'static str,
    /// In the place of what the URL says, where that is a number nobody knows by heart.
    #[prop(optional_no_strip)]
    shown: Option<String>,
) -> impl IntoView {
    let id = format!("filter-{name}");
    let value = shown.unwrap_or_else(|| value_of(name));
    view! {
        <div class="filter">
            <label for=id.clone()>{label}</label>
            <input id=id class="input" type=kind name=name value=value placeholder=filled(placeholder) maxlength="253"/>
        </div>
    }
}

/// A filter to choose; the first entry is "Any".
#[component]
pub fn FilterSelect(
    /// Its name in the URL.
    name: &'static str,
    /// What it is.
    #[prop(into)]
    label: String,
    /// What there is to choose.
    choices: Vec<Choice>,
) -> impl IntoView {
    let id = format!("filter-{name}");
    let mut all = vec![Choice::new("", "Any")];
    all.extend(choices);
    view! {
        <div class="filter">
            <label for=id.clone()>{label}</label>
            <select id=id class="input" name=name inner_html=options(&all, &value_of(name))></select>
        </div>
    }
}
