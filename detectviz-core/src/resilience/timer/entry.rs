//! One deadline that a call waits for.
use super::{
    cache,
    shared::{Place, Shared},
    state::Polled,
};
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// The place of one deadline at a time in a [`Timer`](super::Timer); made by [`Timer::entry`](super::Timer::entry).
///
/// It is 8 bytes. Taking one and giving it back touches only the thread; arming takes a lock that nobody but the timer's
/// driver ever takes, for some nanoseconds. It may be armed again, for the next attempt or the next request of a
/// connection, which is cheaper than a new one because the waker is kept.
///
/// # Cancel safety
/// Dropping it cancels the deadline without a lock. The task may be woken once more, and its waker is dropped when another
/// deadline takes the place, or within two seconds.
pub struct Entry {
    /// `None` when it has no place yet, and while it is dropped.
    place: Option<Place>,
}

// === impl Entry ===

impl Entry {
    #[inline]
    pub(super) fn new(timer: &Arc<Shared>) -> Self {
        Self {
            place: cache::take(timer),
        }
    }

    /// Has the task of `cx` woken once `deadline` has passed. What it was armed for before is forgotten.
    ///
    /// # Panics
    /// Outside a tokio runtime with timers, when nobody drives the timer yet.
    #[inline]
    pub fn arm(&mut self, deadline: Instant, cx: &Context<'_>) {
        self.arm_within(deadline, Duration::ZERO, cx);
    }

    /// As [`arm`](Self::arm), once `limit` has passed since `from`, however long that is.
    ///
    /// # Panics
    /// As there.
    #[inline]
    pub fn arm_within(&mut self, from: Instant, limit: Duration, cx: &Context<'_>) {
        let Some(place) = &self.place else {
            return;
        };
        let of = &place.block.of;
        let due = of.due(from, limit);
        if place.arm(due, cx.waker()) {
            of.timer.tell(due);
        }
    }

    /// Ready once the deadline that it is armed for has passed, a few milliseconds late while the runtime is not
    /// held up, and never early. Not armed, it is pending and wakes nobody.
    ///
    /// # Panics
    /// As [`arm`](Self::arm), when the runtime that drove the timer has been shut down.
    pub fn poll_passed(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Some(place) = &self.place else {
            return Poll::Pending;
        };
        match place.poll(cx.waker()) {
            Polled::Passed => return Poll::Ready(()),
            Polled::Tell(due) => place.block.of.timer.tell(due),
            Polled::Waits => {}
        }
        Poll::Pending
    }

    /// Whether it was armed, and not disarmed since.
    #[must_use]
    #[inline]
    pub fn is_armed(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.is_armed())
    }

    /// Cancels the deadline.
    #[inline]
    pub fn disarm(&mut self) {
        if let Some(place) = &self.place {
            place.cancel();
        }
    }
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            place.cancel();
            cache::give(place);
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("armed", &self.is_armed())
            .finish_non_exhaustive()
    }
}
