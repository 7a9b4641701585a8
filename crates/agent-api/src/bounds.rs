//! How large each part of a call may be. Both sides check: the portal because it trusts no
//! agent, the agent because it would rather cut its words than have a report refused.

/// The largest body of a call or an answer, in bytes.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Endpoints in a report.
pub(crate) const MAX_ENDPOINTS: usize = 500;
/// Names of an endpoint.
pub(crate) const MAX_NAMES: usize = 250;
/// Names, versions, tokens, in bytes.
pub(crate) const MAX_TEXT: usize = 255;
/// Sentences, in bytes.
pub(crate) const MAX_LONG_TEXT: usize = 2000;
/// A chain of certificates, in bytes.
pub(crate) const MAX_PEM: usize = 64 * 1024;
/// A CSR, in bytes.
pub(crate) const MAX_CSR: usize = 64 * 1024;

/// A call's own check of its sizes.
pub trait Bounded {
    /// Fails at the first part that is too large.
    fn check(&self) -> Result<(), OutOfBounds>;
}

/// A part of a call is too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is too large: {size}, and at most {most} is allowed")]
pub struct OutOfBounds {
    /// The field, as in JSON.
    pub field: &'static str,
    /// Its size in bytes, or the number of its entries.
    pub size: usize,
    /// The largest size allowed.
    pub most: usize,
}

/// Cuts a sentence at a character's boundary so that it fits into a report.
pub fn clip(sentence: &str) -> String {
    let end = sentence.floor_char_boundary(MAX_LONG_TEXT);
    sentence.get(..end).unwrap_or_default().to_owned()
}

pub(crate) fn text(field: &'static str, value: &str, most: usize) -> Result<(), OutOfBounds> {
    count(field, value.len(), most)
}

pub(crate) fn count(field: &'static str, size: usize, most: usize) -> Result<(), OutOfBounds> {
    if size > most { Err(OutOfBounds { field, size, most }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CsrReport, EndpointsReport};

    #[test]
    fn too_large_a_field_is_named() {
        let report = CsrReport { csr_pem: "x".repeat(MAX_CSR + 1) };
        assert_eq!(report.check().unwrap_err().field, "csr_pem");
        assert_eq!(EndpointsReport { endpoints: vec![] }.check(), Ok(()));
    }

    #[test]
    fn clip_keeps_whole_characters() {
        assert_eq!(clip("short"), "short");
        let long = "é".repeat(MAX_LONG_TEXT);
        assert_eq!(clip(&long).len(), MAX_LONG_TEXT);
        let odd = format!("a{long}");
        assert_eq!(clip(&odd).len(), MAX_LONG_TEXT - 1);
    }
}
