//! One attempt: what its closure is told, and the future that it made.
use crate::resilience::{breaker::Permit, deadline::remaining};
use std::time::{Duration, Instant};

/// What the closure of a [`Call`](super::Call) is told of the attempt that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Which one of its call it is, from 1; hedges count.
    pub number: u32,
    /// When it is given up.
    pub deadline: Instant,
}

pin_project_lite::pin_project! {
    /// An attempt under way. Dropped, it says nothing to the breaker.
    #[derive(Debug)]
    pub(super) struct Running<'a, F> {
        #[pin]
        pub(super) future: F,
        // None once it has a result.
        pub(super) permit: Option<Permit<'a>>,
        pub(super) about: Attempt,
    }
}

// === impl Attempt ===

impl Attempt {
    /// How long it may still take at `now`; `None` when its time is up.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> Option<Duration> {
        remaining(self.deadline, now)
    }
}
