//! The right to run, which comes back when it is dropped.
use super::{Admission, Bulkhead, Priority};
use crate::clock;
use std::{borrow::Borrow, fmt, time::Instant};

/// The right to run one call; it is given back when this is dropped, and goes to the one that waits longest.
///
/// `H` is what the bulkhead is reached by: a handle of it (one reference count), a borrowed one (none), or something of yours
/// that [borrows](Borrow) as one, such as the state that a request holds anyway.
#[must_use = "it is given back as soon as it is dropped"]
pub struct Permit<H: Borrow<Bulkhead> = Bulkhead> {
    holder: Option<H>,
}

/// A permit without the way back to its bulkhead, for a future that holds the bulkhead by other means.
///
/// [Attach](Bulkhead::attach) it when the call has ended: it is not given back by dropping this.
#[derive(Debug)]
#[must_use = "attach it, or the permit is lost"]
pub struct Detached(());

// === impl Permit ===

impl<H: Borrow<Bulkhead>> Permit<H> {
    /// Of a bulkhead in which one has been taken.
    #[inline]
    pub(super) fn taken(holder: H) -> Self {
        Self {
            holder: Some(holder),
        }
    }

    /// What the bulkhead is reached by.
    #[must_use]
    pub fn holder(&self) -> Option<&H> {
        self.holder.as_ref()
    }

    /// Gives the permit back at `now`, which spares reading the clock when calls wait.
    #[inline]
    pub fn release(mut self, now: Instant) {
        if let Some(holder) = self.holder.take() {
            holder.borrow().inner().shared.give_back(|| now);
        }
    }

    /// Parts the permit from its bulkhead, without giving it back.
    #[inline]
    pub fn detach(mut self) -> Detached {
        self.holder = None;
        Detached(())
    }
}

impl<H: Borrow<Bulkhead>> Drop for Permit<H> {
    #[inline]
    fn drop(&mut self) {
        if let Some(holder) = &self.holder {
            holder.borrow().inner().shared.give_back(clock::now);
        }
    }
}

impl<H: Borrow<Bulkhead>> fmt::Debug for Permit<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

// === impl Bulkhead ===

impl Bulkhead {
    /// As [`admit`](Self::admit), with a permit that borrows this handle: no reference is counted.
    #[inline]
    pub fn admit_ref(&self, priority: Priority, now: Instant) -> Admission<&Self> {
        Self::admit_by(self, priority, now)
    }

    /// A permit that is [detached](Permit::detach) from the beginning, if there is one at once: no reference is counted.
    /// `None` says nothing more than to [ask](Self::admit) in the usual way; so it is for a
    /// [critical](Priority::Critical) call.
    #[inline]
    #[must_use = "attach it, or the permit is lost"]
    pub fn admit_detached(&self, priority: Priority) -> Option<Detached> {
        let taken = priority != Priority::Critical && self.inner().shared.gate.take();
        taken.then_some(Detached(()))
    }

    /// Takes back a permit that was [detached](Permit::detach) from this bulkhead.
    #[inline]
    pub fn attach(&self, detached: Detached) -> Permit<&Self> {
        let Detached(()) = detached;
        Permit::taken(self)
    }
}
