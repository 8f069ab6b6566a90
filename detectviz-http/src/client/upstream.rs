//! One host that requests are sent to, and what is remembered of it.
use super::{
    Body, PolicyConfig,
    aim::Aim,
    call::port,
    endpoint::Endpoint,
    policies::Policies,
    recorder::{Recorder, Series},
};
use detectviz_core::{
    balance::{Balancer, EndpointId, NoEndpoints, NoEndpointsReason, PickContext},
    error::BoxError,
};
use http::{HeaderValue, Request, Uri};
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// One host, as it is written in URIs: with the port when there is one.
pub(super) struct Upstream {
    authority: String,
    host_header: Option<HeaderValue>,
    route: Route,
    policies: Arc<Policies>,
    /// Whether it was called since that was last asked.
    called: AtomicBool,
    /// Over http, and over https: their ports differ.
    series: [OnceLock<Series>; 2],
}

/// How requests reach a host.
pub(super) enum Route {
    /// As it is written, through DNS.
    Direct(Direct),
    /// Through one of the endpoints of a service.
    Discovered(Discovered),
}

/// A host that is not asked for.
pub(super) struct Direct {
    /// When discovery is to be asked again.
    until: Option<Instant>,
    /// `None` when it is no host.
    endpoint: Option<Arc<Endpoint>>,
}

/// A service that discovery knows.
pub(super) struct Discovered {
    pub(super) balancer: Balancer<Endpoint>,
}

// === impl Upstream ===

impl Upstream {
    /// `authority` is the host in lower case, with the port when there is one.
    pub(super) fn new(authority: String, route: Route, policies: Arc<Policies>) -> Self {
        Self {
            host_header: HeaderValue::from_str(&authority).ok(),
            authority,
            route,
            policies,
            called: AtomicBool::new(true),
            series: Default::default(),
        }
    }

    /// The host, with the port when there is one.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// The host without its port.
    pub(super) fn host(&self) -> &str {
        host_of(&self.authority)
    }

    /// What a request says in `Host`.
    pub(super) fn host_header(&self) -> Option<HeaderValue> {
        self.host_header.clone()
    }

    /// The metric handles for calls of `target`, which is at this host.
    pub(super) fn series(&self, target: &Uri, recorder: &Recorder) -> &Series {
        let tls = target.scheme_str() == Some("https");
        let series = &self.series[usize::from(tls)];
        series.get_or_init(|| recorder.series(self.host(), port(target)))
    }

    /// Whether what is known of the host still holds at `now`.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        !matches!(self.route, Route::Direct(Direct { until: Some(until), .. }) if until <= now)
    }

    /// Whether the host may be forgotten without losing a watch.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.route, Route::Direct(_))
    }

    /// Notes that it is called.
    pub(super) fn called(&self) {
        // Written only when that changes something: all threads read it.
        if !self.called.load(Relaxed) {
            self.called.store(true, Relaxed);
        }
    }

    /// Whether it was called since this was last asked.
    pub(super) fn take_called(&self) -> bool {
        self.called.swap(false, Relaxed)
    }

    /// What protects its calls.
    pub(super) fn policies(&self) -> &Arc<Policies> {
        &self.policies
    }

    /// How requests reach it.
    pub(super) fn route(&self) -> &Route {
        &self.route
    }

    /// Goes on with other settings; all counts stay.
    pub(super) fn reconfigure(&self, config: &PolicyConfig, total_timeout: Duration) {
        let changed = self.policies.reconfigure(config, total_timeout);
        if let (true, Route::Discovered(found)) = (changed, &self.route) {
            found.balancer.reconfigure(&config.balance);
        }
    }

    /// The endpoint for the next attempt, none of `tried` if that can be.
    ///
    /// # Errors
    /// [`NoEndpoints`] when no endpoint may be given a call.
    pub(super) fn pick(
        &self,
        request: &Request<Body>,
        tried: &[EndpointId],
        now: Instant,
    ) -> Result<Aim, BoxError> {
        match &self.route {
            Route::Direct(Direct { endpoint, .. }) => match endpoint {
                Some(endpoint) => Ok(Aim::Direct(Arc::clone(endpoint))),
                None => {
                    let (service, reason) = (&*self.authority, NoEndpointsReason::Unusable);
                    Err(NoEndpoints::new(service, 0, reason).into())
                }
            },
            Route::Discovered(found) => {
                let hash = self.policies.hash(request.headers());
                let cx = PickContext::new(now, fastrand::u64(..))
                    .hash(hash)
                    .exclude(tried);
                Ok(Aim::Picked(found.balancer.pick(&cx)?))
            }
        }
    }

    /// Compares endpoints, off the path of requests.
    pub(super) fn tick(&self, now: Instant) {
        if let Route::Discovered(found) = &self.route {
            found.balancer.tick(now);
        }
    }

    /// Whose certificate the endpoints must have, when they are not called by that name.
    pub(super) fn server_name(&self) -> Option<&str> {
        (!self.is_direct()).then(|| self.host())
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("authority", &self.authority)
            .field("direct", &self.is_direct())
            .finish_non_exhaustive()
    }
}

// === impl Direct ===

impl Direct {
    /// The host `authority`, until discovery is to be asked again.
    pub(super) fn new(authority: &str, until: Option<Instant>) -> Self {
        let endpoint = authority.parse().ok();
        Self {
            until,
            endpoint: endpoint.map(|authority| Arc::new(Endpoint::new(authority))),
        }
    }

    /// The same host with its connections, `until` then.
    pub(super) fn again(&self, until: Option<Instant>) -> Self {
        Self {
            until,
            endpoint: self.endpoint.clone(),
        }
    }
}

/// `authority` without its port.
pub(super) fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}
