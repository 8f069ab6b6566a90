//! The future of one call.
use super::RateLimited;
use crate::resilience::Refusable;

/// Future of [`RateLimit`](super::RateLimit).
pub type ResponseFuture<F> = Refusable<F, RateLimited>;
