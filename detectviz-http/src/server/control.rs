//! Tells every connection of a server that it is to end, and counts those that have not.
use detectviz_core::telemetry::metrics::Gauge;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
    },
};
use tokio::sync::{Notify, futures::Notified};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Tells long-lived handlers that the server drains: a WebSocket sends its close frame, a long poll answers.
///
/// # Clone
/// Clones are the same token.
#[derive(Clone, Debug, Default)]
pub struct DrainToken(CancellationToken);

/// How far the end of a server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Level {
    Running,
    Draining,
    Stopping,
}

/// One per server.
pub(super) struct Control {
    level: AtomicU8,
    told: Notify,
    drain: DrainToken,
    stop: CancellationToken,
    open: AtomicUsize,
    listening: AtomicBool,
    closed: Notify,
    gauge: Arc<Gauge>,
    cut: Cut,
}

/// What was cut by a stop.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) requests: AtomicUsize,
    pub(super) upgraded: AtomicUsize,
}

/// One open connection, until dropped.
pub(super) struct Place {
    control: Arc<Control>,
    reserved: bool,
}

/// An open port: more connections may come from it, until dropped.
pub(super) struct Listening(Arc<Control>);

// === impl DrainToken ===

impl DrainToken {
    /// A token that its server has yet to take up.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the drain has begun. Takes a lock of the token's: for long-lived handlers, not for each request.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits for the drain to begin.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn draining(&self) {
        self.0.cancelled().await;
    }

    pub(super) fn wait(&self) -> WaitForCancellationFutureOwned {
        self.0.clone().cancelled_owned()
    }
}

// === impl Control ===

impl Control {
    pub(super) fn new(drain: DrainToken, gauge: Arc<Gauge>) -> Self {
        Self {
            level: AtomicU8::new(Level::Running as u8),
            told: Notify::new(),
            drain,
            stop: CancellationToken::new(),
            open: AtomicUsize::new(0),
            listening: AtomicBool::new(false),
            closed: Notify::new(),
            gauge,
            cut: Cut::default(),
        }
    }

    /// One atomic load.
    pub(super) fn level(&self) -> Level {
        match self.level.load(Ordering::Acquire) {
            0 => Level::Running,
            1 => Level::Draining,
            _ => Level::Stopping,
        }
    }

    pub(super) fn raise(&self, level: Level) {
        if self.level.fetch_max(level as u8, Ordering::AcqRel) >= level as u8 {
            return;
        }
        if level >= Level::Draining {
            self.drain.0.cancel();
        }
        if level >= Level::Stopping {
            self.stop.cancel();
        }
        self.told.notify_waiters();
        self.closed.notify_waiters();
    }

    /// Completes when the level is raised after this call.
    pub(super) fn told(&self) -> Notified<'_> {
        self.told.notified()
    }

    pub(super) fn drain_token(&self) -> &DrainToken {
        &self.drain
    }

    pub(super) fn stopped(&self) -> WaitForCancellationFutureOwned {
        self.stop.clone().cancelled_owned()
    }

    pub(super) fn cut(&self) -> &Cut {
        &self.cut
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// A place for one more connection, reserved when `max` are open already.
    pub(super) fn place(self: &Arc<Self>, max: usize) -> Place {
        let open = self.open.fetch_add(1, Ordering::AcqRel);
        self.gauge.add(1);
        Place {
            control: Arc::clone(self),
            reserved: open >= max,
        }
    }

    /// Waits until fewer than `count` connections are open, or the server stops.
    pub(super) async fn fewer_than(&self, count: usize) {
        loop {
            let closed = self.closed.notified();
            if self.open() < count || self.level() == Level::Stopping {
                return;
            }
            closed.await;
        }
    }

    /// The port is open until the guard is dropped.
    pub(super) fn listen(self: &Arc<Self>) -> Listening {
        self.listening.store(true, Ordering::Release);
        Listening(Arc::clone(self))
    }

    /// Waits until the port is closed and no connection is open.
    pub(super) async fn empty(&self) {
        loop {
            let closed = self.closed.notified();
            if self.open() == 0 && !self.listening.load(Ordering::Acquire) {
                return;
            }
            closed.await;
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("level", &self.level())
            .field("open", &self.open())
            .finish_non_exhaustive()
    }
}

// === impl Listening ===

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.listening.store(false, Ordering::Release);
        self.0.closed.notify_waiters();
    }
}

// === impl Place ===

impl Place {
    pub(super) fn is_reserved(&self) -> bool {
        self.reserved
    }

    pub(super) fn control(&self) -> &Arc<Control> {
        &self.control
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.control.gauge.add(-1);
        self.control.open.fetch_sub(1, Ordering::AcqRel);
        self.control.closed.notify_waiters();
    }
}
