//! Tables with headers that sort, and the pager below them.

use leptos::children::Children;
use leptos::prelude::*;

use super::{Glyph, Icon, Listing, Markup, PAGE_SIZES};

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

/// A table; its children are `<tr>`s. On narrow screens each row is a card, in which the cells
/// carry the labels of their columns.
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
    /// The rows.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let rows = match rows {
        Some(rows) => rows.into_html(),
        None => children.map(|rows| rows().to_html()).unwrap_or_default(),
    };
    let rows = labelled(&rows, &columns);
    let headers = columns.into_iter().map(|column| header(column, listing.as_ref())).collect_view();
    let region = label.clone();
    view! {
        <div class="table-region" role="region" aria-label=region tabindex="0">
            <table>
                <caption class="visually-hidden">{label}</caption>
                <thead><tr>{headers}</tr></thead>
                <tbody inner_html=rows></tbody>
            </table>
        </div>
    }
}

/// The rows with each cell's column in its `data-label`.
fn labelled(rows: &str, columns: &[Column]) -> String {
    let label = |column: &Column| {
        let mut label = Markup::default();
        label.tags(" data-label=\"").text(&column.label).tags("\"");
        if column.hidden { String::new() } else { label.into_html() }
    };
    let labels: Vec<String> = columns.iter().map(label).collect();
    let mut html = String::with_capacity(rows.len() * 3 / 2);
    let mut cells = labels.iter().cycle();
    for (at, piece) in rows.split('<').enumerate() {
        if at > 0 {
            html.push('<');
        }
        let name = piece.split([' ', '>']).next().unwrap_or_default();
        match name {
            "tr" => cells = labels.iter().cycle(),
            "td" | "th" => {
                let (tag, rest) = piece.split_at(name.len());
                html.push_str(tag);
                html.push_str(cells.next().map(String::as_str).unwrap_or_default());
                html.push_str(rest);
                continue;
            }
            _ => {}
        }
        html.push_str(piece);
    }
    html
}

fn header(column: Column, listing: Option<&Listing>) -> AnyView {
    let Column { label, sort, class, hidden } = column;
    let Some((key, listing)) = sort.zip(listing) else {
        let label = if hidden {
            view! { <span class="visually-hidden">{label}</span> }.into_any()
        } else {
            label.into_any()
        };
        return view! { <th scope="col" class=class>{label}</th> }.into_any();
    };
    let state = (listing.sort.key == key).then_some(listing.sort.descending);
    let (word, glyph) = match state {
        Some(true) => (Some("descending"), Some(Glyph::Descend)),
        Some(false) => (Some("ascending"), Some(Glyph::Up)),
        None => (None, None),
    };
    view! {
        <th scope="col" class=class aria-sort=word>
            <a class="sort" href=listing.sorted_by(key)>{label}{glyph.map(|glyph| view! { <Icon glyph=glyph/> })}</a>
        </th>
    }
    .into_any()
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
    if previous.is_none() && next.is_none() && listing.size == PAGE_SIZES[0] {
        return ().into_any();
    }
    let sizes = PAGE_SIZES.map(|size| {
        let current = (size == listing.size).then_some("true");
        view! { <a href=listing.sized(size) aria-current=current aria-label=format!("{size} rows per page")>{size}</a> }
    });
    let first = previous.is_some().then(|| listing.first());
    view! {
        <nav class="pager" aria-label="Pages">
            <p class="pager-sizes"><span class="muted">"Rows"</span>{sizes.into_iter().collect_view()}</p>
            <div class="actions">
                {step(first, "First", None)}
                {step(previous.map(|row| listing.before(&row)), "Previous", Some(Glyph::Left))}
                {step(next.map(|row| listing.after(&row)), "Next", Some(Glyph::Right))}
            </div>
        </nav>
    }
    .into_any()
}

fn step(href: Option<String>, label: &'static str, glyph: Option<Glyph>) -> AnyView {
    let icon = glyph.map(|glyph| view! { <Icon glyph=glyph/> });
    let (before, after) = if glyph == Some(Glyph::Right) { (None, icon) } else { (icon, None) };
    match href {
        Some(href) => view! { <a class="button" href=href>{before}{label}{after}</a> }.into_any(),
        None => view! { <span class="button" aria-disabled="true">{before}{label}{after}</span> }
            .into_any(),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn cells_carry_the_labels_of_their_columns() {
        let columns =
            [Column::new("Select").hidden(), Column::new("Name"), Column::new("\"Old\" & new")];
        let row =
            "<tr><td></td><th scope=\"row\"><time>1 &lt;td</time></th><td class=\"x\">a</td></tr>";
        let shown = "<tr><td></td><th data-label=\"Name\" scope=\"row\"><time>1 &lt;td</time></th>\
             <td data-label=\"&quot;Old&quot; &amp; new\" class=\"x\">a</td></tr>";
        assert_eq!(labelled(&row.repeat(2), &columns), shown.repeat(2));
    }
}
