//! What a bulkhead says to a call, and the future of one that waits.
use super::{Bulkhead, Overloaded, Permit, Reason, state::Turn};
use crate::clock;
use std::{
    borrow::Borrow,
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};
use tokio::time::{Sleep, sleep_until};

/// What a bulkhead says to a call. Awaiting it waits for the permit where there is a queue.
#[derive(Debug)]
#[must_use = "a permit that is dropped is given back, and a place in the queue given up"]
pub enum Admission<H: Borrow<Bulkhead> = Bulkhead> {
    /// It runs.
    Permit(Permit<H>),
    /// It waits.
    Queued(Waiting<H>),
    /// It does not run.
    Refused(Overloaded),
}

pin_project_lite::pin_project! {
    /// A place in the queue, and the future of the permit that it becomes.
    ///
    /// Its timer is made when it is first pending, which needs a tokio runtime with time.
    ///
    /// # Cancel safety
    /// Dropping it gives the place up; a permit that had just been given to it goes to the next one.
    #[must_use = "the place is given up when this is dropped"]
    pub struct Waiting<H: Borrow<Bulkhead> = Bulkhead> {
        // None once the waiting has ended.
        holder: Option<H>,
        slot: u32,
        since: Instant,
        expires: Instant,
        #[pin]
        sleep: Option<Sleep>,
    }

    impl<H: Borrow<Bulkhead>> PinnedDrop for Waiting<H> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(holder) = this.holder.take()
                && holder.borrow().inner().shared.leave(*this.slot) == Turn::Granted
            {
                drop(Permit::taken(holder));
            }
        }
    }
}

pin_project_lite::pin_project! {
    /// Future of [`Bulkhead::acquire`].
    ///
    /// # Cancel safety
    /// As [`Waiting`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Acquire<H: Borrow<Bulkhead> = Bulkhead> {
        said: Option<Result<Permit<H>, Overloaded>>,
        #[pin]
        waiting: Option<Waiting<H>>,
    }
}

// === impl Admission ===

impl<H: Borrow<Bulkhead>> IntoFuture for Admission<H> {
    type Output = Result<Permit<H>, Overloaded>;
    type IntoFuture = Acquire<H>;

    fn into_future(self) -> Acquire<H> {
        let (said, waiting) = match self {
            Self::Permit(permit) => (Some(Ok(permit)), None),
            Self::Queued(waiting) => (None, Some(waiting)),
            Self::Refused(overloaded) => (Some(Err(overloaded)), None),
        };
        Acquire { said, waiting }
    }
}

// === impl Waiting ===

impl<H: Borrow<Bulkhead>> Waiting<H> {
    pub(super) fn new(holder: H, slot: u32, since: Instant, expires: Instant) -> Self {
        Self {
            holder: Some(holder),
            slot,
            since,
            expires,
            sleep: None,
        }
    }

    /// When its time is up.
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.expires
    }
}

impl<H: Borrow<Bulkhead>> Future for Waiting<H> {
    type Output = Result<Permit<H>, Overloaded>;

    /// Pending for ever once it has given its answer.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(holder) = this.holder.as_ref() else {
            return Poll::Pending;
        };
        let inner = holder.borrow().inner();
        let mut turn = inner.shared.turn(*this.slot, cx.waker());
        if turn == Turn::Waits {
            if this.sleep.is_none() {
                this.sleep.set(Some(sleep_until((*this.expires).into())));
            }
            let timer = this.sleep.as_mut().as_pin_mut();
            if timer.is_none_or(|timer| timer.poll(cx).is_pending()) {
                return Poll::Pending;
            }
            turn = match inner.shared.leave(*this.slot) {
                Turn::Waits => Turn::Refused(Reason::QueueTimeout),
                turn => turn,
            };
        }
        this.sleep.set(None);
        let now = clock::now();
        inner.waited(now.saturating_duration_since(*this.since));
        Poll::Ready(match turn {
            Turn::Refused(reason) => {
                let overloaded = inner.refuse(reason, now);
                *this.holder = None;
                Err(overloaded)
            }
            _ => match this.holder.take() {
                Some(holder) => Ok(Permit::taken(holder)),
                None => return Poll::Pending,
            },
        })
    }
}

impl<H: Borrow<Bulkhead>> fmt::Debug for Waiting<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("since", &self.since)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

// === impl Acquire ===

impl<H: Borrow<Bulkhead>> Future for Acquire<H> {
    type Output = Result<Permit<H>, Overloaded>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match (this.said.take(), this.waiting.as_pin_mut()) {
            (Some(said), _) => Poll::Ready(said),
            (None, Some(waiting)) => waiting.poll(cx),
            (None, None) => Poll::Pending,
        }
    }
}
