//! Why a call failed.
use crate::{
    error::BoxError,
    resilience::{
        breaker::Open, bulkhead::Overloaded, deadline::DeadlineExceeded, retry::BudgetExhausted,
        timeout::Elapsed,
    },
};
use std::{error, fmt};

/// Why a [`Call`](super::Call) failed, whose closure fails with `E`.
///
/// As any error it turns into a [`BoxError`] in which [`cause_ref`](crate::error::cause_ref) finds the cause; where `E` is a
/// [`BoxError`] itself, by [`into_boxed`](Self::into_boxed).
#[derive(Debug)]
#[non_exhaustive]
pub enum PolicyError<E> {
    /// Too many calls run already; nothing was called.
    Overloaded(Overloaded),
    /// The other side is left alone for a while; this attempt was not made.
    Open(Open),
    /// Nobody waits for the answer any more: the deadline of the current request has passed.
    DeadlineExceeded(DeadlineExceeded),
    /// The last attempt, or the call as a whole, took longer than its limit.
    Elapsed(Elapsed),
    /// The last attempt failed in a way that is worth another, which the budget refused; it holds the failure.
    BudgetExhausted(BudgetExhausted),
    /// The last attempt failed.
    Inner(E),
}

// === impl PolicyError ===

impl<E> PolicyError<E> {
    /// Whether the call was refused before its (last) attempt was made.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Overloaded(_) | Self::Open(_))
    }

    /// Whether it took too long.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Elapsed(_) | Self::DeadlineExceeded(_))
    }

    /// The closure's error, unless it is that of an attempt that the budget kept from being repeated.
    #[must_use]
    pub fn into_inner(self) -> Option<E> {
        match self {
            Self::Inner(err) => Some(err),
            _ => None,
        }
    }

    /// The cause, as it comes from the layers.
    #[must_use]
    pub fn into_boxed(self) -> BoxError
    where
        E: Into<BoxError>,
    {
        match self {
            Self::Overloaded(cause) => cause.into(),
            Self::Open(cause) => cause.into(),
            Self::DeadlineExceeded(cause) => cause.into(),
            Self::Elapsed(cause) => cause.into(),
            Self::BudgetExhausted(cause) => cause.into(),
            Self::Inner(err) => err.into(),
        }
    }
}

impl<E> fmt::Display for PolicyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overloaded(_) => "the call was refused by its bulkhead",
            Self::Open(_) => "the call was refused by its circuit breaker",
            Self::DeadlineExceeded(_) => "the call was given up at the deadline of its request",
            Self::Elapsed(_) => "the call took too long",
            Self::BudgetExhausted(_) => "the call failed and was not repeated",
            Self::Inner(_) => "the call failed",
        })
    }
}

impl<E: error::Error + 'static> error::Error for PolicyError<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(match self {
            Self::Overloaded(cause) => cause,
            Self::Open(cause) => cause,
            Self::DeadlineExceeded(cause) => cause,
            Self::Elapsed(cause) => cause,
            Self::BudgetExhausted(cause) => cause,
            Self::Inner(err) => err,
        })
    }
}
