//! "Account > API keys".

pub mod api;
#[cfg(feature = "ssr")]
pub mod files;
mod list;
mod new;
mod revoke;

pub use list::ApiKeysPage;
pub use new::ApiKeyNewPage;
pub use revoke::ApiKeyRevokePage;
