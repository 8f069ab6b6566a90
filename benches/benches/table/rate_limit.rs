//! One unit from one bucket, and from one of 100,000.
use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
};
use detectviz_core::{
    resilience::rate_limit::{KeySeed, Rate, RateLimitConfig, RateLimitKey, RateLimiter},
    telemetry::metrics::Registry,
};
use governor::{Quota, RateLimiter as Governor, clock::FakeRelativeClock};
use std::{
    hash::Hash,
    hint::black_box,
    net::Ipv4Addr,
    num::NonZeroU32,
    time::{Duration, Instant},
};

/// More than anybody takes.
const PER_SECOND: u32 = 1_000_000_000;
const BURST: u32 = 1_000_000;
/// Calls between two steps of the clock.
const CALLS: u32 = 4096;
const KEYS: u32 = 100_000;

pub(crate) fn rows(table: &mut Table) {
    if table.wants("rate limit, direct, time given") {
        direct(table);
    }
    if table.wants("rate limit, direct, clock read") {
        direct_with_clock(table);
    }
    let (addresses, texts) = (
        "rate limit, keyed by 100,000 addresses",
        "rate limit, keyed by 100,000 header values",
    );
    if table.wants(addresses) {
        keyed(table, addresses, |n| Ipv4Addr::from_bits(0x0a00_0000 + n));
    }
    if table.wants(texts) {
        keyed(table, texts, |n| format!("tenant-{n:08}-of-the-shop"));
    }
}

fn direct(table: &mut Table) {
    let limiter = limiter(RateLimitKey::Global);
    let ours = Contestant::batches("detectviz", |calls| {
        let now = Instant::now();
        for _ in 0..calls {
            assert!(limiter.check(0, black_box(now)).allowed());
        }
    });
    let clock = FakeRelativeClock::default();
    let governor = Governor::direct_with_clock(quota(), clock.clone());
    let theirs = Contestant::new("governor, its clock for tests", move || {
        assert!(governor.check().is_ok());
    });
    let theirs = theirs
        .pause(move || clock.advance(Duration::from_millis(1)))
        .calls(CALLS);
    let row = Row::new("rate limit, direct, time given", ours);
    table.row(row.beside(theirs, Bounds::times(1.2, 1.0)));
}

fn direct_with_clock(table: &mut Table) {
    let limiter = limiter(RateLimitKey::Global);
    let ours = Contestant::new("detectviz", || {
        assert!(limiter.check(0, Instant::now()).allowed());
    });
    let governor = Governor::direct(quota());
    let theirs = Contestant::new("governor, its usual clock (quanta)", move || {
        assert!(governor.check().is_ok());
    });
    table.row(Row::new("rate limit, direct, clock read", ours).shown(theirs));
}

fn keyed<K: Clone + Eq + Hash>(table: &mut Table, name: &str, key: impl Fn(u32) -> K) {
    let limiter = limiter(RateLimitKey::Peer);
    let keys: Vec<K> = (0..KEYS).map(key).collect();
    let mut next = stride();
    let ours = Contestant::batches("detectviz", |calls| {
        let now = Instant::now();
        for _ in 0..calls {
            let key = limiter.key(&keys[next()]);
            assert!(limiter.check(key, black_box(now)).allowed());
        }
    });
    let clock = FakeRelativeClock::default();
    let governor = Governor::dashmap_with_clock(quota(), clock.clone());
    let mut next = stride();
    let theirs = Contestant::new("governor, its clock for tests", || {
        assert!(governor.check_key(&keys[next()]).is_ok());
    });
    let theirs = theirs.pause(move || clock.advance(Duration::from_millis(1)));
    let row = Row::new(name, ours).beside(theirs.calls(CALLS), Bounds::parts(2.5, 5.0));
    table.row(row);
}

fn limiter(key: RateLimitKey) -> RateLimiter {
    let config = RateLimitConfig::default()
        .rate(Rate::per_second(PER_SECOND))
        .burst(BURST)
        .key(key)
        .max_keys(KEYS);
    let seed = KeySeed::random();
    RateLimiter::new("api", &config, seed, Instant::now(), &Registry::new())
}

fn quota() -> Quota {
    let burst = NonZeroU32::new(BURST).unwrap_or(NonZeroU32::MIN);
    let rate = NonZeroU32::new(PER_SECOND).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(rate).allow_burst(burst)
}

/// A stride through the keys, so that caches see what they would see.
fn stride() -> impl FnMut() -> usize {
    let mut at = 0;
    move || {
        at = (at + 79_193) % KEYS;
        black_box(at as usize)
    }
}
