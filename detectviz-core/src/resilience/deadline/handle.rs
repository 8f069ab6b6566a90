//! The handle: deadlines without tower.
use super::{Asked, DeadlineConfig, DeadlineExceeded, nearest, recorder::Recorder, recorder::tell};
use crate::telemetry::metrics::Registry;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Decides on the deadlines of requests; counts what is refused.
///
/// # Clone
/// Clones are the same.
#[derive(Clone, Debug)]
pub struct Deadlines {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    live: Live,
    recorder: Option<Recorder>,
}

/// The settings as they are now. A request that comes while they change may see some of the old and some of the new.
#[derive(Debug)]
struct Live {
    max: AtomicU64,
    /// [`NONE`] for none.
    default: AtomicU64,
    trust_remote: AtomicBool,
}

const NONE: u64 = u64::MAX;

// === impl Deadlines ===

impl Deadlines {
    /// Deadlines that nobody counts.
    #[must_use]
    pub fn new(config: &DeadlineConfig) -> Self {
        Self::build(config, None)
    }

    /// Deadlines whose refusals are counted in `metrics` under `name`, that of the server or upstream.
    ///
    /// # Panics
    /// When the names of the metrics are taken by other descriptions.
    #[must_use]
    pub fn with_metrics(config: &DeadlineConfig, metrics: &Registry, name: &str) -> Self {
        Self::build(config, Some(Recorder::new(metrics, name)))
    }

    /// Follows `config` from the next request on.
    pub fn reconfigure(&self, config: &DeadlineConfig) {
        self.inner.live.set(config);
    }

    /// The deadline of a request that arrived at `started`, whose caller `asked` for something and that stands under the
    /// deadline `outer` already. The nearer one counts; `None` is no deadline.
    ///
    /// # Errors
    /// [`DeadlineExceeded`] when that has passed at `now`.
    pub fn admit(
        &self,
        asked: Asked,
        started: Instant,
        now: Instant,
        outer: Option<Instant>,
    ) -> Result<Option<Instant>, DeadlineExceeded> {
        let recorder = self.inner.recorder.as_ref();
        if let (Asked::Malformed, Some(recorder)) = (asked, recorder) {
            recorder.malformed();
        }
        let limit = asked.limit(&self.inner.live.read());
        let own = limit.and_then(|limit| started.checked_add(limit));
        let deadline = nearest(own, outer);
        match deadline {
            Some(deadline) if deadline <= now => {
                let by = now.saturating_duration_since(deadline);
                if let Some(recorder) = recorder {
                    recorder.refused();
                }
                tell(now, by);
                Err(DeadlineExceeded::new(by))
            }
            deadline => Ok(deadline),
        }
    }

    /// Counts a request that was given up at `now`, after its `deadline`.
    pub fn exceeded(&self, deadline: Instant, now: Instant) -> DeadlineExceeded {
        let by = now.saturating_duration_since(deadline);
        if let Some(recorder) = &self.inner.recorder {
            recorder.given_up();
        }
        tell(now, by);
        DeadlineExceeded::new(by)
    }

    fn build(config: &DeadlineConfig, recorder: Option<Recorder>) -> Self {
        let live = Live {
            max: AtomicU64::new(0),
            default: AtomicU64::new(NONE),
            trust_remote: AtomicBool::new(false),
        };
        live.set(config);
        Self {
            inner: Arc::new(Inner { live, recorder }),
        }
    }
}

// === impl Live ===

impl Live {
    fn set(&self, config: &DeadlineConfig) {
        self.max.store(nanos(config.max), Relaxed);
        let default = config.default.map_or(NONE, nanos);
        self.default.store(default, Relaxed);
        self.trust_remote.store(config.trust_remote, Relaxed);
    }

    #[inline]
    fn read(&self) -> DeadlineConfig {
        let default = self.default.load(Relaxed);
        DeadlineConfig {
            max: Duration::from_nanos(self.max.load(Relaxed)),
            default: (default != NONE).then(|| Duration::from_nanos(default)),
            trust_remote: self.trust_remote.load(Relaxed),
        }
    }
}

/// 584 years at the most.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos())
        .unwrap_or(NONE)
        .min(NONE - 1)
}
