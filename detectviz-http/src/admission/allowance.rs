//! What a caller reads of its rate limits with an answer.
use super::{config::RateLimitHeaders, plan::Limit};
use crate::propagation::keep;
use detectviz_core::resilience::rate_limit::{Decision, HeaderText};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// What is left to a caller of the limit that leaves it the least.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    decision: Decision,
    of_route: bool,
    at: u8,
}

/// When callers are told; may change at any time.
#[derive(Debug)]
pub(super) struct Telling(AtomicU8);

pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

// === impl Allowance ===

impl Allowance {
    /// Of two, the one that leaves less.
    #[inline]
    pub(super) fn least(
        known: Option<Self>,
        decision: Decision,
        of_route: bool,
        at: usize,
    ) -> Self {
        let new = Self {
            decision,
            of_route,
            at: u8::try_from(at).unwrap_or(u8::MAX),
        };
        match known {
            Some(known) if known.decision.remaining() <= decision.remaining() => known,
            _ => new,
        }
    }

    /// Tells the caller, unless the handler has told it something of its own.
    pub(super) fn tell(&self, server: &[Limit], route: &[Limit], headers: &mut HeaderMap) {
        let limits = if self.of_route { route } else { server };
        if let Some(limit) = limits.get(usize::from(self.at))
            && !headers.contains_key(RATE_LIMIT)
        {
            tell(limit.limiter.policy(), &self.decision, headers);
        }
    }
}

// === impl Telling ===

impl Telling {
    pub(super) fn new(config: RateLimitHeaders) -> Self {
        Self(AtomicU8::new(config as u8))
    }

    pub(super) fn set(&self, config: RateLimitHeaders) {
        self.0.store(config as u8, Relaxed);
    }

    /// Whether those are told who may pass.
    pub(super) fn allowed(&self) -> bool {
        self.0.load(Relaxed) == RateLimitHeaders::Always as u8
    }

    /// Whether those are told who may not.
    pub(super) fn refused(&self) -> bool {
        self.0.load(Relaxed) != RateLimitHeaders::Never as u8
    }
}

/// Adds both headers; their values are cut from a buffer of the thread.
pub(super) fn tell(policy: &str, decision: &Decision, headers: &mut HeaderMap) {
    for (name, text) in [
        (RATE_LIMIT_POLICY, HeaderText::policy(policy, decision)),
        (RATE_LIMIT, HeaderText::limit(policy, decision)),
    ] {
        if let Ok(value) = HeaderValue::from_maybe_shared(keep(text.as_bytes())) {
            headers.insert(name, value);
        }
    }
}
