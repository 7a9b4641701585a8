//! The paths of version 1: patterns for the portal's router, and the path of one event's call.

use domain::EventId;

/// [`crate::EnrollRequest`] → [`crate::EnrollAnswer`].
pub const ENROLL: &str = "/agent/v1/enroll";
/// [`crate::EndpointsReport`] → [`crate::EndpointsAnswer`].
pub const ENDPOINTS: &str = "/agent/v1/endpoints";
/// [`crate::PollRequest`] → [`crate::PollAnswer`].
pub const POLL: &str = "/agent/v1/poll";
/// Pattern: [`crate::CsrReport`] → [`crate::EventAnswer`].
pub const EVENT_CSR: &str = "/agent/v1/events/{id}/csr";
/// Pattern: [`crate::InstalledReport`] → [`crate::EventAnswer`].
pub const EVENT_INSTALLED: &str = "/agent/v1/events/{id}/installed";
/// Pattern: [`crate::VerifiedReport`] → [`crate::EventAnswer`].
pub const EVENT_VERIFIED: &str = "/agent/v1/events/{id}/verified";
/// Pattern: [`crate::FailedReport`] → [`crate::EventAnswer`].
pub const EVENT_FAILED: &str = "/agent/v1/events/{id}/failed";

/// The path of `pattern`, one of the `EVENT_…` patterns, for one event.
pub fn for_event(pattern: &str, event: EventId) -> String {
    pattern.replace("{id}", &event.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_put_into_the_pattern() {
        assert_eq!(for_event(EVENT_CSR, EventId(7)), "/agent/v1/events/7/csr");
    }
}
