//! What is known of one endpoint: how long it takes, whether it takes calls, what its calls came to.
use super::{
    EjectionReason, FailureKind, Outcome,
    ewma::{PeakEwma, Tick},
    gate::Gate,
    settings::{Settings, nanos},
    shared::Shared,
    state::{ejection_time, mix, penalty},
};
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// What a choice reads, and what the end of a call that went well writes; with the counts before it, one cache line. It is
/// kept small, since among many endpoints a choice waits for memory and for nothing else.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Vitals {
    pub(super) ewma: PeakEwma,
    pub(super) gate: Gate,
    /// Until then it asked to be left alone.
    backoff_until: AtomicU64,
    /// Until then it is warmed up.
    slow_until: AtomicU64,
    /// How many seats hold it.
    pub(super) seats: AtomicU32,
    /// The mean of all weights over its own: what one call weighs.
    burden: AtomicU32,
    /// Calls in flight that were taken under a limit.
    limited: AtomicU32,
    /// Failures in a row: without an answer in the high half, with one in the low.
    row: AtomicU32,
    pub(super) succeeded: AtomicU64,
    pub(super) rare: Box<Rare>,
}

/// What is needed less often.
#[derive(Debug)]
pub(super) struct Rare {
    pub(super) id: u64,
    /// Ejections in a row; each interval without one takes one off.
    pub(super) ejections: AtomicU32,
    pub(super) weight: AtomicU32,
    pub(super) failed: AtomicU64,
    /// Calls that ended in neither way.
    pub(super) others: AtomicU64,
}

/// A call that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) started: u64,
    pub(super) now: u64,
    /// Whether it was the probe after an ejection.
    pub(super) probe: bool,
}

// === impl Vitals ===

impl Vitals {
    pub(super) fn new(rare: Box<Rare>) -> Self {
        Self {
            ewma: PeakEwma::new(),
            gate: Gate::new(),
            backoff_until: AtomicU64::new(0),
            slow_until: AtomicU64::new(0),
            seats: AtomicU32::new(1),
            burden: AtomicU32::new(1.0_f32.to_bits()),
            limited: AtomicU32::new(0),
            row: AtomicU32::new(0),
            succeeded: AtomicU64::new(0),
            rare,
        }
    }

    /// Whether it takes calls like any other at `now`.
    #[inline]
    pub(super) fn is_plain(&self, now: u64) -> bool {
        self.gate.is_open()
            && self.backoff_until.load(Relaxed) <= now
            && self.slow_until.load(Relaxed) <= now
    }

    /// Takes a call under a limit; at once, or not at all.
    pub(super) fn take(&self, most: usize) -> bool {
        let taken = (self.limited.fetch_add(1, Relaxed) as usize) < most;
        if !taken {
            self.give_back();
        }
        taken
    }

    /// A call that was taken under a limit has ended.
    pub(super) fn give_back(&self) {
        self.limited.fetch_sub(1, Relaxed);
    }

    pub(super) fn burden(&self) -> f32 {
        f32::from_bits(self.burden.load(Relaxed))
    }

    pub(super) fn set_burden(&self, burden: f32) {
        self.burden.store(burden.to_bits(), Relaxed);
    }

    /// Nanoseconds until it may be chosen before others again.
    pub(super) fn backoff(&self, now: u64) -> u64 {
        self.backoff_until.load(Relaxed).saturating_sub(now)
    }

    /// Nanoseconds until it is warmed up.
    pub(super) fn slow(&self, now: u64) -> u64 {
        self.slow_until.load(Relaxed).saturating_sub(now)
    }

    pub(super) fn slow_until(&self, until: u64) {
        self.slow_until.store(until, Relaxed);
    }

    /// Calls that have ended.
    pub(super) fn ended_calls(&self) -> u64 {
        let all = [&self.succeeded, &self.rare.failed, &self.rare.others];
        all.iter().map(|count| count.load(Relaxed)).sum()
    }

    /// Takes in how a call ended.
    #[inline]
    pub(super) fn ended(&self, call: Ended, shared: &Shared) {
        let took = call.now.saturating_sub(call.started) as f32;
        if call.outcome == Outcome::Success && !call.probe {
            self.ewma.observe(took, Tick::of(call.now), shared.decay());
            self.succeeded.fetch_add(1, Relaxed);
            if self.row.load(Relaxed) != 0 {
                self.row.store(0, Relaxed);
            }
            return;
        }
        self.ended_otherwise(call, took, shared);
    }

    #[cold]
    fn ended_otherwise(&self, call: Ended, took: f32, shared: &Shared) {
        let settings = shared.settings.load();
        let (now, tick) = (call.now, Tick::of(call.now));
        match call.outcome {
            Outcome::Success => {
                self.ewma.observe(took, tick, settings.decay);
                self.succeeded.fetch_add(1, Relaxed);
                self.row.store(0, Relaxed);
                self.passed(call, &settings, shared);
            }
            Outcome::Failure(kind) => {
                self.weigh_down(took, tick, &settings, shared);
                self.rare.failed.fetch_add(1, Relaxed);
                if call.probe {
                    self.relapsed(call, &settings, shared);
                } else if self.gate.is_open() {
                    self.failed_again(kind, now, &settings, shared);
                }
            }
            Outcome::Overloaded { retry_after } => {
                self.weigh_down(took, tick, &settings, shared);
                self.rare.others.fetch_add(1, Relaxed);
                let wait = nanos(retry_after.unwrap_or_default()).min(settings.max_retry_after);
                self.backoff_until.fetch_max(now + wait, Relaxed);
                self.undecided(call, now + wait);
            }
            Outcome::Cancelled => {
                self.ewma.raise(tick, settings.decay, |_| took);
                self.rare.others.fetch_add(1, Relaxed);
                self.undecided(call, now);
            }
            Outcome::Ignored => self.ignored(call.probe.then_some(call.started)),
        }
    }

    /// A call ended of which nothing is known; `probe` is when it began, if it was one.
    pub(super) fn ignored(&self, probe: Option<u64>) {
        self.rare.others.fetch_add(1, Relaxed);
        if let Some(since) = probe {
            self.gate.shut(since, since);
        }
    }

    /// Ejects the endpoint if it takes calls and the quota has room.
    pub(super) fn eject(
        &self,
        reason: EjectionReason,
        now: u64,
        settings: &Settings,
        shared: &Shared,
    ) {
        let times = self.rare.ejections.load(Acquire).saturating_add(1);
        let until = self.until(times, now, settings);
        if self.gate.eject(&shared.quota, until) {
            self.was_ejected(times, reason, shared);
        }
    }

    /// A failure counts as more than its own latency: else an endpoint that fails fast would look like a fast one.
    fn weigh_down(&self, took: f32, now: Tick, settings: &Settings, shared: &Shared) {
        let (mean, most) = (shared.mean(), settings.failure_penalty);
        let raise = |own| took.max(penalty(own, mean, most));
        self.ewma.raise(now, settings.decay, raise);
    }

    fn failed_again(&self, kind: FailureKind, now: u64, settings: &Settings, shared: &Shared) {
        let outlier = settings.outlier();
        let add = |row: u32| {
            let (local, answers) = ((row >> 16) as u16, row as u16);
            // An answer of any kind says that it can be reached.
            let (local, answers) = match kind {
                FailureKind::LocalOrigin => (local.saturating_add(1), answers),
                FailureKind::Answer => (0, answers.saturating_add(1)),
            };
            u32::from(local) << 16 | u32::from(answers)
        };
        let mut row = self.row.load(Relaxed);
        while let Err(other) = self
            .row
            .compare_exchange_weak(row, add(row), Relaxed, Relaxed)
        {
            row = other;
        }
        let row = add(row);
        let (got, most, reason) = match kind {
            FailureKind::LocalOrigin => (
                (row >> 16) as u16,
                outlier.consecutive_local_failures,
                EjectionReason::ConsecutiveLocalFailures,
            ),
            FailureKind::Answer => (
                row as u16,
                outlier.consecutive_failures,
                EjectionReason::ConsecutiveFailures,
            ),
        };
        if outlier.enabled && most > 0 && got >= most {
            self.eject(reason, now, settings, shared);
        }
    }

    fn passed(&self, call: Ended, settings: &Settings, shared: &Shared) {
        let window = settings.slow_start.window;
        if window > 0 {
            self.slow_until(call.now + window);
        }
        self.gate.pass(&shared.quota, call.started);
    }

    fn relapsed(&self, call: Ended, settings: &Settings, shared: &Shared) {
        let times = self.rare.ejections.load(Acquire).saturating_add(1);
        let until = self.until(times, call.now, settings);
        if self.gate.shut(call.started, until) {
            self.was_ejected(times, EjectionReason::Probe, shared);
        }
    }

    /// A probe that says nothing: the next may go from `next` on.
    fn undecided(&self, call: Ended, next: u64) {
        if call.probe {
            self.gate.shut(call.started, next);
        }
    }

    fn until(&self, times: u32, now: u64, settings: &Settings) -> u64 {
        let random = mix(now ^ self.rare.id.rotate_left(32));
        now.saturating_add(ejection_time(times, &settings.ejection, random))
    }

    fn was_ejected(&self, times: u32, reason: EjectionReason, shared: &Shared) {
        self.rare.ejections.store(times, Release);
        self.row.store(0, Relaxed);
        shared.ejected(reason);
    }
}

// === impl Rare ===

impl Rare {
    pub(super) fn new(id: u64, weight: u32) -> Self {
        Self {
            id,
            ejections: AtomicU32::new(0),
            weight: AtomicU32::new(weight),
            failed: AtomicU64::new(0),
            others: AtomicU64::new(0),
        }
    }
}
