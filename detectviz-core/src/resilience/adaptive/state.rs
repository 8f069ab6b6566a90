//! The algorithm: gradient2, windows of samples, and the look for the latency without a queue. Pure.
//!
//! # Gradient2
//! After `Gradient2Limit` of Netflix' concurrency-limits. For each window, with `short` its average latency and `long` an
//! exponential average of all windows (the plain average of the first ten, then with the factor 2 / (`long_window` + 1)):
//!
//! ```text
//! long     = average(short)
//! when long / short > 2:                     long = 0.95 · long, from the next window on
//! when in_flight < limit / 2:                limit stays: the callers want no more
//! gradient = max(0.5, min(1, tolerance · long / short))
//! new      = limit · gradient + queue_size
//! limit    = max(min, min(max, limit · (1 - smoothing) + new · smoothing))
//! ```
//!
//! Two things are added. The gradient is at most the share of calls that were not dropped. And where calls fill the limit for
//! long, their queueing would creep into `long` and the limit would climb to its maximum; so such windows lower the average
//! and never raise it, and from time to time the limit is a quarter of itself for a moment: the latency seen then, that of a server
//! without a queue, becomes `long`. This is Envoy's `minRTT` window (adaptive concurrency filter) and BBR's ProbeRTT.
use fastrand::Rng;
use std::time::{Duration, Instant};

/// What the algorithm is tuned by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rules {
    pub(super) initial: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) tolerance: f64,
    pub(super) smoothing: f64,
    pub(super) queue_size: f64,
    /// Whether the queue grows with the square root of the limit.
    pub(super) square_root: bool,
    /// In windows.
    pub(super) long_window: u32,
    pub(super) min_window: Duration,
    pub(super) max_window: Duration,
    pub(super) min_samples: u32,
    /// `None` is the published algorithm.
    pub(super) probe_interval: Option<Duration>,
}

/// One call that ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) latency: Duration,
    /// With itself.
    pub(super) in_flight: u32,
    pub(super) is_dropped: bool,
}

/// Samples, windows, the limit, and the look for the base latency.
#[derive(Debug)]
pub(super) struct Limiter {
    rules: Rules,
    gradient: Gradient2,
    window: Window,
    /// When the samples of a look began to count.
    probing: Option<Instant>,
    /// When the last look ended, how long until the next, and the limit then.
    probed: Option<Instant>,
    pause: Duration,
    limit_then: f64,
    random: Rng,
}

/// The published algorithm, with the share of dropped calls.
#[derive(Debug)]
pub(super) struct Gradient2 {
    limit: f64,
    long: Average,
}

/// What was seen since `opened`.
#[derive(Debug, Default)]
struct Window {
    opened: Option<Instant>,
    nanos: u64,
    least: u64,
    samples: u32,
    dropped: u32,
    in_flight: u32,
}

/// An exponential average that begins as a plain one.
#[derive(Debug, Default)]
struct Average {
    value: f64,
    sum: f64,
    count: u32,
}

/// The windows of which the average is plain.
const WARM_UP: u32 = 10;

/// The share of the limit that is left during a look: so little that even a limit far too large leaves no queue after a few
/// looks.
const PROBE_LIMIT: f64 = 0.25;

/// Calls that a look takes, as Envoy's (`min_rtt_calc_params.request_count`).
const PROBE_SAMPLES: u32 = 50;

/// A look that finds less than so much of what was known is followed by another soon.
const PROBE_AGAIN: f64 = 0.9;

/// The pause between two looks is at most so much longer, so that replicas do not look together (Envoy's `jitter`).
const PROBE_JITTER: f64 = 0.15;

// === impl Limiter ===

impl Limiter {
    pub(super) fn new(rules: Rules, seed: u64) -> Self {
        let mut limiter = Self {
            gradient: Gradient2::new(rules.initial),
            window: Window::default(),
            probing: None,
            probed: None,
            pause: Duration::ZERO,
            limit_then: rules.initial,
            random: Rng::with_seed(seed),
            rules,
        };
        limiter.plan(true);
        limiter
    }

    /// From now on these rules hold; what was learned stays.
    pub(super) fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
        self.gradient.limit = self.gradient.limit.clamp(self.rules.min, self.rules.max);
        self.plan(false);
    }

    /// The latency that calls have without a queue; 0 as long as nothing is known.
    pub(super) fn baseline(&self) -> Duration {
        Duration::from_nanos(self.gradient.long.value as u64)
    }

    /// The limit in force.
    pub(super) fn limit(&self) -> u32 {
        let limit = match self.probing {
            Some(_) => (self.gradient.limit * PROBE_LIMIT).max(self.rules.min),
            None => self.gradient.limit,
        };
        limit as u32
    }

    /// Takes in a call that ended at `now`. Returns whether the limit may have changed.
    pub(super) fn sample(&mut self, now: Instant, sample: Sample) -> bool {
        let opened = *self.window.opened.get_or_insert(now);
        let open_for = now.saturating_duration_since(opened);
        if let Some(since) = self.probing {
            return self.probe(now, since, open_for, sample);
        }
        self.window.add(sample);
        if open_for < self.window.length(&self.rules) {
            return false;
        }
        let is_ready = self.window.samples >= self.rules.min_samples;
        if !is_ready && open_for < self.rules.max_window {
            return false;
        }
        let window = std::mem::take(&mut self.window);
        if is_ready {
            let is_full = self.gradient.is_full(window.in_flight);
            self.gradient.update(&self.rules, &window.seen());
            if is_full {
                self.consider_probe(now);
            }
        }
        self.window.opened = Some(now);
        is_ready
    }

    /// Takes in a call during a look.
    fn probe(&mut self, now: Instant, since: Instant, open_for: Duration, sample: Sample) -> bool {
        // A call that began before queued behind those that ran then.
        let begun = now.checked_sub(sample.latency);
        if begun.is_some_and(|begun| begun >= since) {
            self.window.add(sample);
        }
        let is_done = self.window.samples >= PROBE_SAMPLES && open_for >= self.rules.min_window;
        if !is_done && open_for < 2 * self.rules.max_window {
            return false;
        }
        let known = self.gradient.long.value;
        if self.window.samples >= self.rules.min_samples {
            self.gradient.long.set(self.window.seen().short);
        }
        // Calls may have queued even now.
        let is_less = self.gradient.long.value < PROBE_AGAIN * known;
        self.window = Window::default();
        self.probing = None;
        self.probed = Some(now);
        self.limit_then = self.gradient.limit;
        self.plan(is_less);
        true
    }

    /// Begins to look for the base latency when it is time, or at once when the limit has fallen by half: the server may
    /// have become slower for good.
    fn consider_probe(&mut self, now: Instant) {
        if self.rules.probe_interval.is_none() {
            return;
        }
        let probed = *self.probed.get_or_insert(now);
        let since = now.saturating_duration_since(probed);
        let has_fallen =
            self.gradient.limit <= self.limit_then / 2.0 && since >= self.rules.max_window;
        if since >= self.pause || has_fallen {
            self.probing = Some(now);
        }
    }

    /// Sets the pause before the next look.
    fn plan(&mut self, is_soon: bool) {
        let jitter = 1.0 + PROBE_JITTER * self.random.f64();
        let interval = match self.rules.probe_interval {
            Some(interval) if !is_soon => interval,
            _ => 2 * self.rules.max_window,
        };
        self.pause = interval.mul_f64(jitter);
    }
}

// === impl Gradient2 ===

/// What one window says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The average latency in nanoseconds, more than 0.
    pub(super) short: f64,
    /// The most that ran at once.
    pub(super) in_flight: u32,
    /// The share of calls that were dropped, 0 to 1.
    pub(super) dropped: f64,
}

impl Gradient2 {
    pub(super) fn new(initial: f64) -> Self {
        Self {
            limit: initial,
            long: Average::default(),
        }
    }

    /// Takes in a window and returns the limit.
    pub(super) fn update(&mut self, rules: &Rules, seen: &Seen) -> f64 {
        let creeps =
            self.is_full(seen.in_flight) && rules.probe_interval.is_some() && self.long.is_warm();
        if !creeps || seen.short < self.long.value {
            self.long.add(seen.short, rules.long_window);
        }
        let long = self.long.value;
        if long / seen.short > 2.0 {
            self.long.value *= 0.95;
        }
        if f64::from(seen.in_flight) < self.limit / 2.0 {
            return self.limit;
        }
        let gradient = (rules.tolerance * long / seen.short)
            .min(1.0 - seen.dropped)
            .clamp(0.5, 1.0);
        let queue = match rules.square_root {
            true => rules.queue_size.max(self.limit.floor().sqrt()),
            false => rules.queue_size,
        };
        let new = self.limit * gradient + queue;
        let smooth = self.limit * (1.0 - rules.smoothing) + new * rules.smoothing;
        self.limit = smooth.clamp(rules.min, rules.max);
        self.limit
    }

    /// Whether as many ran as could.
    fn is_full(&self, in_flight: u32) -> bool {
        f64::from(in_flight) >= self.limit.floor()
    }
}

// === impl Window ===

impl Window {
    fn add(&mut self, sample: Sample) {
        let nanos = u64::try_from(sample.latency.as_nanos()).unwrap_or(u64::MAX);
        let nanos = nanos.max(1);
        self.nanos = self.nanos.saturating_add(nanos);
        self.least = match self.samples {
            0 => nanos,
            _ => self.least.min(nanos),
        };
        self.samples = self.samples.saturating_add(1);
        self.dropped += u32::from(sample.is_dropped && self.samples < u32::MAX);
        self.in_flight = self.in_flight.max(sample.in_flight);
    }

    /// How long it is open: twice the least latency, within bounds.
    fn length(&self, rules: &Rules) -> Duration {
        let wanted = Duration::from_nanos(self.least.saturating_mul(2));
        wanted.min(rules.max_window).max(rules.min_window)
    }

    fn seen(&self) -> Seen {
        let samples = f64::from(self.samples.max(1));
        Seen {
            short: (self.nanos as f64 / samples).max(1.0),
            in_flight: self.in_flight,
            dropped: f64::from(self.dropped) / samples,
        }
    }
}

// === impl Average ===

impl Average {
    fn is_warm(&self) -> bool {
        self.count >= WARM_UP
    }

    fn add(&mut self, sample: f64, window: u32) {
        if self.is_warm() {
            let factor = 2.0 / (f64::from(window) + 1.0);
            self.value = self.value * (1.0 - factor) + sample * factor;
        } else {
            self.count += 1;
            self.sum += sample;
            self.value = self.sum / f64::from(self.count);
        }
    }

    /// Begins anew with what is known.
    fn set(&mut self, value: f64) {
        self.value = value;
        self.count = WARM_UP;
    }
}
