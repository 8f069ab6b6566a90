//! Why a request was refused or given up.
use std::{error, fmt, time::Duration};

/// Nobody waits for the answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlineExceeded {
    by: Duration,
}

impl DeadlineExceeded {
    /// The error of a request whose deadline passed `by` ago.
    #[must_use]
    pub fn new(by: Duration) -> Self {
        Self { by }
    }

    /// How long ago the deadline had passed when that was noticed.
    #[must_use]
    pub fn by(&self) -> Duration {
        self.by
    }
}

impl fmt::Display for DeadlineExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the deadline passed {:?} ago", self.by)
    }
}

impl error::Error for DeadlineExceeded {}
