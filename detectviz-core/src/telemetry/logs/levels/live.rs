//! The levels of a runtime: read wait-free, changed while running.
use super::{Directives, InvalidLevels, state::State};
use crate::task::Tasks;
use arc_swap::ArcSwap;
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, time::Instant};
use tracing::{Level, level_filters::LevelFilter};

/// The levels of one runtime.
///
/// # Clone
/// Clones are the same levels.
#[derive(Clone)]
pub struct Levels {
    inner: Arc<Inner>,
}

/// A change of the levels, for whoever logs it.
#[derive(Clone, Debug)]
pub(in super::super) enum Change {
    Set { level: String },
    Overridden { level: String, ttl: Duration },
    Restored { level: String },
}

struct Inner {
    state: Mutex<State>,
    /// The highest level of any target and the lowest: they decide most questions without a look at the targets.
    bounds: AtomicU16,
    effective: ArcSwap<Directives>,
    tasks: Option<Tasks>,
    changed: Box<dyn Fn(Change) + Send + Sync>,
}

// === impl Levels ===

impl Levels {
    /// How long an override lasts unless told otherwise.
    pub const DEFAULT_TTL: Duration = Duration::from_secs(300);

    pub(in super::super) fn new(
        directives: Directives,
        tasks: Option<Tasks>,
        changed: impl Fn(Change) + Send + Sync + 'static,
    ) -> Self {
        let inner = Inner {
            bounds: AtomicU16::new(bounds(&directives)),
            effective: ArcSwap::from_pointee(directives.clone()),
            state: Mutex::new(State::new(directives)),
            tasks,
            changed: Box::new(changed),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Whether an event of this level and target is logged. Wait-free.
    #[must_use]
    pub fn enabled(&self, level: Level, target: &str) -> bool {
        let [max, min] = self.inner.bounds.load(Ordering::Relaxed).to_be_bytes();
        let level_rank = rank(LevelFilter::from_level(level));
        if level_rank > max {
            return false;
        }
        level_rank <= min || self.inner.effective.load().enabled(level, target)
    }

    /// The most that any target may log now.
    #[must_use]
    pub fn max(&self) -> LevelFilter {
        self.inner.effective.load().max()
    }

    /// The levels that hold now, an override included.
    #[must_use]
    pub fn effective(&self) -> Directives {
        self.inner.effective.load().as_ref().clone()
    }

    /// The levels that were set, to which an override returns.
    #[must_use]
    pub fn base(&self) -> Directives {
        self.state().base().clone()
    }

    /// The override that is in place, and how long it still lasts.
    #[must_use]
    pub fn overridden(&self) -> Option<(Directives, Duration)> {
        let now = Instant::now().into_std();
        let state = self.state();
        let over = state.over()?;
        Some((
            over.directives.clone(),
            over.until.saturating_duration_since(now),
        ))
    }

    /// Sets the levels that last. An override in place stays on top of them until it ends. The change is logged, unless
    /// nothing changes.
    ///
    /// # Errors
    /// [`InvalidLevels`] for directives that cannot be read; nothing is changed then.
    pub fn set(&self, directives: &str) -> Result<(), InvalidLevels> {
        let directives = directives.parse::<Directives>()?;
        let mut state = self.state();
        if *state.base() == directives {
            return Ok(());
        }
        let level = directives.to_string();
        state.set(directives);
        self.publish(state, Change::Set { level });
        Ok(())
    }

    /// Puts `directives` on top of the levels for `ttl`, from 1 s to 1 h ([`DEFAULT_TTL`](Self::DEFAULT_TTL) unless told);
    /// then the old levels come back. Targets that `directives` do not name keep their level. Another override is
    /// replaced. The change and its end are logged, whatever the level.
    ///
    /// # Errors
    /// [`InvalidLevels`] for directives that cannot be read, a time to live out of range, or a call from outside of a
    /// tokio runtime, which is needed to end the override; nothing is changed then.
    pub fn override_for(&self, directives: &str, ttl: Duration) -> Result<(), InvalidLevels> {
        let directives = directives.parse::<Directives>()?;
        let Some(tasks) = self
            .inner
            .tasks
            .as_ref()
            .filter(|_| Handle::try_current().is_ok())
        else {
            return Err(InvalidLevels::new(
                "levels for a time need a tokio runtime: call this from a task",
            ));
        };
        let level = directives.to_string();
        let mut state = self.state();
        let until = state.override_for(directives, ttl, Instant::now().into_std())?;
        self.publish(state, Change::Overridden { level, ttl });
        let (levels, token) = (self.clone(), tasks.token());
        tasks.spawn("log level override", async move {
            token
                .run_until_cancelled(tokio::time::sleep_until(until.into()))
                .await;
            levels.expire();
        });
        Ok(())
    }

    /// Ends an override before its time; nothing happens without one.
    pub fn restore(&self) {
        let mut state = self.state();
        if state.restore() {
            let level = state.effective().to_string();
            self.publish(state, Change::Restored { level });
        }
    }

    fn expire(&self) {
        let mut state = self.state();
        if state.expire(Instant::now().into_std()) {
            let level = state.effective().to_string();
            self.publish(state, Change::Restored { level });
        }
    }

    /// Makes the state what is read, and tells of it after the lock is gone.
    fn publish(&self, state: MutexGuard<'_, State>, change: Change) {
        let effective = state.effective();
        let bounds = bounds(&effective);
        self.inner.effective.store(Arc::new(effective));
        self.inner.bounds.store(bounds, Ordering::Relaxed);
        drop(state);
        tracing_core::callsite::rebuild_interest_cache();
        (self.inner.changed)(change);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Levels")
            .field("state", &*self.state())
            .finish_non_exhaustive()
    }
}

fn bounds(directives: &Directives) -> u16 {
    u16::from_be_bytes([rank(directives.max()), rank(directives.min())])
}

/// 0 for off, 5 for trace.
fn rank(level: LevelFilter) -> u8 {
    match level {
        LevelFilter::OFF => 0,
        LevelFilter::ERROR => 1,
        LevelFilter::WARN => 2,
        LevelFilter::INFO => 3,
        LevelFilter::DEBUG => 4,
        LevelFilter::TRACE => 5,
    }
}
