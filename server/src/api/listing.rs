//! `limit`, `offset`, `sort` and `filters[…]` of lists, and the `page` of their answers.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde_json::{Value, json};

use super::error::ApiError;

/// Most rows of one answer.
const MOST: u16 = 1_000;
/// No list is longer.
const FARTHEST: u64 = i64::MAX.unsigned_abs();

/// A list's query.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) limit: u16,
    pub(super) offset: u64,
    /// The column, with `-` in front for descending; empty where none is given.
    pub(super) sort: String,
    filters: BTreeMap<String, String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Listed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(pairs) =
            query.map_err(|rejection| ApiError::bad("invalid_query", rejection.body_text()))?;
        Self::read(pairs)
    }
}

impl Listed {
    fn read(pairs: Vec<(String, String)>) -> Result<Self, ApiError> {
        let mut listed =
            Self { limit: MOST, offset: 0, sort: String::new(), filters: BTreeMap::new() };
        for (name, value) in pairs {
            match name.as_str() {
                "limit" => listed.limit = number("limit", &value, 1, MOST)?,
                "offset" => listed.offset = number("offset", &value, 0, FARTHEST)?,
                "sort" => listed.sort = value,
                _ => {
                    if let Some(key) =
                        name.strip_prefix("filters[").and_then(|rest| rest.strip_suffix(']'))
                    {
                        listed.filters.insert(key.to_owned(), value);
                    }
                }
            }
        }
        Ok(listed)
    }

    /// Takes a filter's value out.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.filters.remove(name).filter(|value| !value.is_empty())
    }

    /// Takes a filter out and reads it.
    pub(super) fn take_read<T: std::str::FromStr>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let shown: String = value.chars().take(80).collect();
        let read = value.parse().map_err(|_| {
            ApiError::bad("invalid_filter", format!("filters[{name}] can't be {shown:?}."))
        });
        read.map(Some)
    }

    /// Refuses filters that were not taken: a misspelt one would show everything.
    pub(super) fn nothing_left(&self) -> Result<(), ApiError> {
        match self.filters.keys().next() {
            None => Ok(()),
            Some(name) => {
                let shown: String = name.chars().take(80).collect();
                Err(ApiError::bad("invalid_filter", format!("This list has no filter {shown:?}.")))
            }
        }
    }

    /// `page` of the answer: clients go on until they have `total` rows.
    pub(super) fn page(&self, total: u64) -> Value {
        json!({"total": total, "limit": self.limit, "offset": self.offset})
    }
}

fn number<T>(name: &str, text: &str, least: T, most: T) -> Result<T, ApiError>
where
    T: Copy + std::str::FromStr + PartialOrd + std::fmt::Display,
{
    match text.parse() {
        Ok(number) if least <= number && number <= most => Ok(number),
        _ => Err(ApiError::bad(
            &format!("invalid_{name}"),
            format!("{name} is a number from {least} to {most}."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Listed, ApiError> {
        Listed::read(
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn pages_are_bounded() {
        assert!(read(&[("limit", "0")]).is_err());
        assert!(read(&[("limit", "1001")]).is_err());
        assert!(read(&[("offset", "-1")]).is_err());
        let listed = read(&[("limit", "2"), ("offset", "4000000000")]).unwrap();
        let page = json!({"total": 5, "limit": 2, "offset": 4_000_000_000_u64});
        assert_eq!(listed.page(5), page);
        assert_eq!(read(&[]).unwrap().page(1), json!({"total": 1, "limit": 1000, "offset": 0}));
    }

    #[test]
    fn unknown_filters_are_refused() {
        let mut listed =
            read(&[("filters[status]", "issued"), ("filters[statsu]", "x"), ("other", "y")])
                .unwrap();
        assert_eq!(listed.take("status").as_deref(), Some("issued"));
        assert!(listed.nothing_left().is_err());
    }
}
