//! Which runtime the current thread is working for.
use std::{
    cell::Cell,
    future::Future,
    num::NonZeroU32,
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll},
};

thread_local! {
    static CURRENT: Cell<Option<RuntimeId>> = const { Cell::new(None) };
}

/// Names one runtime among those of this process.
///
/// An id says where telemetry goes and decides nothing else. Ids are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuntimeId(NonZeroU32);

/// Puts back the id that was current before, when dropped.
#[derive(Debug)]
pub struct Entered {
    previous: Option<RuntimeId>,
}

pin_project_lite::pin_project! {
    /// A future that is polled on behalf of one runtime; made by [`RuntimeId::scope`].
    #[derive(Debug)]
    pub struct InRuntime<F> {
        #[pin]
        inner: F,
        id: RuntimeId,
    }
}

// === impl RuntimeId ===

impl RuntimeId {
    /// The next unused id.
    ///
    /// # Panics
    /// After 2³²−1 runtimes in one process.
    #[must_use]
    pub fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(NonZeroU32::new(id).expect("fewer than 2^32 runtimes in a process"))
    }

    /// The id as a number, from 1 upwards.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The runtime that the current thread is working for, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.get()
    }

    /// Makes this the current runtime until the guard is dropped.
    #[must_use]
    pub fn enter(self) -> Entered {
        Entered {
            previous: CURRENT.replace(Some(self)),
        }
    }

    /// Makes this the runtime that the current thread works for whenever nothing else is entered.
    pub fn adopt_thread(self) {
        CURRENT.set(Some(self));
    }

    /// Polls `inner` with this as the current runtime.
    pub fn scope<F>(self, inner: F) -> InRuntime<F> {
        InRuntime { inner, id: self }
    }
}

// === impl Entered ===

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.previous);
    }
}

// === impl InRuntime ===

impl<F: Future> Future for InRuntime<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.id.enter();
        this.inner.poll(cx)
    }
}
