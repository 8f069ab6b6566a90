//! Leave to make one call, given back when dropped.
use super::{Circuit, Outcome, Ticket, circuit::Hold};
use crate::clock;
use std::{sync::Arc, time::Instant};

/// Leave to make one call, which borrows its circuit.
///
/// # Cancel safety
/// Dropped without a [`record`](Self::record), it counts neither as a success nor as a failure, and a half-open circuit
/// gives its place to another probe.
#[derive(Debug)]
#[must_use = "dropped, it is given back"]
pub struct Permit<'a> {
    circuit: &'a Circuit,
    ticket: Ticket,
}

/// The same, which shares its circuit.
///
/// # Cancel safety
/// As [`Permit`].
#[derive(Debug)]
#[must_use = "dropped, it is given back"]
pub struct OwnedPermit {
    hold: Arc<Hold>,
    ticket: Ticket,
}

// === impl Permit ===

impl<'a> Permit<'a> {
    #[inline]
    pub(super) fn new(circuit: &'a Circuit, ticket: Ticket) -> Self {
        Self { circuit, ticket }
    }

    /// Records how the call ended, at `now`.
    #[inline]
    pub fn record(mut self, outcome: Outcome, now: Instant) {
        let ticket = std::mem::replace(&mut self.ticket, Ticket::SPENT);
        self.circuit.record(ticket, outcome, now);
    }

    /// The same, where the clock is read only when it is needed.
    #[inline]
    pub(in crate::resilience) fn record_now(mut self, outcome: Outcome) {
        let ticket = std::mem::replace(&mut self.ticket, Ticket::SPENT);
        self.circuit.shared.record(ticket, outcome, clock::now);
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.ticket != Ticket::SPENT {
            self.circuit.cancel(self.ticket);
        }
    }
}

// === impl OwnedPermit ===

impl OwnedPermit {
    #[inline]
    pub(super) fn new(hold: Arc<Hold>, ticket: Ticket) -> Self {
        Self { hold, ticket }
    }

    /// Records how the call ended, at `now`.
    #[inline]
    pub fn record(mut self, outcome: Outcome, now: Instant) {
        self.finish(outcome, || now);
    }

    /// The same, where the clock is read only when it is needed.
    #[inline]
    pub(super) fn finish_now(&mut self, outcome: Outcome) {
        self.finish(outcome, clock::now);
    }

    #[inline]
    fn finish(&mut self, outcome: Outcome, clock: impl Fn() -> Instant) {
        let ticket = std::mem::replace(&mut self.ticket, Ticket::SPENT);
        self.hold.shared.record(ticket, outcome, clock);
    }
}

impl Drop for OwnedPermit {
    #[inline]
    fn drop(&mut self) {
        if self.ticket != Ticket::SPENT {
            self.hold.shared.core.cancel(self.ticket);
        }
    }
}
