//! What clients send in more than one form: numbers as text, and null for what they leave out.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// A number, as such or as text; none for null, nothing and 0, which no id is.
pub(super) fn number<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Sent {
        Number(i64),
        Text(String),
    }
    let text = match Option::<Sent>::deserialize(from)? {
        None => return Ok(None),
        Some(Sent::Number(number)) => number.to_string(),
        Some(Sent::Text(text)) => text.trim().to_owned(),
    };
    if matches!(text.as_str(), "" | "0") {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| de::Error::custom(format!("{text:?}: {error}")))
}

/// The value, or for null what stands for nothing.
pub(super) fn given<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}
