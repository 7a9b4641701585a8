//! HTML as text, for what a page has by the hundred or every page has: cells of tables, entries of
//! lists, the menu. As views, fifty rows of a table cost more than all else on a page, the database included.
//!
//! Only literals go in as they are; whatever comes from elsewhere is escaped. To be used as the
//! `inner_html` of an element.

use std::fmt::{Display, Write};

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
        // Writing to a `String` does not fail.
        let _ = Escaped(&mut self.0).write_str(text);
        self
    }

    /// The same of anything that is shown as text.
    pub fn show(&mut self, shown: impl Display) -> &mut Self {
        let _ = write!(Escaped(&mut self.0), "{shown}");
        self
    }

    /// The HTML.
    pub fn into_html(self) -> String {
        self.0
    }
}

/// Escapes what is written.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let mut rest = text;
        let special = |byte: u8| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'');
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
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_literal_is_escaped() {
        let mut html = Markup::with_capacity(64);
        html.tags("<a title=\"").text("\"x'").tags("\">").text("<b>&é</b>").show("<").show(7);
        assert_eq!(html.into_html(), "<a title=\"&quot;x&#39;\">&lt;b&gt;&amp;é&lt;/b&gt;&lt;7");
    }
}
