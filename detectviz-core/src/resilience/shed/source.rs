//! Reading what the system says of the process.
use crate::telemetry::metrics::cgroup;
use rustix::time::{ClockId, clock_gettime};
use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// Where CPU time and memory are read.
#[derive(Debug)]
pub(super) struct System {
    root: PathBuf,
    /// The CPUs that the process may use, and when that was read: a pod may be resized.
    cpus: Option<(f64, Instant)>,
    last: Option<(Duration, Instant)>,
}

const CPUS_READ_EVERY: Duration = Duration::from_secs(10);

// === impl System ===

impl System {
    /// `root` is `/`, or what stands for it in a test.
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            cpus: None,
            last: None,
        }
    }

    /// CPU time since the last call, as a share of what the process may use; `None` the first time.
    ///
    /// It is the process' own clock, which is exact to the microsecond where the files in `/proc` count in hundredths of a
    /// second. What else runs in the container is not in it.
    pub(super) fn cpu(&mut self, now: Instant) -> Option<f64> {
        let used = process_time()?;
        let (before, then) = self.last.replace((used, now))?;
        let time = now.saturating_duration_since(then).as_secs_f64();
        let cpus = self.cpus(now);
        (time > 0.0).then(|| used.saturating_sub(before).as_secs_f64() / (time * cpus))
    }

    /// Memory, as a share of the limit; see [`cgroup::memory_utilization`].
    pub(super) fn memory(&self, exact_from: f64) -> Option<f64> {
        cgroup::memory_utilization(&self.root, exact_from)
    }

    fn cpus(&mut self, now: Instant) -> f64 {
        match self.cpus {
            Some((cpus, read)) if now.saturating_duration_since(read) < CPUS_READ_EVERY => cpus,
            _ => {
                let all = || thread::available_parallelism().map_or(1.0, |n| n.get() as f64);
                let cpus = cgroup::cpu_limit(&self.root).unwrap_or_else(all);
                self.cpus = Some((cpus, now));
                cpus
            }
        }
    }
}

fn process_time() -> Option<Duration> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (secs, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Some(Duration::new(secs.ok()?, nanos.ok()?))
}
