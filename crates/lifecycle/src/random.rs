//! The one source of randomness.

use crate::{LifecycleError, Result};

/// Fills `bytes` with random ones.
#[expect(clippy::disallowed_methods, reason = "the one place where randomness comes from")]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    aws_lc_rs::rand::fill(bytes)
        .map_err(|_| LifecycleError::Internal("no random numbers".to_owned()))
}
