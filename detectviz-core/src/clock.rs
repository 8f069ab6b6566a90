//! The two clocks: that which a test may pause, and that of the system.
use std::time::{Instant, SystemTime};

/// Now, by the clock of the current tokio runtime, which a test may have paused.
#[inline]
#[must_use]
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Now, by the system's clock, in nanoseconds since 1970; 0 while it shows an earlier time. Read when it is needed rather than
/// counted from the start of the process, so that a clock that is set meanwhile is followed.
#[inline]
#[must_use]
pub fn unix_nanos() -> u64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
