//! Named points at which a test can kill the agent, as a power cut would.
//!
//! `fault!("after_rename")` aborts the process where the environment variable `CERTDECK_FAULT`
//! holds that name. Only debug builds know about it; in release builds the macro is empty.

/// Every point, in the order in which an event passes them; those from `before_undo` on only
/// where an installation is taken back.
#[cfg(debug_assertions)]
pub const POINTS: &[&str] = &[
    "after_key_written",
    "after_csr_noted",
    "after_csr_sent",
    "before_install",
    "after_staging",
    "after_backup",
    "after_first_rename",
    "after_rename",
    "after_config_test",
    "after_reload",
    "after_installed_sent",
    "after_verify",
    "after_verified_sent",
    "after_backups_kept",
    "before_undo",
    "after_restore",
    "after_undo",
    "after_failed_sent",
];

/// Aborts where `point` was asked for.
#[cfg(debug_assertions)]
#[doc(hidden)]
pub fn reached(point: &'static str) {
    debug_assert!(POINTS.contains(&point), "{point} is missing from POINTS");
    if std::env::var("CERTDECK_FAULT").is_ok_and(|wanted| wanted == point) {
        std::process::abort();
    }
}

macro_rules! fault {
    ($point:literal) => {
        #[cfg(debug_assertions)]
        $crate::faults::reached($point);
    };
}
