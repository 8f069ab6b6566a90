//! What is measured, and how: CPU time of the thread, allocations of the thread.
use detectviz_benches::allocations;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// How long one contestant runs in one round.
const SLICE: Duration = Duration::from_millis(20);
/// Calls between two readings of the clock, each of which is a system call.
const CALLS: u32 = 4096;
/// The same with a pause after them, in which what waits to be written or exported is let go.
const CALLS_TO_PAUSE: u32 = 256;
/// Calls in one round at the most.
const MOST_CALLS: u32 = 1 << 24;

/// What is measured, under a name.
pub(crate) struct Contestant<'a> {
    pub(crate) name: &'static str,
    calls: u32,
    call: Box<dyn FnMut(u32) + 'a>,
    pause: Box<dyn FnMut() + 'a>,
}

/// What one call costs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) nanos: f64,
    pub(crate) allocations: f64,
}

// === impl Contestant ===

impl<'a> Contestant<'a> {
    /// Calls `work` once for each call that is measured.
    pub(crate) fn new(name: &'static str, mut work: impl FnMut() + 'a) -> Self {
        Self::batches(name, move |calls| (0..calls).for_each(|_| work()))
    }

    /// Lets `work` make as many calls as it is told.
    pub(crate) fn batches(name: &'static str, work: impl FnMut(u32) + 'a) -> Self {
        Self {
            name,
            calls: CALLS,
            call: Box::new(work),
            pause: Box::new(|| {}),
        }
    }

    /// Runs `pause`, untimed, after each batch of calls, which are fewer then.
    pub(crate) fn pause(mut self, pause: impl FnMut() + 'a) -> Self {
        self.calls = CALLS_TO_PAUSE;
        self.pause = Box::new(pause);
        self
    }

    /// Makes batches of so many calls.
    pub(crate) fn calls(mut self, calls: u32) -> Self {
        self.calls = calls;
        self
    }

    /// What a call costs, over at least that many calls; and how many were made.
    pub(crate) fn run(&mut self, calls: u32) -> (Cost, u32) {
        let (mut took, mut allocated, mut done) = (Duration::ZERO, 0, 0);
        while done < calls {
            let before = allocations::so_far();
            let start = thread_time();
            (self.call)(self.calls);
            took += thread_time().saturating_sub(start);
            allocated += allocations::so_far() - before;
            done += self.calls;
            (self.pause)();
        }
        let cost = Cost {
            nanos: took.as_secs_f64() * 1e9 / f64::from(done),
            allocations: allocated as f64 / f64::from(done),
        };
        (cost, done)
    }

    /// How many calls fill a slice; warms up on the way.
    pub(crate) fn calibrate(&mut self) -> u32 {
        let mut calls = self.calls;
        loop {
            let (cost, done) = self.run(calls);
            let took = cost.nanos * f64::from(done);
            if took >= SLICE.as_secs_f64() * 1e9 / 2.0 || done >= MOST_CALLS {
                let fits = SLICE.as_secs_f64() * 1e9 / cost.nanos.max(0.1);
                return (fits as u32).clamp(self.calls, MOST_CALLS);
            }
            calls = done.saturating_mul(4);
        }
    }
}

// === impl Cost ===

impl Cost {
    /// The one of the middle, by time.
    pub(crate) fn median(costs: &mut [Self]) -> Self {
        costs.sort_by(|a, b| a.nanos.total_cmp(&b.nanos));
        costs[costs.len() / 2]
    }

    /// What it is more than `base`.
    pub(crate) fn over(self, base: Self) -> Self {
        Self {
            nanos: self.nanos - base.nanos,
            allocations: self.allocations - base.allocations,
        }
    }
}

/// Keeps what calls return until the pause after them, so that its end is not measured.
pub(crate) struct Held<T>(Vec<T>);

impl<T> Held<T> {
    /// How much it keeps without growing.
    pub(crate) const MOST: u32 = 1024;

    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(Self::MOST as usize))
    }

    pub(crate) fn keep(&mut self, kept: T) {
        self.0.push(kept);
    }

    pub(crate) fn let_go(&mut self) {
        self.0.clear();
    }
}

/// How long this thread has been on a processor: what other processes take meanwhile does not count.
pub(crate) fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}
