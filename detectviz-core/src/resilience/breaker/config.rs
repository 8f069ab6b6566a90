//! What a user may set.
use super::limits::{Geometry, Limits, OFF};
use super::word::{State, Trial};
use crate::config::{Checker, DurationText, Section, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of a [`Circuit`](super::Circuit). All of them may be changed while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-reload" = "live"))]
#[non_exhaustive]
pub struct BreakerConfig {
    /// Whether it works.
    pub mode: Mode,
    /// Which calls are judged.
    pub window: WindowConfig,
    /// How many calls a window must hold before its rates are judged; from 1, and at most as many as a window of calls
    /// holds. 20 is Hystrix' `circuitBreaker.requestVolumeThreshold`; with the 100 of resilience4j and Polly, an upstream
    /// that is called once a second would be called for more than a minute and a half after it died.
    pub minimum_calls: u32,
    /// From which share of failures on the circuit opens, above 0 and up to 1; `null` to not judge it. resilience4j's
    /// `failureRateThreshold` is 0.5 as well.
    pub failure_rate: Option<f64>,
    /// From which share of slow calls on the circuit opens, above 0 and up to 1; `null` to not judge it.
    pub slow_call_rate: Option<f64>,
    /// From how long on a call is slow; more than 0. Calls are timed only when `slow_call_rate` is set.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub slow_call_duration: Duration,
    /// After how many failures in a row the circuit opens, from 1 to 65,535, whatever the rates are; `null` to not count
    /// them. Finagle's and linkerd's failure accrual take 5 and 7.
    pub consecutive_failures: Option<u32>,
    /// How long the circuit stays open.
    pub open: OpenConfig,
    /// How many probes a half-open circuit lets through, from 1 to 255. When all have their results, they are judged by
    /// the same rates; without a failure rate, one failure opens the circuit again. resilience4j's
    /// `permittedNumberOfCallsInHalfOpenState` is 10 as well.
    pub half_open_calls: u32,
}

/// Whether a circuit works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// It opens.
    #[default]
    Enabled,
    /// It records, and tells once when it would have opened; it never opens. For trying settings on live traffic.
    MetricsOnly,
    /// It lets every call through and records nothing.
    Disabled,
}

/// Which calls are judged.
///
/// Windows slide in steps. One of calls has up to 50 buckets, so one of at most 50 calls is exact, and a longer one holds
/// between 96 % and all of its calls (99 % and more at 100). One of time has ten, as Polly's and Hystrix' have, and holds the
/// last 90 % to all of its time. Calls that threads record at the same moment may change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WindowConfig {
    /// The last so many calls, from 1 to 1,000,000. resilience4j's `slidingWindowSize` is 100.
    Calls(u32),
    /// The calls of the last so long, from 100ms to 1d. Polly's `SamplingDuration` is 30s: long enough to hold enough calls
    /// of a service with little traffic, short enough to forget an outage. resilience4j has no such default: it takes the
    /// same number, 100, for calls and seconds.
    Time(
        #[serde(with = "duration")]
        #[schemars(with = "DurationText")]
        Duration,
    ),
}

/// How long a circuit stays open before it lets probes through. Each time in a row that they fail it is longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct OpenConfig {
    /// The first time; from 1ms, in whole milliseconds. Polly's `BreakDuration` is 5s as well.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub duration: Duration,
    /// How many times as long it is each further time, for at most 15 times; from 1, for always the same. Finagle and
    /// linkerd double as well.
    pub factor: f64,
    /// The longest that growing makes it, up to 1d. linkerd's `max-penalty` is 60s as well.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max: Duration,
    /// Up to which share of it is added at random, from 0 to 1, so that many clients do not send their probes at once.
    /// linkerd's `jitter-ratio` is 0.5 as well.
    pub jitter: f64,
}

const DAY: Duration = Duration::from_secs(86_400);
const MOST_CALLS: u32 = 1_000_000;
/// Into how many buckets a window of time is cut.
const TIME_BUCKETS: u64 = 10;

// === impl BreakerConfig ===

impl BreakerConfig {
    /// Sets whether it works.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets which calls are judged.
    #[must_use]
    pub fn window(mut self, window: WindowConfig) -> Self {
        self.window = window;
        self
    }

    /// Sets how many calls a window must hold before its rates are judged.
    #[must_use]
    pub fn minimum_calls(mut self, calls: u32) -> Self {
        self.minimum_calls = calls;
        self
    }

    /// Sets from which share of failures on the circuit opens.
    #[must_use]
    pub fn failure_rate(mut self, rate: impl Into<Option<f64>>) -> Self {
        self.failure_rate = rate.into();
        self
    }

    /// Sets from which share of slow calls on the circuit opens, and from how long on a call is slow.
    #[must_use]
    pub fn slow_calls(mut self, rate: impl Into<Option<f64>>, duration: Duration) -> Self {
        self.slow_call_rate = rate.into();
        self.slow_call_duration = duration;
        self
    }

    /// Sets after how many failures in a row the circuit opens.
    #[must_use]
    pub fn consecutive_failures(mut self, failures: impl Into<Option<u32>>) -> Self {
        self.consecutive_failures = failures.into();
        self
    }

    /// Sets how long the circuit stays open.
    #[must_use]
    pub fn open(mut self, open: OpenConfig) -> Self {
        self.open = open;
        self
    }

    /// Sets how many probes a half-open circuit lets through.
    #[must_use]
    pub fn half_open_calls(mut self, calls: u32) -> Self {
        self.half_open_calls = calls;
        self
    }

    pub(super) fn state(&self) -> State {
        match self.mode {
            Mode::Enabled => State::Closed,
            Mode::MetricsOnly => State::MetricsOnly,
            Mode::Disabled => State::Disabled,
        }
    }

    /// Of settings that were never validated it makes the nearest that work.
    pub(super) fn limits(&self) -> Limits {
        let OpenConfig {
            duration,
            factor,
            max,
            jitter,
        } = self.open;
        let rate =
            |rate: Option<f64>| rate.map_or(f64::INFINITY, |r| r.clamp(f64::MIN_POSITIVE, 1.0));
        Limits {
            minimum: u64::from(self.minimum_calls.max(1)),
            failure_rate: rate(self.failure_rate),
            slow_rate: rate(self.slow_call_rate),
            consecutive: self
                .consecutive_failures
                .map_or(OFF, |n| u64::from(n.clamp(1, 0xffff))),
            probes: u64::from(self.half_open_calls).clamp(1, Trial::MOST),
            open: nanos(duration.min(DAY)),
            open_max: nanos(max.clamp(duration.min(DAY), DAY)),
            factor: factor.max(1.0),
            jitter: jitter.clamp(0.0, 1.0),
        }
    }

    pub(super) fn slow_after(&self) -> u64 {
        match self.slow_call_rate {
            Some(_) => nanos(self.slow_call_duration),
            None => OFF,
        }
    }

    pub(super) fn geometry(&self) -> Geometry {
        match self.window {
            WindowConfig::Calls(calls) => {
                let calls = u64::from(calls.clamp(1, MOST_CALLS));
                let width = calls.div_ceil(Geometry::BUCKETS);
                Geometry::new(true, calls / width, width)
            }
            WindowConfig::Time(length) => {
                let millis = nanos(length.min(DAY)).div_ceil(1_000_000);
                let width = millis.div_ceil(TIME_BUCKETS).max(1);
                Geometry::new(false, TIME_BUCKETS, width)
            }
        }
    }
}

impl Section for BreakerConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        match self.window {
            WindowConfig::Calls(calls) if calls == 0 || calls > MOST_CALLS => {
                let what = format!("a window of {calls} calls cannot be kept");
                check.problem("window", what, "write from `calls: 1` to `calls: 1000000`");
            }
            WindowConfig::Time(length) if length < Duration::from_millis(100) || length > DAY => {
                let what = format!("a window of {length:?} cannot be kept");
                check.problem("window", what, "write from `time: 100ms` to `time: 1d`");
            }
            WindowConfig::Calls(calls) if self.minimum_calls > calls => {
                let what = format!("a window of {calls} calls never holds so many");
                check.problem(
                    "minimum_calls",
                    what,
                    format!("write at most {calls}, or a longer window"),
                );
            }
            _ => {}
        }
        if self.minimum_calls == 0 {
            check.problem(
                "minimum_calls",
                "no call cannot be judged",
                "write at least 1",
            );
        }
        for (key, rate) in [
            ("failure_rate", self.failure_rate),
            ("slow_call_rate", self.slow_call_rate),
        ] {
            if rate.is_some_and(|rate| !(rate > 0.0 && rate <= 1.0)) {
                check.problem(
                    key,
                    "is no share of calls",
                    "write a number above 0 and up to 1, such as 0.5, or null",
                );
            }
        }
        if self.slow_call_duration.is_zero() {
            check.problem(
                "slow_call_duration",
                "every call would be slow",
                "write a time such as `1s`",
            );
        }
        if self
            .consecutive_failures
            .is_some_and(|n| n == 0 || n > 0xffff)
        {
            check.problem(
                "consecutive_failures",
                "cannot be counted",
                "write from 1 to 65535, or null",
            );
        }
        if self.failure_rate.is_none()
            && self.slow_call_rate.is_none()
            && self.consecutive_failures.is_none()
        {
            check.problem("", "nothing would ever open the circuit", "set `failure_rate`, `slow_call_rate` or `consecutive_failures`, or write `mode: disabled`");
        }
        if self.half_open_calls == 0 || u64::from(self.half_open_calls) > Trial::MOST {
            check.problem(
                "half_open_calls",
                "the circuit would never close again, or cannot count them",
                "write from 1 to 255",
            );
        }
        check.nested("open", &self.open);
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            window: WindowConfig::Calls(100),
            minimum_calls: 20,
            failure_rate: Some(0.5),
            slow_call_rate: None,
            slow_call_duration: Duration::from_secs(1),
            consecutive_failures: None,
            open: OpenConfig::default(),
            half_open_calls: 10,
        }
    }
}

// === impl WindowConfig ===

impl Default for WindowConfig {
    fn default() -> Self {
        Self::Calls(100)
    }
}

// === impl OpenConfig ===

impl OpenConfig {
    /// The same duration each time.
    #[must_use]
    pub fn constant(duration: Duration) -> Self {
        Self {
            duration,
            factor: 1.0,
            max: duration,
            jitter: 0.0,
        }
    }

    /// Twice as long each time in a row, from `duration` up to `max`, without jitter.
    #[must_use]
    pub fn doubling(duration: Duration, max: Duration) -> Self {
        Self {
            duration,
            factor: 2.0,
            max,
            jitter: 0.0,
        }
    }

    /// Sets up to which share is added at random.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }
}

impl Section for OpenConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.duration < Duration::from_millis(1) {
            check.problem(
                "duration",
                "the circuit would not be open at all",
                "write at least `1ms`, such as `5s`",
            );
        }
        if self.max < self.duration {
            check.problem(
                "max",
                "is shorter than `duration`",
                "write at least as long",
            );
        }
        if self.max > DAY || self.duration > DAY {
            check.problem(
                "max",
                "is longer than a day",
                "write at most `1d`; to keep a circuit open, force it open",
            );
        }
        if !(self.factor >= 1.0 && self.factor.is_finite()) {
            check.problem("factor", "would shorten it", "write 1 or more, such as 2");
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            check.problem(
                "jitter",
                "is no share",
                "write a number from 0 to 1, such as 0.5",
            );
        }
    }
}

impl Default for OpenConfig {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(5),
            factor: 2.0,
            max: Duration::from_secs(60),
            jitter: 0.5,
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1)
}
