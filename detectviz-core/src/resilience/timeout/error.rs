//! Why a call was refused.
use std::{error, fmt, time::Duration};

/// The call took longer than its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elapsed {
    limit: Duration,
}

impl Elapsed {
    /// The error of a call that was given `limit`; for those who keep the time themselves.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }

    /// The limit that was exceeded.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call took longer than {:?}", self.limit)
    }
}

impl error::Error for Elapsed {}
