//! The future of one call.
use super::Shedding;
use crate::resilience::Refusable;

/// Future of [`Shed`](super::Shed).
pub type ResponseFuture<F> = Refusable<F, Shedding>;
