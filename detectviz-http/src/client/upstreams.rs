//! Finds the host of a call: read without waiting, asked for once.
use super::{
    ClientConfig, LookupFailed,
    hosts::{Hosts, Place},
    upstream::{Direct, Discovered, Route, Upstream, host_of},
};
use detectviz_core::{
    discovery::{DiscoveryError, DiscoveryErrorKind, EndpointWatch, ServiceDiscoveryProvider},
    error::BoxError,
    task::Tasks,
    telemetry::metrics::Registry,
};
use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// The hosts of a client.
pub(super) struct Upstreams {
    provider: Option<Arc<dyn ServiceDiscoveryProvider>>,
    tasks: Tasks,
    hosts: Hosts,
    asking: Mutex<HashMap<String, Arc<Question>>>,
}

/// A lookup that somebody is making and others wait for. Holds the error for those who waited.
#[derive(Default)]
struct Question(tokio::sync::Mutex<Option<Arc<DiscoveryError>>>);

/// Takes the question back when the one who asks has the answer, or gives up.
struct Asking<'a> {
    upstreams: &'a Upstreams,
    authority: &'a str,
    question: Arc<Question>,
}

// === impl Upstreams ===

impl Upstreams {
    pub(super) fn new(
        provider: Option<Arc<dyn ServiceDiscoveryProvider>>,
        config: ClientConfig,
        metrics: &Registry,
        tasks: Tasks,
    ) -> Self {
        Self {
            provider,
            tasks,
            hosts: Hosts::new(config, metrics),
            asking: Mutex::default(),
        }
    }

    /// Those that are remembered.
    pub(super) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// What is known of `authority`, or is known as soon as it has been written down: nobody has to be asked.
    pub(super) fn at_once(&self, authority: &str, now: Instant) -> Option<Arc<Upstream>> {
        if let Some(known) = self.hosts.find(authority, now) {
            return Some(known);
        }
        if self.provider.is_some() && may_be_service(authority) {
            return None;
        }
        Some(self.direct(authority, None, now))
    }

    /// Asks the provider, once for all who want to know at the same time.
    ///
    /// # Errors
    /// [`LookupFailed`] when the provider has no answer and the host cannot be a DNS name of elsewhere.
    ///
    /// # Cancel safety
    /// When the one who asks gives up, the next one asks.
    pub(super) async fn ask(&self, authority: &str) -> Result<Arc<Upstream>, BoxError> {
        let Some(provider) = &self.provider else {
            return Ok(self.direct(authority, None, Instant::now()));
        };
        let asking = Asking::new(self, authority);
        let mut failed = asking.question.0.lock().await;
        if let Some(known) = self.hosts.find(authority, Instant::now()) {
            return Ok(known);
        }
        if let Some(err) = &*failed {
            return Err(LookupFailed::new(authority, Arc::clone(err)).into());
        }
        let answer = provider.watch(authority).await;
        let now = Instant::now();
        let elsewhere = || self.direct(authority, Some(now + self.hosts.unknown_ttl()), now);
        match answer {
            Ok(watch) => Ok(self.discovered(authority, watch, now)),
            Err(err) if err.kind() == DiscoveryErrorKind::UnknownService => Ok(elsewhere()),
            // A name with dots is most likely somebody else's: it is not worth failing for.
            Err(_) if authority.contains('.') => Ok(elsewhere()),
            Err(err) => {
                let err = failed.insert(Arc::new(err));
                Err(LookupFailed::new(authority, Arc::clone(err)).into())
            }
        }
    }

    /// A service that discovery knows: its endpoints are followed from here on, for as long as it is remembered.
    fn discovered(&self, authority: &str, mut watch: EndpointWatch, now: Instant) -> Arc<Upstream> {
        self.hosts.keep(authority, now, |place| {
            let balance = &place.config.balance;
            let balancer = place.maker.balancer(authority, balance, place.remembered);
            balancer.update(&watch.latest(), now);
            if place.remembered {
                let (follower, token) = (balancer.clone(), self.tasks.token());
                self.tasks.spawn("http client discovery", async move {
                    let follow = async {
                        while let Some(set) = watch.changed().await {
                            follower.update(&set, Instant::now());
                        }
                    };
                    token.run_until_cancelled(follow).await;
                });
            }
            Route::Discovered(Discovered { balancer })
        })
    }

    /// A host that goes to DNS, until discovery is to be asked again.
    fn direct(&self, authority: &str, until: Option<Instant>, now: Instant) -> Arc<Upstream> {
        let route = |place: &Place<'_>| match place.before {
            Some(Route::Direct(before)) => before.again(until),
            _ => Direct::new(authority, until),
        };
        self.hosts
            .keep(authority, now, |place| Route::Direct(route(place)))
    }

    fn questions(&self) -> MutexGuard<'_, HashMap<String, Arc<Question>>> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstreams")
            .field("discovery", &self.provider.as_ref().map(|p| p.name()))
            .field("known", &self.hosts.len())
            .finish_non_exhaustive()
    }
}

// === impl Asking ===

impl<'a> Asking<'a> {
    fn new(upstreams: &'a Upstreams, authority: &'a str) -> Self {
        let mut questions = upstreams.questions();
        let question = Arc::clone(questions.entry(authority.to_owned()).or_default());
        Self {
            upstreams,
            authority,
            question,
        }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut questions = self.upstreams.questions();
        // An answer was given, or nobody else waits: two are the map's and our own.
        let answered = self
            .question
            .0
            .try_lock()
            .is_ok_and(|failed| failed.is_some());
        let ours = |q: &Arc<Question>| Arc::ptr_eq(q, &self.question);
        if (answered || Arc::strong_count(&self.question) <= 2)
            && questions.get(self.authority).is_some_and(ours)
        {
            questions.remove(self.authority);
        }
    }
}

/// Whether a host can be the name of a service: neither an IP address nor a host with a port, which names one address.
fn may_be_service(authority: &str) -> bool {
    !authority.starts_with('[')
        && host_of(authority).len() == authority.len()
        && authority.parse::<IpAddr>().is_err()
}
