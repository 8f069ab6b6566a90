//! A live view of a balancer.
use super::{
    EjectionReason,
    balancer::Inner,
    draft::Entry,
    ewma::Tick,
    gate::{Gate, Standing},
    settings::nanos,
};
use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

/// A live view of a [`Balancer`](super::Balancer), and ejection by hand.
///
/// # Clone
/// Clones view the same balancer.
#[derive(Clone)]
pub struct BalancerHandle {
    inner: Arc<dyn View>,
}

/// One endpoint at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EndpointView {
    /// `host:port`.
    pub authority: String,
    /// Whether it takes calls.
    pub status: EndpointStatus,
    /// Its share of the calls relative to its siblings.
    pub weight: u32,
    /// The average of its latency, decayed; `None` while nothing is known.
    pub ewma: Option<Duration>,
    /// Its calls in flight.
    pub in_flight: usize,
    /// When its ejection ends; `None` when it is not ejected, or without end.
    pub ejected_until: Option<Instant>,
    /// Ejections in a row; each interval without one takes one off.
    pub ejections: u32,
}

/// Whether an endpoint takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EndpointStatus {
    /// It takes its share.
    Active,
    /// It is new, and takes less.
    SlowStart,
    /// It asked to be left alone for a while.
    Backoff,
    /// It is an outlier and takes none.
    Ejected,
    /// Its ejection is over, but for a probe.
    HalfOpen,
    /// It was ejected by hand and takes none.
    EjectedByHand,
    /// It is not ready, leaving, or of weight 0.
    Draining,
}

/// What a handle asks, whatever the transport keeps.
pub(super) trait View: Send + Sync {
    fn service(&self) -> &str;
    fn endpoints(&self, now: Instant) -> Vec<EndpointView>;
    fn eject(&self, authority: &str, time: Option<Duration>, now: Instant) -> bool;
    fn uneject(&self, authority: &str) -> bool;
}

// === impl BalancerHandle ===

impl BalancerHandle {
    pub(super) fn new(inner: Arc<dyn View>) -> Self {
        Self { inner }
    }

    /// The name of the service.
    #[must_use]
    pub fn service(&self) -> &str {
        self.inner.service()
    }

    /// Every endpoint that is known, by authority.
    #[must_use]
    pub fn endpoints(&self, now: Instant) -> Vec<EndpointView> {
        self.inner.endpoints(now)
    }

    /// Ejects the endpoint `authority` for `time`, or until [`uneject`](Self::uneject) without one; no quota and no panic
    /// threshold change that. `false` when no such endpoint takes calls.
    pub fn eject(&self, authority: &str, time: impl Into<Option<Duration>>, now: Instant) -> bool {
        self.inner.eject(authority, time.into(), now)
    }

    /// Ends an ejection, whatever its reason. `false` when no such endpoint could take calls.
    pub fn uneject(&self, authority: &str) -> bool {
        self.inner.uneject(authority)
    }
}

impl fmt::Debug for BalancerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BalancerHandle")
            .field("service", &self.service())
            .finish_non_exhaustive()
    }
}

// === impl EndpointStatus ===

impl EndpointStatus {
    pub(super) const ALL: [Self; 7] = [
        Self::Active,
        Self::SlowStart,
        Self::Backoff,
        Self::Ejected,
        Self::HalfOpen,
        Self::EjectedByHand,
        Self::Draining,
    ];

    /// The value of the metric's label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::SlowStart => "slow_start",
            Self::Backoff => "backoff",
            Self::Ejected => "ejected",
            Self::HalfOpen => "half_open",
            Self::EjectedByHand => "ejected_by_hand",
            Self::Draining => "draining",
        }
    }
}

// === impl Entry ===

impl<T> Entry<T> {
    pub(super) fn status(&self, now: u64) -> EndpointStatus {
        let vitals = self.seat.vitals();
        match vitals.gate.standing() {
            _ if !self.is_placed() => EndpointStatus::Draining,
            Standing::Gone => EndpointStatus::Draining,
            Standing::Ejected { until } if now < until => EndpointStatus::Ejected,
            Standing::Ejected { .. } | Standing::Probing { .. } => EndpointStatus::HalfOpen,
            Standing::ByHand { until } if now < until => EndpointStatus::EjectedByHand,
            _ if vitals.backoff(now) > 0 => EndpointStatus::Backoff,
            _ if vitals.slow(now) > 0 => EndpointStatus::SlowStart,
            Standing::Admitted | Standing::ByHand { .. } => EndpointStatus::Active,
        }
    }
}

// === impl Inner ===

impl<T: Send + Sync> View for Inner<T> {
    fn service(&self) -> &str {
        &self.shared.service
    }

    fn endpoints(&self, now: Instant) -> Vec<EndpointView> {
        let now = self.shared.nanos(now);
        let draft = self.draft();
        let view = |entry: &Entry<T>| {
            let vitals = entry.seat.vitals();
            let latency = vitals.ewma.at(Tick::of(now), self.shared.decay());
            let ejected_until = match vitals.gate.standing() {
                Standing::Ejected { until } | Standing::ByHand { until }
                    if until != Gate::LATEST =>
                {
                    self.shared.instant(until)
                }
                _ => None,
            };
            EndpointView {
                authority: entry.seat.about().authority.to_string(),
                status: entry.status(now),
                weight: vitals.rare.weight.load(Relaxed),
                ewma: (latency > 0.0).then(|| Duration::from_nanos(latency as u64)),
                in_flight: entry.seat.in_flight(),
                ejected_until,
                ejections: vitals.rare.ejections.load(Relaxed),
            }
        };
        let mut all: Vec<_> = draft.entries.values().map(view).collect();
        all.sort_by(|a, b| a.authority.cmp(&b.authority));
        all
    }

    fn eject(&self, authority: &str, time: Option<Duration>, now: Instant) -> bool {
        let now = self.shared.nanos(now);
        let until = time.map_or(Gate::LATEST, |time| now.saturating_add(nanos(time)));
        let held = self.with(authority, |entry| {
            entry.seat.vitals().gate.hold(&self.shared.quota, until)
        });
        if held {
            self.shared.ejected(EjectionReason::Manual);
        }
        held
    }

    fn uneject(&self, authority: &str) -> bool {
        self.with(authority, |entry| {
            entry.seat.vitals().gate.admit(&self.shared.quota)
        })
    }
}

impl<T> Inner<T> {
    fn with(&self, authority: &str, change: impl FnOnce(&Entry<T>) -> bool) -> bool {
        let draft = self.draft();
        let mut entries = draft.entries.values();
        let entry = entries.find(|entry| *entry.seat.about().authority == *authority);
        entry.is_some_and(change)
    }
}
