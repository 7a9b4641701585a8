//! What is around every page: the document, the frame, the left menu, the top bar.

mod document;
mod frame;
mod menu;
mod top;

pub use document::{Document, DocumentProps};
pub use frame::Frame;
