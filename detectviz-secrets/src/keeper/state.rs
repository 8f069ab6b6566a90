//! When a secret is asked for again, renewed, served or forgotten; the times of leases are those of `schedule`.
use super::CacheConfig;
use crate::{
    schedule::{pause_after, renew_after, replace_after},
    store::{Grant, Life, Renewed},
};
use fastrand::Rng;
use std::time::{Duration, Instant};

/// For how long an answer, good or bad, serves those who insist on asking again.
pub(super) const AGAIN: Duration = Duration::from_secs(1);

/// The longest pause after a failure to renew or replace a lease.
const LONGEST_LEASE_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause after any other failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is known of one secret, and when.
#[derive(Debug)]
pub(super) struct Timeline {
    good: Option<Good>,
    failures: u32,
    /// When to try again after a failure.
    retry: Option<Instant>,
    answered: Option<Instant>,
    used: Instant,
}

/// The last good answer.
#[derive(Debug)]
struct Good {
    asked: Instant,
    term: Term,
}

#[derive(Debug)]
enum Term {
    Cached { refresh: Instant },
    Polled { interval: Duration },
    Rotates { at: Instant },
    Leased(Held),
}

/// A lease.
#[derive(Debug)]
struct Held {
    grant: Grant,
    end: Instant,
    next: Instant,
    act: Act,
}

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// It is seen whether anybody has asked meanwhile.
    Look,
    /// The store is asked for the secret.
    Fetch,
    /// The lease is prolonged.
    Renew,
    /// The secret is let go.
    Forget,
}

/// What may be given to whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serve {
    /// What is there.
    Fresh,
    /// What is there, though it is old: the store failed a moment ago, and is being asked again.
    Stale,
    /// The answer of the store, or what is there if it gives none.
    FetchOrStale,
    /// The answer of the store, and nothing else.
    Fetch,
}

/// Who is interested in a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Interest {
    /// Somebody follows it.
    pub watched: bool,
    /// Somebody holds the current value.
    pub held: bool,
    /// It is kept though nobody uses it.
    pub pinned: bool,
}

// === impl Timeline ===

impl Timeline {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            good: None,
            failures: 0,
            retry: None,
            answered: None,
            used: now,
        }
    }

    /// Somebody asks.
    pub(super) fn touch(&mut self, now: Instant) {
        self.used = now;
    }

    /// The store was asked at `asked` and gave an answer.
    pub(super) fn fetched(
        &mut self,
        (asked, now): (Instant, Instant),
        life: Life,
        config: &CacheConfig,
        rng: &mut Rng,
    ) {
        let term = match life {
            Life::Cached => Term::Cached {
                refresh: asked + refresh_after(config, rng),
            },
            Life::Polled(interval) => Term::Polled { interval },
            Life::Rotates(after) => Term::Rotates {
                at: asked + after.max(Duration::ZERO) + AGAIN,
            },
            Life::Leased(grant) => Term::Leased(Held::new(asked, grant, rng)),
        };
        self.good = Some(Good { asked, term });
        self.succeeded(now);
    }

    /// The store was asked at `asked` to prolong the lease, and did.
    pub(super) fn renewed(&mut self, asked: Instant, renewed: Renewed, rng: &mut Rng) {
        if let Some(held) = self.held_mut() {
            held.renewed(asked, renewed, rng);
        }
        // The value was not asked for: whoever insists on that is not served by this.
        self.failures = 0;
        self.retry = None;
    }

    /// The store gave no answer, or a bad one.
    pub(super) fn failed(&mut self, now: Instant, rng: &mut Rng) {
        let longest = match self.good.as_ref().map(|good| &good.term) {
            Some(Term::Leased(_)) => LONGEST_LEASE_PAUSE,
            // Asking costs next to nothing.
            Some(Term::Polled { interval }) => *interval,
            _ => LONGEST_PAUSE,
        };
        let pause = pause_after(self.failures, longest, rng.f64());
        self.failures = self.failures.saturating_add(1);
        self.retry = Some(now + pause);
        self.answered = Some(now);
    }

    /// The lease is lost: from now on nothing may be served before the store has given another.
    pub(super) fn lost(&mut self, now: Instant) {
        if let Some(held) = self.held_mut() {
            held.end = now;
        }
        self.replace(now);
    }

    /// The secret is to be fetched anew, now.
    pub(super) fn replace(&mut self, now: Instant) {
        self.retry = None;
        match self.good.as_mut().map(|good| &mut good.term) {
            Some(Term::Leased(held)) => {
                held.next = now;
                held.act = Act::Fetch;
            }
            Some(Term::Cached { refresh: at } | Term::Rotates { at }) => *at = now,
            // What is polled is read again within the interval.
            Some(Term::Polled { .. }) | None => {}
        }
    }

    /// What is to be done next, and when.
    pub(super) fn due(
        &self,
        now: Instant,
        interest: Interest,
        config: &CacheConfig,
    ) -> (Instant, Act) {
        let idle = self.used + config.ttl;
        let Some(good) = &self.good else {
            // A refusal is remembered for a moment, so that many who ask at once get the same one.
            let after = self.answered.map_or(idle, |answered| answered + AGAIN);
            return (after, Act::Forget);
        };
        let in_use = interest.watched || interest.held || interest.pinned;
        let unused = if interest.pinned {
            Act::Look
        } else {
            Act::Forget
        };
        let (regular, act) = match &good.term {
            Term::Polled { .. } if !interest.watched => return (idle, unused),
            Term::Polled { interval } => {
                let last = self.answered.unwrap_or(good.asked);
                return (last + *interval, Act::Fetch);
            }
            Term::Cached { refresh: at } | Term::Rotates { at } => (*at, Act::Fetch),
            Term::Leased(lease) => (lease.next, lease.act),
        };
        let at = self.retry.unwrap_or(regular);
        if in_use || self.used > good.asked {
            // Without interest, whoever asked has had the time of the cache.
            return if in_use || at < idle {
                (at, act)
            } else {
                (idle, Act::Forget)
            };
        }
        if now < at.min(idle) {
            return (at.min(idle), Act::Look);
        }
        (idle, Act::Forget)
    }

    /// What may be given out.
    pub(super) fn serve(&self, now: Instant, config: &CacheConfig) -> Serve {
        let Some(good) = &self.good else {
            return Serve::Fetch;
        };
        let fresh_until = match &good.term {
            Term::Cached { .. } => good.asked + config.ttl,
            Term::Polled { interval } => good.asked + *interval,
            Term::Rotates { at } => *at,
            Term::Leased(held) if now < held.end => return Serve::Fresh,
            Term::Leased(_) => return Serve::Fetch,
        };
        if now < fresh_until {
            return Serve::Fresh;
        }
        if now.saturating_duration_since(good.asked) >= config.stale {
            return Serve::Fetch;
        }
        match self.retry {
            Some(retry) if now < retry => Serve::Stale,
            _ => Serve::FetchOrStale,
        }
    }

    /// Whether the last answer is recent enough for whoever insists on asking again.
    pub(super) fn just_answered(&self, now: Instant) -> bool {
        self.answered.is_some_and(|answered| now < answered + AGAIN)
    }

    /// Failures in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// How long ago the last good answer was asked for.
    pub(super) fn age(&self, now: Instant) -> Option<Duration> {
        let good = self.good.as_ref()?;
        Some(now.saturating_duration_since(good.asked))
    }

    /// The lease, and when it ends.
    pub(super) fn lease(&self) -> Option<(&Grant, Instant)> {
        match &self.good.as_ref()?.term {
            Term::Leased(held) => Some((&held.grant, held.end)),
            _ => None,
        }
    }

    fn held_mut(&mut self) -> Option<&mut Held> {
        match &mut self.good.as_mut()?.term {
            Term::Leased(held) => Some(held),
            _ => None,
        }
    }

    fn succeeded(&mut self, now: Instant) {
        self.failures = 0;
        self.retry = None;
        self.answered = Some(now);
    }
}

// === impl Held ===

impl Held {
    fn new(asked: Instant, grant: Grant, rng: &mut Rng) -> Self {
        let (after, act) = if grant.renewable {
            (renew_after(grant.duration, rng.f64()), Act::Renew)
        } else {
            (replace_after(grant.duration, rng.f64()), Act::Fetch)
        };
        Self {
            end: asked + grant.duration,
            next: asked + after,
            act,
            grant,
        }
    }

    fn renewed(&mut self, asked: Instant, renewed: Renewed, rng: &mut Rng) {
        let Renewed {
            duration,
            renewable,
        } = renewed;
        if duration >= self.grant.duration && renewable {
            self.end = asked + duration;
            self.next = asked + renew_after(duration, rng.f64());
            return;
        }
        // A lease that came back shorter runs into its max-TTL, from which no renewal saves it. That is told in whole
        // seconds, of which the last may not be all there.
        let sure = duration.saturating_sub(AGAIN);
        self.end = asked + sure;
        self.act = Act::Fetch;
        self.next = match sure < self.grant.duration.mul_f64(0.2) {
            true => asked,
            false => asked + renew_after(sure, rng.f64()),
        };
    }
}

fn refresh_after(config: &CacheConfig, rng: &mut Rng) -> Duration {
    let least = config.refresh.saturating_sub(config.refresh_jitter);
    least + config.refresh_jitter.mul_f64(2.0 * rng.f64())
}
