//! What the handles of a timer, its entries and its driver share.
use super::{
    alarm::Alarm,
    driver::Driver,
    state::{Block, Slot},
};
use crate::{
    origin::Origin,
    task::{CancellationToken, RuntimeId, Spawner, Tasks},
};
use futures_util::task::AtomicWaker;
use std::{
    fmt, mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How many slots are made at once.
const SLOTS: usize = 32;

/// How many free slots go from a thread to the pool, or from the pool to a thread, at once.
pub(super) const BATCH: usize = 64;

/// One timer.
pub(super) struct Shared {
    /// Moments count from here.
    origin: Origin,
    alarm: Alarm,
    /// Whether there is a driver, and how to wake it.
    driven: AtomicBool,
    pub(super) driver: AtomicWaker,
    spawner: Option<Spawner>,
    pub(super) stopping: Option<CancellationToken>,
    /// Weak, because what waits there keeps the timer. Only ever grows while the timer is in use.
    blocks: Mutex<Vec<Weak<Block<Of>>>>,
    pool: Mutex<Pool>,
}

/// The timer that a block is of.
#[derive(Debug)]
pub(super) struct Of {
    pub(super) timer: Arc<Shared>,
    /// Moments count from here; the timer's own is further away.
    origin: Origin,
}

/// The right to use one slot, which moves between threads, the pool and entries; cloned by nobody but the driver.
pub(super) type Place = Arc<Slot<Of>>;

#[derive(Debug, Default)]
struct Pool {
    places: Vec<Place>,
    closed: bool,
}

// === impl Of ===

impl Of {
    /// The first moment that is not before `limit` has passed since `from`.
    #[inline]
    pub(super) fn due(&self, from: Instant, limit: Duration) -> u64 {
        let nanos = limit.subsec_nanos();
        let limit = limit.as_secs().saturating_mul(1_000_000_000);
        let limit = limit.saturating_add(u64::from(nanos));
        let at = self.origin.nanos(from).saturating_add(limit);
        at.div_ceil(1_000_000)
    }
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(origin: Origin, tasks: Option<&Tasks>) -> Arc<Self> {
        Arc::new(Self {
            origin,
            alarm: Alarm::new(),
            driven: AtomicBool::new(false),
            driver: AtomicWaker::new(),
            spawner: tasks.map(|tasks| tasks.spawner("timer")),
            stopping: tasks.map(Tasks::token),
            blocks: Mutex::default(),
            pool: Mutex::default(),
        })
    }

    /// The last moment that is not after `at`.
    pub(super) fn passed(&self, at: Instant) -> u64 {
        self.origin.nanos(at) / 1_000_000
    }

    /// When `moment` is.
    pub(super) fn instant(&self, moment: u64) -> Option<Instant> {
        self.origin.at().checked_add(Duration::from_millis(moment))
    }

    /// Something stands in a block that is due at `due` and earlier than what stood there before.
    ///
    /// # Panics
    /// When there is no driver, outside a tokio runtime with timers.
    #[cold]
    pub(super) fn tell(self: &Arc<Self>, due: u64) {
        if !self.driven.load(Ordering::SeqCst) {
            self.start();
        } else if self.alarm.pull(due) {
            self.driver.wake();
        }
    }

    pub(super) fn alarm(&self) -> &Alarm {
        &self.alarm
    }

    pub(super) fn is_driven(&self) -> bool {
        self.driven.load(Ordering::SeqCst)
    }

    /// The driver is gone.
    pub(super) fn undriven(&self) {
        self.driven.store(false, Ordering::SeqCst);
        self.alarm.set(super::state::NEVER);
    }

    /// Adds to `known` the blocks that were made since `seen` of them were.
    pub(super) fn learn(&self, seen: &mut usize, known: &mut Vec<Arc<Block<Of>>>) {
        let blocks = self.blocks();
        known.extend(blocks.iter().skip(*seen).filter_map(Weak::upgrade));
        *seen = blocks.len();
    }

    /// How many deadlines are waited for.
    pub(super) fn armed(&self) -> usize {
        let blocks = self.blocks();
        let blocks = blocks.iter().filter_map(Weak::upgrade);
        blocks.map(|block| block.armed()).sum()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.blocks().len() * SLOTS
    }

    /// A free place for a thread that has none, and more of them for `places`.
    #[cold]
    pub(super) fn supply(self: &Arc<Self>, places: &mut Vec<Place>) -> Option<Place> {
        if let Ok(mut pool) = self.pool.try_lock()
            && let Some(place) = pool.places.pop()
        {
            let from = pool.places.len().saturating_sub(BATCH);
            places.extend(pool.places.drain(from..));
            return Some(place);
        }
        let of = Of {
            timer: Arc::clone(self),
            origin: self.origin,
        };
        let (block, slots) = Block::new(of, SLOTS);
        self.blocks().push(Arc::downgrade(&block));
        places.extend(slots);
        places.pop()
    }

    /// Takes the places beyond the first `keep`, which a thread has too many of, unless another thread is at it.
    #[cold]
    pub(super) fn take_some(&self, places: &mut Vec<Place>, keep: usize) {
        let Ok(mut pool) = self.pool.try_lock() else {
            return;
        };
        if !pool.closed {
            pool.places.extend(places.drain(keep..));
            return;
        }
        // Not under the lock: a waker that is dropped may be the last of a task that holds an entry.
        drop(pool);
        places.truncate(keep);
    }

    /// Takes the places of a thread that ends.
    #[cold]
    pub(super) fn take_all(&self, places: Vec<Place>) {
        let mut pool = self.pool();
        if !pool.closed {
            pool.places.extend(places);
        }
    }

    /// Nobody has a handle any more.
    pub(super) fn close(&self) {
        let mut pool = self.pool();
        pool.closed = true;
        let places = mem::take(&mut pool.places);
        drop(pool);
        drop(places);
        self.driver.wake();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.pool().closed
    }

    /// Whether the driver ends as soon as nobody waits.
    pub(super) fn is_stopping(&self) -> bool {
        let stopping = self.stopping.as_ref();
        stopping.is_some_and(CancellationToken::is_cancelled) || self.is_closed()
    }

    fn start(self: &Arc<Self>) {
        if self.driven.swap(true, Ordering::SeqCst) {
            self.driver.wake();
            return;
        }
        let mut driver = Driver::new(Arc::clone(self));
        driver.begin();
        let spawned = match &self.spawner {
            Some(spawner) => spawner.spawn(driver),
            None => {
                let id = RuntimeId::current().unwrap_or_else(RuntimeId::next);
                Tasks::for_runtime(id).spawn("timer", driver)
            }
        };
        // Else its owner would be woken to arm it again, and so on.
        assert!(
            !spawned.is_finished() || self.is_stopping(),
            "a deadline is waited for in a tokio runtime that is shutting down"
        );
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn blocks(&self) -> MutexGuard<'_, Vec<Weak<Block<Of>>>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("armed", &self.armed())
            .field("driven", &self.is_driven())
            .finish_non_exhaustive()
    }
}
