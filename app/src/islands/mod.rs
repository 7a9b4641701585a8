//! The few interactive parts. Each wraps HTML that already works without it.

mod csr;
mod enhance;
mod file;
mod live;
mod suggest;

pub use csr::CsrFacts;
pub use enhance::Enhance;
pub use file::FileToText;
pub use live::Live;
pub use suggest::Suggest;
