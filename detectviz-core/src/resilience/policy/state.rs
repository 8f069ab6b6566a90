//! How long a call and its attempts may take, and how calls end: pure.
use crate::resilience::deadline::DeadlineExceeded;
use std::time::{Duration, Instant};

/// When a call ends at the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    deadline: Instant,
    /// Whether that is the deadline of the request in which the call is made, not the call's own.
    of_request: bool,
}

/// How a call ended; each does in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its last attempt was a success.
    Ok,
    /// Its last attempt was not.
    Failed,
    /// A bulkhead or a breaker refused it, or its next attempt.
    Refused,
    /// Its last attempt, or all of it, took too long.
    TimedOut,
    /// Its caller gave it up.
    Cancelled,
}

// === impl Bounds ===

impl Bounds {
    /// Of a call that begins at `now` and may take `total`, in a request with the deadline `request`.
    pub(super) fn new(now: Instant, total: Duration, request: Option<Instant>) -> Self {
        match (now.checked_add(total), request) {
            (own, Some(request)) if own.is_none_or(|own| request < own) => Self {
                deadline: request,
                of_request: true,
            },
            (own, _) => Self {
                deadline: own.unwrap_or(now),
                of_request: false,
            },
        }
    }

    pub(super) fn deadline(self) -> Instant {
        self.deadline
    }

    /// When an attempt ends at the latest that begins at `now` and may take `limit`.
    pub(super) fn attempt(self, now: Instant, limit: Duration) -> Instant {
        let ends = now.checked_add(limit);
        ends.map_or(self.deadline, |ends| ends.min(self.deadline))
    }

    /// What is left at `now`.
    pub(super) fn left(self, now: Instant) -> Duration {
        self.deadline.saturating_duration_since(now)
    }

    pub(super) fn has_passed(self, now: Instant) -> bool {
        self.deadline <= now
    }

    /// How the deadline has passed at `now`, when it is the request's.
    pub(super) fn exceeded(self, now: Instant) -> Option<DeadlineExceeded> {
        let by = now.saturating_duration_since(self.deadline);
        self.of_request.then(|| DeadlineExceeded::new(by))
    }
}

// === impl Outcome ===

impl Outcome {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [
        Self::Ok,
        Self::Failed,
        Self::Refused,
        Self::TimedOut,
        Self::Cancelled,
    ];

    /// As the label of a metric.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_lesser_of_two_deadlines_counts_and_is_told() {
        let now = Instant::now();
        let ms = Duration::from_millis;
        for (total, request, deadline, of_request) in [
            (3_000, None, 3_000, false),
            (3_000, Some(500), 500, true),
            (3_000, Some(3_000), 3_000, false),
            (3_000, Some(9_000), 3_000, false),
        ] {
            let bounds = Bounds::new(now, ms(total), request.map(|at| now + ms(at)));
            let deadline = now + ms(deadline);
            let expected = Bounds {
                deadline,
                of_request,
            };
            assert_eq!(bounds, expected);
            let late = bounds.exceeded(deadline + ms(7));
            assert_eq!(late, of_request.then(|| DeadlineExceeded::new(ms(7))));
        }
    }

    proptest! {
        #[test]
        fn no_attempt_outlives_its_limit_or_its_call(
            total in 1_u64..10_000,
            request in proptest::option::of(0_u64..10_000),
            after in 0_u64..10_000,
            limit in 1_u64..5_000,
        ) {
            let (begun, ms) = (Instant::now(), Duration::from_millis);
            let bounds = Bounds::new(begun, ms(total), request.map(|at| begun + ms(at)));
            let now = begun + ms(after);
            let ends = bounds.attempt(now, ms(limit));
            prop_assert!(ends <= now + ms(limit) && ends <= bounds.deadline());
            prop_assert!(bounds.deadline() <= begun + ms(total));
            prop_assert_eq!(bounds.has_passed(now), bounds.left(now).is_zero());
        }
    }
}
