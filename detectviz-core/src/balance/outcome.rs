//! How a call ended, as far as its endpoint is concerned.
use std::time::Duration;

/// How a call ended, as far as its endpoint is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The endpoint answered. What the caller did wrong (4xx) is a success of the endpoint.
    Success,
    /// The endpoint failed.
    Failure(FailureKind),
    /// The endpoint said that it has too much to do: 429, 503, gRPC's `RESOURCE_EXHAUSTED` and `UNAVAILABLE` with a
    /// push-back. It is weighed down like one that failed, and not chosen until `retry_after` has passed while there are
    /// others; it is not ejected for it, since it lives.
    Overloaded {
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The caller gave up: by its own will, or since another attempt was faster. That the endpoint took at least so long
    /// counts, the rest does not.
    Cancelled,
    /// Nothing is known, nothing counts.
    Ignored,
}

/// In what way an endpoint failed, as Envoy's outlier detection tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// There was no answer: refused, reset, timed out, no TLS.
    LocalOrigin,
    /// There was an answer that is a failure, such as 500.
    Answer,
}

/// Why an endpoint was ejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EjectionReason {
    /// Failed answers in a row.
    ConsecutiveFailures,
    /// Calls in a row without an answer.
    ConsecutiveLocalFailures,
    /// Far fewer successes than its siblings.
    SuccessRate,
    /// The probe after an ejection failed.
    Probe,
    /// By hand.
    Manual,
}

// === impl EjectionReason ===

impl EjectionReason {
    pub(super) const ALL: [Self; 5] = [
        Self::ConsecutiveFailures,
        Self::ConsecutiveLocalFailures,
        Self::SuccessRate,
        Self::Probe,
        Self::Manual,
    ];

    /// The value of the metric's label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::ConsecutiveLocalFailures => "consecutive_local_failures",
            Self::SuccessRate => "success_rate",
            Self::Probe => "probe",
            Self::Manual => "manual",
        }
    }
}
