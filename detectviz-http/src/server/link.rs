//! What the parts of one connection know of each other: the socket, the service, the timer.
use super::{
    shared::Shared,
    state::{Phase, Seen},
};
use crate::{body::Exchange, conn::ConnInfo};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

/// One per connection.
///
/// For HTTP/1 all of it happens in one task; for HTTP/2 the requests count themselves.
pub(super) struct Link {
    info: ConnInfo,
    shared: Arc<Shared>,
    /// The phase in the lowest byte, a serial above.
    state: AtomicU32,
    read: AtomicU32,
    written: AtomicU32,
    blocked: AtomicBool,
    /// Requests in flight; only HTTP/2 counts.
    open: AtomicU32,
    /// Whether the client is to be sent away with the next response.
    retired: AtomicBool,
    /// Whether the client may still be sending what nobody will read.
    unread: AtomicBool,
    /// Whether a body came too slowly.
    body_timed_out: AtomicBool,
}

/// One request in flight, until its response is written or given up.
#[derive(Debug)]
pub(super) struct InFlight {
    link: Arc<Link>,
    exchange: Option<Arc<Exchange>>,
}

const PHASE: u32 = 0xff;
const SERIAL: u32 = PHASE + 1;

// === impl Link ===

impl Link {
    /// `phase`: what the connection does at first.
    pub(super) fn new(info: ConnInfo, phase: Phase, shared: Arc<Shared>) -> Self {
        Self {
            info,
            shared,
            state: AtomicU32::new(SERIAL | phase as u32),
            read: AtomicU32::new(0),
            written: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            open: AtomicU32::new(0),
            retired: AtomicBool::new(info.reserved),
            unread: AtomicBool::new(false),
            body_timed_out: AtomicBool::new(false),
        }
    }

    pub(super) fn info(&self) -> ConnInfo {
        self.info
    }

    /// What all connections of the server share.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn phase(&self) -> Phase {
        match self.state.load(Ordering::Acquire) & PHASE {
            0 => Phase::Opening,
            1 => Phase::Idle,
            2 => Phase::Head,
            3 => Phase::Busy,
            4 => Phase::Flushing,
            _ => Phase::Upgraded,
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        let state = self.state.load(Ordering::Relaxed);
        let serial = (state & !PHASE).wrapping_add(SERIAL);
        self.state.store(serial | phase as u32, Ordering::Release);
    }

    pub(super) fn seen(&self) -> Seen {
        let phase = if self.open.load(Ordering::Acquire) > 0 {
            Phase::Busy
        } else {
            self.phase()
        };
        Seen {
            phase,
            serial: self.state.load(Ordering::Relaxed) / SERIAL,
            read: self.read.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            blocked: self.blocked.load(Ordering::Relaxed),
            clean: !self.info.is_http2() && !self.is_unread(),
        }
    }

    /// `bytes` came from the client, blank lines between two requests or not.
    pub(super) fn read(&self, blank: bool) {
        add(&self.read);
        if !blank && !self.info.is_http2() && self.phase() == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    pub(super) fn wrote(&self) {
        add(&self.written);
        self.blocked.store(false, Ordering::Relaxed);
    }

    pub(super) fn write_blocked(&self) {
        self.blocked.store(true, Ordering::Relaxed);
    }

    pub(super) fn flushed(&self) {
        self.blocked.store(false, Ordering::Relaxed);
        if self.phase() == Phase::Flushing {
            self.enter(Phase::Idle);
        }
    }

    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        if self.info.is_http2() {
            self.open.fetch_add(1, Ordering::AcqRel);
            self.enter(Phase::Idle);
        } else {
            self.enter(Phase::Busy);
        }
        InFlight {
            link: Arc::clone(self),
            exchange: None,
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        let http1 = matches!(self.phase(), Phase::Busy | Phase::Flushing);
        self.open.load(Ordering::Acquire) + u32::from(http1)
    }

    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    pub(super) fn body_timed_out(&self) {
        self.body_timed_out.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_body_timed_out(&self) -> bool {
        self.body_timed_out.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("info", &self.info)
            .field("seen", &self.seen())
            .finish_non_exhaustive()
    }
}

/// Only one task writes: no need for a locked instruction.
fn add(count: &AtomicU32) {
    count.store(
        count.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
}

// === impl InFlight ===

impl InFlight {
    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// The request has a body, which tells of itself through `exchange`.
    pub(super) fn with_body(mut self, exchange: Option<Arc<Exchange>>) -> Self {
        self.exchange = exchange;
        self
    }

    pub(super) fn exchange(&self) -> Option<&Exchange> {
        self.exchange.as_deref()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.exchange().is_some_and(|body| !body.is_ended()) {
            self.link.leave_unread();
        }
        if self.link.info.is_http2() {
            self.link.open.fetch_sub(1, Ordering::AcqRel);
        } else if self.link.phase() == Phase::Busy {
            self.link.enter(Phase::Flushing);
        }
    }
}
