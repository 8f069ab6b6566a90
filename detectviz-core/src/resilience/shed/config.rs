//! What a user may set.
use crate::config::{Checker, DurationText, Section, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of a [`Shedder`](super::Shedder). All of them may change while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-reload" = "live"))]
#[non_exhaustive]
pub struct ShedConfig {
    /// Shedding on CPU time.
    pub cpu: ShedCpuConfig,
    /// Shedding on memory.
    pub memory: ShedMemoryConfig,
    /// Shedding on the time that work waits before it is begun.
    pub queue_delay: ShedQueueDelayConfig,
    /// How often readings are taken and judged (50ms to 1s). 100 ms is CoDel's interval (RFC 8289, section 4.2).
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub interval: Duration,
    /// How long a signal has to stay below its threshold, with nothing shed, until shedding counts as over and has to be
    /// triggered anew (up to 1m); also how long a refused caller is asked to stay away, and up to twice that. 1 s is the
    /// cool-off of go-zero (`core/load/adaptiveshedder.go`) and Kratos (`aegis/ratelimit/bbr`).
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub cool_off: Duration,
}

/// Shedding on the CPU time of the process, as a share of its control group's quota, or of the CPUs without one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ShedCpuConfig {
    /// Whether it is shed on.
    pub enabled: bool,
    /// The share from which load is shed (0.1 to 0.98). 0.9 is go-zero's default (`defaultCpuThreshold`).
    pub threshold: f64,
}

/// Shedding on the memory of the control group, as a share of its limit; without a limit nothing is shed on it.
///
/// Memory that an allocator does not give back keeps its share high, and shedding does not lower it: choose a threshold that
/// the service does not reach in peace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ShedMemoryConfig {
    /// Whether it is shed on.
    pub enabled: bool,
    /// The share from which load is shed (0.1 to 0.98); half-way between it and 1 everything is that may be. 0.95 is where
    /// Envoy's overload manager stops taking requests in its example for the edge.
    pub threshold: f64,
}

/// Shedding on the time that work waits for a thread of the executor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ShedQueueDelayConfig {
    /// Whether it is shed on.
    pub enabled: bool,
    /// The least delay in an interval that is not a mere burst (1ms to 10s). 20 ms is what WeChat calls overload (Zhou et
    /// al., "Overload Control for Scaling WeChat Microservices", SoCC 2018, section 4.2); CoDel's own 5 ms is for packets,
    /// and less than what a control group's CPU quota can make a healthy process wait.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub target: Duration,
}

const SHARES: std::ops::RangeInclusive<f64> = 0.1..=0.98;

// === impl ShedConfig ===

impl ShedConfig {
    /// Sets the share of CPU time from which load is shed; `None` takes this signal away.
    #[must_use]
    pub fn cpu(mut self, threshold: Option<f64>) -> Self {
        self.cpu.enabled = threshold.is_some();
        self.cpu.threshold = threshold.unwrap_or(self.cpu.threshold);
        self
    }

    /// Sets the share of memory from which load is shed; `None` takes this signal away.
    #[must_use]
    pub fn memory(mut self, threshold: Option<f64>) -> Self {
        self.memory.enabled = threshold.is_some();
        self.memory.threshold = threshold.unwrap_or(self.memory.threshold);
        self
    }

    /// Sets the delay from which load is shed; `None` takes this signal away.
    #[must_use]
    pub fn queue_delay(mut self, target: Option<Duration>) -> Self {
        self.queue_delay.enabled = target.is_some();
        self.queue_delay.target = target.unwrap_or(self.queue_delay.target);
        self
    }

    /// Sets how often readings are taken.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets how long it takes until shedding counts as over.
    #[must_use]
    pub fn cool_off(mut self, cool_off: Duration) -> Self {
        self.cool_off = cool_off;
        self
    }
}

impl Section for ShedConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        let shares = [
            ("cpu.threshold", &self.cpu.threshold, "0.9"),
            ("memory.threshold", &self.memory.threshold, "0.95"),
        ];
        for (key, share, usual) in shares {
            if !SHARES.contains(share) {
                let remedy = format!(
                    "write a share of the limit from 0.1 to 0.98, such as `{usual}`; to shed nothing on it, write `enabled: false`"
                );
                check.problem(key, "would always shed, or too late", remedy);
            }
        }
        let millis = Duration::from_millis;
        let times = [
            (
                "queue_delay.target",
                self.queue_delay.target,
                millis(1),
                millis(10_000),
                "`20ms`",
            ),
            (
                "interval",
                self.interval,
                millis(50),
                millis(1000),
                "`100ms`",
            ),
            (
                "cool_off",
                self.cool_off,
                Duration::ZERO,
                millis(60_000),
                "`1s`",
            ),
        ];
        for (key, time, least, most, usual) in times {
            if time < least || time > most {
                let remedy = format!("write a time from {least:?} to {most:?}, such as {usual}");
                check.problem(key, "is out of range", remedy);
            }
        }
    }
}

impl Default for ShedConfig {
    fn default() -> Self {
        Self {
            cpu: ShedCpuConfig::default(),
            memory: ShedMemoryConfig::default(),
            queue_delay: ShedQueueDelayConfig::default(),
            interval: Duration::from_millis(100),
            cool_off: Duration::from_secs(1),
        }
    }
}

// === impl ShedCpuConfig ===

impl Default for ShedCpuConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            threshold: 0.9,
        }
    }
}

// === impl ShedMemoryConfig ===

impl Default for ShedMemoryConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            threshold: 0.95,
        }
    }
}

// === impl ShedQueueDelayConfig ===

impl Default for ShedQueueDelayConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            target: Duration::from_millis(20),
        }
    }
}
