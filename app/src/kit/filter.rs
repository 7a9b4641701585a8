//! The bar of filters above a list: a GET form, so that what it shows has a URL.

use leptos::children::Children;
use leptos::context::Provider;
use leptos::prelude::*;
use leptos::tachys::html::InertElement;

use super::{Choice, Glyph, Icon, LinkButton, Listing, Markup, Weight};
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
    with_context(|query: &Query| query.get(name).map(str::to_owned)).flatten().unwrap_or_default()
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
    let value = shown.unwrap_or_else(|| value_of(name));
    let mut html = labelled(name, &label);
    html.tags("<input id=\"filter-").tags(name).tags("\" class=\"input\" type=\"").tags(kind);
    html.tags("\" name=\"").tags(name).tags("\" value=\"").text(&value);
    if !placeholder.is_empty() {
        html.tags("\" placeholder=\"").text(&placeholder);
    }
    html.tags("\" maxlength=\"253\"></div>");
    InertElement::new(html.into_html())
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
    let mut all = vec![Choice::new("", "Any")];
    all.extend(choices);
    let mut html = labelled(name, &label);
    html.tags("<select id=\"filter-").tags(name).tags("\" class=\"input\" name=\"").tags(name);
    html.tags("\">").options(&all, &value_of(name)).tags("</select></div>");
    InertElement::new(html.into_html())
}

/// The beginning of a filter, as text since a list has a dozen of them.
fn labelled(name: &'static str, label: &str) -> Markup {
    let mut html = Markup::with_capacity(400);
    html.tags("<div class=\"filter\"><label for=\"filter-").tags(name).tags("\">").text(label);
    html.tags("</label>");
    html
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn filters_show_what_the_url_says_and_nothing_of_it_as_markup() {
        let filters = Owner::new().with(|| {
            provide_context(Query::parse("name=%22%3E%3Cb%3E&status=issued"));
            view! {
                <FilterText name="name" label="CN & SAN" placeholder="a\"b"/>
                <FilterText name="from" label="From" kind="date"/>
                <FilterSelect name="status" label="Status" choices=vec![Choice::new("issued", "Issued")]/>
            }
            .to_html()
        });
        assert_eq!(
            filters,
            "<div class=\"filter\"><label for=\"filter-name\">CN &amp; SAN</label>\
             <input id=\"filter-name\" class=\"input\" type=\"search\" name=\"name\" \
             value=\"&quot;&gt;&lt;b&gt;\" placeholder=\"a&quot;b\" maxlength=\"253\"></div>\
             <div class=\"filter\"><label for=\"filter-from\">From</label>\
             <input id=\"filter-from\" class=\"input\" type=\"date\" name=\"from\" value=\"\" maxlength=\"253\"></div>\
             <div class=\"filter\"><label for=\"filter-status\">Status</label>\
             <select id=\"filter-status\" class=\"input\" name=\"status\"><option value=\"\">Any</option>\
             <option value=\"issued\" selected>Issued</option></select></div>"
        );
    }
}
