//! The handle that everybody holds.
use super::{
    Decision, HeaderText, KeySeed, OnFull, Quota, RateLimitConfig, RateLimitKey, RateLimited,
    recorder::Recorder,
    state::Gcra,
    table::{Place, Table},
};
use crate::{
    clock,
    origin::Origin,
    telemetry::{
        context::{NoteValue, note},
        metrics::Registry,
    },
};
use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

/// One rate limit, over one bucket or one per key.
///
/// A check takes no lock and allocates nothing; it is allowed or refused at once, and nothing waits.
///
/// # Clone
/// Clones are the same limiter.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    policy: Arc<str>,
    key: RateLimitKey,
    seed: KeySeed,
    origin: Origin,
    quota: AtomicU64,
    share: AtomicBool,
    buckets: Buckets,
    recorder: Recorder,
}

#[derive(Debug)]
enum Buckets {
    One(Line),
    Keyed(Table),
}

/// The word that requests write has a cache line to itself, away from what they only read.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line(Gcra);

// === impl RateLimiter ===

impl RateLimiter {
    /// A limiter with full buckets. `policy` is its name: the label of its metrics, and what callers read in their
    /// headers. Times before `now` count as `now`.
    #[must_use]
    pub fn new(
        policy: &str,
        config: &RateLimitConfig,
        seed: KeySeed,
        now: Instant,
        metrics: &Registry,
    ) -> Self {
        let buckets = match config.key {
            RateLimitKey::Global => Buckets::One(Line::default()),
            _ => Buckets::Keyed(Table::for_keys(config.max_keys)),
        };
        let inner = Arc::new(Inner {
            policy: policy.into(),
            key: config.key.clone(),
            seed,
            origin: Origin::new(now),
            quota: AtomicU64::new(config.quota().to_bits()),
            share: AtomicBool::new(config.on_full == OnFull::Share),
            buckets,
            recorder: Recorder::new(policy, metrics),
        });
        if let Buckets::Keyed(_) = inner.buckets {
            super::register(metrics);
            metrics.collect_from(&inner, |inner: &Inner, collected| {
                let keys = inner.keys_in_use(clock::now());
                Recorder::collect(&inner.policy, keys, collected);
            });
        }
        Self { inner }
    }

    /// Takes one unit from the bucket of `key`, or none. `key` is any number that tells callers apart, such as
    /// [`RateLimiter::key`] gives it; a global limit does not look at it.
    #[inline(always)]
    pub fn check(&self, key: u64, now: Instant) -> Decision {
        self.check_cost(key, 1, now)
    }

    /// Takes `cost` units from the bucket of `key`, or none. A cost of 0 is always allowed, and tells how the bucket is; one
    /// above [`Decision::limit`] never is.
    // Always: what it returns is too large for registers, and a sixth of the time goes into writing and reading it.
    #[inline(always)]
    pub fn check_cost(&self, key: u64, cost: u32, now: Instant) -> Decision {
        let inner = &*self.inner;
        let Buckets::One(Line(bucket)) = &inner.buckets else {
            return inner.check_keyed(key, cost, now);
        };
        let quota = Quota::from_bits(inner.quota.load(Relaxed));
        let decision = bucket.check(quota, inner.since_origin(now), cost);
        if decision.allowed() && cost > 0 {
            inner.recorder.allowed();
        } else {
            let of = (decision.allowed(), decision.limit());
            inner.decided(of, cost, Place::Own, now);
        }
        decision
    }

    /// As [`RateLimiter::check`], with the refusal as an error.
    ///
    /// # Errors
    /// [`RateLimited`] when the bucket is empty.
    #[inline]
    pub fn admit(&self, key: u64, now: Instant) -> Result<Decision, RateLimited> {
        let decision = self.check(key, now);
        if decision.allowed() {
            Ok(decision)
        } else {
            Err(self.limited(decision))
        }
    }

    /// The error of a decision that refuses.
    #[must_use]
    pub fn limited(&self, decision: Decision) -> RateLimited {
        RateLimited::new(Arc::clone(&self.inner.policy), decision)
    }

    /// The key of a route, a header's value or an address: its hash, from the limiter's seed.
    #[must_use]
    pub fn key<K: Hash + ?Sized>(&self, of: &K) -> u64 {
        self.inner.seed.hash(of)
    }

    /// Which requests share a bucket; whoever reads requests makes keys accordingly.
    #[must_use]
    pub fn key_kind(&self) -> &RateLimitKey {
        &self.inner.key
    }

    /// The name.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.inner.policy
    }

    /// The value of `RateLimit-Policy` that goes with a decision.
    #[must_use]
    pub fn policy_header(&self, decision: &Decision) -> HeaderText {
        HeaderText::policy(&self.inner.policy, decision)
    }

    /// The value of `RateLimit` that goes with a decision.
    #[must_use]
    pub fn limit_header(&self, decision: &Decision) -> HeaderText {
        HeaderText::limit(&self.inner.policy, decision)
    }

    /// The rate and the burst in force.
    #[must_use]
    pub fn quota(&self) -> Quota {
        Quota::from_bits(self.inner.quota.load(Relaxed))
    }

    /// How many keys have a bucket that is not full; of a global limit 0 or 1. Looks at every slot of the table.
    #[must_use]
    pub fn keys_in_use(&self, now: Instant) -> usize {
        self.inner.keys_in_use(now)
    }

    /// Puts another rate, burst and `on_full` in force, and keeps what every bucket owes, as the time until it is full
    /// again; a bucket that owes more than the new burst is empty. `key` and `max_keys` stay as they are.
    ///
    /// Requests meanwhile go by the old terms or the new ones, never by a mixture, and none waits. Where the new burst comes
    /// back sooner than the old one, a key that two threads bring for the first time at that very moment may get one unit
    /// more.
    pub fn reconfigure(&self, config: &RateLimitConfig, now: Instant) {
        let inner = &*self.inner;
        let quota = config.quota();
        inner.quota.store(quota.to_bits(), Relaxed);
        inner.share.store(config.on_full == OnFull::Share, Relaxed);
        let at = inner.since_origin(now);
        match &inner.buckets {
            Buckets::One(Line(bucket)) => bucket.settle(quota, at),
            Buckets::Keyed(table) => table.settle(quota, at),
        }
    }
}

// === impl Inner ===

impl Inner {
    /// In nanoseconds; they last for 584 years.
    #[inline]
    fn since_origin(&self, now: Instant) -> u64 {
        self.origin.nanos(now)
    }

    /// Of its own, so that a limit with one bucket is short enough to be compiled into whoever asks it.
    #[inline(never)]
    fn check_keyed(&self, key: u64, cost: u32, now: Instant) -> Decision {
        let quota = Quota::from_bits(self.quota.load(Relaxed));
        let at = self.since_origin(now);
        let (decision, place) = match &self.buckets {
            Buckets::One(Line(bucket)) => (bucket.check(quota, at, cost), Place::Own),
            Buckets::Keyed(table) => {
                let share = self.share.load(Relaxed);
                table.check(self.seed.spread(key), quota, at, cost, share)
            }
        };
        if decision.allowed() && cost > 0 && place == Place::Own {
            self.recorder.allowed();
        } else {
            let of = (decision.allowed(), decision.limit());
            self.decided(of, cost, place, now);
        }
        decision
    }

    /// Told in parts: a decision that others point to is written to memory, and comes back from there as slowly as all the
    /// rest takes.
    #[cold]
    #[inline(never)]
    fn decided(&self, (allowed, limit): (bool, u32), cost: u32, place: Place, now: Instant) {
        if cost > 0 {
            self.recorder.decided(allowed, place);
        }
        if !allowed {
            let limit = NoteValue::U64(limit.into());
            note(now, "rate_limit.limited", Some(("rate_limit.limit", limit)));
        }
    }

    fn keys_in_use(&self, now: Instant) -> usize {
        let at = self.since_origin(now);
        match &self.buckets {
            Buckets::One(Line(bucket)) => {
                let quota = Quota::from_bits(self.quota.load(Relaxed));
                usize::from(!bucket.check(quota, at, 0).reset_after().is_zero())
            }
            Buckets::Keyed(table) => table.active(at),
        }
    }
}
