//! Whether an endpoint takes calls, in one word; and how many may be ejected at once, in another.
use crate::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// Whether one endpoint takes calls: a tag in the low bits, a moment in nanoseconds above it.
#[derive(Debug)]
pub(crate) struct Gate {
    word: AtomicU64,
}

/// What a [`Gate`] says. Moments are nanoseconds since the balancer was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It takes calls.
    Admitted,
    /// It takes none; from `until` on, one as a probe.
    Ejected { until: u64 },
    /// The probe that began at `since` is on its way; nobody else is let through.
    Probing { since: u64 },
    /// Ejected by hand: it takes none before `until`, whatever happens.
    ByHand { until: u64 },
    /// It is not among those that may be chosen. Nothing but [`Gate::enter`] changes that.
    Gone,
}

/// How many of a service's endpoints are ejected, and how many may be: the endpoints that are [`Standing::Ejected`] or
/// [`Standing::Probing`] are never more.
#[derive(Debug)]
pub(crate) struct Quota {
    /// The most in the high half, those taken in the low one.
    word: AtomicU64,
    /// How many are ejected by hand, which it does not bound.
    held: AtomicU32,
}

const TAG: u32 = 3;
const ADMITTED: u64 = 0;
const EJECTED: u64 = 1;
const PROBING: u64 = 2;
const BY_HAND: u64 = 3;
const GONE: u64 = 4;

// === impl Gate ===

impl Gate {
    /// The latest moment that can be written: 73 years.
    pub(crate) const LATEST: u64 = u64::MAX >> TAG;

    /// The gate of an endpoint that has not [entered](Self::enter) yet.
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU64::new(Standing::Gone.word()),
        }
    }

    /// Whether it takes calls, and there is no more to know.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.word.load(Relaxed) == ADMITTED
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing::of(self.word.load(Acquire))
    }

    /// Ejects an endpoint that takes calls, if the quota has room.
    pub(crate) fn eject(&self, quota: &Quota, until: u64) -> bool {
        if !self.is_open() || !quota.take() {
            return false;
        }
        let ejected = self.change(Standing::Admitted, Standing::Ejected { until });
        if !ejected {
            quota.give_back();
        }
        ejected
    }

    /// Lets one call through after the ejection: `true` for one caller only.
    pub(crate) fn claim_probe(&self, now: u64) -> bool {
        match self.standing() {
            ejected @ Standing::Ejected { until } if until <= now => {
                self.change(ejected, Standing::Probing { since: now })
            }
            _ => false,
        }
    }

    /// The probe that began at `since` went well: the endpoint takes calls again. `false` when something came between.
    pub(crate) fn pass(&self, quota: &Quota, since: u64) -> bool {
        let passed = self.change(Standing::Probing { since }, Standing::Admitted);
        if passed {
            quota.give_back();
        }
        passed
    }

    /// The probe that began at `since` says nothing good: no other before `until`. `false` when something came between.
    pub(crate) fn shut(&self, since: u64, until: u64) -> bool {
        self.change(Standing::Probing { since }, Standing::Ejected { until })
    }

    /// Ejects by hand, which no quota forbids. `false` when the endpoint is gone.
    pub(crate) fn hold(&self, quota: &Quota, until: u64) -> bool {
        self.replace(quota, Standing::ByHand { until })
    }

    /// Lets calls through again, whyever it was shut. `false` when the endpoint is gone.
    pub(crate) fn admit(&self, quota: &Quota) -> bool {
        self.replace(quota, Standing::Admitted)
    }

    /// Ends an ejection by hand whose time is up. `true` when the endpoint takes calls.
    pub(crate) fn lift(&self, quota: &Quota, now: u64) -> bool {
        match self.standing() {
            held @ Standing::ByHand { until } if until <= now => {
                let lifted = self.change(held, Standing::Admitted);
                if lifted {
                    quota.left(held);
                }
                lifted
            }
            other => other == Standing::Admitted,
        }
    }

    /// The endpoint may be chosen from now on.
    pub(crate) fn enter(&self) {
        self.change(Standing::Gone, Standing::Admitted);
    }

    /// The endpoint may no longer be chosen; an ejection ends with it.
    pub(crate) fn leave(&self, quota: &Quota) {
        let before = self.word.swap(Standing::Gone.word(), AcqRel);
        quota.left(Standing::of(before));
    }

    fn change(&self, from: Standing, to: Standing) -> bool {
        let res = self
            .word
            .compare_exchange(from.word(), to.word(), AcqRel, Relaxed);
        res.is_ok()
    }

    fn replace(&self, quota: &Quota, to: Standing) -> bool {
        quota.becomes(to);
        loop {
            let before = self.standing();
            if before == Standing::Gone {
                quota.left(to);
                return false;
            }
            if self.change(before, to) {
                quota.left(before);
                return true;
            }
        }
    }
}

// === impl Standing ===

impl Standing {
    fn of(word: u64) -> Self {
        let moment = word >> TAG;
        match word & ((1 << TAG) - 1) {
            ADMITTED => Self::Admitted,
            EJECTED => Self::Ejected { until: moment },
            PROBING => Self::Probing { since: moment },
            BY_HAND => Self::ByHand { until: moment },
            _ => Self::Gone,
        }
    }

    fn word(self) -> u64 {
        let (tag, moment) = match self {
            Self::Admitted => (ADMITTED, 0),
            Self::Ejected { until } => (EJECTED, until),
            Self::Probing { since } => (PROBING, since),
            Self::ByHand { until } => (BY_HAND, until),
            Self::Gone => (GONE, 0),
        };
        moment.min(Gate::LATEST) << TAG | tag
    }
}

// === impl Quota ===

impl Quota {
    /// Nothing may be ejected yet.
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
            held: AtomicU32::new(0),
        }
    }

    /// How many are ejected by hand.
    pub(crate) fn held(&self) -> u32 {
        self.held.load(Acquire)
    }

    /// How many are ejected.
    pub(crate) fn taken(&self) -> u32 {
        self.word.load(Acquire) as u32
    }

    /// How many may be.
    pub(crate) fn most(&self) -> u32 {
        (self.word.load(Acquire) >> 32) as u32
    }

    /// Sets how many may be ejected; those that are stay so.
    pub(crate) fn allow(&self, most: u32) {
        let mut word = self.word.load(Relaxed);
        let next = |word: u64| u64::from(most) << 32 | word & u64::from(u32::MAX);
        while let Err(now) = self
            .word
            .compare_exchange(word, next(word), AcqRel, Relaxed)
        {
            word = now;
        }
    }

    fn take(&self) -> bool {
        let mut word = self.word.load(Relaxed);
        while (word as u32) < (word >> 32) as u32 {
            match self.word.compare_exchange(word, word + 1, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    fn give_back(&self) {
        self.word.fetch_sub(1, AcqRel);
    }

    /// An endpoint is going to be admitted or ejected by hand.
    fn becomes(&self, next: Standing) {
        if matches!(next, Standing::ByHand { .. }) {
            self.held.fetch_add(1, AcqRel);
        }
    }

    /// An endpoint is no longer what it was.
    fn left(&self, before: Standing) {
        match before {
            Standing::Ejected { .. } | Standing::Probing { .. } => self.give_back(),
            Standing::ByHand { .. } => {
                self.held.fetch_sub(1, AcqRel);
            }
            Standing::Admitted | Standing::Gone => {}
        }
    }
}
