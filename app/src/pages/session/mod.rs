//! Signing in and out, and the colours of the screens.

pub mod api;
mod sign_in;

pub use sign_in::SignInPage;
