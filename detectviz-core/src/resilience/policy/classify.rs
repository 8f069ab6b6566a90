//! What the result of an attempt means.
use crate::resilience::{
    breaker,
    retry::{Hint, Outcome, Reason},
};

/// What the result of an attempt means: for its call, and of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It went well.
    Success,
    /// The other side works, and said no: a constraint is violated, a key is missing. Another attempt would end the same.
    Rejected,
    /// The other side is to blame, and another attempt would end the same.
    Fatal,
    /// The other side is to blame, and another attempt may go well. What was sent may have had its effect, so it is repeated
    /// only in an [idempotent](super::Call::idempotent) call.
    Failure {
        /// In which way it failed.
        reason: Reason,
        /// What the other side said about when to come back.
        hint: Hint,
    },
    /// It failed before anything was sent: there was no connection. It may be repeated in any call.
    Unsent {
        /// In which way it failed.
        reason: Reason,
    },
    /// It was refused on this side, by another guard: that says nothing of the other side, and is not repeated.
    Refused,
}

/// Says what the results of attempts mean. Any `Fn(&Result<T, E>) -> Verdict` is one.
pub trait Classify<T, E> {
    /// What `result` means.
    fn classify(&self, result: &Result<T, E>) -> Verdict;
}

/// An error is a [failure](Verdict::Failure).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefaultClassify;

// === impl Verdict ===

impl Verdict {
    /// A failure without a hint.
    #[must_use]
    pub fn failure(reason: Reason) -> Self {
        let hint = Hint::None;
        Self::Failure { reason, hint }
    }

    /// A failure before anything was sent.
    #[must_use]
    pub fn unsent(reason: Reason) -> Self {
        Self::Unsent { reason }
    }

    /// Adds what the other side said about when to come back; only a failure takes it.
    #[must_use]
    pub fn with_hint(self, hint: Hint) -> Self {
        match self {
            Self::Failure { reason, .. } => Self::Failure { reason, hint },
            other => other,
        }
    }

    /// What it means for another attempt.
    #[must_use]
    pub fn retry(self, idempotent: bool) -> Outcome {
        match self {
            Self::Success => Outcome::Success,
            Self::Failure { .. } if !idempotent => Outcome::NotSafe,
            Self::Failure { reason, hint } => Outcome::Retryable { reason, hint },
            Self::Unsent { reason } => Outcome::retryable(reason),
            Self::Rejected | Self::Fatal | Self::Refused => Outcome::Fatal,
        }
    }

    /// What it says of the other side.
    #[must_use]
    pub fn breaker(self) -> breaker::Outcome {
        match self {
            Self::Success | Self::Rejected => breaker::Outcome::Success,
            Self::Fatal | Self::Failure { .. } | Self::Unsent { .. } => breaker::Outcome::Failure,
            Self::Refused => breaker::Outcome::Ignored,
        }
    }
}

// === impl DefaultClassify ===

impl<T, E> Classify<T, E> for DefaultClassify {
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Verdict {
        match result {
            Ok(_) => Verdict::Success,
            Err(_) => Verdict::failure(Reason::Other),
        }
    }
}

impl<T, E, F> Classify<T, E> for F
where
    F: Fn(&Result<T, E>) -> Verdict,
{
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Verdict {
        self(result)
    }
}
