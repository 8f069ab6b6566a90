//! The handle that everybody holds.
use super::{
    Chances, Readings, ShedConfig, ShedState, Shedding, Verdict, published::Published,
    recorder::Recorder, sampler::Sampler, split::Mix,
};
use crate::{
    resilience::priority::Priority,
    task::Tasks,
    telemetry::{
        context::{current, note},
        metrics::Registry,
    },
};
use arc_swap::ArcSwap;
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Refuses the requests that matter least while the process has more to do than it can.
///
/// While there is enough of everything, asking it is one read of a word that nobody writes.
///
/// # Clone
/// Clones are the same shedder.
#[derive(Clone, Debug)]
pub struct Shedder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    published: Published,
    config: ArcSwap<ShedConfig>,
    judged: Mutex<Judged>,
    /// The least delay since the last reading, in nanoseconds.
    queued: AtomicU64,
    recorder: Recorder,
}

#[derive(Debug, Default)]
struct Judged {
    state: ShedState,
    mix: Mix,
    readings: Readings,
    verdict: Verdict,
    chances: Chances,
}

const NOT_QUEUED: u64 = u64::MAX;

// === impl Shedder ===

impl Shedder {
    /// A shedder that refuses nothing until it is [started](Self::start) or given [readings](Self::update).
    #[must_use]
    pub fn new(config: ShedConfig, metrics: &Registry) -> Self {
        Self {
            inner: Arc::new(Inner {
                published: Published::default(),
                config: ArcSwap::from_pointee(config),
                judged: Mutex::default(),
                queued: AtomicU64::new(NOT_QUEUED),
                recorder: Recorder::new(metrics),
            }),
        }
    }

    /// Starts the task that takes readings, on the executor whose delay counts. It ends with `tasks`, and nothing is refused
    /// from then on. `root` is `/`, or what stands for it in a test.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(&self, tasks: &Tasks, root: &Path) {
        let sampler = Sampler::new(self.clone(), root.to_owned());
        let (shedder, token) = (self.clone(), tasks.token());
        tasks.spawn("shed", async move {
            token.run_until_cancelled_owned(sampler.run()).await;
            shedder.inner.published.publish(Chances::default(), None);
        });
    }

    /// Lets a request pass, or refuses it. `random` is uniform over all numbers; while
    /// [nothing is shed](Self::is_shedding) it is not looked at.
    ///
    /// # Errors
    /// [`Shedding`], never for [`Priority::Critical`].
    #[inline]
    pub fn admit(&self, priority: Priority, random: u64) -> Result<(), Shedding> {
        match self.inner.published.sheds(priority, random) {
            None => Ok(()),
            Some(reason) => {
                self.inner.recorder.shed(reason, priority);
                if current(|slot| slot.is_some_and(|slot| slot.context.is_sampled())) {
                    note(Instant::now(), reason.note(), None);
                }
                // The low bits have decided already.
                let jitter = (random >> 32) as f64 / (1_u64 << 32) as f64;
                let cool_off = self.inner.config.load().cool_off;
                Err(Shedding::new(reason, cool_off.mul_f64(1.0 + jitter)))
            }
        }
    }

    /// Whether anything is shed at the moment.
    #[must_use]
    #[inline]
    pub fn is_shedding(&self) -> bool {
        self.inner.published.is_shedding()
    }

    /// Says how long a request waited between its arrival and its start, for those who know: the least of an interval counts
    /// as queue delay where it is above that of the executor.
    #[inline]
    pub fn queued(&self, delay: Duration) {
        let nanos = u64::try_from(delay.as_nanos()).unwrap_or(NOT_QUEUED - 1);
        if nanos < self.inner.queued.load(Relaxed) {
            self.inner.queued.fetch_min(nanos, Relaxed);
        }
    }

    /// Judges readings that were taken over the interval that ended `now`, and puts the verdict in force. The task that
    /// [`start`](Self::start) spawns does nothing else; without it, call it every [`ShedConfig::interval`].
    pub fn update(&self, readings: &Readings, now: Instant) -> Verdict {
        let inner = &*self.inner;
        let mut judged = inner.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = judged.state.update(&inner.config.load(), readings, now);
        let chances = match verdict.reason {
            Some(_) => {
                judged.mix.add(inner.published.take_counts());
                Chances::new(verdict.drop, judged.mix)
            }
            None => Chances::default(),
        };
        (judged.readings, judged.verdict, judged.chances) = (*readings, verdict, chances);
        inner.published.publish(chances, verdict.reason);
        inner.recorder.readings(readings, chances);
        verdict
    }

    /// The readings that were judged last.
    #[must_use]
    pub fn readings(&self) -> Readings {
        self.judged(|judged| judged.readings)
    }

    /// What they meant.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.judged(|judged| judged.verdict)
    }

    /// How likely a request is to be refused at the moment.
    #[must_use]
    pub fn chances(&self) -> Chances {
        self.judged(|judged| judged.chances)
    }

    /// Puts other settings in force from the next reading on. What is shed at the moment goes on from where it is.
    pub fn reconfigure(&self, config: &ShedConfig) {
        self.inner.config.store(Arc::new(config.clone()));
    }

    pub(super) fn config(&self) -> Arc<ShedConfig> {
        self.inner.config.load_full()
    }

    /// The least delay that [`queued`](Self::queued) was told since the last call.
    pub(super) fn take_queued(&self) -> Option<Duration> {
        let nanos = self.inner.queued.swap(NOT_QUEUED, Relaxed);
        (nanos != NOT_QUEUED).then(|| Duration::from_nanos(nanos))
    }

    fn judged<R>(&self, read: impl FnOnce(&Judged) -> R) -> R {
        read(
            &self
                .inner
                .judged
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}
