//! What became of one request at a limiter, and what its caller may be told.
use super::quota::Quota;
use std::time::Duration;

/// Whether a request may pass, and all that the `RateLimit` and `Retry-After` headers need.
///
/// What costs a division is only computed when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How far the theoretical arrival time is ahead of now, in nanoseconds; this request counted when it is allowed.
    ahead: u64,
    /// In nanoseconds.
    interval: u64,
    limit: u32,
    cost: u32,
    allowed: bool,
}

/// The unit of time that a bucket counts in is 2^`shift` nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    interval: u64,
    burst: u32,
    shift: u32,
}

// === impl Decision ===

impl Decision {
    /// Whether the request may pass.
    #[must_use]
    #[inline]
    pub fn allowed(&self) -> bool {
        self.allowed
    }

    /// How many units a full bucket holds.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// How many units are left, of [`Decision::limit`].
    #[must_use]
    pub fn remaining(&self) -> u32 {
        let free = self.fill().saturating_sub(self.ahead);
        u32::try_from(free / self.interval).unwrap_or(self.limit)
    }

    /// When the bucket is full again, if nothing more is taken.
    #[must_use]
    pub fn reset_after(&self) -> Duration {
        Duration::from_nanos(self.ahead)
    }

    /// When the request would have been allowed, if nothing else is taken before it. `None` when it is allowed, and when it
    /// never will be because it costs more than the limit.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if self.allowed || self.cost > self.limit {
            return None;
        }
        let wanted = self.ahead + u64::from(self.cost) * self.interval;
        Some(Duration::from_nanos(wanted.saturating_sub(self.fill())))
    }

    /// How long an empty bucket takes to fill.
    #[must_use]
    pub fn window(&self) -> Duration {
        Duration::from_nanos(self.fill())
    }

    fn fill(&self) -> u64 {
        self.interval * u64::from(self.limit)
    }
}

// === impl Terms ===

impl Terms {
    /// The terms of `quota` in units of 2^`shift` nanoseconds; the interval is rounded up.
    #[inline]
    pub(super) fn new(quota: Quota, shift: u32) -> Self {
        Self {
            interval: (quota.interval() + (1 << shift) - 1) >> shift,
            burst: quota.burst(),
            shift,
        }
    }

    /// How far ahead the theoretical arrival time may be.
    #[inline]
    pub(super) fn tolerance(self) -> u64 {
        self.interval * u64::from(self.burst)
    }

    /// How far ahead the theoretical arrival time is after `cost` more units; `None` when that is too far.
    #[inline]
    pub(super) fn take(self, ahead: u64, cost: u32) -> Option<u64> {
        if cost > self.burst {
            return None;
        }
        let after = ahead + u64::from(cost) * self.interval;
        (after <= self.tolerance()).then_some(after)
    }

    #[inline]
    pub(super) fn decision(self, ahead: u64, cost: u32, allowed: bool) -> Decision {
        Decision {
            ahead: ahead << self.shift,
            interval: self.interval << self.shift,
            limit: self.burst,
            cost,
            allowed,
        }
    }
}
