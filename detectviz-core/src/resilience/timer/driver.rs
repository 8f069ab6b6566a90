//! The task that wakes what is due.
use super::{
    shared::{Of, Shared},
    state::{Block, NEVER},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// How long the waker of a cancelled deadline stays at the longest.
const SWEEP: u64 = 1000;

/// How often a driver that is told to end looks whether somebody still waits.
const ENDING: u64 = 10;

/// Wakes what is due; ends when it is told to and nobody waits. Dropped earlier, with its runtime say, it has everybody who
/// waits arm again, which starts another one.
pub(super) struct Driver {
    timer: Arc<Shared>,
    seen: usize,
    blocks: Vec<Arc<Block<Of>>>,
    due: Vec<Waker>,
    swept: u64,
    sleep: Option<Pin<Box<Sleep>>>,
    stopping: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

// === impl Driver ===

impl Driver {
    pub(super) fn new(timer: Arc<Shared>) -> Self {
        let stopping = timer.stopping.clone();
        Self {
            stopping: stopping.map(|token| Box::pin(token.cancelled_owned())),
            timer,
            seen: 0,
            blocks: Vec::new(),
            due: Vec::new(),
            swept: 0,
            sleep: None,
        }
    }

    /// Makes what it sleeps with.
    ///
    /// # Panics
    /// Outside a tokio runtime with timers.
    pub(super) fn begin(&mut self) {
        self.sleep = Some(Box::pin(sleep_until(Instant::now())));
    }

    /// Wakes what is due; returns when to look again.
    fn look(&mut self) -> u64 {
        let now = self.timer.passed(Instant::now().into_std());
        let sweeps = now.saturating_sub(self.swept) >= SWEEP;
        if sweeps {
            self.swept = now;
        }
        self.timer.learn(&mut self.seen, &mut self.blocks);
        for block in &self.blocks {
            let earliest = block.earliest();
            if earliest <= now || (sweeps && earliest != NEVER) {
                block.look(now, &mut self.due);
            }
            for waker in self.due.drain(..) {
                waker.wake();
            }
        }
        let earliest = self.earliest();
        let sweep = (earliest != NEVER).then(|| self.swept.saturating_add(SWEEP));
        let ending = self.timer.is_stopping().then(|| now + ENDING);
        [sweep, ending]
            .into_iter()
            .flatten()
            .fold(earliest, u64::min)
    }

    fn earliest(&mut self) -> u64 {
        self.timer.learn(&mut self.seen, &mut self.blocks);
        let blocks = self.blocks.iter().map(|block| block.earliest());
        blocks.min().unwrap_or(NEVER)
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.timer.driver.register(cx.waker());
        if let Some(stopping) = &mut this.stopping
            && stopping.as_mut().poll(cx).is_ready()
        {
            this.stopping = None;
        }
        loop {
            this.timer.alarm().set(0);
            let next = this.look();
            if this.timer.is_stopping() && this.timer.armed() == 0 {
                return Poll::Ready(());
            }
            this.timer.alarm().set(next);
            // What was armed before the alarm was set has told nobody.
            if this.earliest() < next {
                continue;
            }
            if next == NEVER {
                return Poll::Pending;
            }
            let Some(sleep) = &mut this.sleep else {
                return Poll::Pending;
            };
            let until = this.timer.instant(next).map(Instant::from_std);
            let until = until.unwrap_or_else(|| Instant::now() + FAR);
            sleep.as_mut().reset(until);
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.timer.undriven();
        self.timer.learn(&mut self.seen, &mut self.blocks);
        for block in &self.blocks {
            block.abandon(&mut self.due);
        }
        for waker in self.due.drain(..) {
            waker.wake();
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

/// As far away as a sleep need be; the driver looks again before.
const FAR: Duration = Duration::from_secs(86_400 * 365);
