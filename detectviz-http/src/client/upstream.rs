//! One host that requests are sent to, and what is remembered of it.
use super::{
    call::port,
    connect::Pool,
    recorder::{Recorder, Series},
};
use arc_swap::ArcSwap;
use detectviz_core::{
    balance::{BalanceConfig, BalanceMetrics, Balancer, NoEndpoints, PickContext, Policy},
    discovery::{Endpoint, EndpointSet, EndpointWatch},
};
use http::{HeaderValue, Uri, uri::Authority};
use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Instant,
};

/// One host, as it is written in URIs: with the port when there is one.
pub(super) struct Upstream {
    authority: String,
    host_header: Option<HeaderValue>,
    route: Route,
    /// Over http, and over https: their ports differ.
    series: [OnceLock<Series>; 2],
}

/// How requests reach a host.
pub(super) enum Route {
    /// As it is written, through DNS; until that moment, when discovery is to be asked again.
    Direct(Option<Instant>),
    /// Through one of the endpoints of a service.
    Discovered(Box<Discovered>),
}

/// A service that discovery knows.
pub(super) struct Discovered {
    watch: EndpointWatch,
    balancer: Balancer<Authority>,
    /// The set that the balancer has.
    balanced: ArcSwap<EndpointSet>,
    /// Connections on which the certificate must be the service's, whatever the endpoint is called.
    secured: OnceLock<Pool>,
}

// === impl Upstream ===

impl Upstream {
    /// `authority` is the host in lower case, with the port when there is one.
    pub(super) fn new(authority: String, route: Route) -> Self {
        Self {
            host_header: HeaderValue::from_str(&authority).ok(),
            authority,
            route,
            series: Default::default(),
        }
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
        !matches!(self.route, Route::Direct(Some(until)) if until <= now)
    }

    /// Whether the host may be forgotten without losing a watch.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.route, Route::Direct(_))
    }

    /// The endpoint for the next call: `uri` with its authority, or `uri` itself when the host is not discovered.
    ///
    /// # Errors
    /// [`NoEndpoints`] when no endpoint may be given a call.
    pub(super) fn aim(&self, uri: Uri) -> Result<Uri, NoEndpoints> {
        let Route::Discovered(found) = &self.route else {
            return Ok(uri);
        };
        let authority = found.pick()?;
        let mut parts = uri.into_parts();
        parts.authority = Some(authority);
        Ok(Uri::from_parts(parts).unwrap_or_default())
    }

    /// The pool for `https`, or `None` where the common one verifies the right name.
    pub(super) fn secured(&self, pool: impl FnOnce(&str) -> Pool) -> Option<&Pool> {
        match &self.route {
            Route::Discovered(found) => Some(found.secured.get_or_init(|| pool(self.host()))),
            Route::Direct(_) => None,
        }
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

// === impl Discovered ===

impl Discovered {
    pub(super) fn new(watch: EndpointWatch, metrics: &BalanceMetrics) -> Self {
        let (first, now) = (watch.latest(), Instant::now());
        let config = BalanceConfig::default().policy(Policy::RoundRobin);
        // Endpoints whose host is no host are left out.
        let authority = |e: &Endpoint| e.authority().parse().ok();
        let balancer = Balancer::new(first.service(), &config, now, authority);
        balancer.update(&first, now);
        balancer.observed_by(metrics);
        Self {
            watch,
            balancer,
            balanced: ArcSwap::new(first),
            secured: OnceLock::new(),
        }
    }

    /// The authority whose turn it is.
    fn pick(&self) -> Result<Authority, NoEndpoints> {
        let (latest, now) = (self.watch.latest(), Instant::now());
        if !Arc::ptr_eq(&self.balanced.load(), &latest) {
            // Two calls may do so at once; it comes out the same.
            self.balancer.update(&latest, now);
            self.balanced.store(latest);
        }
        let picked = self
            .balancer
            .pick(&PickContext::new(now, fastrand::u64(..)))?;
        Ok(picked.transport().clone())
    }
}

/// `authority` without its port.
pub(super) fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}
