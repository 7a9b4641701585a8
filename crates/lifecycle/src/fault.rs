//! Points at which tests kill the process, to see what the next start makes of it.

/// Ends the process at once, as `kill -9` would, where `CERTDECK_FAULT` names this point. Does
/// nothing in release builds.
///
/// The points, in the order of an issuance: `issue.after_plan`, `issue.after_sign`,
/// `issue.after_store`.
pub fn point(name: &str) {
    #[cfg(debug_assertions)]
    if std::env::var("CERTDECK_FAULT").is_ok_and(|wanted| wanted == name) {
        tracing::warn!(point = name, "ending at a fault point");
        std::process::abort();
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
