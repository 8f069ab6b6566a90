//! Bounds how many requests may pass in a time, for all callers together or for each of them.
//!
//! A limit keeps one caller from taking what belongs to all, and says so at once, with the time after which to come again,
//! instead of letting everybody wait. It is judged by the generic cell rate algorithm: exact over any stretch of time, where
//! a counter per fixed window lets twice the limit pass around its edges. The layer counts requests, not work: where requests
//! differ, [`RateLimiter::check_cost`] weighs them.
//!
//! ```
//! use detectviz_core::{
//!     resilience::rate_limit::{KeySeed, Rate, RateLimitConfig, RateLimitKey, RateLimiter},
//!     telemetry::metrics::Registry,
//! };
//! use std::time::{Duration, Instant};
//!
//! let config = RateLimitConfig::default().rate(Rate::per_second(10)).burst(2).key(RateLimitKey::Peer);
//! let begun = Instant::now();
//! let limiter = RateLimiter::new("api", &config, KeySeed::random(), begun, &Registry::new());
//!
//! let (alice, bob) = (limiter.key("192.0.2.1"), limiter.key("192.0.2.2"));
//! assert_eq!(limiter.check(alice, begun).remaining(), 1);
//! assert!(limiter.check(alice, begun).allowed());
//! let refused = limiter.check(alice, begun);
//! assert_eq!(refused.retry_after(), Some(Duration::from_millis(100)));
//! assert_eq!(limiter.limit_header(&refused).as_str(), r#""api";r=0;t=1"#);
//! assert!(limiter.check(bob, begun).allowed());
//! assert!(limiter.check(alice, begun + Duration::from_millis(100)).allowed());
//! ```
//!
//! # What holds
//! Within any time `t` a key gets at most `burst + rate × t` units, whatever the number of threads and their order; with keys,
//! `t` is counted in steps of 64 ns. With [`OnFull::Share`] that holds however many keys there are, since a key that finds no
//! room inherits the debt of the one that it displaces; with [`OnFull::Allow`] for those that found room. Two keys whose
//! fingerprints are equal share a bucket: at the default size one pair among a million keys or so, and nobody can choose
//! which, for the hash has a random seed.
//!
//! # Memory
//! Two slots of eight bytes for each of `max_keys`, rounded up to a power of two: 1 MiB at the default of 65,536. A key is
//! forgotten when its bucket is full again, which nobody can tell from being remembered.
//!
//! # Cancel safety
//! A call that was dropped has taken its unit.
mod config;
mod decision;
mod error;
mod future;
mod header;
mod key;
mod layer;
mod limiter;
mod quota;
mod rate;
mod recorder;
mod service;
mod state;
mod table;
#[cfg(test)]
mod tests;

pub use self::{
    config::{InvalidKey, OnFull, RateLimitConfig, RateLimitKey},
    decision::Decision,
    error::RateLimited,
    future::ResponseFuture,
    header::HeaderText,
    key::{KeyFn, KeySeed, OneBucket},
    layer::RateLimitLayer,
    limiter::RateLimiter,
    quota::Quota,
    rate::{InvalidRate, Rate},
    recorder::register,
    service::RateLimit,
    state::Gcra,
};
