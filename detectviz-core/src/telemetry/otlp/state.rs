//! When an export is tried, tried again, and given up.
use super::RetryConfig;
use std::time::{Duration, Instant};

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The Collector has it, all but `rejected` items. `message` is what it has to say, usually nothing.
    Accepted { rejected: u64, message: String },
    /// It may be sent again, not before `after` if the server said so.
    Retryable {
        after: Option<Duration>,
        why: String,
    },
    /// It must not be sent again.
    Refused { why: String },
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Done, with so many rejected.
    Accepted(u64),
    /// Drop it.
    GiveUp,
    /// Try again at `until`. When the server `asked` for the wait, it is not to be cut short.
    Wait { until: Instant, asked: bool },
}

/// The attempts of one signal, one export after the other.
#[derive(Debug)]
pub(super) struct Attempts {
    limits: RetryConfig,
    /// How long one export is tried.
    total: Duration,
    began: Instant,
    failed: u32,
    not_before: Option<Instant>,
}

/// By how much a wait grows, after the Collector's `exporterhelper`.
const FACTOR: f64 = 1.5;

// === impl Attempts ===

impl Attempts {
    pub(super) fn new(limits: RetryConfig, total: Duration, now: Instant) -> Self {
        Self {
            limits,
            total,
            began: now,
            failed: 0,
            not_before: None,
        }
    }

    /// Until when the server asked to be left alone, if that is still ahead. It holds for the next export too.
    pub(super) fn held_off(&self, now: Instant) -> Option<Instant> {
        self.not_before.filter(|until| *until > now)
    }

    /// Begins another export.
    pub(super) fn begin(&mut self, now: Instant) {
        self.began = now;
        self.failed = 0;
    }

    /// How long an attempt that begins now may take at most.
    pub(super) fn left(&self, now: Instant) -> Duration {
        let tried = now.saturating_duration_since(self.began);
        self.total.saturating_sub(tried)
    }

    /// Weighs the answer to the latest attempt. `random` is from 0.0 to 1.0.
    pub(super) fn answered(&mut self, answer: &Answer, now: Instant, random: f64) -> Next {
        let after = match answer {
            Answer::Accepted { rejected, .. } => {
                self.not_before = None;
                return Next::Accepted(*rejected);
            }
            Answer::Refused { .. } => return Next::GiveUp,
            Answer::Retryable { after, .. } => *after,
        };
        self.failed = self.failed.saturating_add(1);
        let until = match after {
            Some(after) => {
                let until = now + after.min(self.limits.max_retry_after);
                self.not_before = Some(until);
                until
            }
            None => now + self.backoff(random),
        };
        // An attempt that would begin too late is not made.
        if until.duration_since(self.began) >= self.total {
            return Next::GiveUp;
        }
        Next::Wait {
            until,
            asked: after.is_some(),
        }
    }

    /// The wait before the next attempt: from half to one and a half of what is due.
    fn backoff(&self, random: f64) -> Duration {
        let steps = i32::try_from(self.failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let due = self.limits.initial.as_secs_f64() * FACTOR.powi(steps);
        let due = due.min(self.limits.max.as_secs_f64());
        Duration::from_secs_f64(due * (0.5 + random.clamp(0.0, 1.0)))
    }
}
