//! Bearer secrets that do not show in logs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An activation token or an agent's long-lived bearer token. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret text, for the `Authorization` header or for hashing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_secret() {
        let token = Token::new("s3cret");
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(token.expose(), "s3cret");
    }
}
