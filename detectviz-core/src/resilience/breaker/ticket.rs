//! Leave to make one call, as plain data.
use super::limits::OFF;

/// Leave to make one call: small, `Copy`, and given back by hand. See
/// [`Circuit::enter`](super::Circuit::enter); whoever can, holds a [`Permit`](super::Permit) instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a probe whose ticket is neither recorded nor cancelled stays out for good"]
pub struct Ticket {
    /// When the call began, in nanoseconds since a moment of the circuit; [`OFF`] where calls are not timed.
    started: u64,
    generation: u32,
}

// === impl Ticket ===

impl Ticket {
    /// Of a call that has been dealt with: no generation is so high.
    pub(super) const SPENT: Self = Self {
        started: OFF,
        generation: u32::MAX,
    };

    #[inline]
    pub(super) fn new(generation: u32, started: u64) -> Self {
        Self {
            started,
            generation,
        }
    }

    #[inline]
    pub(super) fn generation(self) -> u32 {
        self.generation
    }

    /// How long the call took, in nanoseconds; 0 when it was not timed.
    #[inline]
    pub(super) fn took(self, now: u64) -> u64 {
        now.saturating_sub(self.started)
    }
}
