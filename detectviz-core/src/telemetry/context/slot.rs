//! What a request carries through every layer, and where they find it.
use super::{Note, SpanId, TraceContext};
use bytes::Bytes;
use std::{
    cell::RefCell,
    future::Future,
    marker::PhantomData,
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

thread_local! {
    // In a box, so that putting a slot in place and taking it back moves one word.
    static CURRENT: RefCell<Option<Box<Slot>>> = const { RefCell::new(None) };
}

/// What one request carries: its place in the trace, what travels with it, and the readings that its layers share.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Slot {
    /// The span that the request runs in.
    pub context: TraceContext,
    /// The caller's span, when the trace did not start here.
    pub parent: Option<SpanId>,
    /// The caller's `tracestate`, at most 512 bytes; empty when there is none.
    pub tracestate: Bytes,
    /// The caller's `baggage`, as it came; empty when there is none.
    pub baggage: Bytes,
    /// When the request began; the one clock reading that all layers share.
    pub started: Instant,
    /// When the response ended, as the first layer that saw it read the clock; `None` before.
    pub ended: Option<Instant>,
    /// When the caller stops waiting, if it said so.
    pub deadline: Option<Instant>,
    /// What happened to the request in a trace that is sampled, as [`note`](super::note) took it down; at most
    /// [eight](Note::MOST).
    pub notes: Vec<Note>,
}

pin_project_lite::pin_project! {
    /// A future that is polled with a slot in place; made by [`Slot::scope`].
    #[derive(Debug)]
    pub struct InSlot<F> {
        #[pin]
        inner: F,
        slot: Option<Box<Slot>>,
    }
}

/// A slot that is in place until this is dropped; made by [`Slot::enter`]. A panic does not leave a slot behind.
#[derive(Debug)]
#[must_use = "the slot is in place until this is dropped"]
pub struct Entered<'a> {
    slot: &'a mut Option<Box<Slot>>,
    /// It belongs to the thread.
    _not_send: PhantomData<*const ()>,
}

/// Gives `read` the slot of the request that the current thread is working on.
///
/// Within `read` the slot cannot be [updated](update).
pub fn current<R>(read: impl FnOnce(Option<&Slot>) -> R) -> R {
    CURRENT.with(|current| match current.try_borrow() {
        Ok(slot) => read(slot.as_deref()),
        Err(_) => read(None),
    })
}

/// Lets `write` change the slot of the request that the current thread is working on. Without one, or inside
/// [`current`], nothing happens and `None` is returned.
pub fn update<R>(write: impl FnOnce(&mut Slot) -> R) -> Option<R> {
    CURRENT.with(|current| {
        let mut slot = current.try_borrow_mut().ok()?;
        slot.as_deref_mut().map(write)
    })
}

// === impl Slot ===

impl Slot {
    /// A slot in `context`, begun now.
    #[must_use]
    pub fn new(context: TraceContext) -> Self {
        Self::started_at(context, Instant::now())
    }

    /// A slot in `context`, begun at `started`.
    #[must_use]
    pub fn started_at(context: TraceContext, started: Instant) -> Self {
        Self {
            context,
            parent: None,
            tracestate: Bytes::new(),
            baggage: Bytes::new(),
            started,
            ended: None,
            deadline: None,
            notes: Vec::new(),
        }
    }

    /// The same request in a new span of it, begun at `started`.
    #[must_use]
    pub fn child_at(&self, started: Instant) -> Self {
        Self {
            context: self.context.child(),
            parent: Some(self.context.span_id()),
            started,
            ended: None,
            notes: Vec::new(),
            ..self.clone()
        }
    }

    /// Polls `inner` with this slot in place. Take it along to a spawned task by cloning the
    /// [current](fn@current) one. Allocates.
    pub fn scope<F>(self, inner: F) -> InSlot<F> {
        InSlot {
            inner,
            slot: Some(Box::new(self)),
        }
    }

    /// Runs `work` with this slot in place. Allocates.
    pub fn sync_scope<R>(self, work: impl FnOnce() -> R) -> R {
        Self::lend(&mut Some(Box::new(self)), work)
    }

    /// Runs `work` with `slot` [in place](Self::enter).
    pub fn lend<R>(slot: &mut Option<Box<Self>>, work: impl FnOnce() -> R) -> R {
        let _entered = Self::enter(slot);
        work()
    }

    /// Puts `slot` in place until the guard is dropped, which gives it back with what [`update`] wrote into it. For named
    /// futures and bodies that keep the slot between two polls, and its box between two requests.
    #[inline]
    pub fn enter(slot: &mut Option<Box<Self>>) -> Entered<'_> {
        swap(slot);
        Entered {
            slot,
            _not_send: PhantomData,
        }
    }
}

// === impl InSlot ===

impl<F> InSlot<F> {
    /// The slot, between two polls.
    #[must_use]
    pub fn slot(self: Pin<&mut Self>) -> Option<&mut Slot> {
        self.project().slot.as_deref_mut()
    }
}

impl<F: Future> Future for InSlot<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = Slot::enter(this.slot);
        this.inner.poll(cx)
    }
}

// === impl Entered ===

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        swap(self.slot);
    }
}

/// While a thread ends its thread-locals are gone; the work then runs without a slot.
#[inline]
fn swap(slot: &mut Option<Box<Slot>>) {
    let _ = CURRENT.try_with(|current| {
        if let Ok(mut current) = current.try_borrow_mut() {
            mem::swap(&mut *current, slot);
        }
    });
}
