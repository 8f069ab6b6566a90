//! What a circuit is judged by; read as it is now, changed while it runs.
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};

/// Of a number: never reached.
pub(super) const OFF: u64 = u64::MAX;

/// Thresholds and times, times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// Fewer calls are not judged.
    pub(super) minimum: u64,
    /// From 0 to 1; infinite when failures are not judged.
    pub(super) failure_rate: f64,
    /// From 0 to 1; infinite when slow calls are not judged.
    pub(super) slow_rate: f64,
    /// Failures in a row, or [`OFF`].
    pub(super) consecutive: u64,
    /// Results that decide a trial; at least 1.
    pub(super) probes: u64,
    pub(super) open: u64,
    pub(super) open_max: u64,
    pub(super) factor: f64,
    pub(super) jitter: f64,
}

/// How the window is cut into buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry(u64);

/// [`Limits`], changed field by field: a judgement at that moment may see some of both.
#[derive(Debug)]
pub(super) struct Live([AtomicU64; 9]);

// === impl Limits ===

impl Limits {
    /// How long to stay open, in nanoseconds, after as many openings in a row; `random` decides the jitter, which only adds.
    pub(super) fn open_for(&self, streak: u64, random: u64) -> u64 {
        let grown = self.open as f64 * self.factor.powf(streak as f64);
        let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
        (grown.min(self.open_max as f64) * (1.0 + self.jitter * share)) as u64
    }

    /// The longest time to stay open, in milliseconds.
    pub(super) fn longest_open(&self) -> u64 {
        (self.open_max as f64 * (1.0 + self.jitter) / 1e6) as u64 + 1
    }

    /// Whether a trial that ended like this opens the circuit again. Without a failure rate, one failure does.
    pub(super) fn fails(&self, calls: u64, failures: u64, slow: u64) -> bool {
        let failed = match self.failure_rate.is_finite() {
            true => self.exceeded(calls, failures, 0),
            false => failures > 0,
        };
        failed || self.exceeded(calls, 0, slow)
    }

    /// Whether of `calls`, more than 0, so many failed or were slow that a threshold is reached.
    pub(super) fn exceeded(&self, calls: u64, failures: u64, slow: u64) -> bool {
        let calls = calls as f64;
        failures as f64 >= self.failure_rate * calls || slow as f64 >= self.slow_rate * calls
    }
}

// === impl Geometry ===

impl Geometry {
    /// The largest number of buckets.
    pub(super) const BUCKETS: u64 = 50;
    const ERAS: u64 = 8;

    /// `buckets` of `width` milliseconds, or of `width` calls.
    pub(super) fn new(counts_calls: bool, buckets: u64, width: u64) -> Self {
        debug_assert!((1..=Self::BUCKETS).contains(&buckets) && (1..1 << 24).contains(&width));
        Self(u64::from(counts_calls) << 63 | buckets << 32 | width)
    }

    pub(super) fn unpack(word: u64) -> Self {
        Self(word)
    }

    /// With a number that tells it from the geometry before.
    pub(super) fn after(self, before: Self) -> Self {
        Self(self.0 & !(7 << 40) | ((before.era() + 1) % Self::ERAS) << 40)
    }

    pub(super) fn is_like(self, other: Self) -> bool {
        (self.0 ^ other.0) & !(7 << 40) == 0
    }

    pub(super) fn pack(self) -> u64 {
        self.0
    }

    #[inline]
    pub(super) fn counts_calls(self) -> bool {
        self.0 >> 63 != 0
    }

    #[inline]
    pub(super) fn era(self) -> u64 {
        self.0 >> 40 & 7
    }

    pub(super) fn buckets(self) -> u64 {
        self.0 >> 32 & 0xff
    }

    #[inline]
    pub(super) fn width(self) -> u64 {
        self.0 & 0xffff_ffff
    }
}

// === impl Live ===

impl Live {
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Self::words(limits).map(AtomicU64::new))
    }

    pub(super) fn set(&self, limits: &Limits) {
        for (cell, value) in self.0.iter().zip(Self::words(limits)) {
            cell.store(value, Release);
        }
    }

    pub(super) fn get(&self) -> Limits {
        let at = |place: usize| self.0[place].load(Acquire);
        Limits {
            minimum: at(0),
            failure_rate: f64::from_bits(at(1)),
            slow_rate: f64::from_bits(at(2)),
            consecutive: at(3),
            probes: at(4),
            open: at(5),
            open_max: at(6),
            factor: f64::from_bits(at(7)),
            jitter: f64::from_bits(at(8)),
        }
    }

    fn words(limits: &Limits) -> [u64; 9] {
        [
            limits.minimum,
            limits.failure_rate.to_bits(),
            limits.slow_rate.to_bits(),
            limits.consecutive,
            limits.probes,
            limits.open,
            limits.open_max,
            limits.factor.to_bits(),
            limits.jitter.to_bits(),
        ]
    }
}
