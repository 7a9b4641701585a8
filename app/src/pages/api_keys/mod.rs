//! "Account > API keys".

pub mod api;
#[cfg(feature = "ssr")]
pub mod files;
mod list;
mod new;

pub use list::ApiKeysPage;
pub use new::ApiKeyNewPage;
