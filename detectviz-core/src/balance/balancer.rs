//! The balancer: endpoints in, choices out.
use super::{
    BalanceConfig, BalanceMetrics, BalancerHandle, EndpointLimits, NoEndpoints, NoEndpointsReason,
    PickContext, Picked,
    draft::{Draft, Leaving},
    settings::Settings,
    shared::Shared,
    snapshot::Snapshot,
};
use crate::{
    discovery::{Endpoint, EndpointSet},
    telemetry::context::{NoteValue, note},
};
use arc_swap::{ArcSwap, Cache};
use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Chooses the endpoint of each call to one service, and learns from how the calls end.
///
/// `T` is what the transport keeps for an endpoint, such as a pool of connections.
///
/// # Clone
/// Clones share everything.
pub struct Balancer<T> {
    inner: Arc<Inner<T>>,
}

/// A [`Balancer`] for one thread or connection, which picks in half the time: it keeps the snapshot that it read last.
///
/// What left the service stays in memory, its transport included, until the next pick; whoever may be idle for long, and keeps
/// connections in `T`, picks from the [`Balancer`] itself.
///
/// # Clone
/// A clone has a snapshot of its own.
pub struct Picker<T> {
    inner: Arc<Inner<T>>,
    cache: Cache<Source<T>, Arc<Snapshot<T>>>,
}

pub(super) struct Inner<T> {
    pub(super) shared: Arc<Shared>,
    snapshot: ArcSwap<Snapshot<T>>,
    /// Never held on the request path.
    draft: Mutex<Draft<T>>,
}

/// Where a [`Picker`] reads snapshots.
struct Source<T>(Arc<Inner<T>>);

/// How often a choice that finds nobody is made again since endpoints have changed meanwhile.
const CHANGED_MEANWHILE: u32 = 3;

// === impl Balancer ===

impl<T> Balancer<T> {
    /// A balancer for `service` that knows no endpoints yet. `make` gives what the transport keeps for an endpoint, or `None`
    /// for one that it cannot reach and that is left out; it is called off the request path.
    pub fn new(
        service: impl Into<Arc<str>>,
        config: &BalanceConfig,
        now: Instant,
        make: impl Fn(&Endpoint) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        let settings = Settings::new(config);
        let mut draft = Draft::new(Box::new(make));
        draft.next_interval = settings.interval;
        let snapshot = ArcSwap::from_pointee(draft.snapshot(&settings));
        let inner = Inner {
            shared: Arc::new(Shared::new(service.into(), settings, now)),
            snapshot,
            draft: Mutex::new(draft),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The name of the service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.inner.shared.service
    }

    /// Chooses an endpoint and takes a call on it. Takes no lock and allocates nothing.
    ///
    /// # Errors
    /// [`NoEndpoints`] when no endpoint may be given the call.
    #[inline]
    pub fn pick(&self, cx: &PickContext<'_>) -> Result<Picked<T>, NoEndpoints> {
        let snapshot = self.inner.snapshot.load();
        match snapshot.pick_plain(&self.inner.shared, cx) {
            Some(picked) => Ok(picked),
            None => self.inner.pick_with_care(&snapshot, cx),
        }
    }

    /// A picker for one thread or connection.
    #[must_use]
    pub fn picker(&self) -> Picker<T> {
        Picker {
            inner: Arc::clone(&self.inner),
            cache: Cache::new(Source(Arc::clone(&self.inner))),
        }
    }

    /// Takes over what discovery says. Endpoints that stay, by host and port, keep what is known of them and the calls
    /// they have; a call on one that leaves goes on.
    ///
    /// Endpoints of weight 0 and those that are not [usable](EndpointSet::usable) are given no calls. Of two with the same
    /// host and port the first counts.
    pub fn update(&self, set: &EndpointSet, now: Instant) {
        let now = self.inner.shared.nanos(now);
        self.inner
            .change(|draft, settings, shared| Some(draft.update(set, now, settings, shared)));
    }

    /// Goes on with other settings, without losing what is known.
    pub fn reconfigure(&self, config: &BalanceConfig) {
        // Under the lock, so that of two at once one wins as a whole.
        self.inner.change(|_, _, shared| {
            shared.set(Settings::new(config));
            None
        });
    }

    /// What is left to do off the request path: to compare success rates once an interval, and to know the mean latency. To be
    /// called about once a second by a task of the transport.
    pub fn tick(&self, now: Instant) {
        self.inner.tick(self.inner.shared.nanos(now));
    }

    /// The limits that the transport keeps for each endpoint.
    #[must_use]
    pub fn limits(&self) -> EndpointLimits {
        self.inner.shared.settings.load().config.limits.clone()
    }
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// A live view, without `T`.
    #[must_use]
    pub fn handle(&self) -> BalancerHandle {
        BalancerHandle::new(self.inner.clone())
    }

    /// Lets `metrics` show this balancer for as long as it lives.
    pub fn observed_by(&self, metrics: &BalanceMetrics) {
        metrics.add(&self.inner);
    }
}

impl<T> Clone for Balancer<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<T> fmt::Debug for Balancer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balancer")
            .field("service", &self.service())
            .field("known", &self.inner.snapshot.load().known)
            .finish_non_exhaustive()
    }
}

// === impl Picker ===

impl<T> Picker<T> {
    /// As [`Balancer::pick`].
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn pick(&mut self, cx: &PickContext<'_>) -> Result<Picked<T>, NoEndpoints> {
        let inner = &self.inner;
        let snapshot = self.cache.load();
        match snapshot.pick_plain(&inner.shared, cx) {
            Some(picked) => Ok(picked),
            None => inner.pick_with_care(snapshot, cx),
        }
    }
}

impl<T> Clone for Picker<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            cache: self.cache.clone(),
        }
    }
}

impl<T> fmt::Debug for Picker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picker")
            .field("service", &self.inner.shared.service)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl<T> Inner<T> {
    /// Changes what is known, and publishes it.
    fn change(
        &self,
        change: impl FnOnce(&mut Draft<T>, &Settings, &Arc<Shared>) -> Option<Leaving<T>>,
    ) {
        let shared = &self.shared;
        let mut draft = self.draft();
        let leaving = change(&mut draft, &shared.settings.load_full(), shared);
        let settings = shared.settings.load_full();
        let snapshot = draft.snapshot(&settings);
        let most = settings.most_ejected(snapshot.seats.len());
        // At no moment are more ejected than of the smaller of both sets may be.
        if most < shared.quota.most() {
            shared.quota.allow(most);
            draft.keep_quota(most, shared);
        }
        self.snapshot.store(Arc::new(snapshot));
        // Only now: had their gates been closed before, a choice might have found nobody.
        if let Some(leaving) = leaving {
            leaving.leave(shared);
        }
        shared.quota.allow(most);
    }

    pub(super) fn draft(&self) -> MutexGuard<'_, Draft<T>> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline(never)]
    fn pick_with_care(
        &self,
        snapshot: &Arc<Snapshot<T>>,
        cx: &PickContext<'_>,
    ) -> Result<Picked<T>, NoEndpoints> {
        match snapshot.pick(&self.shared, cx) {
            Ok(picked) => Ok(picked),
            Err(reason) => self.pick_again(snapshot, reason, cx),
        }
    }

    /// Nobody was found in `before`: chooses again if endpoints have changed meanwhile.
    #[cold]
    fn pick_again(
        &self,
        before: &Arc<Snapshot<T>>,
        mut reason: NoEndpointsReason,
        cx: &PickContext<'_>,
    ) -> Result<Picked<T>, NoEndpoints> {
        let mut before = Arc::clone(before);
        for _ in 0..CHANGED_MEANWHILE {
            let latest = self.snapshot.load_full();
            if Arc::ptr_eq(&latest, &before) {
                break;
            }
            match latest.pick(&self.shared, cx) {
                Ok(picked) => return Ok(picked),
                Err(again) => reason = again,
            }
            before = latest;
        }
        self.shared.refused(reason);
        let attribute = ("reason", NoteValue::Str(reason.as_str()));
        note(cx.now, "balance.no_endpoints", Some(attribute));
        let service = Arc::clone(&self.shared.service);
        Err(NoEndpoints::new(service, before.known, reason))
    }
}

// === impl Source ===

impl<T> Deref for Source<T> {
    type Target = ArcSwap<Snapshot<T>>;

    fn deref(&self) -> &Self::Target {
        &self.0.snapshot
    }
}

impl<T> Clone for Source<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
