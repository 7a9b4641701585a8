//! Tables with headers that sort, and the pager below them.

use std::fmt::Write as _;

use leptos::children::Children;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos::tachys::html::InertElement;

use super::{Cursor, Glyph, Listing, Markup, PAGE_SIZES};

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    label: String,
    sort: Option<&'static str>,
    class: &'static str,
    hidden: bool,
}

impl Column {
    /// A column with a header.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), sort: None, class: "", hidden: false }
    }

    /// Its header sorts by `key`.
    #[must_use]
    pub const fn sorted(mut self, key: &'static str) -> Self {
        self.sort = Some(key);
        self
    }

    /// Numbers: set to the right.
    #[must_use]
    pub const fn number(mut self) -> Self {
        self.class = "number";
        self
    }

    /// The header is for assistive technology only: actions, boxes to tick.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }
}

/// A table; its children are `<tr>`s. On narrow screens each row is a card, in which the cells have
/// the labels of their columns.
#[component]
pub fn Table(
    /// What is in it.
    #[prop(into)]
    label: String,
    /// The columns.
    columns: Vec<Column>,
    /// The list's state, where headers sort.
    #[prop(optional)]
    listing: Option<Listing>,
    /// The rows as text, where there are many.
    #[prop(optional)]
    rows: Option<Markup>,
    /// Narrow cells have no labels: for what a page fetches anew, where a style of another answer
    /// is not let in.
    #[prop(optional)]
    unlabelled: bool,
    /// The rows.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    // Several elements as one inert one are for the server alone: a table is in no island.
    let body = match rows {
        Some(rows) => view! { <tbody>{InertElement::new(rows.into_html())}</tbody> }.into_any(),
        None => view! { <tbody>{children.map(|rows| rows())}</tbody> }.into_any(),
    };
    let class = class_of(&label);
    let labels = (!unlabelled).then(|| {
        let css = labels(&class, &columns);
        view! { <style media="(max-width: 639px)" nonce=use_nonce() inner_html=css></style> }
    });
    let mut headers = Markup::with_capacity(columns.len() * 120);
    for column in &columns {
        header(&mut headers, column, listing.as_ref());
    }
    let region = label.clone();
    view! {
        {labels}
        <div class="table-region" role="region" aria-label=region tabindex="0">
            <table class=class>
                <caption class="visually-hidden">{label}</caption>
                <thead><tr>{InertElement::new(headers.into_html())}</tr></thead>
                {body}
            </table>
        </div>
    }
}

/// A class for the tables with this label.
fn class_of(label: &str) -> String {
    let simple =
        |one: char| if one.is_ascii_alphanumeric() { one.to_ascii_lowercase() } else { '-' };
    format!("table-{}", label.chars().map(simple).collect::<String>())
}

/// The labels of the cells on a narrow screen, as a style: said once for each column, since they would be
/// a fifth of a page beside each cell.
fn labels(class: &str, columns: &[Column]) -> String {
    let mut css = String::with_capacity(columns.len() * 100);
    for (at, column) in columns.iter().enumerate().filter(|(_, column)| !column.hidden) {
        // Writing to a `String` does not fail.
        let _ = write!(css, ".{class} td:not(.end):nth-child({})::before {{ content: \"", at + 1);
        css_text(&mut css, &column.label);
        // What is written after the stroke is read out: nothing, as the header is.
        css.push_str("\" / \"\" }");
    }
    css
}

/// A text between the quotes of CSS, which can't end the `<style>` that it stands in either.
fn css_text(css: &mut String, text: &str) {
    for one in text.chars() {
        match one {
            '"' | '\\' | '<' | '\n' => {
                let _ = write!(css, "\\{:x} ", u32::from(one));
            }
            _ => css.push(one),
        }
    }
}

fn header(html: &mut Markup, column: &Column, listing: Option<&Listing>) {
    let sorts = column.sort.zip(listing);
    let state = sorts
        .and_then(|(key, listing)| (listing.sort.key == key).then_some(listing.sort.descending));
    html.tags("<th scope=\"col\"");
    if let Some(descending) = state {
        let word = if descending { "descending" } else { "ascending" };
        html.tags(" aria-sort=\"").tags(word).tags("\"");
    }
    if !column.class.is_empty() {
        html.tags(" class=\"").tags(column.class).tags("\"");
    }
    html.tags(">");
    if let Some((key, listing)) = sorts {
        html.tags("<a class=\"sort\" href=\"").text(&listing.sorted_by(key)).tags("\">");
        html.text(&column.label);
        if let Some(descending) = state {
            html.icon(if descending { Glyph::Descend } else { Glyph::Up });
        }
        html.tags("</a>");
    } else if column.hidden {
        html.tags("<span class=\"visually-hidden\">").text(&column.label).tags("</span>");
    } else {
        html.text(&column.label);
    }
    html.tags("</th>");
}

/// The pager of a keyset list: no counting, no page numbers. A list of one page has none.
#[component]
pub fn Pager(
    /// The list's state.
    listing: Listing,
    /// The cursor before the first row shown, where there are rows before it.
    previous: Option<String>,
    /// The cursor behind the last row shown, where there are more.
    next: Option<String>,
) -> impl IntoView {
    // A search walks forwards only: from its later pages the way back is to the first one.
    let begun = listing.cursor != Cursor::First;
    if previous.is_none() && next.is_none() && !begun && listing.size == PAGE_SIZES[0] {
        return ().into_any();
    }
    let mut html = Markup::with_capacity(2 * 1024);
    html.tags("<nav class=\"pager\" aria-label=\"Pages\"><p class=\"pager-sizes\">");
    html.tags("<span class=\"muted\">Rows</span>");
    for size in PAGE_SIZES {
        html.tags("<a href=\"").text(&listing.sized(size)).tags("\"");
        if size == listing.size {
            html.tags(" aria-current=\"true\"");
        }
        html.tags(" aria-label=\"")
            .number(size)
            .tags(" rows per page\">")
            .number(size)
            .tags("</a>");
    }
    html.tags("</p><div class=\"actions\">");
    let first = (begun || previous.is_some()).then(|| listing.first());
    step(&mut html, first, "First", None);
    step(&mut html, previous.map(|row| listing.before(&row)), "Previous", Some(Glyph::Left));
    step(&mut html, next.map(|row| listing.after(&row)), "Next", Some(Glyph::Right));
    html.tags("</div></nav>");
    InertElement::new(html.into_html()).into_any()
}

fn step(html: &mut Markup, href: Option<String>, label: &'static str, glyph: Option<Glyph>) {
    let end = if let Some(href) = href {
        html.tags("<a href=\"").text(&href).tags("\" class=\"button\">");
        "</a>"
    } else {
        html.tags("<span class=\"button\" aria-disabled=\"true\">");
        "</span>"
    };
    match glyph {
        Some(Glyph::Right) => html.tags(label).icon(Glyph::Right),
        Some(glyph) => html.icon(glyph).tags(label),
        None => html.tags(label),
    };
    html.tags(end);
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn narrow_cells_are_labelled_by_their_place() {
        let columns = [Column::new("Select").hidden(), Column::new("\"Old\" </style> \\")];
        assert_eq!(class_of("Orders of 7"), "table-orders-of-7");
        assert_eq!(
            labels("table-orders", &columns),
            ".table-orders td:not(.end):nth-child(2)::before { \
             content: \"\\22 Old\\22  \\3c /style> \\5c \" / \"\" }"
        );
    }
    #[test]
    fn headers_sort_and_say_how_the_list_is_sorted() {
        let query = "sort=-name&status=issued";
        let listing = Listing::read(crate::paths::ORDERS, query, &["number", "name"]);
        let columns = [
            Column::new("A & B").sorted("name"),
            Column::new("ID").sorted("number").number(),
            Column::new("Choose").hidden(),
            Column::new("Product"),
        ];
        let headers = columns.map(|column| {
            let mut html = Markup::default();
            header(&mut html, &column, Some(&listing));
            html.into_html()
        });
        let [name, number, hidden, plain] = headers;
        let sorts = "<a class=\"sort\" href=\"/certificates/orders?";
        assert!(
            name.starts_with(&format!("<th scope=\"col\" aria-sort=\"descending\">{sorts}")),
            "{name}"
        );
        assert!(name.contains("\">A &amp; B<svg ") && name.ends_with("</svg></a></th>"), "{name}");
        assert!(name.contains("&amp;sort=name\"") && name.contains("status=issued"), "{name}");
        assert!(number.starts_with(&format!("<th scope=\"col\" class=\"number\">{sorts}")));
        assert!(number.ends_with("\">ID</a></th>"), "{number}");
        assert_eq!(hidden, "<th scope=\"col\"><span class=\"visually-hidden\">Choose</span></th>");
        assert_eq!(plain, "<th scope=\"col\">Product</th>");
    }
}
