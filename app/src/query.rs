//! The query string as an ordered list: a list's filters, sort and page live in it, as does the
//! wizard's state, so that links, reload and the back button work without scripts.

use std::borrow::Cow;
use std::fmt::Write;

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode,
};

/// All but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Names and values in the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`, with or without the leading `?`. Unreadable escapes stay as they are.
    pub fn parse(text: &str) -> Self {
        let pairs = text.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The value of `name`; none where it is missing or blank.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The value of `name` where it reads as a `T`.
    pub fn read<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// All values of `name`, also of `name[]` and `name[3]`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key.split('[').next() == Some(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether `name` is there, with whatever value.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// The same with `name` set to `value` alone.
    #[must_use]
    pub fn with(&self, name: &str, value: impl std::fmt::Display) -> Self {
        let mut changed = self.without(name);
        changed.0.push((name.to_owned(), value.to_string()));
        changed
    }

    /// The same without `name`.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        self.without_all(|key| key == name)
    }

    /// The same without the names that `unwanted` tells.
    #[must_use]
    pub fn without_all(&self, unwanted: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(key, _)| !unwanted(key)).cloned().collect())
    }

    /// The same with nothing in the place of values longer than `most` bytes, and their names.
    #[must_use]
    pub fn shortened(mut self, most: usize) -> (Self, Vec<String>) {
        let mut cut = Vec::new();
        for (name, value) in self.0.iter_mut().filter(|(_, value)| value.len() > most) {
            value.clear();
            cut.push(name.clone());
        }
        (self, cut)
    }

    /// The pairs in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All pairs as [`Query::parse`] reads them, blank values too.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (position, pair) in self.pairs().enumerate() {
            if position > 0 {
                text.push('&');
            }
            write_pair(&mut text, pair);
        }
        text
    }

    /// `path` with this query behind it; blank values are left out.
    pub fn href(&self, path: &str) -> String {
        let mut url = path.to_owned();
        for (position, pair) in self.pairs().filter(|(_, value)| !value.is_empty()).enumerate() {
            url.push(if position == 0 { '?' } else { '&' });
            write_pair(&mut url, pair);
        }
        url
    }
}

fn write_pair(to: &mut String, (name, value): (&str, &str)) {
    to.extend(escaped(name));
    to.push('=');
    to.extend(escaped(value));
}

fn escaped(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// Percent-encodes all but the unreserved characters of RFC 3986 section 2.3.
pub fn encode(text: &str) -> String {
    escaped(text).collect()
}

/// Percent-encodes what is written: see [`encode`].
#[derive(Debug)]
pub(crate) struct Encoded<'a>(pub(crate) &'a mut String);

impl Write for Encoded<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend(escaped(text));
        Ok(())
    }
}

/// Reads `application/x-www-form-urlencoded` text: `+` is a space.
pub fn decode(text: &str) -> String {
    let text =
        if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let query = Query::default().with("name", "a&b=c d+é").with("empty", "");
        let url = query.href("/x");
        assert_eq!(url, "/x?name=a%26b%3Dc%20d%2B%C3%A9");
        assert_eq!(Query::parse(url.split_once('?').unwrap().1).get("name"), Some("a&b=c d+é"));
        assert_eq!(Query::parse(&query.text()), query, "blank values included");
    }

    #[test]
    fn broken_escapes_do_no_harm() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("a+b%20c"), "a b c");
        // A sign is no hexadecimal digit.
        assert_eq!(decode("%+1%-1"), "% 1%-1");
        assert_eq!(decode("a%ffb"), "a\u{fffd}b");
    }

    #[test]
    fn a_name_given_several_times() {
        let query = Query::parse("id=1&id=2&id[]=3&idle=4");
        assert_eq!(query.all("id").collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(query.with("id", 9).get("id"), Some("9"));
    }
}
