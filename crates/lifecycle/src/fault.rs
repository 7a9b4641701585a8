//! Points at which tests kill the process, to see what the next start makes of it.

/// Every point: of an ask, of an event in automation, of revocations. Each stands between two
/// transactions, or between the last one and the answer.
#[cfg(debug_assertions)]
pub const POINTS: &[&str] = &[
    "issue.after_place",
    "issue.after_plan",
    "issue.after_sign",
    "issue.after_store",
    "auto_renew.after_event",
    "event.after_csr",
    "event.after_ask",
    "event.after_decision",
    "revoke.after_store",
    "revoke.after_due",
    "key_job.after_take",
    "key_job.after_revoke",
];

/// Ends the process at once, as `kill -9` would, where `CERTDECK_FAULT` names this point. Does
/// nothing in release builds.
pub fn point(name: &str) {
    #[cfg(debug_assertions)]
    {
        debug_assert!(POINTS.contains(&name), "{name} is missing from POINTS");
        if std::env::var("CERTDECK_FAULT").is_ok_and(|wanted| wanted == name) {
            tracing::warn!(point = name, "ending at a fault point");
            std::process::abort();
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
