//! Names as certificates hold them. A name with A-labels ("xn--…") has its U-labels below it: what
//! people read stands beside what is certified, never in its place.

use domain::names::to_unicode;
use leptos::prelude::*;

use super::Markup;

/// More names than these are a list to open: a certificate may hold hundreds, and an order have
/// many certificates.
const AT_ONCE: usize = 10;

/// One name or several. What holds it must be a block, no paragraph.
#[component]
pub fn Names(
    /// The names.
    names: Vec<String>,
    /// In a narrow column: a name that takes two lines is broken at a dot.
    #[prop(optional)]
    narrow: bool,
) -> impl IntoView {
    let html = if narrow { html_at_dots } else { html };
    let (first, others) = names.split_at(names.len().min(AT_ONCE));
    let others = (!others.is_empty()).then(|| {
        let more = format!("and {} more", others.len());
        view! {
            <details class="quiet">
                <summary>{more}</summary>
                <span class="names" inner_html=html(others)></span>
            </details>
        }
    });
    view! { <span class="names" inner_html=html(first)></span> {others} }
}

fn html(names: &[String]) -> String {
    let mut html = Markup::with_capacity(64);
    html.names(names);
    html.into_html()
}

/// The same with each dot as a place for a new line.
fn html_at_dots(names: &[String]) -> String {
    // Dots of the names only: tags and entities have none.
    html(names).replace('.', "<wbr>.")
}

impl Markup {
    /// What is inside of [`Names()`].
    pub fn names<N: AsRef<str>>(&mut self, names: &[N]) -> &mut Self {
        let read: Vec<String> = names.iter().filter_map(|name| to_unicode(name.as_ref())).collect();
        self.listed(names);
        if !read.is_empty() {
            self.tags("<bdi class=\"muted small\">").listed(&read).tags("</bdi>");
        }
        self
    }

    fn listed<N: AsRef<str>>(&mut self, names: &[N]) -> &mut Self {
        for (position, name) in names.iter().enumerate() {
            if position > 0 {
                self.tags(", ");
            }
            self.text(name.as_ref());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_narrow_column_is_broken_at_dots() {
        let names = ["xn--bcher-kva.example".to_owned(), "a&b.example".to_owned()];
        assert_eq!(
            html_at_dots(&names),
            "xn--bcher-kva<wbr>.example, a&amp;b<wbr>.example\
             <bdi class=\"muted small\">bücher<wbr>.example</bdi>"
        );
    }

    #[test]
    fn names_are_shown_as_certified_and_as_read() {
        let shown = |names: &[&str]| {
            let mut html = Markup::default();
            html.names(names);
            html.into_html()
        };
        assert_eq!(shown(&["www.example.com", "<b>"]), "www.example.com, &lt;b&gt;");
        assert_eq!(
            shown(&["xn--bcher-kva.example", "www.example.com"]),
            "xn--bcher-kva.example, www.example.com<bdi class=\"muted small\">bücher.example</bdi>"
        );
    }
}
