//! The hosts that are remembered, within bounds, and the settings that they live by.
use super::{
    ClientConfig, PolicyConfig,
    live::LiveDuration,
    policies::{Policies, PolicyMaker},
    upstream::{Route, Upstream},
};
use arc_swap::ArcSwap;
use detectviz_core::telemetry::metrics::Registry;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The hosts that are remembered, by authority.
///
/// A host that is one too many is served without being remembered, and what protects its calls is one for all of those.
/// Otherwise each call would have a breaker and a budget of its own, which protect nobody.
pub(super) struct Hosts {
    maker: PolicyMaker,
    total_timeout: LiveDuration,
    unknown_ttl: LiveDuration,
    known: ArcSwap<HashMap<String, Arc<Upstream>>>,
    /// Held while hosts are written down or forgotten, or given other settings. Calls to hosts that are remembered never do.
    writing: Mutex<Writing>,
}

struct Writing {
    config: ClientConfig,
    /// What protects the calls to hosts that are not remembered.
    others: Option<Arc<Policies>>,
    /// When those that nobody calls last made way.
    swept: Option<Instant>,
    /// When it was last said that there are too many.
    warned: Option<Instant>,
}

/// What a host is given.
pub(super) struct Place<'a> {
    /// How requests reached it so far.
    pub(super) before: Option<&'a Route>,
    pub(super) config: &'a PolicyConfig,
    pub(super) maker: &'a PolicyMaker,
    /// Whether it is there for later calls too.
    pub(super) remembered: bool,
}

/// What the hosts that are not remembered are called in metrics.
const OTHERS: &str = "_other";

/// For how long nobody must have called a host before it makes way for another. Longer than the windows of breaker and
/// budget, so that nothing is lost that counts.
const UNCALLED: Duration = Duration::from_secs(60);

/// How often it is said that there are too many.
const WARN_EVERY: Duration = Duration::from_secs(60);

// === impl Hosts ===

impl Hosts {
    pub(super) fn new(config: ClientConfig, metrics: &Registry) -> Self {
        Self {
            maker: PolicyMaker::new(metrics),
            total_timeout: LiveDuration::new(config.total_timeout),
            unknown_ttl: LiveDuration::new(config.unknown_ttl),
            known: ArcSwap::default(),
            writing: Mutex::new(Writing {
                config,
                others: None,
                swept: None,
                warned: None,
            }),
        }
    }

    /// The longest that a call may take.
    pub(super) fn total_timeout(&self) -> Duration {
        self.total_timeout.get()
    }

    /// How long a host that discovery did not know goes to DNS.
    pub(super) fn unknown_ttl(&self) -> Duration {
        self.unknown_ttl.get()
    }

    /// What is known of `authority` at `now`. Wait-free.
    pub(super) fn find(&self, authority: &str, now: Instant) -> Option<Arc<Upstream>> {
        let known = self.known.load();
        let found = known.get(authority).filter(|u| u.is_fresh(now))?;
        found.called();
        Some(Arc::clone(found))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.known.load().len()
    }

    /// What protects the calls to hosts that are not remembered, and its name, once there was one.
    pub(super) fn others(&self) -> Option<(&'static str, Arc<Policies>)> {
        let others = self.writing().others.clone();
        others.map(|policies| (OTHERS, policies))
    }

    /// Every host that is remembered.
    pub(super) fn each(&self, visit: impl FnMut(&Arc<Upstream>)) {
        self.known.load().values().for_each(visit);
    }

    /// Goes on with other settings, also for the calls under way; all counts stay.
    pub(super) fn reconfigure(&self, config: &ClientConfig) {
        // Under the lock: a host that is written down meanwhile has the old settings and is visited, or the new ones.
        let mut writing = self.writing();
        writing.config = config.clone();
        self.total_timeout.set(config.total_timeout);
        self.unknown_ttl.set(config.unknown_ttl);
        let total = config.total_timeout;
        self.each(|upstream| upstream.reconfigure(config.policy_of(upstream.authority()), total));
        if let Some(others) = &writing.others {
            others.reconfigure(&config.policy, total);
        }
    }

    /// Writes down how to reach a host that is not known at `now`, if there is room.
    pub(super) fn keep(
        &self,
        authority: &str,
        now: Instant,
        route: impl FnOnce(&Place<'_>) -> Route,
    ) -> Arc<Upstream> {
        if let Some(known) = self.find(authority, now) {
            return known;
        }
        let mut writing = self.writing();
        // Another call may have been faster.
        if let Some(known) = self.find(authority, now) {
            return known;
        }
        let known = self.known.load();
        let before = known.get(authority);
        let remembered = before.is_some() || self.make_room(&mut writing, authority, now);
        let policies = match before {
            Some(before) => Arc::clone(before.policies()),
            None if remembered => {
                let Writing { config, .. } = &*writing;
                let (policy, total) = (config.policy_of(authority), config.total_timeout);
                Arc::new(self.maker.policies(authority, policy, total))
            }
            None => Arc::clone(writing.others(&self.maker)),
        };
        let route = route(&Place {
            before: before.map(|before| before.route()),
            config: writing.config.policy_of(authority),
            maker: &self.maker,
            remembered,
        });
        let upstream = Arc::new(Upstream::new(authority.to_owned(), route, policies));
        if remembered {
            let mut known = HashMap::clone(&self.known.load());
            known.insert(authority.to_owned(), Arc::clone(&upstream));
            self.known.store(Arc::new(known));
            return upstream;
        }
        let max = writing.config.max_upstreams;
        let warn = writing.is_to_warn(now);
        drop(writing);
        self.maker.overflow.inc();
        if warn {
            tracing::warn!(
                server.address = authority,
                max_upstreams = max,
                "more hosts are called than are remembered: the calls to the others share one policy, `_other`, and no \
                 connections; raise max_upstreams"
            );
        }
        upstream
    }

    /// Whether one more host may be remembered. One that the settings name always may; those that nobody calls make way,
    /// unless discovery follows them.
    fn make_room(&self, writing: &mut Writing, authority: &str, now: Instant) -> bool {
        let max = writing.config.max_upstreams;
        if self.len() < max || writing.config.names(authority) {
            return true;
        }
        let is_time = |swept: Instant| now.saturating_duration_since(swept) >= UNCALLED;
        if writing.swept.is_none_or(is_time) {
            writing.swept = Some(now);
            let mut known = HashMap::clone(&self.known.load());
            known.retain(|_, upstream| upstream.take_called() || !upstream.is_direct());
            self.known.store(Arc::new(known));
        }
        self.len() < max
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts")
            .field("known", &self.len())
            .finish_non_exhaustive()
    }
}

// === impl Writing ===

impl Writing {
    fn others(&mut self, maker: &PolicyMaker) -> &Arc<Policies> {
        let (policy, total) = (&self.config.policy, self.config.total_timeout);
        self.others
            .get_or_insert_with(|| Arc::new(maker.policies(OTHERS, policy, total)))
    }

    fn is_to_warn(&mut self, now: Instant) -> bool {
        let is_time = |warned: Instant| now.saturating_duration_since(warned) >= WARN_EVERY;
        let warn = self.warned.is_none_or(is_time);
        if warn {
            self.warned = Some(now);
        }
        warn
    }
}
