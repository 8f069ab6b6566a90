//! Why a body could not be read to its end.
use detectviz_core::config::show_duration;
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
            Cause::Broken(_) => f.write_str("request body ended early"),
        }
    }
}

impl error::Error for BodyError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.cause {
            Cause::Broken(err) => Some(err),
            Cause::TooLarge { .. } | Cause::TimedOut { .. } => None,
        }
    }
}
