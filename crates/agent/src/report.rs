//! Reports on events, and what the portal says to them.

use std::time::Duration;

use agent_api::{Bounded, ErrorCode, EventAnswer, paths};
use domain::EventId;
use serde::Serialize;

use crate::client::{Portal, PortalError};

/// The portal's answer to a report.
pub(crate) enum Reply {
    /// It was taken in.
    Taken,
    /// The event is over for the portal.
    Over,
    /// The event is at another step.
    OtherStep,
    /// The report itself was refused.
    Invalid(String),
}

impl Portal {
    /// Sends a report to the path of `pattern`, until the portal has answered it one way or the
    /// other. Fails only where the agent has to stop.
    pub(crate) async fn report<R>(
        &self,
        event: EventId,
        pattern: &str,
        report: &R,
    ) -> Result<Reply, PortalError>
    where
        R: Serialize + Bounded + Sync,
    {
        let path = paths::for_event(pattern, event);
        match self.call::<R, EventAnswer>(&path, report, Duration::ZERO).await {
            Ok(_) => Ok(Reply::Taken),
            Err(PortalError::TooLarge(fault)) => Ok(Reply::Invalid(fault.to_string())),
            Err(PortalError::Refused(body)) if body.code != ErrorCode::Unauthorized => {
                if body.code == ErrorCode::EventOver {
                    return Ok(Reply::Over);
                }
                tracing::warn!(%event, path, message = body.message, "the portal refused a report");
                Ok(match body.code {
                    ErrorCode::WrongStep => Reply::OtherStep,
                    _ => Reply::Invalid(body.message),
                })
            }
            Err(error) => Err(error),
        }
    }
}
