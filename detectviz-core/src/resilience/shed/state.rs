//! From readings to the share of requests that is refused.
//!
//! Each signal has a control loop that moves the share that is let in, in steps that are proportional to it: what has to go
//! of ten times the load that can be served is found as fast, and as steadily, as what has to go of twice as much. The loops
//! of CPU time and queue delay integrate; memory, which does not follow the load at once, is a ramp from the threshold on,
//! as the scaled triggers of Envoy's overload manager are. The signal that asks for most decides.
use super::{ShedConfig, ShedReason};
use std::time::{Duration, Instant};

/// What was measured over the last interval; `None` where it cannot be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Readings {
    /// CPU time, as a share of what the process may use.
    pub cpu: Option<f64>,
    /// Memory, as a share of the limit.
    pub memory: Option<f64>,
    /// The least time that work waited before it was begun.
    pub queue_delay: Option<Duration>,
}

/// What the readings mean: how much is refused, and on account of which signal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Verdict {
    /// The share of all requests that is refused, from 0 to 0.98.
    pub drop: f64,
    /// The signal that asks for it; `None` when nothing is refused.
    pub reason: Option<ShedReason>,
}

/// Decides from one reading after another.
#[derive(Clone, Debug, Default)]
pub struct ShedState {
    cpu: Integral,
    memory: Ramp,
    queue_delay: Integral,
    /// CPU time, smoothed: what triggers shedding is not one busy interval.
    cpu_average: f64,
    last: Option<Instant>,
}

/// A share let in that falls while the signal is above its threshold, rises while it is clearly below, and rests between.
#[derive(Clone, Debug)]
struct Integral {
    admitted: f64,
    active: bool,
    previous: f64,
    /// Since when there was no more reason to shed anything.
    calm: Option<Instant>,
}

/// A share let in that follows a ramp, in steps.
#[derive(Clone, Debug)]
struct Ramp {
    admitted: f64,
}

/// Something is always let in: else nothing would tell that it could be served.
const LEAST_ADMITTED: f64 = 0.02;
/// The most that the share let in falls and rises within one interval, as the exponent of a factor: by 30 % down, by 10 % up.
const FASTEST_FALL: f64 = 0.35;
const FASTEST_RISE: f64 = 0.1;
/// Of the distance of CPU time to its threshold (as a logarithm) so much is made up for in one interval. Below 0.6 an
/// integral loop that sees its effect two intervals late does not swing.
const CPU_GAIN: f64 = 0.5;
/// The same of queue delay, which itself adds up what was too much: so less.
const DELAY_GAIN: f64 = 0.25;
/// A queue that loses so much of itself in one interval is left to drain.
const DRAINING: f64 = 0.03;
/// The most that the share let in falls and rises within one interval on account of memory: less, since the ramp is steep,
/// and memory that follows at once would swing.
const MEMORY_FALL: f64 = 0.2;
const MEMORY_RISE: f64 = 0.05;
/// From here on CPU time no longer tells how much too much there is.
const CPU_SATURATED: f64 = 0.98;
/// How far below its threshold a signal is clearly below, as a share of it.
const CPU_MARGIN: f64 = 0.05;
const DELAY_MARGIN: f64 = 0.5;
/// How fast the average follows.
const CPU_AVERAGED_OVER: f64 = 0.5;

// === impl ShedState ===

impl ShedState {
    /// The verdict after one more interval, which ended `now`.
    pub fn update(&mut self, config: &ShedConfig, readings: &Readings, now: Instant) -> Verdict {
        let since = self
            .last
            .map_or(config.interval, |last| now.saturating_duration_since(last));
        self.last = Some(now);
        let cpu = readings.cpu.filter(|_| config.cpu.enabled);
        let memory = readings.memory.filter(|_| config.memory.enabled);
        let delay = readings.queue_delay.filter(|_| config.queue_delay.enabled);
        let drops = [
            (self.cpu(config, cpu, since, now), ShedReason::Cpu),
            (
                self.memory.update(config.memory.threshold, memory),
                ShedReason::Memory,
            ),
            (self.queue_delay(config, delay, now), ShedReason::QueueDelay),
        ];
        let most = drops.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b));
        match most {
            Some((drop, reason)) if drop > 0.0 => Verdict {
                drop,
                reason: Some(reason),
            },
            _ => Verdict::default(),
        }
    }

    fn cpu(
        &mut self,
        config: &ShedConfig,
        share: Option<f64>,
        since: Duration,
        now: Instant,
    ) -> f64 {
        let threshold = config.cpu.threshold;
        let Some(share) = share else {
            self.cpu_average = 0.0;
            return self.cpu.rest();
        };
        let weight = 1.0 - (-since.as_secs_f64() / CPU_AVERAGED_OVER).exp();
        self.cpu_average += (share - self.cpu_average) * weight;
        let distance = (share.max(0.01) / threshold).ln();
        let fall = if share >= CPU_SATURATED.max(threshold) {
            FASTEST_FALL
        } else {
            CPU_GAIN * distance
        };
        self.cpu.trigger(self.cpu_average >= threshold);
        let step = if share > threshold {
            -fall
        } else if share < threshold * (1.0 - CPU_MARGIN) {
            -CPU_GAIN * distance
        } else {
            0.0
        };
        self.cpu
            .step(step, share <= threshold, config.cool_off, now)
    }

    fn queue_delay(&mut self, config: &ShedConfig, delay: Option<Duration>, now: Instant) -> f64 {
        let Some(delay) = delay else {
            return self.queue_delay.rest();
        };
        let excess = delay.as_secs_f64() / config.queue_delay.target.as_secs_f64().max(1e-6);
        // A queue that drains fast enough needs no more than it has: it is the term of PIE (RFC 8033, section 4.2) that
        // looks at the difference.
        let draining = excess < self.queue_delay.previous * (1.0 - DRAINING);
        self.queue_delay.previous = excess;
        self.queue_delay.trigger(excess > 1.0);
        let step = if excess > 1.0 && draining {
            0.0
        } else if excess > 1.0 {
            -(DELAY_GAIN * excess.ln() + 0.02)
        } else if excess < 1.0 - DELAY_MARGIN {
            FASTEST_RISE
        } else {
            0.0
        };
        self.queue_delay
            .step(step, excess <= 1.0, config.cool_off, now)
    }
}

// === impl Integral ===

impl Integral {
    fn trigger(&mut self, triggered: bool) {
        self.active |= triggered;
    }

    /// Moves the share let in by a factor of e^`step`; returns what is refused.
    fn step(&mut self, step: f64, calm: bool, cool_off: Duration, now: Instant) -> f64 {
        if !self.active {
            return 0.0;
        }
        let step = step.clamp(-FASTEST_FALL, FASTEST_RISE);
        self.admitted = (self.admitted * step.exp()).clamp(LEAST_ADMITTED, 1.0);
        if !calm || self.admitted < 1.0 {
            self.calm = None;
        } else if now.saturating_duration_since(*self.calm.get_or_insert(now)) >= cool_off {
            return self.rest();
        }
        1.0 - self.admitted
    }

    fn rest(&mut self) -> f64 {
        *self = Self::default();
        0.0
    }
}

impl Default for Integral {
    fn default() -> Self {
        Self {
            admitted: 1.0,
            active: false,
            previous: 0.0,
            calm: None,
        }
    }
}

// === impl Ramp ===

impl Ramp {
    fn update(&mut self, threshold: f64, share: Option<f64>) -> f64 {
        let Some(share) = share else {
            *self = Self::default();
            return 0.0;
        };
        let saturated = threshold.midpoint(1.0);
        let wanted = (saturated - share) / (saturated - threshold);
        let wanted = wanted.clamp(LEAST_ADMITTED, 1.0);
        let step = (wanted / self.admitted).ln();
        self.admitted *= step.clamp(-MEMORY_FALL, MEMORY_RISE).exp();
        1.0 - self.admitted.min(1.0)
    }
}

impl Default for Ramp {
    fn default() -> Self {
        Self { admitted: 1.0 }
    }
}
