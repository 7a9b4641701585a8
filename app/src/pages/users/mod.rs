//! "Account > Users": who may sign in, and what they may do.

pub mod api;
mod detail;
#[cfg(feature = "ssr")]
pub mod files;
mod list;
mod me;
mod set_up;

pub use detail::{UserNewPage, UserPage};
pub use list::UsersPage;
pub use me::MyAccountPage;
pub use set_up::SetUpPage;
