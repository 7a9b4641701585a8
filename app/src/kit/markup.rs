//! HTML as text, for what a page has by the hundred or every page has: cells of tables, entries of
//! lists, the menu. As views, fifty rows of a table cost more than all else on a page, the database included.
//!
//! Only literals go in as they are; whatever comes from elsewhere is escaped. To be used as the
//! `inner_html` of an element, or as an `InertElement`.

use crate::paths::Pattern;

/// A piece of HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markup(String);

impl Markup {
    /// A piece that will be about so long, in bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Tags as they are.
    pub fn tags(&mut self, tags: &'static str) -> &mut Self {
        self.0.push_str(tags);
        self
    }

    /// Text, between tags or between the double quotes of an attribute.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let special = |byte: u8| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'');
        // Without an early end, so that many bytes are looked at together: hardly any text has one.
        if !text.bytes().fold(false, |found, byte| found | special(byte)) {
            self.0.push_str(text);
            return self;
        }
        let mut rest = text;
        while let Some(at) = rest.bytes().position(special) {
            let (before, special) = rest.split_at(at);
            self.0.push_str(before);
            self.0.push_str(match special.as_bytes().first() {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                _ => "&#39;",
            });
            rest = special.get(1..).unwrap_or_default();
        }
        self.0.push_str(rest);
        self
    }

    /// A number; by the formatting of `std`, those of a list took as long as all its texts.
    pub fn number(&mut self, number: impl itoa::Integer) -> &mut Self {
        self.0.push_str(itoa::Buffer::new().format(number));
        self
    }

    /// The path of the page that `pattern` has for this number.
    pub fn path(&mut self, pattern: Pattern, number: impl itoa::Integer) -> &mut Self {
        let (before, behind) = pattern.around();
        debug_assert!(!behind.contains(':'), "{pattern:?} has more than one name");
        self.tags(before).number(number).tags(behind)
    }

    /// The HTML.
    pub fn into_html(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use domain::OrderNumber;

    use super::*;
    use crate::paths;

    #[test]
    fn what_is_no_literal_is_escaped() {
        let mut html = Markup::with_capacity(64);
        html.tags("<a title=\"").text("\"x'").tags("\">").text("<b>&é</b>").number(-7);
        assert_eq!(html.into_html(), "<a title=\"&quot;x&#39;\">&lt;b&gt;&amp;é&lt;/b&gt;-7");
    }

    #[test]
    fn paths_are_those_of_links() {
        let mut html = Markup::default();
        html.path(paths::ORDER, 12_345).tags(" ").path(paths::ORDER_RENEW, 7);
        let [order, renew] = [12_345, 7].map(OrderNumber);
        let links = format!("{} {}", paths::order(order), paths::order_renew(renew));
        assert_eq!(html.into_html(), links);
    }
}
