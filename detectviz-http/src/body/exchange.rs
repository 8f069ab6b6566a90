//! What the body of a request tells the response to it.
use std::sync::atomic::{AtomicU8, Ordering};

/// Shared between the body of a request and the future of its response.
///
/// A connection reuses one as long as nobody else holds it, so that a request body costs no allocation here.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    state: AtomicU8,
}

const ENDED: u8 = 1;
const TIMED_OUT: u8 = 1 << 1;
const TOO_LARGE: u8 = 1 << 2;
const DROPPED: u8 = 1 << 3;

// === impl Exchange ===

impl Exchange {
    /// Forgets the previous request.
    pub(crate) fn reset(&mut self) {
        *self.state.get_mut() = 0;
    }

    pub(super) fn ended(&self) {
        self.set(ENDED);
    }

    pub(super) fn dropped(&self) {
        self.set(DROPPED);
    }

    pub(super) fn timed_out(&self) {
        self.set(TIMED_OUT);
    }

    pub(super) fn too_large(&self) {
        self.set(TOO_LARGE);
    }

    /// Whether the body was read to its end.
    pub(crate) fn is_ended(&self) -> bool {
        self.has(ENDED)
    }

    /// Whether the body was given up before its end.
    pub(crate) fn is_dropped(&self) -> bool {
        self.has(DROPPED)
    }

    /// Whether the body failed for want of progress.
    pub(crate) fn is_timed_out(&self) -> bool {
        self.has(TIMED_OUT)
    }

    /// Whether the body outgrew its limit.
    pub(crate) fn is_too_large(&self) -> bool {
        self.has(TOO_LARGE)
    }

    fn set(&self, bit: u8) {
        self.state.fetch_or(bit, Ordering::Release);
    }

    fn has(&self, bits: u8) -> bool {
        self.state.load(Ordering::Acquire) & bits != 0
    }
}
