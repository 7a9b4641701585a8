//! Between the database's plain columns and the domain's types.

use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use domain::{Name, NameSet};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// Reads a stored code or name; `column` is `table.column`, for the error.
pub fn parse<T: FromStr>(column: &str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::corrupt(format_args!("{column} is {text:?}")))
}

/// Reads a stored code or name that may be absent.
pub fn parse_opt<T: FromStr>(column: &str, text: Option<&str>) -> Result<Option<T>, StoreError> {
    text.map(|text| parse(column, text)).transpose()
}

/// Reads stored JSON; the error names the place in it, not the content.
pub fn from_json<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| {
        StoreError::corrupt(format_args!(
            "{column} is not the expected JSON ({:?} at column {})",
            error.classify(),
            error.column()
        ))
    })
}

/// Writes JSON for a column.
pub fn to_json<T: Serialize + ?Sized>(column: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::corrupt(format_args!("{column}: {error}")))
}

/// The key of a set of names: equal for equal sets. The first 16 bytes of SHA-256 of
/// [`NameSet::canonical`], in hex.
pub fn names_key(names: &NameSet) -> String {
    let hash = digest(&SHA256, names.canonical().as_bytes());
    hex::encode(hash.as_ref().get(..16).unwrap_or_default())
}

/// A name written backwards, for look-ups by suffix.
pub fn reversed(name: &Name) -> String {
    backwards(name.as_str())
}

/// A text written backwards.
pub(crate) fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

/// The places `$1, $2` of a list of numbers, and the list to bind: with its last one again, up to a power
/// of two, so that there are few texts, each planned once.
pub(crate) fn places<T: Copy>(numbers: &[T]) -> (String, Vec<T>) {
    let many = numbers.len().next_power_of_two();
    let again = numbers.last().into_iter().cycle();
    let padded: Vec<T> = numbers.iter().chain(again).take(many).copied().collect();
    let places: Vec<String> = (1..=padded.len()).map(|place| format!("${place}")).collect();
    (places.join(", "), padded)
}

/// Counts and small numbers that the domain keeps unsigned.
pub fn small<T: TryFrom<i64>>(column: &str, number: i64) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| StoreError::corrupt(format_args!("{column} is {number}")))
}
