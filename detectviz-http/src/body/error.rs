//! Why a body could not be read to its end.
use crate::error::Refusal;
use detectviz_core::config::show_duration;
use http::StatusCode;
use std::{error, fmt, time::Duration};

/// A request body that could not be read to its end.
#[derive(Debug)]
pub struct BodyError {
    cause: Cause,
}

/// What ended a body early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyErrorKind {
    /// It is larger than the limit. Answered with 413.
    TooLarge,
    /// No byte came for too long, or too few of them. Answered with 408.
    TimedOut,
    /// The connection broke, or the framing of the body is wrong.
    Broken,
}

#[derive(Debug)]
pub(super) enum Cause {
    TooLarge { limit: u64 },
    TimedOut { limit: Duration },
    Broken(hyper::Error),
}

/// How a handler's error is answered when one of these is among its causes.
static TOO_LARGE: Refusal = Refusal::from_static(
    StatusCode::PAYLOAD_TOO_LARGE,
    "the request body is larger than this service takes",
);
static TIMED_OUT: Refusal = Refusal::from_static(
    StatusCode::REQUEST_TIMEOUT,
    "the request body did not arrive in time",
);
static BROKEN: Refusal = Refusal::from_static(
    StatusCode::BAD_REQUEST,
    "the request body ended early or is malformed",
);

// === impl BodyError ===

impl BodyError {
    pub(super) fn new(cause: Cause) -> Self {
        Self { cause }
    }

    /// What ended the body.
    #[must_use]
    pub fn kind(&self) -> BodyErrorKind {
        match self.cause {
            Cause::TooLarge { .. } => BodyErrorKind::TooLarge,
            Cause::TimedOut { .. } => BodyErrorKind::TimedOut,
            Cause::Broken(_) => BodyErrorKind::Broken,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::TooLarge { limit } => {
                write!(f, "request body is larger than {limit} bytes")
            }
            Cause::TimedOut { limit } => write!(
                f,
                "request body made no sufficient progress for {}",
                show_duration(*limit)
            ),
            Cause::Broken(err) => write!(f, "request body ended early: {err}"),
        }
    }
}

impl error::Error for BodyError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(match self.cause {
            Cause::TooLarge { .. } => &TOO_LARGE,
            Cause::TimedOut { .. } => &TIMED_OUT,
            // Not the transport's error: the table would take it for an upstream's.
            Cause::Broken(_) => &BROKEN,
        })
    }
}
