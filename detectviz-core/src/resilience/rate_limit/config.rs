//! What a user may set.
use super::{Quota, Rate};
use crate::config::{Checker, Section};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, error, fmt, str::FromStr, time::Duration};

/// Settings of a [`RateLimiter`](super::RateLimiter).
///
/// No rate suits every service: the default is meant to be seen and replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RateLimitConfig {
    /// How many requests may pass in a time, such as `100/s`; at most 1,000,000 per second. Time is counted in nanoseconds,
    /// and with keys in steps of 64 ns, rounded up: 10,000/s per key comes out less than 0.1 % below what it says.
    #[schemars(extend("x-reload" = "live"))]
    pub rate: Rate,
    /// How many may pass at once (1 to 16,777,215). By default those of a whole period, as Envoy's token bucket has it when
    /// `max_tokens` equals `tokens_per_fill`. `burst / rate` is at most a day.
    #[schemars(extend("x-reload" = "live"))]
    pub burst: Option<u32>,
    /// Who shares a bucket.
    pub key: RateLimitKey,
    /// How many keys may be active at once before they come to share buckets, at most 16,777,216. A key is active until its
    /// bucket is full again. Takes 16 to 32 bytes of memory each, from the start; meaningless for a `global` limit.
    pub max_keys: u32,
    /// What becomes of a new key when there is no room for it.
    #[schemars(extend("x-reload" = "live"))]
    pub on_full: OnFull,
}

/// Who shares a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum RateLimitKey {
    /// `global`: all requests.
    #[default]
    Global,
    /// `route`: the requests of a route.
    Route,
    /// `header:<name>`: requests with the same value of that header. Those without it share one bucket.
    Header(String),
    /// `peer`: the requests of a peer's address. Behind a proxy that is the proxy.
    Peer,
}

/// A text that is not a [`RateLimitKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

/// What becomes of a new key when its set of the table is full of active ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// It takes the place of the key that owes the least, and the debt with it (Space-Saving). No key ever gets more than
    /// its limit, and a set never more than eight times that; a key may be refused for what others did.
    #[default]
    Share,
    /// It is let through without being counted, and a metric says so. Keys that have a bucket keep their limit.
    Allow,
}

const MOST_PER_SECOND: f64 = 1e6;
const MOST_KEYS: u32 = 1 << 24;

// === impl RateLimitConfig ===

impl RateLimitConfig {
    /// Sets the rate.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    /// Sets how many may pass at once.
    #[must_use]
    pub fn burst(mut self, burst: u32) -> Self {
        self.burst = Some(burst);
        self
    }

    /// Sets who shares a bucket.
    #[must_use]
    pub fn key(mut self, key: RateLimitKey) -> Self {
        self.key = key;
        self
    }

    /// Sets how many keys may be active at once.
    #[must_use]
    pub fn max_keys(mut self, max_keys: u32) -> Self {
        self.max_keys = max_keys;
        self
    }

    /// Sets what becomes of a new key when there is no room for it.
    #[must_use]
    pub fn on_full(mut self, on_full: OnFull) -> Self {
        self.on_full = on_full;
        self
    }

    /// Rate and burst as a limiter takes them.
    #[must_use]
    pub fn quota(&self) -> Quota {
        let burst = self.burst.unwrap_or(self.rate.units);
        Quota::new(self.rate.units, self.rate.period, burst)
    }
}

impl Section for RateLimitConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        let Rate { units, period } = self.rate;
        let burst = self.burst.unwrap_or(units);
        if units == 0 || period.is_zero() {
            let remedy = "write for example `100/s`; to take a limit away, remove its section";
            check.problem("rate", "nothing could ever pass, or everything", remedy);
            return;
        }
        if f64::from(units) / period.as_secs_f64() > MOST_PER_SECOND {
            let remedy = "write at most `1000000/s`, or remove the section";
            check.problem("rate", "is more than one process can serve", remedy);
        }
        if burst == 0 || burst > Quota::MOST_BURST {
            let remedy = format!("write a number from 1 to {}", Quota::MOST_BURST);
            check.problem("burst", "nothing could pass, or too much", remedy);
        }
        let fill = period.as_secs_f64() / f64::from(units) * f64::from(burst.max(1));
        if fill > Quota::LONGEST_FILL.as_secs_f64() {
            let key = if self.burst.is_some() {
                "burst"
            } else {
                "rate"
            };
            let what = "an empty bucket would take longer than a day to fill";
            check.problem(key, what, "write a higher rate or a smaller burst");
        }
        if self.max_keys == 0 || self.max_keys > MOST_KEYS {
            let remedy = format!("write a number from 1 to {MOST_KEYS}");
            check.problem("max_keys", "is out of range", remedy);
        }
    }
}

impl Default for RateLimitConfig {
    fn default() -> Self {
        Self {
            rate: Rate::new(1000, Duration::from_secs(1)),
            burst: None,
            key: RateLimitKey::default(),
            max_keys: 65_536,
            on_full: OnFull::default(),
        }
    }
}

// === impl RateLimitKey ===

impl FromStr for RateLimitKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        match text {
            "global" => Ok(Self::Global),
            "route" => Ok(Self::Route),
            "peer" => Ok(Self::Peer),
            _ => match text.strip_prefix("header:").map(str::trim) {
                // RFC 9110, section 5.6.2.
                Some(name) if !name.is_empty() && name.chars().all(token) => {
                    Ok(Self::Header(name.to_ascii_lowercase()))
                }
                _ => Err(InvalidKey),
            },
        }
    }
}

impl fmt::Display for RateLimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Route => f.write_str("route"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Peer => f.write_str("peer"),
        }
    }
}

impl TryFrom<String> for RateLimitKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        text.parse()
    }
}

impl From<RateLimitKey> for String {
    fn from(key: RateLimitKey) -> Self {
        key.to_string()
    }
}

impl JsonSchema for RateLimitKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RateLimitKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^(global|route|peer|header:.+)$",
        })
    }
}

// === impl InvalidKey ===

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a key of a rate limit: write `global`, `route`, `peer` or `header:<name>`")
    }
}

impl error::Error for InvalidKey {}
