//! What commands print. Whoever reads it may have seen enough, as `| head` and `| grep -q` have:
//! that is no fault, and certainly no panic, which is what `println!` makes of it.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

/// Prints a line on standard output.
pub fn line(text: impl Display) -> std::io::Result<()> {
    text_as_it_is(format_args!("{text}\n"))
}

/// Prints a text that ends its lines itself.
pub fn text_as_it_is(text: impl Display) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    write!(out, "{text}")?;
    out.flush()
}

/// Prints a line for whoever may be listening. A server goes on without them.
pub fn announce(text: impl Display) {
    if let Err(error) = line(text) {
        tracing::debug!(%error, "nobody reads the standard output");
    }
}

/// Whether nobody reads the output any more. Only what writing itself said counts, not a lost
/// database below it.
pub fn reader_is_gone(error: &anyhow::Error) -> bool {
    let of_json = || error.downcast_ref().and_then(serde_json::Error::io_error_kind);
    let kind = error.downcast_ref().map(std::io::Error::kind).or_else(of_json);
    kind == Some(ErrorKind::BrokenPipe)
}
