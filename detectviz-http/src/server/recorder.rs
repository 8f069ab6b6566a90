//! Counts what happens to connections.
use super::state::Reason;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Closed {
    /// The client went, or the connection had served its purpose.
    Done,
    Idle,
    HeaderTimeout,
    BodyTimeout,
    WriteTimeout,
    MaxAge,
    Drain,
    /// Cut by the stop of the server.
    Cut,
    /// Broke, or spoke something else than HTTP.
    Error,
    /// The TLS handshake failed or took too long.
    Handshake,
    Upgraded,
}

const REASONS: usize = 11;

/// The handles of one server.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    accepted: AtomicU64,
    closed: [AtomicU64; REASONS],
}

// === impl Closed ===

impl From<Reason> for Closed {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Idle => Self::Idle,
            Reason::HeaderTimeout => Self::HeaderTimeout,
            Reason::WriteTimeout => Self::WriteTimeout,
            Reason::MaxAge => Self::MaxAge,
            Reason::Drain => Self::Drain,
        }
    }
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn accepted(&self, _reserved: bool) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed(&self, why: Closed) {
        self.closed[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn accept_failed(&self) {}

    /// Connections had to wait because as many were open as may be.
    pub(super) fn full(&self) {}

    #[cfg(test)]
    pub(super) fn count(&self, why: Closed) -> u64 {
        self.closed[why as usize].load(Ordering::Relaxed)
    }
}
